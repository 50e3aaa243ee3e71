// Wingmirror · Apache-2.0

import Agent
import AgentConfiguration
import ArgumentParser
import JSONSyntax
import RouteAttribution

/// `routes diff`: what a change of the objects does, by reasoning and to real requests.
struct RoutesDiffCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff",
        abstract: "Say what a change of the route objects does, also to recorded requests.",
        discussion: """
            Without --traffic the changes are found by reasoning: rules added, gone, now shadowed, other destinations \
            or shares, hosts that fall to another object. With it, each recorded request is looked up before and after.

            Ends with 0 when nothing moves and with 1 when something does that --allow does not name. With --traffic, \
            only won, lost, moved and other count; without, added, gone, shadowed, destination, settings, order, host, \
            listener. It also ends with 1 when --traffic has nothing to compare, or a file of it is damaged. Request \
            records must be made with --fields; TLS in pcap files is read with --key-log.

            Examples:
              wingmirror routes diff --before main/istio --after branch/istio
              wingmirror routes diff --before old --after new --traffic ingress.pcap \\
                  --output markdown --allow won
            """
    )

    /// What is printed.
    private enum Output: String, CaseIterable {
        case table
        case ndjson
        case markdown
    }

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp("The objects as they are; may be repeated; - is standard input.", valueName: "path"),
        completion: .file()
    )
    var before: [String] = []

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp("The objects as they would be; may be repeated; - is standard input.", valueName: "path"),
        completion: .file()
    )
    var after: [String] = []

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp(
            "Recorded requests: a pcap file, exchange records (.ndjson), .gor or .har; may be repeated.",
            valueName: "file"
        ),
        completion: .file()
    )
    var traffic: [String] = []

    @Option(
        help: ArgumentHelp(
            "The Gateway server's port that recorded requests arrived at; without it 80, or the only plain port.",
            valueName: "port"
        )
    )
    var port: Int?

    @Option(
        help: ArgumentHelp(
            "Take the requests that the running agent there still has as traffic too.",
            valueName: "url"
        )
    )
    var agent: String?

    @OptionGroup var access: AgentAccessOptions

    @Option(
        help: ArgumentHelp("Kinds of changes that do not fail, separated by commas.", valueName: "kinds"),
        completion: .list(RouteChange.Kind.allCases.map(\.rawValue) + TrafficDifference.Kind.allCases.map(\.rawValue))
    )
    var allow: String?

    @Option(
        name: [.short, .long],
        help: ArgumentHelp("What to print: table, ndjson (or json) or markdown.", valueName: "output"),
        completion: .list(Output.allCases.map(\.rawValue))
    )
    var output = "table"

    @OptionGroup var shared: SharedOptions

    /// What is written without an option, as `diff` takes it.
    @Argument(help: .hidden)
    var paths: [String] = []

    /// The kinds of differences that are no failure.
    private var allowed: Set<String> {
        Set((allow ?? "").split(separator: ",").map { String($0.filter { $0 != " " }) })
    }

    /// Finds options that are missing, that do not go together, or whose values are wrong.
    private func findProblems(_ problems: inout [ConfigurationProblem]) {
        for path in paths { problems.append(.option(path, "name the objects with --before and --after")) }
        if before.isEmpty { problems.append(.option("--before", "name the objects as they are")) }
        if after.isEmpty { problems.append(.option("--after", "name the objects as they would be")) }
        if !shared.objects.routes.isEmpty {
            problems.append(.option("--routes", "--before and --after name the objects; leave it out"))
        }
        if shared.traffic.logLevel != nil {
            problems.append(.option("--log-level", "nothing is logged here; leave it out"))
        }
        if traffic.isEmpty {
            if shared.traffic.keyLog != nil { problems.append(.option("--key-log", "goes with --traffic")) }
            if shared.traffic.filter != nil { problems.append(.option("--filter", "goes with --traffic")) }
            if agent == nil, port != nil { problems.append(.option("--port", "goes with --traffic or --agent")) }
        }
        if let port, !(1...65_535).contains(port) { problems.append(.portRefusal(port)) }
        if before.contains("-"), after.contains("-") {
            problems.append(.option("--after", "standard input can be read once only"))
        }
    }

    private func findUnknownKinds(_ problems: inout [ConfigurationProblem]) {
        let known = RouteChange.Kind.allCases.map(\.rawValue) + TrafficDifference.Kind.allCases.map(\.rawValue)
        for kind in allowed.sorted() where !known.contains(kind) {
            problems.append(.option("--allow", "expected some of \(known.joined(separator: ", ")), found \"\(kind)\""))
        }
    }

    mutating func run() async throws {
        var configuration = try shared.configuration()
        var problems: [ConfigurationProblem] = []
        findProblems(&problems)
        let format: Output? = OutputName.read(output, &problems)
        findUnknownKinds(&problems)
        let url = agent.flatMap { ServerURL.agent($0, &problems) }
        let agentAccess = access.read(&problems)
        if agent == nil { access.refuse("goes with --agent", &problems) }
        guard problems.isEmpty else { throw ConfigurationProblems(problems) }
        configuration.routes.files = before
        let old = try RouteObjects(configuration, namesServerPorts: true, for: .person)
        configuration.routes.files = after
        let new = try RouteObjects(configuration, namesServerPorts: true, for: .person)
        let ports = RecordedRequests.Ports(port, of: [old.table, new.table])
        var recorded: RecordedRequests?
        if !traffic.isEmpty || url != nil {
            recorded = try RecordedRequests(traffic, at: ports, configuration)
        }
        if let url {
            let document = try await Self.exchanges(of: url, agentAccess)
            recorded?.add(document, at: ports)
        }
        let report = RouteDiffReport(old, new, traffic: recorded)
        var octets = OctetOutput.standardOutput()
        switch format ?? .table {
        case .ndjson: try octets.append(report.ndjson)
        case .markdown: for line in report.markdown { try octets.append(line: line) }
        case .table: for line in report.lines(Terminal.style(1)) { try octets.append(line: line) }
        }
        try octets.flush()
        for notice in report.notices { StandardError.say(notice) }
        guard report.kinds.isSubset(of: allowed), report.failures.isEmpty else {
            throw CommandFailure(.failed, report.failures)
        }
    }

    private static func exchanges(of url: ServerURL, _ access: AgentAccess) async throws(CommandFailure) -> JSONValue {
        let client = AgentClient(url, access)
        let answer: Result<JSONValue, AgentClient.Refusal>
        do throws(AgentClient.Refusal) {
            answer = .success(try await client.ask("/api/v1/exchanges?limit=512"))
        } catch {
            answer = .failure(error)
        }
        await client.close()
        switch answer {
        case .success(let document): return document
        case .failure(let refusal): throw refusal.failure(of: url)
        }
    }
}
