// Wingmirror · Apache-2.0

import OctetText
import PacketDecoding
import TestSupport
import Testing

@testable import TCPReassembly

/// Segments whose checksum is wrong: what a receiver drops, and what a network card was still to sum up.
@Suite struct ChecksumTests {
    /// What is wrong with a segment's checksum.
    enum Fault: CaseIterable {
        case none
        /// An octet was changed on the way, and the checksum tells.
        case corrupted
        /// The field has some other value, as offload of an older kind leaves it.
        case unrelated
        /// The field holds the sum of the pseudo-header, as Linux leaves it for the card.
        case pseudoHeader
        case zero
        /// An octet of the IPv4 header was changed on the way.
        case header
    }

    /// A conversation whose segments are whole packets.
    private struct Talk: ~Copyable {
        var table = ConnectionTable()
        var sink = RecordingSink()
        private var decoder = PacketDecoder()
        private var now: Int64 = 1_700_000_000_000_000_000
        private var identification: UInt16 = 1
        var clientOrigin: UInt32 = 1_001

        /// SYN, SYN-ACK, ACK.
        mutating func handshake(_ fault: Fault = .none) {
            client(-1, "", acknowledging: nil, .syn, fault)
            server(-1, "", acknowledging: 0, .syn, fault)
            client(0, "", acknowledging: 0, [], fault)
        }

        mutating func client(
            _ offset: Int,
            _ text: String = "",
            acknowledging acknowledged: Int? = 0,
            _ flags: TCPFlags = [],
            _ fault: Fault = .none,
            after milliseconds: Int64 = 1
        ) {
            let sequence = clientOrigin &+ UInt32(truncatingIfNeeded: offset)
            let acknowledgement = acknowledged.map { 9_001 &+ UInt32(truncatingIfNeeded: $0) }
            send(
                .tcp(
                    from: Conversation.client,
                    to: Conversation.server,
                    sequence: sequence,
                    acknowledgement: acknowledgement ?? 0,
                    flags: acknowledgement == nil ? flags : flags.union(.ack),
                    options: [1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2],
                    payload: Array(text.utf8)
                ),
                fault,
                after: milliseconds
            )
        }

        mutating func server(
            _ offset: Int,
            _ text: String = "",
            acknowledging acknowledged: Int = 0,
            _ flags: TCPFlags = [],
            _ fault: Fault = .none,
            after milliseconds: Int64 = 1
        ) {
            send(
                .tcp(
                    from: Conversation.server,
                    to: Conversation.client,
                    sequence: 9_001 &+ UInt32(truncatingIfNeeded: offset),
                    acknowledgement: clientOrigin &+ UInt32(truncatingIfNeeded: acknowledged),
                    flags: flags.union(.ack),
                    payload: Array(text.utf8)
                ),
                fault,
                after: milliseconds
            )
        }

        private mutating func send(_ segment: PacketBuilder, _ fault: Fault, after milliseconds: Int64) {
            now += milliseconds * 1_000_000
            var segment = segment
            switch fault {
            case .none, .header: break
            case .corrupted: segment.octets[segment.octets.count - 1] ^= 0x20
            case .unrelated: segment.octets[16] ^= 0x5A
            case .pseudoHeader:
                let words = [0x0A00, 0x0009, 0x0A00, 0x0001, 6, segment.octets.count]
                let sum = words.reduce(0, +)
                segment.octets.replaceSubrange(16...17, with: [UInt8(sum >> 8), UInt8(sum & 0xFF)])
            case .zero: segment.octets.replaceSubrange(16...17, with: [0, 0])
            }
            var frame = segment.ip(identification: identification).ethernet().octets
            identification &+= 1
            // The time to live, behind 14 octets of Ethernet.
            if fault == .header { frame[14 + 8] ^= 0x5A }
            let packet = CapturedPacket(
                time: PacketTime(nanoseconds: now),
                linkType: .ethernet,
                interface: 0,
                wireLength: frame.count
            )
            guard case .segment(let decoded) = decoder.decode(frame.span, of: packet) else {
                Issue.record("no segment was decoded")
                return
            }
            table.segmentArrived(decoded, octets: frame.span, at: packet.time, interface: 0, into: &sink)
        }

