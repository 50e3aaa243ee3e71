// Wingmirror · Apache-2.0

import PacketDecoding
import TestSupport
import Testing
import TrafficMetrics

@testable import TrafficPipeline

/// Packets that are kept for a while, and what is saved of a connection.
@Suite(.timeLimit(.minutes(20)))
struct KeptPacketsTests {
    private static let server = endpoint("10.0.0.1", 8080)
    private static let second: Int64 = 1_000_000_000

    private static func endpoint(_ address: String, _ port: UInt16) -> Endpoint {
        guard let address = IPAddress(address) else { preconditionFailure("KeptPacketsTests.endpoint: \(address)") }
        return Endpoint(address: address, port: port)
    }

    private static func client(_ port: UInt16) -> Endpoint { endpoint("10.0.0.9", port) }

    private static func frames(_ port: UInt16, _ path: String = "/a", origin: UInt32 = 100) -> [[UInt8]] {
        Conversation.frames(
            from: client(port),
            to: server,
            "GET \(path) HTTP/1.1\r\nHost: shop\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
            origin: origin
        )
    }

    private static func packet(
        _ octets: [UInt8],
        at time: Int64,
        _ linkType: LinkType = .ethernet,
        interface: Int = 0
    ) -> CapturedPacket {
        CapturedPacket(
            time: PacketTime(nanoseconds: time),
            linkType: linkType,
            interface: interface,
            wireLength: octets.count
        )
    }

    /// Frames of an Ethernet savefile.
    private static func octets(of saved: SavedPackets?) -> [[UInt8]]? {
        guard let saved else { return nil }
        var frames: [[UInt8]] = []
        var place = 24
        while place < saved.octets.count {
            let count = (0..<4).reduce(0) { $0 | Int(saved.octets[place + 8 + $1]) << (8 * $1) }
            frames.append(Array(saved.octets[place + 16..<place + 16 + count]))
            place += 16 + count
        }
        return frames
    }

    /// The fractions of a second at which packets came, in nanoseconds.
    private static func times(of saved: SavedPackets) -> [Int] {
        var times: [Int] = []
        var place = 24
        while place < saved.octets.count {
            let (nanoseconds, count) = (number(saved, at: place + 4), number(saved, at: place + 8))
            times.append(nanoseconds)
            place += 16 + count
        }
        return times
    }

    private static func number(_ saved: SavedPackets, at place: Int) -> Int {
        (0..<4).reduce(0) { $0 | Int(saved.octets[place + $1]) << (8 * $1) }
    }

    private static func linkType(of saved: SavedPackets) -> Int {
        (0..<4).reduce(0) { $0 | Int(saved.octets[20 + $1]) << (8 * $1) }
    }

    // MARK: - One connection

    @Test func `a connection's packets are saved, and those of no other`() throws {
        let board = KeptPackets(octets: 1 << 20, age: 60 * Self.second)
        var keeping = PacketKeeping(board)
        let (first, other) = (Self.frames(4000), Self.frames(4001))
        for (index, pair) in zip(first, other).enumerated() {
            let time = Int64(index) * 1000
            keeping.packetArrived(Self.packet(pair.0, at: time), octets: pair.0.span, connection: 17)
            keeping.packetArrived(Self.packet(pair.1, at: time + 1), octets: pair.1.span, connection: 18)
        }
        let saved = try #require(board.packets(ofConnection: 17))
        #expect(Self.octets(of: saved) == first)
        #expect(saved.count == 5 && saved.hasBeginning && saved.leftOut == 0)
        #expect(saved.first.nanoseconds == 0 && saved.last.nanoseconds == 4000)
        #expect(Self.linkType(of: saved) == 1)
        #expect(board.packets(ofConnection: 19) == nil)
        #expect(board.extent.packets == 10 && board.extent.missed == 0)
    }

    @Test func `times are saved to the nanosecond, and a cut packet keeps its length on the wire`() throws {
        let board = KeptPackets(octets: 1 << 20, age: 60 * Self.second)
        var keeping = PacketKeeping(board)
        let frame = Self.frames(4000)[2]
        let cut = Array(frame.prefix(60))
        let time: Int64 = 1_790_000_000_123_456_789
        let packet = CapturedPacket(
            time: PacketTime(nanoseconds: time),
            linkType: .ethernet,
            interface: 0,
            wireLength: frame.count
        )
        keeping.packetArrived(packet, octets: cut.span, connection: 0)
        var expected = SavefileWriter(linkType: .ethernet, resolution: .nanoseconds)
        expected.append(cut, at: packet.time, wireLength: frame.count)
        #expect(board.packets(ofConnection: 0)?.octets == expected.octets)
    }

