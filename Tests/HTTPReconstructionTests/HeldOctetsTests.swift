// Wingmirror · Apache-2.0
// Unfinished heads of many connections.

import HTTPReconstruction
import PacketDecoding
import TCPReassembly
import Testing
import TrafficModel

/// Many connections that begin something and never end it.
@Suite struct HeldOctetsTests {
    private static let limits = {
        var limits = HTTPLimits()
        limits.heldOctets = 1 << 20
        limits.readerOctets = 1 << 20
        return limits
    }()

    /// Feeds the same events to many connections, round by round, and then closes them.
    private func read(connections: Int, _ rounds: [(StreamDirection, [UInt8])]) -> (RecordingSink, HTTPStatistics) {
        var reconstructor = HTTPReconstructor(sink: RecordingSink(), limits: Self.limits)
        for slot in 0..<connections {
            reconstructor.connectionOpened(.seenFromStart(slot: slot, number: slot))
        }
        var sent: [StreamDirection: Int64] = [.fromOriginator: 0, .fromResponder: 0]
        for (direction, octets) in rounds {
            for slot in 0..<connections {
                let position = StreamPosition(
                    direction: direction,
                    offset: sent[direction, default: 0],
                    time: PacketTime(nanoseconds: 1),
                    acknowledged: sent[direction.reversed, default: 0],
                    startsSegment: true
                )
                reconstructor.octetsArrived(octets.span, at: position, slot: slot)
            }
            sent[direction, default: 0] += Int64(octets.count)
        }
        for slot in 0..<connections {
            reconstructor.connectionClosed(.finished, at: PacketTime(nanoseconds: 2), slot: slot)
        }
        return (reconstructor.sink, reconstructor.statistics)
    }

    private static func filler(_ count: Int) -> String { String(repeating: "x", count: count) }

    @Test func `partial heads of many connections are given up, the oldest first, and counted`() {
        let part = "GET / HTTP/1.1\r\nHost: h\r\nX: " + Self.filler(10_000)
        let rest = "\r\n\r\n"
        let (sink, statistics) = read(
            connections: 200,
            [(.fromOriginator, Array(part.utf8)), (.fromOriginator, Array(rest.utf8))]
        )
        let whole = sink.exchanges.count { $0.request != nil }
        #expect(statistics.forgottenHeads == 200 - whole)
        // As many as the limit holds, and not many fewer: the array of each may have some room to grow.
        #expect(whole * 10_000 <= Self.limits.heldOctets)
        #expect(whole * 20_000 > Self.limits.heldOctets)
    }

    @Test func `few partial heads are never given up`() {
        let part = "GET / HTTP/1.1\r\nHost: h\r\nX: " + Self.filler(10_000)
        let (sink, statistics) = read(
            connections: 40,
            [(.fromOriginator, Array(part.utf8)), (.fromOriginator, Array("\r\n\r\n".utf8))]
        )
        #expect(statistics.forgottenHeads == 0)
        #expect(sink.exchanges.count == 40)
    }

    @Test func `partial response heads are given up, and the exchange says so`() {
        let head = "HTTP/1.1 200 OK\r\nX: " + Self.filler(10_000)
        let (sink, statistics) = read(
            connections: 200,
            [(.fromOriginator, Array(HoleTests.get("/").utf8)), (.fromResponder, Array(head.utf8))]
        )
        #expect(statistics.forgottenHeads > 80)
        #expect(sink.exchanges.count == 200)
        #expect(sink.exchanges.allSatisfy { $0.response == nil })
    }

    @Test func `partial trailer sections are given up, and the exchange says so`() {
        let answer = HoleTests.chunkedHead + "1\r\nx\r\n0\r\nTrailer: " + Self.filler(10_000)
        let (sink, statistics) = read(
            connections: 200,
            [(.fromOriginator, Array(HoleTests.get("/").utf8)), (.fromResponder, Array(answer.utf8))]
        )
        #expect(statistics.forgottenHeads > 80)
        #expect(sink.exchanges.count { $0.integrity.contains(.limitReached) } == statistics.forgottenHeads)
    }

    @Test func `octets behind an undecided upgrade are given up`() {
        let ask = "GET /u HTTP/1.1\r\nHost: h\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"
        let (sink, statistics) = read(
            connections: 200,
            [(.fromOriginator, Array(ask.utf8)), (.fromOriginator, Array(Self.filler(10_000).utf8))]
        )
        #expect(statistics.forgottenHeads > 80)
        #expect(sink.exchanges.count == 200)
    }

