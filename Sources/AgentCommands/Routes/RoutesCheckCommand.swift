// Wingmirror · Apache-2.0

import Agent
import AgentConfiguration
import ArgumentParser
import ResourceFiles
import RouteAttribution

/// `routes check`: lints the route objects.
struct RoutesCheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Find objects that are refused, rules that can never match, and more of the kind.",
        discussion: """
            Ends with 1 when an error was found, and when the objects make no route, unless they are rules without any \
            Gateway; with --strict also on warnings and on files that are passed over.

            Examples:
              wingmirror routes check samples/istio --output sarif
              helm template chart | wingmirror routes check -
              wingmirror routes check --kubernetes --context staging
            """
    )

    /// What is printed.
    private enum Output: String, CaseIterable {
        case table
        case ndjson
        case sarif
    }

    @Argument(
        help: ArgumentHelp(
            "Files and folders of route objects, as with --routes; - is standard input.",
            valueName: "path"
        ),
        completion: .file()
    )
    var paths: [String] = []

    @Option(
        name: [.short, .long],
        help: ArgumentHelp("What to print: table, ndjson (or json) or sarif.", valueName: "output"),
        completion: .list(Output.allCases.map(\.rawValue))
    )
    var output = "table"

    @Flag(help: "Let warnings and files without objects fail too.")
    var strict = false

    @OptionGroup var shared: ObjectOptions
    @OptionGroup(visibility: .hidden) var traffic: TrafficOptions
    @OptionGroup var cluster: ClusterOptions

    mutating func run() async throws {
        var configuration = try shared.configuration()
        if !paths.isEmpty { configuration.routes.files = shared.routes + paths }
        var problems: [ConfigurationProblem] = []
        traffic.refuse(&problems)
        guard let output: Output = OutputName.read(output, &problems), problems.isEmpty else {
            throw ConfigurationProblems(problems)
        }
        let objects = try RouteObjects(
            configuration,
            namesServerPorts: false,
            for: .person,
            cluster: try await cluster.objects(configuration)
        )
        let check = RouteCheck(objects)
        let report = FindingReport(check.findings)
        var octets = OctetOutput.standardOutput()
        switch output {
        case .ndjson: try octets.append(report.ndjson)
        case .sarif: try octets.append(report.sarif)
        case .table:
            let notices = check.notices.map(\.withVisibleControls)
            for line in notices + report.lines(Terminal.style(1)) { try octets.append(line: line) }
        }
        try octets.flush()
        if output != .table {
            for notice in check.notices { StandardError.say(notice) }
        }
        let lacksObjects = strict && !objects.survey.passedOver.isEmpty
        guard !report.fails(strict: strict), !lacksObjects, !check.isEmpty else { throw CommandFailure(.failed, []) }
    }
}

/// Everything that `routes check` says of a set of objects.
struct RouteCheck {
    /// What was found, each once.
    private(set) var findings: [RouteFinding]
    /// What comes before it: why nothing is served, what was taken for granted, what was passed over.
    private(set) var notices: [String] = []
    /// Whether the objects make no route for any workload.
    private(set) var isEmpty = false

    init(_ objects: RouteObjects) {
        if objects.undecided.count > 1 {
            // Nothing is shared by workloads, so each is checked by itself.
            let checks = objects.undecided.map { objects.findings(for: $0) }
            findings = objects.resources.located(checks.flatMap(\.findings))
            if checks.allSatisfy({ $0.routeCount == 0 }), let emptiness = objects.emptiness {
                notices.append(emptiness)
                isEmpty = true
            }
            let names = objects.undecided.map(\.description).joined(separator: "; ")
            notices.append(
                "the Gateways are for \(objects.undecided.count) workloads, which were checked one by one: \(names)"
            )
        } else {
            findings = objects.allFindings
            if let emptiness = objects.emptiness { notices.append(emptiness) }
            // Rules may well be checked without the Gateways that they name.
            isEmpty = objects.emptiness != nil && !objects.resources.areRulesAlone
        }
        notices += objects.notices
        if let unnamed = objects.resources.withoutNamespace, objects.resources.defaultNamespace == "default" {
            let count = unnamed.count == 1 ? "1 object names" : "\(unnamed.count) objects name"
            findings += objects.resources.located([
                RouteFinding(
                    object: unnamed.first,
                    severity: .note,
                    code: .assumedNamespace,
                    path: "metadata.namespace",
                    message: "\(count) no namespace and \(unnamed.count == 1 ? "is" : "are") taken to be of namespace "
                        + "default; --namespace says otherwise"
                )
            ])
        }
    }
}
