// Wingmirror · Apache-2.0

import Agent
import AgentConfiguration
import JSONSyntax

/// Looks at what the agent that runs on this machine captures, and at its clocks.
///
/// Only it knows the pods that it has found, and the filter that follows from them.
struct AgentExamination {
    /// Where an agent with this configuration listens on this machine; `nil` where it listens nowhere.
    let agent: ServerURL?
    /// How it is asked.
    let access: AgentAccess
    /// Whether it looks for the gateway's pods, and captures nothing where it finds none.
    let findsGateways: Bool

    /// Takes what the configuration says of the agent; a file of tokens that cannot be read is as none.
    init(_ configuration: Configuration) {
        let admin = configuration.admin
        // What the page needs is on an address of its own where one is named.
        let listen = admin.listen ?? configuration.metrics.listen
        agent = listen.port > 0 ? Self.address(listen, usesTLS: !admin.certificateFile.isEmpty) : nil
        let token = admin.bearerFile.isEmpty ? nil : try? AgentAccessOptions.token(admin.bearerFile)
        // Its certificate has the name by which others know it.
        access = AgentAccess(token: token, trust: .anybody)
        findsGateways = configuration.findsGateways
    }

    /// The address at which this machine reaches what listens on `listen`.
    private static func address(_ listen: ListenAddress, usesTLS: Bool) -> ServerURL? {
        var reached = listen
        if reached.host == "0.0.0.0" { reached.host = "127.0.0.1" }
        if reached.host == "::" { reached.host = "::1" }
        return ServerURL("\(usesTLS ? "https" : "http")://\(reached)")
    }

    /// What the running agent says; nothing where none runs.
    func findings() async -> [Finding] {
        guard let agent else { return [] }
        let client = AgentClient(agent, access)
        let status = try? await client.ask("/api/v1/status")
        await client.close()
        return status.map { Self.captures($0, findsGateways: findsGateways) + ClockExamination.findings($0) } ?? []
    }

    /// What the status of an agent says of its captures: the filter in force on each interface.
    ///
    /// - Parameters:
    ///   - status: The answer to `/api/v1/status`.
    ///   - findsGateways: Whether the agent looks for the gateway's pods.
    /// - Returns: A finding for each interface, or one that there is none.
    static func captures(_ status: JSONValue, findsGateways: Bool) -> [Finding] {
        let sources = status["sources"]?.arrayValue ?? []
        guard !sources.isEmpty || !findsGateways else {
            return [
                Finding(
                    verdict: .warn,
                    subject: "running agent",
                    detail: "captures nothing, as it knows of no gateway's pod on this node",
                    remedy: "`/readyz` and its log say why; gateway.labels and gateway.namespace choose the pods"
                )
            ]
        }
        return sources.compactMap { source in
            guard let interface = source["interface"]?.stringValue else { return nil }
            let subject = "running agent"
            if source["up"]?.boolValue == false {
                let problem = source["problem"]?.stringValue ?? "it is down"
                return Finding(
                    verdict: .warn,
                    subject: subject,
                    detail: "does not capture on \(interface): \(problem)".withVisibleControls
                )
            }
            let filter = source["filter"]?.stringValue ?? "no filter"
            return Finding(
                verdict: .ok,
                subject: subject,
                detail: "captures on \(interface): \(filter)".withVisibleControls
            )
        }
    }
}
