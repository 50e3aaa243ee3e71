// Wingmirror · Apache-2.0

import Agent
import AgentConfiguration
import ArgumentParser
import JSONSyntax
import ResourceFiles
import RouteAttribution

/// `routes explain`: says which route takes a request, and why the earlier ones did not.
struct RoutesExplainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Say which route takes a request, and why the earlier ones do not.",
        discussion: """
            The exit status is 0 also when no route takes the request, and 2 when a file that is named cannot be read.

            A line of --requests is an object with path, and with authority, method, scheme, headers (a list of objects with \
            name and value), port, sni, protocol and id where they matter.

            Examples:
              wingmirror routes explain http://shop.example.com/products/1 \\
                  --header 'x-user: 7' --routes samples/istio
              wingmirror routes explain POST shop.example.com/orders --routes samples/istio
              wingmirror routes explain --sni shop.example.com --routes samples/istio
              wingmirror routes explain --requests requests.ndjson --output ndjson \\
                  --routes samples/istio
            """
    )

    @Argument(
        help: ArgumentHelp("The request's method, which may be left out for GET, and its URL.", valueName: "request")
    )
    var request: [String] = []

    @Option(
        name: [.customShort("H"), .customLong("header")],
        parsing: .singleValue,
        help: ArgumentHelp("A header of the request, `name: value`; may be repeated.", valueName: "header")
    )
    var headers: [String] = []

    /// What curl calls `--request`, and people try.
    @Option(help: .hidden)
    var method: String?

    @Option(help: ArgumentHelp("The port of the Gateway's server, where it is not that of the URL.", valueName: "port"))
    var port: Int?

    @Option(help: ArgumentHelp("The TLS server name, where it is not the URL's host.", valueName: "name"))
    var sni: String?

    @Option(
        help: ArgumentHelp(
            "Explain the requests of this file, one JSON object a line; - is standard input.",
            valueName: "file"
        ),
        completion: .file()
    )
    var requests: String?

    @Option(
        help: ArgumentHelp(
            "Explain whole cases, one JSON object a line with its own objects and environment; - is standard input.",
            valueName: "file"
        ),
        completion: .file()
    )
    var cases: String?

    @Option(
        name: [.short, .long],
        help: ArgumentHelp("What to print: text, or ndjson (or json).", valueName: "output"),
        completion: .list(["text", "ndjson"])
    )
    var output = "text"

    @OptionGroup var shared: ObjectOptions
    @OptionGroup(visibility: .hidden) var traffic: TrafficOptions
    @OptionGroup var cluster: ClusterOptions

    mutating func run() async throws {
        var plan = try ExplainPlan(self)
        plan.cluster = try await cluster.objects(plan.configuration)
        var output = OctetOutput.standardOutput()
        let unanswered = try plan.execute(to: &output)
        try output.flush()
        guard unanswered.isEmpty else { throw CommandFailure(.failed, unanswered) }
    }
}

/// What `routes explain` is to do, when its options have been found to make sense.
struct ExplainPlan: Sendable {
    /// Where requests come from.
    enum Source: Sendable {
        case request(DescribedRequest, text: String)
        case requests(file: String)
        case cases(file: String)
    }

    /// What is printed.
    private enum Output: String, CaseIterable {
        case text
        case ndjson
    }

    let source: Source
    let isJSON: Bool
    let configuration: Configuration
    /// The objects of a cluster, where they are taken from one.
    var cluster: ClusterObjects?

    /// Checks the options.
    init(_ command: RoutesExplainCommand) throws(ConfigurationProblems) {
        configuration = try command.shared.configuration()
        var problems: [ConfigurationProblem] = []
        let output: Output? = OutputName.read(command.output, &problems)
        isJSON = output == .ndjson
        let given =
            (command.request.isEmpty ? 0 : 1) + (command.requests == nil ? 0 : 1) + (command.cases == nil ? 0 : 1)
        let isConnection = given == 0 && command.sni != nil
        if given != 1, !isConnection {
            problems.append(.option("REQUEST", "give one of: a request, --requests, --cases"))
        }
        if command.request.isEmpty, !isConnection {
            let only = [
                ("-H", !command.headers.isEmpty), ("--port", command.port != nil), ("--sni", command.sni != nil),
            ]
            problems += only.filter(\.1).map { .option($0.0, "goes with a request on the command line only") }
        }
        if command.method != nil {
            problems.append(.option("--method", "put the method before the URL: POST http://…"))
        }
        command.traffic.refuse(&problems)
        if let port = command.port, !(1...65_535).contains(port) { problems.append(.portRefusal(port)) }
        if command.cases != nil {
            if !isJSON { problems.append(.option("--cases", "prints ndjson only; add --output ndjson")) }
            if !command.shared.routes.isEmpty {
                problems.append(.option("--routes", "cases bring their own objects; leave it out"))
            }
            if command.cluster.kubernetes {
                problems.append(.option("--kubernetes", "cases bring their own objects; leave it out"))
            }
        }
        guard given == 1 || isConnection else { throw ConfigurationProblems(problems) }
        do throws(RequestLineError) {
            source = try Self.source(of: command)
            if case .request(let request, _) = source, command.sni != nil, !request.isTLS {
                problems.append(.option("--sni", "plain HTTP has no TLS server name; write the URL with https://"))
            }
        } catch {
            throw ConfigurationProblems(
                problems + [.option(error.isAboutHeader ? "--header" : "REQUEST", error.message)]
            )
        }
        guard problems.isEmpty else { throw ConfigurationProblems(problems) }
    }

    private static func source(of command: RoutesExplainCommand) throws(RequestLineError) -> Source {
        if let file = command.requests { return .requests(file: file) }
        if let file = command.cases { return .cases(file: file) }
        if command.request.isEmpty, let name = command.sni {
            // A connection of which only the TLS name is known.
            let request = DescribedRequest(
                method: "GET",
                target: "/",
                authority: name,
                port: command.port ?? 443,
                isServerPort: command.port != nil,
                isTLS: true,
                serverName: name
            )
            return .request(request, text: "TLS connection for \(name)")
        }
        let line = try RequestLine(command.request, headers: command.headers)
        let request = line.described(port: command.port, isServerPort: true, serverName: command.sni)
        return .request(request, text: "\(line.method) \(line.url)")
    }

    /// Writes the answers.
    ///
    /// - Returns: what could not be answered, one sentence each.
    func execute(to output: inout OctetOutput) throws -> [String] {
        switch source {
        case .request(let request, let text):
            let objects = try RouteObjects(configuration, namesServerPorts: true, for: .person, cluster: cluster)
            try objects.requireNamedFiles()
            try objects.requireWorkload()
            objects.warnOfNotices()
            var scratch = RouteScratch()
            let explanation = objects.table.explain(request, scratch: &scratch)
            if isJSON {
                var json = JSONText()
                objects.table.write(explanation, id: .null, caseID: nil, to: &json)
                json.endLine()
                try output.append(json.octets)
            } else {
                let report = ExplanationReport(explanation, request, of: objects.table, title: text)
                for line in report.lines { try output.append(line: line) }
            }
            return []
        case .requests(let file):
            return try ExplainedRequests(file: file, isJSON: isJSON, configuration, cluster).write(to: &output)
        case .cases(let file):
            return try ExplainedCases(file: file).write(to: &output)
        }
    }
}
