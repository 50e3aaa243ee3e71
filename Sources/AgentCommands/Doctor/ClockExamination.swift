// Wingmirror · Apache-2.0

import Agent
import AgentConfiguration
import JSONSyntax
import OctetText

/// Looks at how far the clocks of interfaces are apart that see the two directions of connections.
///
/// Handshakes tell, and only who captures them sees any: so the running agent is asked.
struct ClockExamination {
    /// From here on durations across two interfaces are visibly wrong, in seconds.
    private static let noticeableSeconds = 0.001

    /// Where an agent with this configuration listens on this machine; `nil` where it listens nowhere.
    let agent: ServerURL?
    /// How it is asked.
    let access: AgentAccess

    /// Takes what the configuration says of the agent; a file of tokens that cannot be read is as none.
    init(_ configuration: Configuration) {
        let listen = configuration.metrics.listen
        let admin = configuration.admin
        agent = listen.port > 0 ? Self.address(listen, usesTLS: !admin.certificateFile.isEmpty) : nil
        let token = admin.bearerFile.isEmpty ? nil : try? AgentAccessOptions.token(admin.bearerFile)
        // Its certificate has the name by which others know it.
        access = AgentAccess(token: token, trust: .anybody)
    }

    /// The address at which this machine reaches what listens on `listen`.
    private static func address(_ listen: ListenAddress, usesTLS: Bool) -> ServerURL? {
        var reached = listen
        if reached.host == "0.0.0.0" { reached.host = "127.0.0.1" }
        if reached.host == "::" { reached.host = "::1" }
        return ServerURL("\(usesTLS ? "https" : "http")://\(reached)")
    }

    /// What the running agent says; nothing where none runs, or where it has nothing to compare.
    func findings() async -> [Finding] {
        guard let agent else { return [] }
        let client = AgentClient(agent, access)
        let status = try? await client.ask("/api/v1/status")
        await client.close()
        return status.map { Self.findings($0) } ?? []
    }

    /// What the status of an agent says of clocks.
    static func findings(_ status: JSONValue) -> [Finding] {
        (status["clockOffsets"]?.arrayValue ?? []).compactMap(finding)
    }

    private static func finding(_ offset: JSONValue) -> Finding? {
        guard let interface = offset["interface"]?.stringValue, let reference = offset["reference"]?.stringValue,
            let seconds = offset["seconds"]?.numberValue, let tolerance = offset["toleranceSeconds"]?.numberValue,
            let handshakes = offset["handshakes"]?.numberValue
        else { return nil }
        let basis = "give or take \(HumanUnits.seconds(tolerance)), by \(Int(clamped: handshakes)) handshakes"
        let subject = "clocks of \(reference), \(interface)"
        guard offset["differs"]?.boolValue == true, abs(seconds) >= noticeableSeconds else {
            let detail = "\(HumanUnits.seconds(abs(seconds))) apart, \(basis)"
            return Finding(verdict: .ok, subject: subject, detail: detail)
        }
        let difference = "\(HumanUnits.seconds(abs(seconds))) \(seconds > 0 ? "ahead" : "behind")"
        return Finding(
            verdict: .warn,
            subject: subject,
            detail: "\(interface) is \(difference), \(basis); durations across them are wrong by as much",
            remedy: "have both interfaces stamped by one clock: `ethtool -T`, PTP (phc2sys)"
        )
    }
}