    // MARK: - Bounds

    @Test func `the newest packets stay when there is no room, and the beginning is known to be gone`() throws {
        let board = KeptPackets(octets: 1 << 20, age: 600 * Self.second)
        var keeping = PacketKeeping(board)
        let large = [UInt8](repeating: 7, count: 100_000)
        for (index, frame) in Self.frames(4000).enumerated() {
            keeping.packetArrived(Self.packet(frame, at: Int64(index)), octets: frame.span, connection: 1)
        }
        for index in 0..<100 {
            keeping.packetArrived(Self.packet(large, at: Int64(1000 + index)), octets: large.span, connection: 2)
        }
        #expect(board.packets(ofConnection: 1) == nil)
        let saved = try #require(board.packets(ofConnection: 2))
        #expect(saved.last.nanoseconds == 1099)
        #expect(!saved.hasBeginning)
        #expect(board.extent.octets <= 1 << 20)
        #expect(board.extent.missed == 0)
    }

    @Test func `packets go when they are too old, those of a silent capture too`() {
        let board = KeptPackets(octets: 1 << 20, age: 10 * Self.second)
        var keeping = PacketKeeping(board)
        let frame = Self.frames(4000)[2]
        keeping.packetArrived(Self.packet(frame, at: 0), octets: frame.span, connection: 1)
        keeping.packetArrived(Self.packet(frame, at: 9 * Self.second), octets: frame.span, connection: 1)
        keeping.timePassed(until: PacketTime(nanoseconds: 11 * Self.second))
        // The block has a packet that is young enough; the old one counts as gone.
        #expect(board.packets(ofConnection: 1)?.count == 2)
        keeping.packetArrived(Self.packet(frame, at: 12 * Self.second), octets: frame.span, connection: 1)
        #expect(board.packets(ofConnection: 1)?.count == 2)
        keeping.timePassed(until: PacketTime(nanoseconds: 30 * Self.second))
        #expect(board.packets(ofConnection: 1) == nil)
        #expect(board.extent.packets == 0)
        keeping.packetArrived(Self.packet(frame, at: 31 * Self.second), octets: frame.span, connection: 1)
        #expect(board.packets(ofConnection: 1)?.count == 1)
    }

    @Test func `after the clock was set back packets are kept, and earlier ones go when they are too old`() {
        let board = KeptPackets(octets: 1 << 20, age: 10 * Self.second)
        var keeping = PacketKeeping(board)
        let frame = Self.frames(4000)[2]
        keeping.packetArrived(Self.packet(frame, at: 1000 * Self.second), octets: frame.span, connection: 1)
        keeping.timePassed(until: PacketTime(nanoseconds: 1000 * Self.second))
        keeping.packetArrived(Self.packet(frame, at: 100 * Self.second), octets: frame.span, connection: 2)
        keeping.timePassed(until: PacketTime(nanoseconds: 100 * Self.second))
        #expect(board.packets(ofConnection: 2)?.count == 1)
        keeping.timePassed(until: PacketTime(nanoseconds: 111 * Self.second))
        #expect(board.extent.packets == 0)
        // Nothing came since, of which the time would say so.
        keeping.packetArrived(Self.packet(frame, at: 1000 * Self.second), octets: frame.span, connection: 3)
        keeping.timePassed(until: PacketTime(nanoseconds: 100 * Self.second))
        #expect(board.extent.packets == 0)
    }

    @Test func `a network card's clock in TAI takes no packets away`() {
        let board = KeptPackets(octets: 1 << 20, age: 10 * Self.second)
        var keeping = PacketKeeping(board)
        let frame = Self.frames(4000)[2]
        keeping.packetArrived(Self.packet(frame, at: 137 * Self.second), octets: frame.span, connection: 1)
        keeping.timePassed(until: PacketTime(nanoseconds: 100 * Self.second))
        #expect(board.packets(ofConnection: 1)?.count == 1)
    }

    @Test func `times at the ends of their range are no harm`() {
        let board = KeptPackets(octets: 1 << 20, age: 60 * Self.second)
        var keeping = PacketKeeping(board)
        let frame = Self.frames(4000)[2]
        for time in [Int64.max, .min] {
            keeping.packetArrived(Self.packet(frame, at: time), octets: frame.span, connection: 1)
            keeping.timePassed(until: PacketTime(nanoseconds: time))
        }
        #expect(board.packets(ofConnection: 1)?.count == 2)
    }

    @Test func `a block in which nothing is yet is no harm to one who looks`() {
        let board = KeptPackets(octets: 1 << 20, age: 60 * Self.second)
        #expect(board.stores[0].nextBlock() != nil)
        #expect(board.packets(ofConnection: 1) == nil)
    }

