// Wingmirror · Apache-2.0

import AgentConfiguration
import PacketDecoding
import RouteAttribution

/// Looks at whether the configured gateway can be told from other listeners on this machine.
///
/// With `gateway.addresses` empty, whoever listens on a gateway port counts as the gateway; where several addresses do,
/// the traffic of something else may be counted as the gateway's.
struct GatewayExamination {
    /// The gateway as configured.
    var gateway: GatewayConfiguration
    /// Who listens.
    var sockets: ListeningSockets
    /// The addresses of this machine's interfaces.
    var machineAddresses: [IPAddress]
    /// Whether the agent finds the gateway's pods, so that nothing else counts as the gateway.
    var findsGateways = false

    /// What was found, port by port.
    func findings() -> [Finding] {
        guard !findsGateways else {
            let detail = "those of the gateway's pods on this node, which run finds"
            return [Finding(verdict: .ok, subject: "gateway addresses", detail: detail)]
        }
        return gateway.addresses.isEmpty ? gateway.ports.map(findingWithoutAddresses) : [findingWithAddresses]
    }

    private func findingWithoutAddresses(_ port: GatewayPort) -> Finding {
        let subject = "gateway port \(port.pod)"
        let listening = sockets.addresses(at: port.pod, of: machineAddresses)
        let outside = listening.filter { !$0.isLoopback }.map(\.description).sorted()
        guard outside.count > 1 else {
            let detail =
                switch (outside.first, listening.isEmpty) {
                case (let address?, _): "one address of this network namespace listens: \(address)"
                case (nil, false): "only loopback listens here"
                case (nil, true):
                    "no process listens in this network namespace; pods with a namespace of their own do not show"
                }
            return Finding(verdict: .ok, subject: subject, detail: detail)
        }
        return Finding(
            verdict: .warn,
            subject: subject,
            detail:
                "\(outside.count) addresses listen and all count as the gateway: \(outside.joined(separator: ", "))",
            remedy: "name the gateway's own addresses in gateway.addresses"
        )
    }

    private var findingWithAddresses: Finding {
        let subject = "gateway addresses"
        let names = gateway.addresses.map(\.description).joined(separator: ", ")
        let isLocal = !Set(gateway.addresses).isDisjoint(with: machineAddresses)
        let detail = isLocal ? "\(names), of this network namespace" : "\(names), none of this network namespace"
        return Finding(verdict: .ok, subject: subject, detail: detail)
    }
}
