// Wingmirror · Apache-2.0

/// Builds the octets of Ethernet frames and of what is in them, just far enough for a filter.
struct TestFrame {
    var octets: [UInt8]

    static let client: [UInt8] = [10, 0, 0, 9]
    private static let clientIPv6: [UInt8] = [0x20, 0x01, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 11) + [9]

    /// The gateway's addresses in all frames: 10.0.0.1 and 2001:db8::1.
    static let gateway: [UInt8] = [10, 0, 0, 1]
    static let gatewayIPv6: [UInt8] = [0x20, 0x01, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 11) + [1]

    /// A TCP header without options (RFC 9293 §3.1), from port 40000.
    static func tcp(from source: UInt16 = 40_000, to port: UInt16) -> [UInt8] {
        big(source) + big(port) + [UInt8](repeating: 0, count: 8) + [0x50, 0x02] + [UInt8](repeating: 0, count: 6)
    }

    /// An IPv4 packet (RFC 791 §3.1) from 10.0.0.9.
    static func ipv4(
        _ payload: [UInt8],
        to destination: [UInt8] = gateway,
        from source: [UInt8] = client,
        fragmentOffset: UInt16 = 0,
        proto: UInt8 = 6
    ) -> [UInt8] {
        [0x45, 0] + big(UInt16(20 + payload.count)) + [0, 1] + big(fragmentOffset) + [64, proto, 0, 0] + source
            + destination + payload
    }

    /// An IPv6 packet (RFC 8200 §3) from 2001:db8::9.
    static func ipv6(_ payload: [UInt8], nextHeader: UInt8 = 6, to destination: [UInt8] = gatewayIPv6) -> [UInt8] {
        [0x60, 0, 0, 0] + big(UInt16(payload.count)) + [nextHeader, 64] + clientIPv6 + destination + payload
    }

    /// A fragment header (RFC 8200 §4.5) before the first part of a TCP segment.
    static func fragment(_ payload: [UInt8]) -> [UInt8] {
        [6, 0, 0, 1, 0, 0, 0, 7] + payload
    }

    /// The port of a frame's TCP segment that is not the gateway's.
    static func clientPort(_ frame: [UInt8]) -> UInt16 {
        let ports = frame.suffix(20).prefix(4).map(UInt16.init)
        let (source, destination) = (ports[0] << 8 | ports[1], ports[2] << 8 | ports[3])
        return source == 8080 ? destination : source
    }

    /// An Ethernet frame; each tag is a TPID, and the VLAN is 100.
    static func ethernet(_ packet: [UInt8], type: UInt16? = nil, tags: [UInt16] = []) -> [UInt8] {
        let addresses = [UInt8](repeating: 0xFF, count: 6) + [2, 0, 0, 0, 0, 9]
        return addresses + tags.flatMap { big($0) + [0, 100] } + big(type ?? etherType(of: packet)) + packet
    }

    /// A Linux cooked frame, version 2 (LINKTYPE_LINUX_SLL2).
    static func cooked(_ packet: [UInt8], tags: [UInt16] = []) -> [UInt8] {
        let types = tags + [etherType(of: packet)]
        let header = big(types[0]) + [0, 0, 0, 0, 0, 2, 0, 1, 0, 6, 2, 0, 0, 0, 0, 9, 0, 0]
        return header + types.dropFirst().flatMap { [0, 100] + big($0) } + packet
    }

    private static func etherType(of packet: [UInt8]) -> UInt16 {
        packet[0] >> 4 == 4 ? 0x0800 : 0x86DD
    }

    private static func big(_ number: UInt16) -> [UInt8] {
        [UInt8(number >> 8), UInt8(truncatingIfNeeded: number)]
    }
}
