// Wingmirror · Apache-2.0

import AgentConfiguration
import PacketCapture
import PacketDecoding
import ServiceLifecycle
import Synchronization

/// Says which addresses are on other machines, by this node's own routes, where the gateway's addresses are not known.
///
/// A node hands packets to pods of its own over a link, and those to pods of another node to a next machine. With a Service
/// of `externalTrafficPolicy: Cluster` a request passes by on the node that it came to and arrives on another; the agents of
/// both see it. What the routes cannot tell counts as before: pods that share a link with the nodes, and networks whose routes
/// all lead to an address of the node itself.
final class NodeLocality: Sendable {
    /// How often the routes are read.
    static let interval: Duration = .seconds(30)

    /// Held to exchange it and to copy it, never while it is read or searched.
    private let state: Mutex<State>

    private struct State: Sendable {
        let routes: NodeRoutes
        let own: Set<IPAddress>

        func isElsewhere(_ address: IPAddress) -> Bool {
            guard !own.contains(address), let gateway = routes.gateway(to: address) else { return false }
            return !own.contains(gateway)
        }
    }

    /// Reads the routes and addresses of this machine.
    init() { state = Mutex(Self.read()) }

    /// Takes routes and addresses as they are given.
    init(routes: NodeRoutes, own: Set<IPAddress>) { state = Mutex(State(routes: routes, own: own)) }

    /// A locality where what a configuration captures includes what passes by; `nil` of any other.
    ///
    /// It does where all interfaces of a machine that forwards packets are captured and no gateway address is known. On a machine
    /// that only listens, at a mirrored port of a switch, everything is elsewhere and is what is wanted.
    static func current(_ configuration: Configuration) -> NodeLocality? {
        guard configuration.gateway.addresses.isEmpty, !configuration.findsGateways, configuration.seesAllInterfaces,
            forwards("/proc/sys/net/ipv4/ip_forward") || forwards("/proc/sys/net/ipv6/conf/all/forwarding")
        else { return nil }
        return NodeLocality()
    }

    private static func forwards(_ path: String) -> Bool {
        (try? FileContents.read(path, limit: 64))?.first == UInt8(ascii: "1")
    }

    private static func read() -> State {
        // Without the list of interfaces, no address is known to be this machine's own; routes to those have no next machine.
        let interfaces = (try? NetworkInterface.all()) ?? []
        return State(routes: NodeRoutes(), own: Set(interfaces.flatMap(\.addresses)))
    }

    /// Reads the routes and addresses again.
    func refresh() {
        let read = Self.read()
        state.withLock { $0 = read }
    }

    /// Whether packets to an address are handed to another machine; `nil` while that cannot be said without waiting, as the capture
    /// threads ask.
    func isElsewhere(_ address: IPAddress) -> Bool? {
        state.withLockIfAvailable { $0 }?.isElsewhere(address)
    }
}

/// Keeps the routes fresh.
struct NodeLocalityService: Service {
    /// What is kept fresh.
    let locality: NodeLocality

    func run() async throws {
        try? await cancelWhenGracefulShutdown {
            while true {
                try await Task.sleep(for: NodeLocality.interval)
                locality.refresh()
            }
        }
    }
}
