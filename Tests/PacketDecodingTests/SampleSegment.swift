// Wingmirror · Apache-2.0

import PacketDecoding
import TestSupport

/// The one segment that most tests wrap in headers of their own.
enum SampleSegment {
    static let client = Endpoint(address: IPAddress(ipv4: 0xC000_0209), port: 51_034)
    static let server = Endpoint(address: IPAddress(ipv4: 0xC000_0201), port: 8080)
    static let client6 = Endpoint(address: IPAddress(high: 0x2001_0DB8_0000_0000, low: 9), port: 51_034)
    static let server6 = Endpoint(address: IPAddress(high: 0x2001_0DB8_0000_0000, low: 1), port: 8080)
    static let payload = Array("GET /products/1 HTTP/1.1\r\nHost: shop.example.com\r\n\r\n".utf8)

    /// The segment over IPv4, as far as TCP.
    static let overIPv4 = tcp(from: client, to: server)
    /// The segment over IPv6, as far as TCP.
    static let overIPv6 = tcp(from: client6, to: server6)

    private static func tcp(from source: Endpoint, to destination: Endpoint) -> PacketBuilder {
        PacketBuilder.tcp(
            from: source,
            to: destination,
            sequence: 0xFEDC_BA98,
            acknowledgement: 0x0102_0304,
            flags: [.psh, .ack],
            options: [1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2],
            payload: payload
        )
    }
}

/// What decoding gave, with the octets of the payload in place of where they lie.
struct Decoded: Equatable {
    var segment: TCPSegment?
    var payload: [UInt8] = []
    var isReassembled = false
    var ignored: IgnoredReason?
    var failure: DecodeFailure?
}

extension PacketDecoder {
    /// Decodes a whole packet, and copies its payload out of wherever it lies.
    mutating func decode(
        _ octets: [UInt8],
        linkType: LinkType = .ethernet,
        wireLength: Int? = nil,
        seconds: Int64 = 0,
        interface: Int = 0
    ) -> Decoded {
        let packet = CapturedPacket(
            time: PacketTime(nanoseconds: seconds * 1_000_000_000),
            linkType: linkType,
            interface: interface,
            wireLength: wireLength ?? octets.count
        )
        switch decode(octets.span, of: packet) {
        case .segment(let segment):
            return Decoded(segment: segment, payload: Array(octets[segment.payload]))
        case .reassembledSegment(let segment):
            let payload = segment.payload.map { datagram[$0] }
            return Decoded(segment: segment, payload: payload, isReassembled: true)
        case .ignored(let reason):
            return Decoded(ignored: reason)
        case .failed(let failure):
            return Decoded(failure: failure)
        }
    }
}

/// Decodes one packet with a decoder of its own.
func decodeAlone(_ octets: [UInt8], linkType: LinkType = .ethernet, wireLength: Int? = nil) -> Decoded {
    var decoder = PacketDecoder()
    return decoder.decode(octets, linkType: linkType, wireLength: wireLength)
}