    @Test func `nothing is kept while memory is short, and it begins anew afterwards`() {
        let shedding = LoadShedding()
        let board = KeptPackets(octets: 1 << 20, age: 60 * Self.second)
        var keeping = PacketKeeping(board, shedding: shedding)
        let frame = Self.frames(4000)[2]
        func arrive(_ keeping: inout PacketKeeping, _ time: Int64) {
            keeping.packetArrived(Self.packet(frame, at: time), octets: frame.span, connection: 1)
            keeping.timePassed(until: PacketTime(nanoseconds: time))
        }
        arrive(&keeping, 1)
        shedding.level = .shadowTraffic
        arrive(&keeping, 2)
        arrive(&keeping, 3)
        #expect(board.packets(ofConnection: 1) == nil)
        #expect(board.extent.octets == 0)
        shedding.level = .none
        arrive(&keeping, 4)
        arrive(&keeping, 5)
        #expect(board.packets(ofConnection: 1)?.count == 1)
    }

    @Test func `a packet of the largest size has room in the smallest ring`() {
        let board = KeptPackets(octets: 1 << 20, age: 60 * Self.second)
        var keeping = PacketKeeping(board)
        let largest = [UInt8](repeating: 7, count: 262_144)
        for index in 0..<5 {
            keeping.packetArrived(Self.packet(largest, at: Int64(index)), octets: largest.span, connection: 1)
        }
        #expect(board.extent.missed == 0)
        #expect(board.packets(ofConnection: 1)?.count == board.extent.packets)
    }

    @Test func `a file that is made while packets come has whole ones only, in their order`() async throws {
        let board = KeptPackets(octets: 1 << 20, age: 60 * Self.second)
        /// Keeps a packet whose every octet is the last of its time.
        @Sendable func keep(_ time: Int64, _ keeping: inout PacketKeeping) {
            let octets = [UInt8](repeating: UInt8(truncatingIfNeeded: time), count: 20_000)
            keeping.packetArrived(Self.packet(octets, at: time), octets: octets.span, connection: 1)
        }
        var first = PacketKeeping(board)
        keep(0, &first)
        let writer = Task.detached {
            var keeping = PacketKeeping(board)
            var time: Int64 = 0
            while !Task.isCancelled {
                time += 1
                keep(time, &keeping)
            }
        }
        defer { writer.cancel() }
        for _ in 0..<5 {
            let saved = try #require(board.packets(ofConnection: 1))
            let frames = try #require(Self.octets(of: saved))
            #expect(frames.count == saved.count)
            #expect(frames.allSatisfy { $0 == [UInt8](repeating: $0.first ?? 0, count: 20_000) })
            #expect(frames.last?.first == UInt8(truncatingIfNeeded: saved.last.nanoseconds))
            let times = Self.times(of: saved)
            #expect(times == times.sorted() && Set(times).count == times.count)
            #expect(zip(times, frames).allSatisfy { UInt8(truncatingIfNeeded: $0) == $1.first })
        }
        writer.cancel()
        await writer.value
    }

    // MARK: - Several workers

    @Test func `a connection is looked for at the worker that its number says, and no worker takes another's room`()
        throws
    {
        let board = KeptPackets(octets: 2 << 20, age: 60 * Self.second, workers: 2)
        var first = PacketKeeping(board, worker: 0)
        var second = PacketKeeping(board, worker: 1)
        let frames = Self.frames(4000)
        for (index, frame) in frames.enumerated() {
            second.packetArrived(Self.packet(frame, at: Int64(index)), octets: frame.span, connection: 5)
        }
        let large = [UInt8](repeating: 7, count: 100_000)
        for index in 0..<100 {
            first.packetArrived(Self.packet(large, at: Int64(1000 + index)), octets: large.span, connection: 4)
        }
        #expect(Self.octets(of: board.packets(ofConnection: 5)) == frames)
        #expect(board.packets(ofConnection: 4)?.last.nanoseconds == 1099)
        #expect(board.packets(ofConnection: 6) == nil && board.packets(ofConnection: 7) == nil)
        #expect(board.extent.octets <= 2 << 20)
        let ofFirst = try #require(board.packets(ofConnection: 4)).count
        #expect(board.extent.packets == ofFirst + frames.count && board.extent.missed == 0)
    }

