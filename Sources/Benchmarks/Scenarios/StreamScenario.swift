// Wingmirror · Apache-2.0
// Frames: RFC 9113 §4.1 and §6; field blocks: RFC 7541 §6.

import HTTPReconstruction
import PacketDecoding
import TCPReassembly

extension Scenario {
    /// Exchanges from the streams of HTTP/2.
    static let streams = Scenario(
        name: "streams",
        summary: "HTTP/2 streams to exchanges with 100 octets of content; 64 connections in turn",
        item: "exchange"
    ) { options in
        let turns = options.repetitions(2048)
        return [
            Row(StreamWorkload(namesOnly: false, turns: turns)),
            Row(StreamWorkload(namesOnly: true, turns: turns)),
        ]
    }
}

/// Opens a stream on each connection in turn, and answers it.
private struct StreamWorkload: ~Copyable, Workload {
    let label: String
    let items: Int
    var octets: Int { items * (request.count + response.count) }
    private var request: [UInt8]
    private var response: [UInt8]
    private var reconstructor = HTTPReconstructor(sink: ExchangeCounter())
    private var time = PacketTime(nanoseconds: 1_795_406_760_000_000_000)
    private var stream: UInt32 = 1
    /// How far each connection's two directions are: all are at the same place.
    private var sent: (requests: Int64, responses: Int64) = (0, 0)

    private let turns: Int

    private static let connections = 64

    /// - Parameters:
    ///   - namesOnly: Whether the fields of a head are literals with names from the tables; else all are indexes.
    ///   - turns: Streams of a connection in a round.
    init(namesOnly: Bool, turns: Int) {
        label = namesOnly ? "fields with indexed names" : "fields by index"
        self.turns = turns
        items = Self.connections * turns
        let target = Self.field(4, "/products/1?x=2", form: 0)
        let length = Self.field(28, "100", form: 0)
        // The two fields that a direction's first head inserts have the indexes 62 and 63.
        request = Self.frame(
            type: 1,
            flags: 0x05,
            namesOnly ? [0x82, 0x86] + target + Self.field(1, "shop.example.com", form: 0) : [0x82, 0x86, 0xBE, 0xBF]
        )
        response =
            Self.frame(
                type: 1,
                flags: 0x04,
                namesOnly ? [0x88] + length + Self.field(31, "application/json", form: 0) : [0x88, 0xBE, 0xBF]
            ) + Self.frame(type: 0, flags: 0x01, [UInt8](repeating: 0x7B, count: 100))
        for slot in 0..<Self.connections { open(slot) }
    }

    /// Opens a connection with the exchange that fills its tables.
    private mutating func open(_ slot: Int) {
        reconstructor.connectionOpened(.ofOneClient(slot, at: time))
        let settings = Self.frame(type: 4, flags: 0, [])
        let first =
            Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + settings
            + Self.frame(
                type: 1,
                flags: 0x05,
                [0x82, 0x86] + Self.field(1, "shop.example.com", form: 0x40)
                    + Self.field(4, "/products/1?x=2", form: 0x40),
                stream: 1
            )
        let answer =
            settings
            + Self.frame(
                type: 1,
                flags: 0x04,
                [0x88] + Self.field(31, "application/json", form: 0x40) + Self.field(28, "100", form: 0x40),
                stream: 1
            ) + Self.frame(type: 0, flags: 0x01, [UInt8](repeating: 0x7B, count: 100), stream: 1)
        deliver(first, .fromOriginator, at: 0, acknowledged: 0, slot)
        deliver(answer, .fromResponder, at: 0, acknowledged: Int64(first.count), slot)
        sent = (Int64(first.count), Int64(answer.count))
    }

    mutating func run() -> Int {
        let before = reconstructor.sink.wholeExchanges
        for _ in 0..<turns {
            stream += 2
            Self.name(stream, at: 0, in: &request)
            Self.name(stream, at: 0, in: &response)
            Self.name(stream, at: response.count - 109, in: &response)
            for slot in 0..<Self.connections {
                deliver(request, .fromOriginator, at: sent.requests, acknowledged: sent.responses, slot)
                let answered = sent.requests + Int64(request.count)
                deliver(response, .fromResponder, at: sent.responses, acknowledged: answered, slot)
            }
            sent.requests += Int64(request.count)
            sent.responses += Int64(response.count)
        }
        return reconstructor.sink.wholeExchanges - before
    }

    private mutating func deliver(
        _ octets: [UInt8],
        _ direction: StreamDirection,
        at offset: Int64,
        acknowledged: Int64,
        _ slot: Int
    ) {
        time = time.advanced(byNanoseconds: 1000)
        let position = StreamPosition(
            direction: direction,
            offset: offset,
            time: time,
            acknowledged: acknowledged,
            startsSegment: true
        )
        reconstructor.octetsArrived(octets.span, at: position, slot: slot)
    }

    // MARK: - Octets

    private static func frame(type: UInt8, flags: UInt8, _ payload: [UInt8], stream: UInt32 = 0) -> [UInt8] {
        var frame: [UInt8] =
            [0, UInt8(payload.count >> 8), UInt8(payload.count & 0xFF), type, flags, 0, 0, 0, 0] + payload
        name(stream, at: 0, in: &frame)
        return frame
    }

    /// Writes the stream of the frame at `start`.
    private static func name(_ stream: UInt32, at start: Int, in octets: inout [UInt8]) {
        for place in 0..<4 { octets[start + 5 + place] = UInt8(truncatingIfNeeded: stream >> UInt32(24 - 8 * place)) }
    }

    /// A literal whose name is an entry of the static table; `form` is 0x40 to insert it, 0 not to.
    private static func field(_ index: UInt8, _ value: String, form: UInt8) -> [UInt8] {
        // An index of four bits goes on in a second octet.
        let name = form == 0 && index >= 15 ? [0x0F, index - 15] : [form | index]
        return name + [UInt8(value.utf8.count)] + value.utf8
    }
}
