// Wingmirror · Apache-2.0

import Agent
import AgentConfiguration
import ArgumentParser
import JSONSyntax
import RouteAttribution

/// `routes list`: prints the table as compiled.
struct RoutesListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the virtual hosts and their routes, in match order.",
        discussion: """
            Examples:
              wingmirror routes list --routes samples/istio
              wingmirror routes list --kubernetes
            """
    )

    /// What is printed.
    private enum Output: String, CaseIterable {
        case table
        case ndjson
    }

    @Argument(
        help: ArgumentHelp("Files and folders of route objects, as with --routes.", valueName: "path"),
        completion: .file()
    )
    var paths: [String] = []

    @Option(
        name: [.short, .long],
        help: ArgumentHelp("What to print: table, or ndjson (or json).", valueName: "output"),
        completion: .list(Output.allCases.map(\.rawValue))
    )
    var output = "table"

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
        try objects.requireNamedFiles()
        try objects.requireWorkload()
        objects.warnOfErrors()
        var octets = OctetOutput.standardOutput()
        let listing = RouteListing(objects.table)
        if output == .ndjson {
            try octets.append(listing.ndjson)
        } else {
            for line in listing.lines(Terminal.style(1)) { try octets.append(line: line) }
        }
        try octets.flush()
    }
}

/// A route table as text.
struct RouteListing {
    private let table: RouteTable

    init(_ table: RouteTable) {
        self.table = table
    }

    // MARK: - For people

    /// One paragraph for each virtual host, its routes in match order.
    func lines(_ style: TerminalStyle) -> [String] {
        guard !table.listedHosts.isEmpty else { return ["no virtual hosts"] }
        var lines: [String] = []
        for host in table.listedHosts {
            if !lines.isEmpty { lines.append("") }
            lines.append(style.apply(.bold, to: title(host)))
            var rows = TextTable([
                .init(title: "#"),
                .init(title: "ROUTE", isFigure: false, shortest: 20, isName: true),
                .init(title: "MATCH", isFigure: false, shortest: 20),
                .init(title: "TO", isFigure: false, yield: 1, shortest: 20, isName: true),
                .init(title: "NAME", isFigure: false, yield: 2, shortest: 8),
            ])
            // A rule with one entry needs no number for it.
            let identities = host.routes.map { table.routes[$0].identity }
            let several = Set(identities.filter { ($0.match ?? 0) > 0 }.map(Rule.init))
            for (position, number) in host.routes.enumerated() {
                let route = table.routes[number]
                let place = Self.place(route, namesMatch: several.contains(Rule(route.identity)))
                rows.append([
                    .init("\(position)"), .init(place), .init(route.matchText),
                    .init(ExplanationReport.target(route)), .init(route.routeName.isEmpty ? "-" : route.routeName),
                ])
            }
            lines += host.routes.isEmpty ? ["  no routes"] : rows.lines(style)
        }
        return lines
    }

    /// A rule of an object.
    private struct Rule: Hashable {
        let object: ObjectIdentity
        let number: Int

        init(_ identity: RouteIdentity) {
            object = identity.object
            number = identity.rule
        }
    }

    /// Object and rule as `top` has them, behind a colon the match entry of several, and the delegate where there is one.
    ///
    /// Behind a point the label `route` has the delegate's rule, so that a match entry needs another sign.
    private static func place(_ route: CompiledRoute, namesMatch: Bool) -> String {
        let identity = route.identity
        let match = namesMatch ? identity.match.map { ":\($0)" } ?? "" : ""
        let delegate = identity.delegate.map { " (\($0.object.reference) #\($0.rule))" } ?? ""
        return "\(identity.object.reference) #\(identity.rule)\(match)\(delegate)"
    }

    private func title(_ host: ListedHost) -> String {
        let servers = host.serverPorts.map(String.init).joined(separator: ", ")
        let names = host.serverNames.isEmpty ? "any name" : host.serverNames.joined(separator: ", ")
        let transport = host.isTLS ? "TLS for \(names)" : "plain HTTP"
        let redirect = host.requiresTLS && !host.isTLS ? ", redirected to https" : ""
        let ports = host.podPorts.map(String.init).joined(separator: ", ")
        return "\(host.name)  pod port \(ports), server port \(servers), \(transport)\(redirect)"
    }

    // MARK: - For machines

    /// One line for each route of each virtual host.
    var ndjson: [UInt8] {
        var json = JSONText()
        for host in table.listedHosts {
            for (position, number) in host.routes.enumerated() {
                write(host, position, table.routes[number], to: &json)
            }
        }
        return json.octets
    }

    private func write(_ host: ListedHost, _ position: Int, _ route: CompiledRoute, to json: inout JSONText) {
        json.beginObject()
        json.key("host")
        json.string(host.name)
        json.key("podPorts")
        json.beginList()
        for port in host.podPorts { json.integer(port) }
        json.endList()
        json.key("serverPorts")
        json.beginList()
        for port in host.serverPorts { json.integer(port) }
        json.endList()
        json.key("tls")
        json.bool(host.isTLS)
        json.key("httpsRedirect")
        json.bool(host.requiresTLS && !host.isTLS)
        json.key("position")
        json.integer(position)
        json.key("conditions")
        json.string(route.matchText)
        json.key("label")
        json.string(route.label)
        json.rendered(route.record)
        json.endObject()
        json.endLine()
    }
}
