// Wingmirror · Apache-2.0

import PacketDecoding
import TestSupport

/// A savefile of what a gateway sees of an API: many connections in turn, requests of 669 octets, answers of a few KiB.
struct TrafficCapture {
    private var savefile = SavefileWriter()
    private var time = PacketTime(nanoseconds: 1_795_406_760_000_000_000)

    private static let segmentOctets = 1448
    /// Connections open at the same time.
    private static let width = 64

    /// The savefile.
    var octets: [UInt8] { savefile.octets }

    /// Writes `waves` times as many connections as are open at one time, each with `exchanges` requests.
    init(waves: Int, exchanges: Int) {
        for wave in 0..<waves {
            var connections = (0..<Self.width).map { Conversation(number: wave * Self.width + $0) }
            for index in connections.indices { connections[index].open(in: &self) }
            for exchange in 0..<exchanges {
                for index in connections.indices { connections[index].exchange(exchange, in: &self) }
            }
            for index in connections.indices { connections[index].close(in: &self) }
        }
    }

    private mutating func append(_ packet: PacketBuilder) {
        savefile.append(packet.ip().ethernet().octets, at: time)
        time = time.advanced(byNanoseconds: 2000)
    }

    /// One connection and what its two ends have sent.
    private struct Conversation {
        let number: Int
        var sent: (client: UInt32, server: UInt32) = (1000, 2000)

        init(number: Int) {
            self.number = number
        }

        mutating func open(in capture: inout TrafficCapture) {
            send(fromClient: true, [.syn], in: &capture)
            send(fromClient: false, [.syn, .ack], in: &capture)
            send(fromClient: true, [.ack], in: &capture)
        }

        mutating func exchange(_ exchange: Int, in capture: inout TrafficCapture) {
            let path = exchange.isMultiple(of: 2) ? "/api/items/\(exchange)" : "/products/\(exchange)?page=\(number)"
            let request = RequestHead.apiLike(target: path, host: RouteManifest.host((number + exchange) % 100))
            send(fromClient: true, [.ack, .psh], request.octets, in: &capture)
            let contentLength = (number &* 977 &+ exchange &* 389) % 8192
            let answer =
                ResponseHead.apiLike(contentLength: contentLength) + [UInt8](repeating: 0x61, count: contentLength)
            for start in stride(from: 0, to: answer.count, by: TrafficCapture.segmentOctets) {
                let end = min(start + TrafficCapture.segmentOctets, answer.count)
                send(fromClient: false, [.ack], Array(answer[start..<end]), in: &capture)
                if start > 0 { send(fromClient: true, [.ack], in: &capture) }
            }
        }

        mutating func close(in capture: inout TrafficCapture) {
            send(fromClient: true, [.ack, .fin], in: &capture)
            send(fromClient: false, [.ack, .fin], in: &capture)
            send(fromClient: true, [.ack], in: &capture)
        }

        private mutating func send(
            fromClient: Bool,
            _ flags: TCPFlags,
            _ payload: [UInt8] = [],
            in capture: inout TrafficCapture
        ) {
            let client = Endpoint(
                address: IPAddress(ipv4: 0xC612_0001 + UInt32(number % 5000)),
                port: UInt16(20_000 + number / 5000)
            )
            let server = Endpoint(address: IPAddress(ipv4: 0xC613_0001), port: 8080)
            capture.append(
                .tcp(
                    from: fromClient ? client : server,
                    to: fromClient ? server : client,
                    sequence: fromClient ? sent.client : sent.server,
                    acknowledgement: flags.contains(.ack) ? (fromClient ? sent.server : sent.client) : 0,
                    flags: flags,
                    payload: payload
                )
            )
            let taken = UInt32(payload.count) + (flags.isDisjoint(with: [.syn, .fin]) ? 0 : 1)
            if fromClient { sent.client += taken } else { sent.server += taken }
        }
    }
}
