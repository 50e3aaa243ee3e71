// Wingmirror · Apache-2.0

import AgentConfiguration
import ArgumentParser

/// `mirror`: what mirroring would send, and what the answers say.
struct MirrorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mirror",
        abstract: "Forecast what mirroring would send, or show the verdicts so far.",
        discussion: """
            Examples:
              wingmirror mirror plan capture.pcap --config wingmirror.yaml
              wingmirror mirror report --agent http://127.0.0.1:9646
            """,
        subcommands: [MirrorPlanCommand.self, MirrorReportCommand.self]
    )
}

/// `mirror plan`: the forecast.
struct MirrorPlanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Forecast what the policies would send, and send nothing.",
        discussion: """
            Uses the policies and targets of the configuration, whether mirroring is enabled there or not. Every request \
            goes through the same decisions as in the agent, and sampled ones through the same redaction, so the forecast \
            counts what mirroring would send.

            Examples:
              wingmirror mirror plan capture.pcap --config wingmirror.yaml \\
                  --routes samples/istio
              sudo wingmirror mirror plan --interface eth0 --for 30s \\
                  --config wingmirror.yaml
            """
    )

    @Option(
        name: .customLong("for"),
        help: ArgumentHelp("How long to look at interfaces. (default: 30s)", valueName: "duration")
    )
    var time: String?

    @Option(
        name: [.short, .long],
        help: ArgumentHelp("What to print: table, or ndjson (or json).", valueName: "output"),
        completion: .list(MirrorOutput.allCases.map(\.rawValue))
    )
    var output = "table"

    @OptionGroup var sources: SourceOptions

    mutating func run() async throws {
        try await MirrorForecastPlan(self).execute()
    }
}

/// `mirror report`: the verdicts.
struct MirrorReportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Show what the answers of targets say, of a running agent or a recording.",
        discussion: """
            A recording is a .gor file with replayed responses beside the original ones: the first replayed response to \
            a request is judged, and a second one measures the noise. Requests without a replayed response count as missing.

            Examples:
              wingmirror mirror report --agent http://127.0.0.1:9646
              wingmirror mirror report replayed.gor --output ndjson
              wingmirror mirror report --failing
            """
    )

    @Argument(
        help: ArgumentHelp("Recordings with replayed answers, instead of an agent.", valueName: "recording"),
        completion: .file()
    )
    var recordings: [String] = []

    @Option(help: ArgumentHelp("Ask this agent. (default: http://127.0.0.1:9646)", valueName: "url"))
    var agent: String?

    @OptionGroup var access: AgentAccessOptions

    @Option(
        help: ArgumentHelp("Show the verdicts on this route only, by its name or namespace/object.", valueName: "route")
    )
    var route: String?

    @Flag(help: "Show the verdicts that fail or differ only, and end with status 1 when there are any.")
    var failing = false

    @Option(
        name: [.short, .long],
        help: ArgumentHelp("What to print: table, or ndjson (or json).", valueName: "output"),
        completion: .list(MirrorOutput.allCases.map(\.rawValue))
    )
    var output = "table"

    mutating func run() async throws {
        try await MirrorReportPlan(self).execute()
    }
}

/// What the commands of `mirror` print.
enum MirrorOutput: String, Sendable, CaseIterable {
    case table
    case ndjson

    /// Reads the option; what is unknown is added to `problems`.
    init(_ text: String, _ problems: inout [ConfigurationProblem]) {
        self = OutputName.read(text, &problems) ?? .table
    }
}
