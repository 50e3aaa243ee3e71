// Wingmirror · Apache-2.0

import Agent
import AgentConfiguration
import ArgumentParser
import JSONSyntax

/// `agents`: several running agents in one view.
struct AgentsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "agents",
        abstract: "Show several agents in one table.",
        discussion: """
            Each node with a gateway has an agent of its own. This asks all that are named, adds up what they count, and says \
            where they differ: in version, configuration or routes. An agent that does not answer is named, and the others \
            are shown.

            With --kubernetes it finds the agents of your kubeconfig's cluster by itself, and asks each through a port that \
            the API server forwards, as `kubectl port-forward` does. That takes the rights to list pods, and to get and \
            create pods/portforward; the ClusterRoles edit and admin have them.

            Examples:
              wingmirror agents --kubernetes --context production
              wingmirror agents --agent http://10.0.0.5:9646 \\
                  --agent http://10.0.0.6:9646 --token-file token --output json
            """
    )

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp("An agent's address; may be repeated.", valueName: "url")
    )
    var agent: [String] = []

    @Flag(help: "Ask all agents in the cluster of your kubeconfig.")
    var kubernetes = false

    @OptionGroup var cluster: ClusterContextOption

    @Option(help: ArgumentHelp("Only agents in this namespace, with --kubernetes.", valueName: "name"))
    var namespace: String?

    @OptionGroup var access: AgentAccessOptions

    @Option(
        name: [.short, .long],
        help: ArgumentHelp("What is printed: table or json.", valueName: "output"),
        completion: .list(AgentsPlan.Output.allCases.map(\.rawValue))
    )
    var output = AgentsPlan.Output.table.rawValue

    mutating func run() async throws {
        try await AgentsPlan(self).execute()
    }
}

/// What `agents` is to do, when its options have been found to make sense.
struct AgentsPlan: Sendable {
    /// What is printed.
    enum Output: String, Sendable, CaseIterable {
        /// Tables for people.
        case table
        /// One document.
        case json
    }

    /// Where the agents listen.
    let agents: [ServerURL]
    /// The cluster whose agents are asked; `nil` where they are named.
    let cluster: ClusterChoice?
    /// The namespace of that cluster's agents; `nil` for all.
    let namespace: String?
    /// How they are asked.
    let access: AgentAccess
    /// What is printed.
    let output: Output

    /// How many agents are asked at a time.
    private static let concurrency = 16

    /// Checks the options.
    init(_ command: AgentsCommand) throws(ConfigurationProblems) {
        var problems: [ConfigurationProblem] = []
        cluster = command.kubernetes ? ClusterChoice(context: command.cluster.context) : nil
        namespace = command.namespace
        if command.kubernetes, !command.agent.isEmpty {
            problems.append(.option("--agent", "--kubernetes finds the agents; leave out one of the two"))
        }
        for (name, value) in [("--context", command.cluster.context), ("--namespace", command.namespace)]
        where value != nil && !command.kubernetes {
            problems.append(.option(name, "is of use with --kubernetes only"))
        }
        if let namespace, !namespace.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") }) {
            problems.append(.option("--namespace", "expected the name of a namespace, found \"\(namespace)\""))
        }
        let named = command.agent.isEmpty ? ["http://127.0.0.1:9646"] : command.agent
        var agents: [ServerURL] = []
        for text in named {
            guard let url = ServerURL.agent(text, &problems) else { continue }
            if agents.contains(where: { $0.description == url.description }) {
                problems.append(.option("--agent", "\(url) is named twice, and would be counted twice"))
            }
            agents.append(url)
        }
        self.agents = agents
        output = OutputName.read(command.output, &problems) ?? .table
        access = command.access.read(&problems)
        guard problems.isEmpty else { throw ConfigurationProblems(problems) }
    }

    /// Asks the agents and prints what they say.
    ///
    /// - Throws: `CommandFailure` when one of them gave no answer, after the others have been shown.
    func execute() async throws {
        let report = AgentsReport(try await answers())
        var page = OctetOutput.standardOutput()
        switch output {
        case .table: for line in report.lines(Terminal.style(1)) { try page.append(line: line) }
        case .json: try page.append(report.document.encoded() + [UInt8(ascii: "\n")])
        }
        try page.flush()
        guard report.silent.isEmpty else {
            throw CommandFailure(.failed, report.silent.map { "\($0.name): \($0.reason)" })
        }
    }

    /// What each agent says, in the order in which they were named or, in a cluster, of their names.
    private func answers() async throws -> [AgentAnswer] {
        guard let cluster else { return await Self.ask(agents) { [access] in await AgentAnswer.ask($0, access) } }
        let found = ClusterAgents(try cluster.access(), access)
        defer { found.close() }
        return await Self.ask(try await found.pods(in: namespace)) { await found.ask($0) }
    }

    /// Asks some at a time, and keeps their order.
    private static func ask<Agent: Sendable>(
        _ agents: [Agent],
        _ ask: @escaping @Sendable (Agent) async -> AgentAnswer
    ) async -> [AgentAnswer] {
        await withTaskGroup(of: (Int, AgentAnswer).self) { group in
            var waiting = agents.enumerated().makeIterator()
            func begin() {
                guard let (number, agent) = waiting.next() else { return }
                group.addTask { (number, await ask(agent)) }
            }
            for _ in 0..<concurrency { begin() }
            var answers: [Int: AgentAnswer] = [:]
            for await (number, answer) in group {
                answers[number] = answer
                begin()
            }
            return answers.sorted { $0.key < $1.key }.map(\.value)
        }
    }
}
