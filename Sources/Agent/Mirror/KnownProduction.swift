// Wingmirror · Apache-2.0

import AdminServer
import AgentConfiguration
import JSONSyntax
import MirrorDispatch
import PacketCapture
import PacketDecoding
import RouteAttribution
import ShadowTesting
import Synchronization

/// Keeps what is known of production, and says which targets it rules out.
///
/// Names come from the routes and their destinations; addresses from the gateway, from this node where its own traffic is
/// captured, and from looking up the destinations, again and again, as their Services may come and go.
final class KnownProduction: Sendable {
    /// How many names of production are looked up in one round; the next goes on with those that waited longest.
    static let namesPerRound = 256

    private let gatewayAddresses: [NetworkAddress]
    private let capturedPorts: Set<Int>
    private let ownPorts: Set<Int>
    private let resolver: any HostResolver
    private let state: Mutex<State>

    private struct State: Sendable {
        /// Tables whose names have not been taken up: nobody asks for them where nothing is mirrored, and with thousands of routes
        /// they are an eighth of what a change costs.
        var tables: RouteTables?
        var names: [String] = []
        var destinations: [String] = []
        /// The addresses of each destination, as of the last look-up that found any: a name server that does not answer takes
        /// no address from production.
        var addresses: [String: [NetworkAddress]] = [:]
        /// The round in which a destination was looked up last.
        var rounds: [String: Int] = [:]
        var round = 0
        var cluster = ClusterHosts()
        /// Whether the hosts of the cluster are still to come.
        var isAwaitingCluster = false
        /// Whether all destinations have been looked up since there were any.
        var hasLookedUp = false
        var rules = TargetGuard()

        /// Takes up the names of the tables in force.
        mutating func takeNames() {
            guard let tables else { return }
            self.tables = nil
            destinations = Set(tables.routes.flatMap { $0.destinations.map(\.host) }).sorted()
            names = destinations + Set(tables.routes.flatMap(\.hosts))
            let known = Set(destinations)
            addresses = addresses.filter { known.contains($0.key) }
            rounds = rounds.filter { known.contains($0.key) }
        }

        /// The destinations whose last look-up is longest ago, first those that have had none.
        mutating func nextRound() -> [String] {
            takeNames()
            round += 1
            guard destinations.count > KnownProduction.namesPerRound else { return destinations }
            let waited = destinations.sorted { (rounds[$0] ?? 0, $0) < (rounds[$1] ?? 0, $1) }
            return Array(waited.prefix(KnownProduction.namesPerRound))
        }

        /// Takes up what a round has found; names that the tables do not have any more are left out.
        mutating func roundEnded(_ names: [String], _ found: [String: [NetworkAddress]]) {
            let known = Set(destinations)
            for name in names where known.contains(name) {
                rounds[name] = round
                if let addresses = found[name] { self.addresses[name] = addresses }
            }
        }

        /// Whether a destination was never looked up.
        var hasUnknown: Bool { rounds.count < destinations.count }
    }

    /// Takes what does not change while the agent runs.
    ///
    /// - Parameters:
    ///   - configuration: The gateway's addresses and ports.
    ///   - resolver: What looks names up.
    init(_ configuration: Configuration, resolver: any HostResolver = SystemResolver()) {
        let own = ((try? NetworkInterface.all()) ?? []).flatMap(\.addresses)
        let addresses = configuration.gateway.addresses.isEmpty ? own : configuration.gateway.addresses
        gatewayAddresses = addresses.map { NetworkAddress(high: $0.high, low: $0.low) }
        capturedPorts = Set(configuration.gateway.ports.map { Int($0.pod) })
        ownPorts = Set(configuration.listeners.map(\.port))
        self.resolver = resolver
        state = Mutex(State())
    }

    /// Other tables are in force; their names are taken up when somebody asks for them.
    func tablesReplaced(_ tables: RouteTables) {
        state.withLock { $0.tables = tables }
    }

    /// Takes up what the cluster has; `nil` while that is not known, so that every target is refused.
    ///
    /// - Returns: Whether it has become known with this.
    @discardableResult
    func clusterChanged(_ hosts: ClusterHosts?) -> Bool {
        state.withLock { state in
            let isNews = state.isAwaitingCluster && hosts != nil
            state.isAwaitingCluster = hosts == nil
            let hosts = hosts ?? ClusterHosts()
            guard state.cluster != hosts else { return isNews }
            state.takeNames()
            state.cluster = hosts
            state.rules = rules(of: state)
            return isNews
        }
    }

    /// Whether there are destinations of which some were not looked up yet, since the agent began.
    var isFirstLookUpDue: Bool {
        state.withLock { !$0.hasLookedUp && ($0.tables.map { !$0.routes.isEmpty } ?? !$0.destinations.isEmpty) }
    }

    /// Looks the destinations up; those that have no address, as outside of a cluster, rule out nothing.
    ///
    /// All that were never looked up, and as many of the others as one round takes.
    func lookUpDestinations() async {
        var isThrough = false
        while !isThrough {
            let names = state.withLock { $0.nextRound() }
            var found: [String: [NetworkAddress]] = [:]
            for name in names {
                guard !Task.isCancelled else { return }
                let addresses = ((try? await resolver.addresses(of: name)) ?? []).compactMap(NetworkAddress.init(text:))
                if !addresses.isEmpty { found[name] = addresses }
            }
            isThrough = state.withLock { [found] state in
                state.roundEnded(names, found)
                state.rules = rules(of: state)
                state.hasLookedUp = state.hasLookedUp || !names.isEmpty && !state.hasUnknown
                return names.isEmpty || !state.hasUnknown
            }
        }
    }

