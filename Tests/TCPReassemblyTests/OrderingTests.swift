// Wingmirror · Apache-2.0

import PacketDecoding
import Testing

@testable import TCPReassembly

@Suite struct OrderingTests {
    /// A conversation whose handshake was seen and reported.
    private func opened(_ limits: ReassemblyLimits = ReassemblyLimits()) -> Conversation {
        var conversation = Conversation(limits)
        conversation.handshake()
        _ = conversation.events()
        return conversation
    }

    @Test func `a request and its answer are delivered as they come`() {
        var talk = Conversation()
        talk.handshake()
        talk.client(0, "GET /", ack: 0)
        talk.server(0, "200 OK", ack: 5)
        talk.client(5, ack: 6, .fin)
        talk.server(6, ack: 6, .fin)
        talk.client(6, ack: 7)
        let events = talk.events()
        #expect(
            events == [
                .opened(0, sawHandshake: true),
                .octets(.fromOriginator, 0, "GET /"),
                .octets(.fromResponder, 0, "200 OK"),
                .ended(.fromOriginator, .finished),
                .ended(.fromResponder, .finished),
                .closed(.finished),
            ]
        )
        #expect(talk.table.statistics.segmentsAfterClose == 1)
        #expect(talk.sink.violations == [])
    }

    @Test func `positions say what a segment acknowledges and where it starts`() {
        var talk = opened()
        talk.client(0, "ask", ack: 0)
        talk.server(0, "answer", ack: 3)
        let positions = talk.sink.positions
        #expect(positions.map(\.acknowledged) == [0, 3])
        #expect(positions.map(\.startsSegment) == [true, true])
        #expect(positions.map(\.offset) == [0, 0])
    }

    @Test func `reordered segments are delivered in order, with the time of the repair`() {
        var talk = opened()
        talk.client(0, "a")
        talk.client(2, "c", after: 1)
        talk.client(3, "d", after: 1)
        #expect(talk.events() == [.octets(.fromOriginator, 0, "a")])
        talk.client(1, "b", after: 1)
        let repaired = talk.time
        #expect(talk.sink.positions.map(\.time) == [repaired, repaired, repaired])
        #expect(talk.sink.positions.map(\.startsSegment) == [true, true, true])
        #expect(
            talk.events() == [
                .octets(.fromOriginator, 1, "b"), .octets(.fromOriginator, 2, "c"), .octets(.fromOriginator, 3, "d"),
            ]
        )
        #expect(talk.table.statistics.outOfOrderSegments == 2)
        #expect(talk.table.statistics.bufferedOctets == 0)
    }

    @Test func `a retransmission does not repeat content`() {
        var talk = opened()
        talk.client(0, "abc")
        talk.client(0, "abc")
        talk.client(0, "abcde")
        #expect(talk.events() == [.octets(.fromOriginator, 0, "abc"), .octets(.fromOriginator, 3, "de")])
        #expect(talk.table.statistics.retransmittedOctets == 6)
    }

    @Test func `a segment trimmed in front does not start a segment`() {
        var talk = opened()
        talk.client(0, "abc")
        talk.client(1, "bcd")
        #expect(talk.sink.positions.map(\.startsSegment) == [true, false])
    }

    @Test func `of two held copies the one that begins first wins, and what differs is counted`() {
        var talk = opened()
        talk.client(2, "cde")
        talk.client(1, "bXXef")
        #expect(talk.events() == [])
        talk.client(0, "a")
        #expect(
            talk.events() == [
                .octets(.fromOriginator, 0, "a"), .octets(.fromOriginator, 1, "b"),
                .octets(.fromOriginator, 2, "XXe"), .octets(.fromOriginator, 5, "f"),
            ]
        )
        #expect(talk.table.statistics.conflictingOctets == 2)
        #expect(talk.table.statistics.retransmittedOctets == 3)
    }

    @Test func `an in-order segment that reaches over held octets takes their place`() {
        var talk = opened()
        talk.client(2, "cd")
        talk.client(0, "abXXef")
        #expect(
            talk.events() == [
                .octets(.fromOriginator, 0, "ab"), .octets(.fromOriginator, 2, "XX"), .octets(.fromOriginator, 4, "ef"),
            ]
        )
        #expect(talk.table.statistics.conflictingOctets == 2)
    }

    @Test func `sequence numbers wrap within a segment and between segments`() {
        var talk = Conversation()
        talk.clientOrigin = UInt32.max - 3
        talk.serverOrigin = UInt32.max
        talk.handshake()
        talk.client(0, "abcdefgh")
        talk.client(10, "kl")
        talk.client(8, "ij")
        talk.server(0, "12", ack: 12)
        #expect(
            talk.events() == [
                .opened(0, sawHandshake: true), .octets(.fromOriginator, 0, "abcdefgh"),
                .octets(.fromOriginator, 8, "ij"), .octets(.fromOriginator, 10, "kl"),
                .octets(.fromResponder, 0, "12"),
            ]
        )
    }

    @Test func `offsets go on beyond 4 GiB`() {
        // What the snapshot length cut off still counts, so that few segments make a long stream.
        let step = 900 << 20
        var talk = opened()
        for number in 0..<6 {
            talk.client(number * step, truncated: step)
            talk.server(0, ack: (number + 1) * step)
        }
        _ = talk.events()
        talk.client(6 * step, "end", ack: 0)
        talk.server(0, "yes", ack: 6 * step + 3)
        #expect(talk.sink.positions.map(\.acknowledged) == [0, Int64(6 * step + 3)])
        #expect(
            talk.events() == [.octets(.fromOriginator, Int64(6 * step), "end"), .octets(.fromResponder, 0, "yes")]
        )
        #expect(6 * step > 1 << 32)
    }

    @Test func `octets that the snapshot length cut off are missing at once`() {
        var talk = opened()
        talk.client(0, "ab", truncated: 3)
        talk.client(5, "fg")
        talk.client(2, "cde")
        #expect(
            talk.events() == [
                .octets(.fromOriginator, 0, "ab"), .missing(.fromOriginator, 2, 3, .truncated),
                .octets(.fromOriginator, 5, "fg"),
            ]
        )
        #expect(talk.table.statistics.retransmittedOctets == 3)
    }

    @Test func `cut segments keep their place while they are held`() {
        var talk = opened()
        talk.client(1, "b", truncated: 2)
        talk.client(4, "e")
        talk.client(0, "a")
        #expect(
            talk.events() == [
                .octets(.fromOriginator, 0, "a"), .octets(.fromOriginator, 1, "b"),
                .missing(.fromOriginator, 2, 2, .truncated), .octets(.fromOriginator, 4, "e"),
            ]
        )
    }

    @Test func `a keep-alive probe is not a retransmission`() {
        var talk = opened()
        talk.client(0, "abc")
        talk.client(2, "c", after: 60_000)
        talk.client(2, after: 60_000)
        talk.server(0, ack: 3)
        talk.client(3, "d")
        #expect(talk.events() == [.octets(.fromOriginator, 0, "abc"), .octets(.fromOriginator, 3, "d")])
        #expect(talk.table.statistics.keepAliveProbes == 1)
        #expect(talk.table.statistics.retransmittedOctets == 0)
    }

    @Test func `large held segments come back whole`() {
        let text = String(repeating: "0123456789abcdef", count: 600)
        var talk = opened()
        talk.client(1, text)
        talk.client(0, "-")
        var joined = ""
        for case .octets(_, _, let piece) in talk.events() {
            joined += piece
        }
        #expect(joined == "-" + text)
        #expect(talk.sink.violations == [])
    }

    @Test func `the same segment on another interface is one segment`() {
        var talk = Conversation()
        for interface in 0..<2 { talk.client(-1, ack: nil, .syn, identification: 7, interface: interface) }
        for interface in 0..<2 { talk.server(-1, ack: 0, .syn, identification: 70, interface: interface) }
        for interface in 0..<3 { talk.client(0, "abc", identification: 8, interface: interface) }
        talk.client(0, "abc", after: 1, identification: 9, interface: 0)
        talk.client(0, "abc", after: 1, identification: 9, interface: 1)
        #expect(talk.events() == [.opened(0, sawHandshake: true), .octets(.fromOriginator, 0, "abc")])
        #expect(talk.table.statistics.duplicateSegments == [0, 4, 1])
        #expect(talk.table.statistics.retransmittedOctets == 3)
    }

    @Test func `a packet mirrored twice is known by its identification`() {
        var talk = opened()
        for _ in 0..<2 { talk.client(0, "abc", identification: 8) }
        talk.client(0, "abc", identification: 9)
        #expect(talk.events() == [.octets(.fromOriginator, 0, "abc")])
        #expect(talk.table.statistics.duplicateSegments == [1])
        #expect(talk.table.statistics.retransmittedOctets == 3)
    }

    @Test func `which of many duplicates are forgotten depends on nothing but the seed`() {
        /// 3,000 segments, and all of them again on another interface: some places are taken by then.
        func duplicates(_ seed: UInt64?) -> [Int] {
            var limits = ReassemblyLimits()
            limits.hashSeed = seed
            var talk = Conversation(limits)
            talk.handshake()
            for interface in 0..<2 {
                for offset in 0..<3_000 { talk.client(offset, "a", identification: 8, interface: interface) }
            }
            return talk.table.statistics.duplicateSegments
        }
        let some = duplicates(1)
        #expect(some.count == 2 && (500..<2_500).contains(some[1]))
        #expect(duplicates(1) == some)
        #expect((2...5).contains { duplicates($0) != some })
    }

    @Test func `an old copy on another interface is a retransmission`() {
        var talk = opened()
        talk.client(0, "abc", interface: 0)
        talk.client(0, "abc", after: 300, interface: 1)
        #expect(talk.table.statistics.duplicateSegments == [])
        #expect(talk.table.statistics.retransmittedOctets == 3)
    }

    @Test func `a segment far outside of any window is not believed`() {
        var talk = opened()
        talk.client(0, "a")
        talk.client(500 << 20, "evil")
        talk.client(-(100 << 20), "evil")
        talk.client(1, "b")
        #expect(talk.events() == [.octets(.fromOriginator, 0, "a"), .octets(.fromOriginator, 1, "b")])
        #expect(talk.table.statistics.outOfWindowSegments == 2)
        #expect(talk.table.statistics.waiting == 0)
    }

    // MARK: - Where an unseen stream begins

    @Test func `an acknowledgement captured out of order does not hide the answer that it acknowledges`() {
        var talk = Conversation()
        talk.client(-1, ack: nil, .syn)
        talk.client(3, ack: 6)
        talk.client(0, "abc", ack: 0)
        talk.server(0, "answer", ack: 3)
        talk.server(-1, ack: 0, .syn)
        talk.server(6, "more", ack: 3)
        #expect(
            talk.events() == [
                .opened(0, sawHandshake: true), .octets(.fromOriginator, 0, "abc"),
                .octets(.fromResponder, 0, "answer"), .octets(.fromResponder, 6, "more"),
            ]
        )
    }

    @Test func `octets that wait keep what they acknowledge when the other stream turns out to begin earlier`() {
        var talk = Conversation()
        talk.client(-1, ack: nil, .syn)
        talk.client(3, "def", ack: 6)
        talk.client(0, "abc", ack: 0)
        talk.server(0, "answer", ack: 3)
        #expect(
            talk.events() == [
                .opened(0, sawHandshake: true), .octets(.fromOriginator, 0, "abc"),
                .octets(.fromResponder, 0, "answer"), .octets(.fromOriginator, 3, "def"),
            ]
        )
        #expect(talk.sink.violations == [])
    }

    @Test func `behind a SYN, what precedes the first octets of the other side is missing`() {
        var talk = Conversation()
        talk.client(-1, ack: nil, .syn)
        talk.client(0, ack: 0)
        talk.client(0, "abc", ack: 0)
        talk.server(6, "late", ack: 3)
        talk.client(3, ack: 10)
        talk.pass(5_000)
        #expect(
            talk.events() == [
                .opened(0, sawHandshake: true), .octets(.fromOriginator, 0, "abc"),
                .missing(.fromResponder, 0, 6, .captureLoss), .octets(.fromResponder, 6, "late"),
            ]
        )
    }
}