    @Test func `what was held and then completed is no longer counted`() {
        let part = "GET / HTTP/1.1\r\nHost: h\r\nX: " + Self.filler(10_000)
        var rounds: [(StreamDirection, [UInt8])] = []
        for _ in 0..<50 {
            rounds.append((.fromOriginator, Array(part.utf8)))
            rounds.append((.fromOriginator, Array("\r\n\r\n".utf8)))
        }
        let (sink, statistics) = read(connections: 10, rounds)
        #expect(statistics.forgottenHeads == 0)
        #expect(sink.exchanges.count == 500)
    }

    // MARK: - Other protocols

    private static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + TestFrame.frame(4, 0, 0, [])

    @Test func `field blocks that never end are given up with their connections, the most silent first`() {
        // A literal without indexing: the name is x, the value has 10,000 octets (RFC 7541 §5.1).
        let literal: [UInt8] = [0x00, 0x01, 0x78, 0x7F, 0x91, 0x4D] + Array(Self.filler(10_000).utf8)
        let (sink, statistics) = read(
            connections: 200,
            [
                (.fromOriginator, Self.preface + TestFrame.frame(1, 1, 1, [0x82, 0x86, 0x84] + literal)),
                (.fromOriginator, TestFrame.frame(9, 4, 1, [])),
            ]
        )
        let read = sink.exchanges.count { $0.request != nil }
        #expect(statistics.forgottenConnections == 200 - read)
        #expect(read > 10 && read < 120)
        #expect(sink.opaqueOctets[.memory] != nil)
    }

    @Test func `header tables of many connections are bounded together`() {
        // Twenty entries of 150 octets.
        var block: [UInt8] = [0x82, 0x86, 0x84]
        for number in 0..<20 {
            block += [0x40, 0x02, 0x78, UInt8(97 + number), 0x7F, 0x17] + Array(Self.filler(150).utf8)
        }
        let (sink, statistics) = read(
            connections: 1000,
            [
                (.fromOriginator, Self.preface + TestFrame.frame(1, 5, 1, block)),
                (.fromResponder, TestFrame.frame(4, 0, 0, []) + TestFrame.frame(1, 5, 1, [0x88])),
            ]
        )
        #expect(statistics.forgottenConnections > 500 && statistics.forgottenConnections < 990)
        // What is given up is emitted as it stands, once.
        #expect(sink.exchanges.count == 1000)
        #expect(sink.exchanges.count { $0.integrity.contains(.forgotten) } > 500)
    }

    @Test func `PROXY headers that never end are given up`() {
        let part: [UInt8] = Array("\r\n\r\n\0\r\nQUIT\n".utf8) + [0x21, 0x11, 0x02, 0x10]
        let (sink, statistics) = read(
            connections: 8000,
            [(.fromOriginator, part + [UInt8](repeating: 0, count: 30))]
        )
        #expect(statistics.forgottenConnections > 1000)
        #expect(sink.opaqueOctets[.unknown] == statistics.forgottenConnections * 46)
    }

    @Test func `WebSockets are given up when there are too many, and one that is used is not`() {
        let ask =
            "GET /u HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: upgrade\r\n"
            + "Sec-WebSocket-Key: a\r\n\r\n"
        let answer = "HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n"
        let (sink, statistics) = read(
            connections: 2000,
            [(.fromOriginator, Array(ask.utf8)), (.fromResponder, Array(answer.utf8))]
        )
        #expect(statistics.forgottenConnections == 2000 - 1024)
        #expect(sink.exchanges.count == 2000)
    }

    // MARK: - The order

    @Test func `who is touched goes to the end of the order, and who only changes keeps the place`() {
        var held = HeldOctets()
        for holder: Int32 in 0..<3 { held.changed(holder, to: 10) }
        held.touched(0, to: 30)
        held.changed(1, to: 20)
        #expect(held.oldest == 1 && held.total == 60)
        held.changed(1, to: 0)
        #expect(held.oldest == 2 && held.octets(of: 1) == 0)
        held.touched(2, to: 0)
        #expect(held.oldest == 0 && held.total == 30)
        held.touched(7, to: 5)
        held.changed(0, to: 0)
        #expect(held.oldest == 7 && held.total == 5)
    }
}
