// Wingmirror · Apache-2.0
// The kernel's main routing tables as proc(5) shows them: /proc/net/route and /proc/net/ipv6_route.

import AgentConfiguration
import PacketDecoding

/// Says by which interface this node reaches an address: of a pod, the host's end of its veth pair, or the bridge that it is on.
struct NodeRoutes: Sendable {
    private struct Route: Sendable {
        let high: UInt64
        let low: UInt64
        let length: Int
        let metric: UInt32
        let interface: String
        /// The machine that packets are handed to; `nil` where the address itself is on the link.
        let gateway: IPAddress?
    }

    private var routes: [Route] = []
    private let isBridge: @Sendable (String) -> Bool

    /// Reads the tables of this network namespace; one that cannot be read is empty.
    init() {
        func text(_ path: String) -> String {
            String(decoding: (try? FileContents.read(path, limit: 16 << 20)) ?? [], as: UTF8.self)
        }
        self.init(ipv4: text("/proc/net/route"), ipv6: text("/proc/net/ipv6_route"))
    }

    /// Whether an interface of this network namespace is a bridge.
    static func isBridge(_ name: String) -> Bool {
        (try? FileContents.read("/sys/class/net/\(name)/bridge/bridge_id", limit: 1 << 14)) != nil
    }

    /// Reads tables in the kernel's own form.
    ///
    /// - Parameters:
    ///   - ipv4: The table of IPv4.
    ///   - ipv6: The table of IPv6.
    ///   - isBridge: Whether an interface is a bridge.
    init(
        ipv4: String,
        ipv6: String,
        isBridge: @escaping @Sendable (String) -> Bool = { NodeRoutes.isBridge($0) }
    ) {
        self.isBridge = isBridge
        for line in ipv4.split(separator: "\n").dropFirst() {
            let columns = line.split(whereSeparator: \.isWhitespace)
            // Destination and mask are words as they lie in memory: the first octet of the address is the lowest.
            guard columns.count >= 8, let destination = UInt32(columns[1], radix: 16),
                let gateway = UInt32(columns[2], radix: 16), let flags = UInt32(columns[3], radix: 16),
                let metric = UInt32(columns[6]),
                let mask = UInt32(columns[7], radix: 16), Self.isUsable(flags)
            else { continue }
            let address = IPAddress(ipv4: destination.byteSwapped)
            let length = 96 + mask.byteSwapped.leadingOnes
            routes.append(
                Route(
                    high: address.high,
                    low: address.low,
                    length: length,
                    metric: metric,
                    interface: String(columns[0]),
                    gateway: flags & 2 == 0 ? nil : IPAddress(ipv4: gateway.byteSwapped)
                )
            )
        }
        for line in ipv6.split(separator: "\n") {
            let columns = line.split(whereSeparator: \.isWhitespace)
            guard columns.count >= 10, columns[0].count == 32, let high = UInt64(columns[0].prefix(16), radix: 16),
                let low = UInt64(columns[0].suffix(16), radix: 16), let length = Int(columns[1], radix: 16),
                columns[4].count == 32, let nextHigh = UInt64(columns[4].prefix(16), radix: 16),
                let nextLow = UInt64(columns[4].suffix(16), radix: 16),
                let metric = UInt32(columns[5], radix: 16), let flags = UInt32(columns[8], radix: 16),
                Self.isUsable(flags), columns[9] != "lo"
            else { continue }
            routes.append(
                Route(
                    high: high,
                    low: low,
                    length: length,
                    metric: metric,
                    interface: String(columns[9]),
                    gateway: flags & 2 == 0 ? nil : IPAddress(high: nextHigh, low: nextLow)
                )
            )
        }
    }

    /// A route that is up and leads somewhere: RTF_UP, and not RTF_REJECT.
    private static func isUsable(_ flags: UInt32) -> Bool { flags & 1 != 0 && flags & 0x200 == 0 }

    /// The interface of the longest prefix that an address has; of several, that with the least metric.
    ///
    /// It is `nil` unless the route is to this address alone, as to a veth, or leads to a bridge. A route to the addresses of many
    /// pods by another interface (`cilium_host`, `ovn-k8s-mp0`) is how they are reached on paper: the network's own programs
    /// hand packets to the pods' interfaces. A default route does not count either.
    func interface(to address: IPAddress) -> String? {
        guard let route = best(to: address, from: address.isIPv4 ? 97 : 1),
            route.length == 128 || isBridge(route.interface)
        else { return nil }
        return route.interface
    }

    /// The machine that packets to an address are handed to, by a default route too; `nil` where the address is on a link of
    /// this one, or there is no route.
    func gateway(to address: IPAddress) -> IPAddress? {
        best(to: address, from: address.isIPv4 ? 96 : 0)?.gateway
    }

    /// The route of the longest prefix that an address has, of several that with the least metric; none that is shorter than
    /// `shortest`.
    private func best(to address: IPAddress, from shortest: Int) -> Route? {
        var best: Route?
        for route in routes where route.length >= shortest && matches(address, route) {
            if let known = best, (known.length, -Int64(known.metric)) >= (route.length, -Int64(route.metric)) {
                continue
            }
            best = route
        }
        return best
    }

    private func matches(_ address: IPAddress, _ route: Route) -> Bool {
        let highMask = route.length >= 64 ? UInt64.max : ~(UInt64.max >> UInt64(route.length))
        let lowLength = max(0, route.length - 64)
        let lowMask = lowLength == 0 ? 0 : lowLength >= 64 ? UInt64.max : ~(UInt64.max >> UInt64(lowLength))
        return address.high & highMask == route.high & highMask && address.low & lowMask == route.low & lowMask
    }
}

extension UInt32 {
    /// How many of the highest bits are set before the first that is not.
    fileprivate var leadingOnes: Int { (~self).leadingZeroBitCount }
}
