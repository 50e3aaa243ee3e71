// Wingmirror · Apache-2.0

import PacketDecoding
import TestSupport

extension Scenario {
    /// Headers, down to TCP.
    static let decode = Scenario(
        name: "decode",
        summary: "from the octets of a packet to its TCP segment; packets with 100 octets of payload, in cache",
        item: "packet"
    ) { options in
        let passes = options.repetitions(1024)
        return [
            Row(DecodeWorkload("Ethernet, IPv4", passes: passes) { $0.ip().ethernet() }),
            Row(DecodeWorkload("Ethernet, VLAN, IPv4", passes: passes) { $0.ip().vlan(7).ethernet() }),
            Row(DecodeWorkload("Ethernet, IPv6", passes: passes, isIPv6: true) { $0.ip().ethernet() }),
            Row(
                DecodeWorkload("Ethernet, IPv4, VXLAN, Ethernet, IPv4", passes: passes) {
                    $0.ip().ethernet().vxlan(42).ipv4().ethernet()
                }
            ),
        ]
    }
}

/// Decodes the same packets again and again.
private struct DecodeWorkload: ~Copyable, Workload {
    let label: String
    let items: Int
    let octets: Int
    private var decoder = PacketDecoder()
    /// The packets one behind the other, and where each lies.
    private var frames: [UInt8] = []
    private var ranges: [Range<Int>] = []

    private let passes: Int

    private static let frameCount = 1024
    private static let payload = [UInt8](repeating: 0x61, count: 100)

    /// Makes packets of segments of different connections, with the headers that `wrap` puts around them.
    init(_ label: String, passes: Int, isIPv6: Bool = false, wrap: (PacketBuilder) -> PacketBuilder) {
        self.label = label
        self.passes = passes
        for number in 0..<Self.frameCount {
            let segment = PacketBuilder.tcp(
                from: Endpoint(address: Self.address(number, isIPv6), port: UInt16(32_768 + number)),
                to: Endpoint(address: Self.address(0xFFFF, isIPv6), port: 8080),
                sequence: UInt32(number) &* 2_654_435_761,
                payload: Self.payload
            )
            let frame = wrap(segment).octets
            ranges.append(frames.count..<frames.count + frame.count)
            frames += frame
        }
        items = Self.frameCount * passes
        octets = frames.count * passes
    }

    private static func address(_ number: Int, _ isIPv6: Bool) -> IPAddress {
        isIPv6
            ? IPAddress(high: 0x2001_0DB8_0000_0000, low: UInt64(number))
            : IPAddress(ipv4: 0xC612_0000 + UInt32(number))
    }

    mutating func run() -> Int {
        var decoded = 0
        // Its own reference, because the decoder is changed while the octets are lent.
        let frames = frames
        for _ in 0..<passes {
            for range in ranges {
                let packet = CapturedPacket(
                    time: PacketTime(nanoseconds: 0),
                    linkType: .ethernet,
                    interface: 0,
                    wireLength: range.count
                )
                let frame = frames.span.extracting(range)
                if case .segment(let segment) = decoder.decode(frame, of: packet),
                    segment.payload.count == Self.payload.count
                {
                    decoded += 1
                }
            }
        }
        return decoded
    }
}