        mutating func end() {
            table.captureEnded(at: PacketTime(nanoseconds: now), into: &sink)
        }

        func texts(_ direction: StreamDirection) -> [String] {
            sink.events.compactMap {
                if case .octets(direction, _, let text) = $0 { text } else { nil }
            }
        }

        /// The octets reported as missing.
        var missing: Int {
            sink.events.reduce(0) { sum, event in
                if case .missing(_, _, let count, _) = event { sum + count } else { sum }
            }
        }
    }

    @Test(arguments: [
        ("of the segment", "request", Fault.corrupted), ("of the IPv4 header", "forgery", .header),
    ])
    func `what was corrupted gives way to another segment with the same numbers`(
        part: String,
        text: String,
        fault: Fault
    ) {
        var talk = Talk()
        talk.handshake()
        talk.client(0, text, acknowledging: 0, [], fault)
        talk.client(0, "request", after: 200)
        talk.server(0, "answer", acknowledging: 7)
        talk.end()
        #expect(talk.texts(.fromOriginator) == ["request"])
        #expect(talk.texts(.fromResponder) == ["answer"])
        #expect(talk.missing == 0)
        #expect(talk.table.statistics.replacedChecksumErrors == 1)
        #expect(talk.sink.violations == [])
    }

    @Test func `what follows a corrupted segment waits for its retransmission, which may come in other pieces`() {
        var talk = Talk()
        talk.handshake()
        talk.client(0, "abc")
        talk.client(3, "def", acknowledging: 0, [], .corrupted)
        talk.client(6, "ghi")
        talk.server(0, acknowledging: 3)
        talk.client(3, "defghi", after: 20)
        talk.server(0, "answer", acknowledging: 9)
        talk.end()
        #expect(talk.texts(.fromOriginator).joined() == "abcdefghi")
        #expect(talk.missing == 0)
        #expect(talk.sink.violations == [])
    }

    @Test func `a right copy that came first stays`() {
        var talk = Talk()
        talk.handshake()
        talk.client(0, "abc")
        talk.client(0, "abc", acknowledging: 0, [], .corrupted)
        talk.client(6, "ghi")
        talk.client(6, "ghi", acknowledging: 0, [], .corrupted)
        talk.client(3, "def")
        talk.end()
        #expect(talk.texts(.fromOriginator).joined() == "abcdefghi")
        #expect(talk.table.statistics.conflictingOctets == 0)
    }

    @Test func `without another copy a corrupted segment is a hole, as soon as checksums were seen to be right`() {
        var talk = Talk()
        talk.handshake()
        talk.client(0, "one")
        talk.server(0, "1", acknowledging: 3)
        talk.client(3, "two", acknowledging: 1)
        talk.server(1, "2", acknowledging: 6)
        talk.client(6, "three", acknowledging: 2, [], .corrupted)
        talk.server(2, "3", acknowledging: 11, after: 200)
        talk.client(11, "four", acknowledging: 3)
        talk.end()
        #expect(talk.texts(.fromOriginator) == ["one", "two", "four"])
        #expect(talk.texts(.fromResponder) == ["1", "2", "3"])
        #expect(talk.missing == 5)
        #expect(talk.table.statistics.droppedChecksumErrors == 1)
    }

