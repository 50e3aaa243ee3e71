// Wingmirror · Apache-2.0

import Agent
import ArgumentParser
import JSONSyntax
import PacketCapture
import ResourceFiles
import RouteAttribution

/// `check`: validates a configuration and its routes, and estimates what they cost; changes nothing.
struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Validate a configuration and its routes, and estimate series and memory.",
        discussion: """
            Exits with 2 if the configuration or an object is invalid, or if run would refuse it, and prints each problem \
            on standard error; with 1 if the objects make no route. The names of mirror targets are looked up; nothing \
            is sent to them. Files, users and variables that are missing on this machine, and a source that run may be \
            given on its command line, are warnings only, since a configuration is often checked elsewhere; files of \
            credentials must be there. Whether this machine may capture is not checked.

            Example:
              wingmirror check --config samples/wingmirror.yaml
            """
    )

    @OptionGroup var format: ReportFormatOption

    @OptionGroup var shared: SharedOptions

    mutating func run() async throws {
        let format = try format.format()
        let configuration = try shared.configuration()
        let check = try await ConfigurationCheck(configuration, isFile: shared.objects.config != nil)
        var output = OctetOutput.standardOutput()
        switch format {
        case .text: for line in check.lines(Terminal.style(1)) { try output.append(line: line) }
        case .json: try output.append(check.document.indented())
        }
        try output.flush()
        let errors = check.errors
        if !errors.isEmpty {
            throw CommandFailure(.usage, errors)
        }
        if let emptiness = check.emptiness { throw CommandFailure(.failed, emptiness) }
    }
}
