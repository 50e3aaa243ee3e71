// Wingmirror · Apache-2.0

import JSONSyntax
import PacketDecoding
import RouteAttribution
package import TrafficPipeline

/// What the traffic says of the gateway's addresses, where none was named.
package struct GatewayAddressing: Sendable {
    private let servers: [GatewayServer]

    /// How many addresses a sentence names.
    private static let nameLimit = 5

    /// Looks at what answered.
    package init(_ figures: PipelineFigures) { servers = figures.gatewayServers }

    /// The servers that pass requests on to others.
    private var proxies: [GatewayServer] { servers.filter { $0.sentOn > 0 && $0.requests > 0 } }

    /// The servers whose requests count as the gateway's.
    private var counted: [GatewayServer] { servers.filter { $0.requests > 0 } }

    /// How many addresses count as the gateway.
    var addressCount: Int { Set(counted.map(\.endpoint.address)).count }

    /// Whether more than one address of a family counts: a pod may have one of each.
    private var isAmbiguous: Bool {
        let addresses = Set(counted.map(\.endpoint.address))
        return addresses.count { $0.isIPv4 } > 1 || addresses.count { !$0.isIPv4 } > 1
    }

    /// Requests that do not count, because the gateway sent them on.
    var sentOn: Int { servers.reduce(0) { $0 + $1.sentOn } }

    /// What an operator should know, a sentence each; none where one address answers and sends nothing on.
    package var sentences: [String] { findings.filter { $0.severity == .warning }.map(\.message) }

    /// The same, as findings about the setting that is missing.
    var findings: [RouteFinding] {
        var findings: [RouteFinding] = []
        if !proxies.isEmpty {
            let names = proxies.map { "\($0.endpoint.address) (port \($0.endpoint.port))" }
            let requests = proxies.reduce(0) { $0 + $1.sentOn }
            findings.append(
                finding(
                    .gatewaySendsOn,
                    "\(list(names)) \(names.count == 1 ? "answers on a gateway port and is" : "answer on gateway ports and are") "
                        + "a client of other servers on such a port: taken for the gateway, and the \(requests) requests that "
                        + "\(names.count == 1 ? "it" : "they") sent on are not counted. \(remedy(proxies))"
                )
            )
        }
        let passing = servers.filter { $0.passedBy > 0 }
        if !passing.isEmpty {
            let names = passing.map { "\($0.endpoint) (\($0.passedBy) requests)" }
            findings.append(
                finding(
                    .passesBy,
                    "\(list(names)) \(names.count == 1 ? "is" : "are") on other machines, as this one's routes say: what passes by "
                        + "on its way there is not counted here, but by the agent there",
                    .note
                )
            )
        }
        if isAmbiguous {
            let names = counted.map { "\($0.endpoint) (\($0.requests) requests)" }
            findings.append(
                finding(
                    .severalGateways,
                    "\(addressCount) addresses answer on gateway ports, and all count as the gateway: \(list(names)). "
                        + "If some of them are not, name yours. \(remedy(proxies.isEmpty ? [counted[0]] : proxies))"
                )
            )
        }
        return findings
    }

    /// The servers for the status.
    var document: JSONValue {
        .array(
            servers.map { server in
                [
                    "address": .string(server.endpoint.address.description),
                    "port": JSONValue(Int(server.endpoint.port)),
                    "requests": JSONValue(server.requests),
                    "sentOn": JSONValue(server.sentOn),
                    "passedBy": JSONValue(server.passedBy),
                ]
            }
        )
    }

    private func finding(
        _ code: FindingCode,
        _ message: String,
        _ severity: RouteFinding.Severity = .warning
    ) -> RouteFinding {
        RouteFinding(
            object: ObjectIdentity(kind: "Setting", namespace: "", name: "gateway.addresses"),
            severity: severity,
            code: code,
            path: "",
            message: message
        )
    }

    private func list(_ names: [String]) -> String {
        let shown = names.prefix(Self.nameLimit).joined(separator: ", ")
        return names.count > Self.nameLimit ? "\(shown) and \(names.count - Self.nameLimit) more" : shown
    }

    private func remedy(_ servers: [GatewayServer]) -> String {
        var addresses: [String] = []
        for server in servers where !addresses.contains(server.endpoint.address.description) {
            addresses.append(server.endpoint.address.description)
        }
        let quoted = addresses.prefix(Self.nameLimit).map { $0.contains(":") ? "\"\($0)\"" : $0 }
        return "To settle it, write gateway: {addresses: [\(quoted.joined(separator: ", "))]}"
    }
}