    /// As tools leave them that change what segments carry.
    @Test func `payloads whose checksums are wrong and that are acknowledged all the same are believed`() {
        var talk = Talk()
        talk.handshake()
        var reached = 0
        for turn in 0..<20 {
            talk.client(reached, "ask", acknowledging: turn, [], .unrelated)
            reached += 3
            talk.server(turn, "x", acknowledging: reached, [], .unrelated)
        }
        talk.end()
        #expect(talk.texts(.fromOriginator).joined() == String(repeating: "ask", count: 20))
        #expect(talk.texts(.fromResponder).count == 20)
        #expect(talk.missing == 0)
        // One of each sender was waited for.
        #expect(talk.table.statistics.acceptedChecksumErrors == 2)
        #expect(talk.sink.violations == [])
    }

    @Test(arguments: [Fault.unrelated, .pseudoHeader, .zero])
    func `a sender that leaves checksums to its network card is believed at once`(fault: Fault) {
        var talk = Talk()
        talk.handshake(fault)
        talk.client(0, "ask", acknowledging: 0, [], fault)
        talk.server(0, "answer", acknowledging: 3)
        #expect(talk.texts(.fromOriginator) == ["ask"])
        #expect(talk.texts(.fromResponder) == ["answer"])
        #expect(talk.table.statistics.waiting == 0)
    }

    @Test func `what the kernel joined on receipt is believed among segments with right checksums`() {
        var talk = Talk()
        talk.handshake()
        talk.client(0, "one")
        talk.client(3, "two")
        talk.client(6, "three", acknowledging: 0, [], .pseudoHeader)
        #expect(talk.texts(.fromOriginator) == ["one", "two", "three"])
    }

    /// As where a card sums up what it cuts into segments, and the captured ones were cut before.
    @Test func `long payloads with wrong checksums are believed once acknowledged, though short ones are right`() {
        let long = String(repeating: "x", count: 1400)
        var talk = Talk()
        talk.handshake()
        talk.client(0, "one")
        talk.client(3, "two")
        talk.client(6, "three")
        talk.server(0, "1", acknowledging: 11)
        var reached = 11
        for turn in 0..<6 {
            talk.client(reached, long, acknowledging: turn, [], .unrelated)
            reached += 1400
            talk.server(1 + turn, "x", acknowledging: reached)
        }
        talk.end()
        #expect(talk.texts(.fromOriginator).joined() == "onetwothree" + String(repeating: long, count: 6))
        #expect(talk.missing == 0)
    }

    @Test func `a corrupted reset ends nothing`() {
        var talk = Talk()
        talk.handshake()
        talk.client(0, "one")
        talk.client(3, acknowledging: 0, .rst, .unrelated)
        talk.server(0, "1", acknowledging: 3)
        talk.client(3, "two", acknowledging: 1)
        #expect(talk.texts(.fromOriginator) == ["one", "two"])
        #expect(talk.table.statistics.droppedChecksumErrors == 1)
    }

    @Test(arguments: [11, 12, 13, 14] as [UInt64])
    func `however segments are corrupted, repeated and reordered, the octets are those sent`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var talk = Talk()
        talk.clientOrigin = UInt32.max - 300
        talk.handshake()
        let sent = String((0..<2_000).map { Character(Unicode.Scalar(UInt8(ascii: "a") + UInt8($0 * 7 % 26))) })
        var reached = 0
        while reached < sent.count {
            let end = min(sent.count, reached + Int.random(in: 1...40, using: &random))
            let text = String(sent.dropFirst(reached).prefix(end - reached))
            let copies = Int.random(in: 0...2, using: &random)
            for _ in 0..<copies { talk.client(reached, text, acknowledging: 0, [], .corrupted) }
            // Sometimes with the octets behind it, or some of those in front, as retransmissions are.
            let early = min(reached, Int.random(in: 0...5, using: &random))
            talk.client(reached - early, String(sent.dropFirst(reached - early).prefix(early)) + text)
            reached = end
            if Bool.random(using: &random) { talk.server(0, acknowledging: reached) }
        }
        talk.end()
        #expect(talk.texts(.fromOriginator).joined() == sent, "seed \(seed)")
        #expect(talk.missing == 0, "seed \(seed)")
        #expect(talk.sink.violations == [], "seed \(seed)")
    }
}
