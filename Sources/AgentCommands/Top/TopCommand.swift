// Wingmirror · Apache-2.0

import AgentConfiguration
import ArgumentParser

/// `top`: the route table, live in a terminal.
struct TopCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "top",
        abstract: "Show the live route table of an interface, a pcap file or a running agent.",
        discussion: """
            On a terminal the table fills the screen: q quits, p pauses, s or left and right choose the column to sort \
            by, up and down a row, enter shows its history, / filters. Elsewhere the table is printed once per interval.

            The lines above the table show how far to trust it: packets dropped, gaps, connections that cannot be read, \
            and requests that matched no route.

            Examples:
              sudo wingmirror top --interface eth0 --routes /etc/istio-routes
              wingmirror top samples/captures/ingress.pcap --routes samples/istio
              wingmirror top --agent http://127.0.0.1:9646 --once
              wingmirror top --agent http://127.0.0.1:9646 --once --output json
            """
    )

    @Option(help: ArgumentHelp("Show what a running agent sees.", valueName: "url"))
    var agent: String?

    @OptionGroup var access: AgentAccessOptions

    @Option(
        help: ArgumentHelp(
            "How fast pcap files are read: realtime, or fast, which is the default with --once.",
            valueName: "pace"
        ),
        completion: .list(["realtime", "fast"])
    )
    var pace: String?

    @Option(help: ArgumentHelp("How often the figures change, from 200ms to 1h.", valueName: "duration"))
    var interval = "1s"

    @Option(help: ArgumentHelp("How far back rates and quantiles go, from 10s to 2h.", valueName: "duration"))
    var window = "60s"

    @Option(
        help: ArgumentHelp("What is first: rate, errors, 4xx, p50, p95, p99, requests or name.", valueName: "order"),
        completion: .list(TopView.Order.allCases.map(\.rawValue))
    )
    var sort = "rate"

    @Flag(help: "Print the table once: when the pcap files have been read, or after one interval.")
    var once = false

    @Option(
        name: [.short, .long],
        help: ArgumentHelp(
            "What to print: table, or ndjson (or json) for a document on each line.",
            valueName: "output"
        ),
        completion: .list(TopPlan.Output.allCases.map(\.rawValue))
    )
    var output = "table"

    @OptionGroup var sources: SourceOptions
    @OptionGroup var cluster: ClusterOptions

    mutating func run() async throws {
        try await TopPlan(self).execute()
    }
}

/// What `top` is to do, when options and configuration have been found to make sense.
struct TopPlan: Sendable {
    /// Where the figures come from.
    enum Origin: Sendable, Equatable {
        /// A capture of this process.
        case capture
        /// A running agent, and how it is asked.
        case agent(ServerURL, AgentAccess)
    }

    /// What is printed.
    enum Output: String, Sendable, CaseIterable {
        /// The table, on a terminal the whole screen.
        case table
        /// One document for each interval.
        case ndjson
    }

    /// The configuration, with the options laid over it.
    var configuration: Configuration
    /// Where the figures come from.
    var origin = Origin.capture
    /// Where routes come from, if not from files.
    var cluster: ClusterChoice?
    /// How often the figures change.
    var interval: Duration = .seconds(1)
    /// How far back rates and quantiles go.
    var window: Duration = .seconds(60)
    /// What rows are ordered by at first.
    var order = TopView.Order.rate
    /// What is printed.
    var output = Output.table
    /// Whether one table is printed and no more.
    var isOnce: Bool

    /// Checks the options.
    init(_ command: TopCommand) throws(ConfigurationProblems) {
        var problems: [ConfigurationProblem] = []
        configuration =
            command.sources.configuration(
                &problems,
                otherSources: "--agent URL, ",
                needsSource: command.agent == nil
            ).configuration
        isOnce = command.once
        if let output: Output = OutputName.read(command.output, &problems) { self.output = output }
        if let order = TopView.Order(rawValue: command.sort) {
            self.order = order
        } else {
            let orders = TopView.Order.allCases.map(\.rawValue).joined(separator: ", ")
            problems.append(.option("--sort", "expected one of \(orders), found \"\(command.sort)\""))
        }
        interval = Self.duration("--interval", command.interval, .milliseconds(200)...(.seconds(3600)), &problems)
        window = Self.duration("--window", command.window, .seconds(10)...(.seconds(7200)), &problems)
        if let agent = command.agent {
            takeAgent(agent, command, &problems)
        } else {
            command.access.refuse("needs --agent", &problems)
            // One table is of the whole file, which is not waited for as long as the file lasted.
            configuration.capture.pace = command.once ? .fast : .realtime
            problems += configuration.capture.apply(pace: command.pace)
            if command.pace != nil, configuration.capture.savefiles.isEmpty { problems.append(.paceInVain) }
        }
        do throws(ConfigurationProblems) {
            cluster = try command.cluster.choice()
        } catch {
            problems += error.problems
        }
        if cluster != nil, command.agent != nil {
            problems.append(.option("--kubernetes", "an agent has routes of its own; leave it out"))
        }
        guard problems.isEmpty else { throw ConfigurationProblems(problems) }
    }

    private static func duration(
        _ option: String,
        _ text: String,
        _ range: ClosedRange<Duration>,
        _ problems: inout [ConfigurationProblem]
    ) -> Duration {
        if let duration = Duration(text: text), range.contains(duration) { return duration }
        let bounds = "from \(range.lowerBound.text) to \(range.upperBound.text)"
        problems.append(.option(option, "expected a duration such as 5s, \(bounds), found \"\(text)\""))
        return range.lowerBound
    }

    private mutating func takeAgent(_ agent: String, _ command: TopCommand, _ problems: inout [ConfigurationProblem]) {
        if command.sources.namesSource || command.pace != nil {
            problems.append(.option("--agent", "an agent has sources of its own; name neither others nor a pace"))
        }
        let shared = command.sources.shared
        if !shared.objects.routes.isEmpty || shared.traffic.filter != nil || !shared.objects.gatewayPort.isEmpty {
            problems.append(.option("--agent", "an agent has routes, ports and a filter of its own; leave them out"))
        }
        guard let url = ServerURL.agent(agent, &problems) else { return }
        origin = .agent(url, command.access.read(&problems))
    }
}
