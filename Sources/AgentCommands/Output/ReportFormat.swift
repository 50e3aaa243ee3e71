// Wingmirror · Apache-2.0

import AgentConfiguration
import ArgumentParser

/// How a report is printed.
enum ReportFormat: String, Sendable, CaseIterable {
    /// Lines for people.
    case text
    /// One JSON document.
    case json
}

/// The option of commands that print one report.
struct ReportFormatOption: ParsableArguments {
    @Option(
        name: [.short, .long],
        help: ArgumentHelp("What is printed: text or json.", valueName: "output"),
        completion: .list(ReportFormat.allCases.map(\.rawValue))
    )
    var output = "text"

    /// The format that was asked for.
    func format() throws(ConfigurationProblems) -> ReportFormat {
        var problems: [ConfigurationProblem] = []
        if let format: ReportFormat = OutputName.read(output, &problems) { return format }
        throw ConfigurationProblems(problems)
    }
}
