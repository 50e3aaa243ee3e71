// Wingmirror · Apache-2.0

import AgentConfiguration
import PacketDecoding
import Recordings
import ShadowTesting
import TrafficModel

/// Keeps a recording from being sent to where it was recorded.
///
/// The Host fields of a recording are names of production, and so are the addresses of its servers. A target that is one
/// of them is refused, unless the allow list names it, which says that it is meant.
struct ProductionGuard: Sendable {
    /// How many names are remembered that are not the target's, so that each need not be looked at again.
    private static let harmlessNames = 1000

    private let targetGuard: TargetGuard

    init(_ recording: Recording, target: MirrorTarget) {
        guard target.hosts.isEmpty else {
            targetGuard = TargetGuard()
            return
        }
        var names: Set<String> = []
        var harmless: Set<String> = []
        var addresses: Set<NetworkAddress> = []
        for entry in recording.entries {
            let name = entry.exchange.request.authority.flatMap { Self.host(of: $0, besidePort: target.port) }
            // A recording may have another name in every request; only the target's own matters.
            if let name, !harmless.contains(name), !names.contains(name) {
                if TargetGuard(productionNames: [name]).refusal(of: target, resolvedTo: []) != nil {
                    names.insert(name)
                } else if harmless.count < Self.harmlessNames {
                    harmless.insert(name)
                }
            }
            if let address = NetworkAddress(text: entry.exchange.serverAddress) { addresses.insert(address) }
        }
        targetGuard = TargetGuard(productionNames: names.sorted(), productionAddresses: Array(addresses))
    }

    /// Why the target may not be sent to, now that it has these addresses; `nil` when it may.
    func refusal(of target: MirrorTarget, at addresses: [String]) -> String? {
        targetGuard.refusal(of: target, resolvedTo: addresses.compactMap { NetworkAddress(text: $0) })
            .map { "\($0); name it with --allow-host if it is meant" }
    }

    /// The host of an authority.
    ///
    /// A name is production's on every port. An address, or this machine, may have another server on each: then the
    /// authority counts only if its port is the target's.
    private static func host(of authority: String, besidePort port: Int) -> String? {
        let digits = authority.reversed().prefix { $0.isASCII && $0.isNumber }
        let beforePort = authority.dropLast(digits.count)
        let hasPort = beforePort.hasSuffix(":") && !digits.isEmpty && !beforePort.dropLast().hasSuffix(":")
        let host = String(hasPort ? beforePort.dropLast() : authority[...])
        let isAddress = host.hasPrefix("[") || IPAddress(host) != nil || host.lowercased() == "localhost"
        guard isAddress else { return host }
        let ownPort = hasPort ? Int(String(digits.reversed())) : 80
        return ownPort == port ? host : nil
    }
}

extension NetworkAddress {
    /// Reads an address; `nil` for anything else.
    fileprivate init?(text: String) {
        guard let address = IPAddress(text) else { return nil }
        self.init(high: address.high, low: address.low)
    }
}
