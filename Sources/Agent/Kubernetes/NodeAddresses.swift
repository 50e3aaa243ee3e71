// Wingmirror · Apache-2.0

import AgentConfiguration
import PacketCapture
import PacketDecoding

/// The addresses at which this node is reached, and with it a gateway that has the node's network.
enum NodeAddresses {
    /// The addresses of now, in their order.
    static var current: [IPAddress] {
        among((try? NetworkInterface.all()) ?? [], isBridge: NodeRoutes.isBridge)
    }

    /// The addresses of a node's interfaces.
    ///
    /// Those of bridges are for pods, those that kube-proxy and the node's DNS cache hold are Services', and a link-local address is
    /// no one host's.
    ///
    /// - Parameters:
    ///   - interfaces: The interfaces.
    ///   - isBridge: Whether one of them is a bridge.
    /// - Returns: The addresses in their order.
    static func among(_ interfaces: [NetworkInterface], isBridge: (String) -> Bool) -> [IPAddress] {
        let own = interfaces.filter {
            !$0.isLoopback && $0.name != "kube-ipvs0" && $0.name != "nodelocaldns" && !isBridge($0.name)
        }
        return Set(own.flatMap(\.addresses).filter { !isLinkLocal($0) }).sorted {
            ($0.high, $0.low) < ($1.high, $1.low)
        }
    }

    private static func isLinkLocal(_ address: IPAddress) -> Bool {
        address.isIPv4 ? UInt32(truncatingIfNeeded: address.low) >> 16 == 0xA9FE : address.high >> 54 == 0xFE80 >> 6
    }
}