    @Test func `a worker that is short of memory forgets its packets alone, until the others hear of it too`() {
        let shedding = LoadShedding()
        let board = KeptPackets(octets: 2 << 20, age: 60 * Self.second, workers: 2)
        var first = PacketKeeping(board, worker: 0, shedding: shedding)
        var second = PacketKeeping(board, worker: 1, shedding: shedding)
        let frame = Self.frames(4000)[2]
        first.packetArrived(Self.packet(frame, at: 1), octets: frame.span, connection: 0)
        second.packetArrived(Self.packet(frame, at: 1), octets: frame.span, connection: 1)
        shedding.level = .shadowTraffic
        first.timePassed(until: PacketTime(nanoseconds: 2))
        #expect(board.packets(ofConnection: 0) == nil)
        #expect(board.packets(ofConnection: 1)?.count == 1)
        second.timePassed(until: PacketTime(nanoseconds: 2))
        #expect(board.extent == KeptPackets.Extent())
    }

    // MARK: - Several interfaces

    @Test func `a segment of two interfaces is saved once, and packets of two link types as raw IP`() throws {
        let board = KeptPackets(octets: 1 << 20, age: 60 * Self.second)
        var keeping = PacketKeeping(board)
        let segments = [
            PacketBuilder.tcp(from: Self.client(4000), to: Self.server, sequence: 100, flags: [.syn]).ip(),
            PacketBuilder.tcp(
                from: Self.server,
                to: Self.client(4000),
                sequence: 500,
                acknowledgement: 101,
                flags: [.syn, .ack]
            ).ip(),
        ]
        for (index, segment) in segments.enumerated() {
            let (ethernet, cooked) = (segment.ethernet().octets, segment.linuxCooked2().octets)
            let time = Int64(index) * 1000
            keeping.packetArrived(Self.packet(ethernet, at: time), octets: ethernet.span, connection: 1)
            keeping.packetArrived(
                Self.packet(cooked, at: time + 10, .linuxCooked2, interface: 1),
                octets: cooked.span,
                connection: 1
            )
        }
        // Its answer was seen on one interface only.
        let answer = PacketBuilder.tcp(
            from: Self.client(4000),
            to: Self.server,
            sequence: 101,
            acknowledgement: 501,
            payload: Array("GET".utf8)
        ).ip()
        let cooked = answer.linuxCooked2().octets
        keeping.packetArrived(
            Self.packet(cooked, at: 5000, .linuxCooked2, interface: 1),
            octets: cooked.span,
            connection: 1
        )
        let saved = try #require(board.packets(ofConnection: 1))
        #expect(Self.linkType(of: saved) == 101)
        #expect(Self.octets(of: saved) == segments.map(\.octets) + [answer.octets])
    }

    // MARK: - Fragments

    @Test func `fragments are saved with the connection whose datagram they complete, others are not`() throws {
        let board = KeptPackets(octets: 1 << 20, age: 60 * Self.second)
        var keeping = PacketKeeping(board)
        let payload = [UInt8](repeating: 65, count: 100)
        let pieces = PacketBuilder.tcp(
            from: Self.client(4000),
            to: Self.server,
            sequence: 100,
            acknowledgement: 1,
            payload: payload
        ).ipv4Fragments(of: 64, identification: 7).map { $0.ethernet().octets }
        let strange = PacketBuilder.tcp(
            from: Self.client(4001),
            to: Self.server,
            sequence: 100,
            acknowledgement: 1,
            payload: payload
        ).ipv4Fragments(of: 64, identification: 8).map { $0.ethernet().octets }
        let unfinished = strange[0]
        keeping.packetArrived(Self.packet(unfinished, at: 0), octets: unfinished.span, connection: nil)
        for (index, piece) in pieces.enumerated() {
            let isLast = index == pieces.count - 1
            keeping.packetArrived(
                Self.packet(piece, at: Int64(index)),
                octets: piece.span,
                connection: isLast ? 1 : nil
            )
        }
        #expect(Self.octets(of: board.packets(ofConnection: 1)) == pieces)
    }

    // MARK: - Numbers

    @Test func `a port that is used again is another connection, whose packets are told apart`() throws {
        var pipeline = TrafficPipeline(withoutRoutes: MetricsRegistry())
        var numbers: [Int?] = []
        let closing = [
            PacketBuilder.tcp(
                from: Self.client(4000),
                to: Self.server,
                sequence: 132,
                acknowledgement: 541,
                flags: [.rst, .ack]
            )
            .ip().ethernet().octets
        ]
        for (index, frame) in (Self.frames(4000) + closing + Self.frames(4000, "/other", origin: 900_000)).enumerated()
        {
            let packet = Self.packet(frame, at: Int64(index) * Self.second)
            pipeline.packetArrived(packet, octets: frame.span)
            let decoded = PacketDecoder.commonSegment(in: frame.span, of: packet)
            let segment = try #require(decoded)
            numbers.append(pipeline.connectionNumber(of: segment))
        }
        #expect(numbers == [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1])
    }
}
