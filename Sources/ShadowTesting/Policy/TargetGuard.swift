// Wingmirror · Apache-2.0

/// Refuses targets that are production, or that no shadow traffic may reach.
///
/// A target is judged by its name when it is configured, and by its addresses each time its name is resolved, since a name
/// that was staging's yesterday can be production's today. One address among several that may not be reached refuses the
/// whole target: which of them a connection takes is chance.
public struct TargetGuard: Sendable {
    private let names: Set<String>
    /// What follows the asterisk of names with one, such as `.example.com`.
    private let suffixes: [String]
    private let addresses: Set<NetworkAddress>
    private let gateway: Set<NetworkAddress>
    /// The names of the cluster's Services, and the addresses of its Services, pods and nodes.
    private let cluster: (names: Set<String>, addresses: Set<NetworkAddress>)
    private let capturedPorts: Set<Int>
    private let ownPorts: Set<Int>

    /// Makes a guard of what is known of production.
    ///
    /// - Parameters:
    ///   - productionNames: the hosts of routes, of their destinations and of ServiceEntries; may begin with `*.`.
    ///   - productionAddresses: the addresses of production's Services and pods.
    ///   - gatewayAddresses: the addresses whose traffic is captured: the gateway's, or the node's own.
    ///   - capturedPorts: the ports whose traffic is captured.
    ///   - ownPorts: the ports on which this agent answers on this machine.
    ///   - clusterNames: the names of the cluster's Services; a target that lists its own name in `hosts` may be one.
    ///   - clusterAddresses: the addresses of the cluster's Services, pods and nodes; with the same exception.
    public init(
        productionNames: [String] = [],
        productionAddresses: [NetworkAddress] = [],
        gatewayAddresses: [NetworkAddress] = [],
        capturedPorts: Set<Int> = [],
        ownPorts: Set<Int> = [],
        clusterNames: Set<String> = [],
        clusterAddresses: Set<NetworkAddress> = []
    ) {
        var names: Set<String> = []
        var suffixes: [String] = []
        for name in productionNames.map(Self.canonical) {
            if name.hasPrefix("*.") {
                suffixes.append(String(name.dropFirst()))
            } else if name != "*" {
                // A route for all hosts says nothing of which are production's.
                names.formUnion(Self.forms(of: name))
            }
        }
        self.names = names
        self.suffixes = suffixes
        addresses = Set(productionAddresses.map(\.reached))
        gateway = Set(gatewayAddresses.map(\.reached))
        self.capturedPorts = capturedPorts
        self.ownPorts = ownPorts
        cluster = (clusterNames, Set(clusterAddresses.map(\.reached)))
    }

    // MARK: - Judgement

    /// Why a target may not be used, as far as its name tells; `nil` if nothing speaks against it.
    func refusal(of target: MirrorTarget) -> String? {
        let host = Self.canonical(target.host)
        if !target.hosts.isEmpty, !target.hosts.map(Self.canonical).contains(host) {
            return "target \(target.name): \(target.host) is not among the hosts that it may be sent to"
        }
        if names.contains(host) || suffixes.contains(where: { host.hasSuffix($0) && host != $0 }) {
            return "target \(target.name): \(target.host) is a host of production"
        }
        if !Self.isListed(target), cluster.names.contains(host) {
            return "target \(target.name): \(target.host) is a Service of this cluster; \(Self.remedy(target))"
        }
        return nil
    }

    /// Why a target may not be used, now that its name has been resolved; `nil` if nothing speaks against it.
    public func refusal(of target: MirrorTarget, resolvedTo addresses: [NetworkAddress]) -> String? {
        if let refusal = refusal(of: target) { return refusal }
        for address in addresses {
            if let reason = reason(against: address, port: target.port) {
                return "target \(target.name): \(target.host) resolves to \(address), \(reason)"
            }
            if !Self.isListed(target), cluster.addresses.contains(address.reached) {
                return
                    "target \(target.name): \(target.host) resolves to \(address), which is a Service, pod or node of "
                    + "this cluster; \(Self.remedy(target))"
            }
        }
        return nil
    }

    /// Whether somebody wrote down that requests may be sent to this very host.
    package static func isListed(_ target: MirrorTarget) -> Bool {
        target.hosts.map(canonical).contains(canonical(target.host))
    }

    /// What to write where a host of the cluster may be sent to.
    package static func remedy(_ target: MirrorTarget) -> String {
        "if it may get shadow traffic, list it in mirror.targets.\(target.name).hosts"
    }

    private func reason(against address: NetworkAddress, port: Int) -> String? {
        if address.isNoHost { return "which is the address of no single host" }
        if address.isLinkLocalOrMetadata { return "where a cloud may keep the credentials of machines" }
        if address.isLoopback {
            if ownPorts.contains(port) { return "where this agent itself answers" }
            return capturedPorts.contains(port) ? "and port \(port) of this machine is captured" : nil
        }
        if gateway.contains(address.reached), capturedPorts.contains(port) {
            return "which is the gateway, whose port \(port) is captured"
        }
        if addresses.contains(address.reached) { return "which is a Service or pod of production" }
        return nil
    }

    // MARK: - Names

    /// A name in lower case, without brackets and without the full stop at its end.
    private static func canonical(_ name: String) -> String {
        var text = name.lowercased()[...]
        if text.hasSuffix(".") { text.removeLast() }
        if text.hasPrefix("["), text.hasSuffix("]") { text = text.dropFirst().dropLast() }
        return String(text)
    }

    /// The names by which a host can be reached within a cluster: for a Service each that the search list completes.
    private static func forms(of name: String) -> Set<String> {
        let labels = name.split(separator: ".")
        guard labels.count >= 3, labels[2] == "svc" else { return [name] }
        return Set((1...3).map { labels.prefix($0).joined(separator: ".") } + [name])
    }
}