    private func rules(of state: State) -> TargetGuard {
        TargetGuard(
            productionNames: state.names,
            productionAddresses: state.addresses.values.flatMap(\.self),
            gatewayAddresses: gatewayAddresses,
            capturedPorts: capturedPorts,
            ownPorts: ownPorts,
            clusterNames: state.cluster.names,
            clusterAddresses: state.cluster.addresses
        )
    }

    /// Why a target may not be sent to now; `nil` when it may.
    func refusal(of target: MirrorTarget, resolvedTo addresses: [String]) -> String? {
        guard !state.withLock(\.isAwaitingCluster) else {
            return "target \(target.name): the cluster's hosts are not known yet"
        }
        if let ignorance = state.withLock(\.cluster.ignorance), !TargetGuard.isListed(target) {
            return
                "target \(target.name): \(ignorance), so \(target.host) may be a Service, pod or node of this cluster; "
                + TargetGuard.remedy(target)
        }
        return ruling(on: target, resolvedTo: addresses)
    }

    /// Why a target may not be sent to, by what is known by now.
    private func ruling(on target: MirrorTarget, resolvedTo addresses: [String]) -> String? {
        let rules = state.withLock { state in
            if state.tables != nil {
                state.takeNames()
                state.rules = self.rules(of: state)
            }
            return state.rules
        }
        let known = addresses.compactMap(NetworkAddress.init(text:))
        guard known.count == addresses.count else {
            return "target \(target.name): \(target.host) has an address that cannot be read"
        }
        return rules.refusal(of: target, resolvedTo: known)
    }

    /// Looks a target up and judges it by what is known by now.
    ///
    /// - Returns: Why it may not be sent to; `nil` when it may, or when its name has no address yet.
    func examine(_ target: MirrorTarget) async -> String? {
        ruling(on: target, resolvedTo: (try? await resolver.addresses(of: target.host)) ?? [])
    }
}

/// The Services, pods and nodes of a cluster, as names and addresses.
struct ClusterHosts: Sendable, Equatable {
    /// The names by which Services are reached.
    private(set) var names: Set<String> = []
    /// The addresses of Services, of what is behind them, and of nodes.
    private(set) var addresses: Set<NetworkAddress> = []
    /// Why there may be hosts that are not among these, as the beginning of a sentence; `nil` where these are all.
    var ignorance: String?

    /// Nothing is known.
    init() {}

    /// Reads Services, EndpointSlices, Nodes and pods, and the load balancers of Services, Ingresses and Gateways.
    ///
    /// - Parameters:
    ///   - objects: The objects; those of other kinds say nothing of hosts.
    ///   - domain: The cluster's domain.
    init(_ objects: [JSONValue], domain: String) {
        for object in objects {
            let spec = object["spec"]
            switch object["kind"]?.stringValue {
            case "Service":
                guard let name = object["metadata"]?["name"]?.stringValue,
                    let namespace = object["metadata"]?["namespace"]?.stringValue
                else { continue }
                let short = "\(name).\(namespace)"
                names.formUnion([short, "\(short).svc", "\(short).svc.\(domain)"])
                add(spec?["clusterIP"].map { [$0] })
                add(spec?["clusterIPs"]?.arrayValue)
                add(spec?["externalIPs"]?.arrayValue)
                add(spec?["loadBalancerIP"].map { [$0] })
                addLoadBalancers(object["status"]?["loadBalancer"]?["ingress"])
            case "Ingress":
                addLoadBalancers(object["status"]?["loadBalancer"]?["ingress"])
            case "Gateway":
                addHosts((object["status"]?["addresses"]?.arrayValue ?? []).compactMap { $0["value"] })
            case "EndpointSlice":
                for endpoint in object["endpoints"]?.arrayValue ?? [] { add(endpoint["addresses"]?.arrayValue) }
            case "Node":
                add((object["status"]?["addresses"]?.arrayValue ?? []).compactMap { $0["address"] })
            case "Pod":
                add((object["status"]?["podIPs"]?.arrayValue ?? []).compactMap { $0["ip"] })
                add(object["status"]?["hostIP"].map { [$0] })
            default: continue
            }
        }
    }

    private mutating func addLoadBalancers(_ balancers: JSONValue?) {
        addHosts((balancers?.arrayValue ?? []).flatMap { [$0["ip"], $0["hostname"]] }.compactMap(\.self))
    }

    /// Adds what may be addresses or names.
    private mutating func addHosts(_ values: [JSONValue]) {
        for text in values.compactMap(\.stringValue) {
            if let address = NetworkAddress(text: text) {
                addresses.insert(address)
            } else {
                names.insert(text.lowercased())
            }
        }
    }

    private mutating func add(_ values: [JSONValue]?) {
        for text in (values ?? []).compactMap(\.stringValue) {
            if let address = NetworkAddress(text: text) { addresses.insert(address) }
        }
    }
}

extension NetworkAddress {
    /// Reads an address as a resolver writes it, with or without a zone.
    fileprivate init?(text: String) {
        guard let address = IPAddress(text.prefix { $0 != "%" }) else { return nil }
        self.init(high: address.high, low: address.low)
    }
}
