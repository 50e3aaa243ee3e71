// Wingmirror · Apache-2.0

import Agent
import AgentConfiguration
import ArgumentParser
import RouteAttribution

/// `routes check`: lints the route objects.
struct RoutesCheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Find objects that are refused, rules that can never match, and more of the kind.",
        discussion: """
            Ends with 1 when an error was found; with --strict also on warnings.

            Example:
              wingmirror routes check --routes samples/istio --output sarif
            """
    )

    @Option(help: ArgumentHelp("What to print: table, ndjson or sarif.", valueName: "output"))
    var output = "table"

    @Flag(help: "Let warnings fail too.")
    var strict = false

    @OptionGroup var shared: SharedOptions

    mutating func run() async throws {
        let configuration = try shared.configuration()
        guard ["table", "ndjson", "sarif"].contains(output) else {
            throw ConfigurationProblems([
                .option("--output", "expected one of table, ndjson, sarif, found \"\(output)\"")
            ])
        }
        let objects = try RouteObjects(configuration, namesServerPorts: false)
        let report = FindingReport(objects.allFindings)
        var octets = OctetOutput.standardOutput()
        switch output {
        case "ndjson": try octets.append(report.ndjson)
        case "sarif": try octets.append(report.sarif)
        default:
            for line in report.lines(Terminal.style(1)) { try octets.append(line: line) }
        }
        try octets.flush()
        guard !report.fails(strict: strict) else { throw CommandFailure(.failed, []) }
    }
}
