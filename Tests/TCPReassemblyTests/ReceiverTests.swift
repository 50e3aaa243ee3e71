// Wingmirror · Apache-2.0

import PacketDecoding
import Testing

@testable import TCPReassembly

/// What a receiver makes of segments that few senders send, as Linux does.
@Suite struct ReceiverTests {
    private func opened() -> Conversation {
        var conversation = Conversation()
        conversation.handshake()
        conversation.client(0, "q")
        conversation.server(0, "a", ack: 1)
        conversation.client(1, ack: 1)
        _ = conversation.events()
        return conversation
    }

    // MARK: - SYNs that are challenged (RFC 5961 §4)

    @Test(arguments: [false, true])
    func `a SYN in the window takes over no live connection`(answers: Bool) {
        var talk = opened()
        if answers { talk.client(0, ack: 1, .syn) } else { talk.client(6, ack: nil, .syn) }
        talk.server(1, ack: 1)
        talk.client(1, "q", ack: 1)
        talk.server(1, "a", ack: 2)
        talk.client(2, ack: 2, .fin)
        talk.server(2, ack: 3)
        talk.server(2, ack: 3, .fin)
        talk.client(3, ack: 3)
        #expect(
            talk.events() == [
                .octets(.fromOriginator, 1, "q"), .octets(.fromResponder, 1, "a"), .ended(.fromOriginator, .finished),
                .ended(.fromResponder, .finished), .closed(.finished),
            ]
        )
        #expect(talk.table.statistics.challengedSynchronizes == 1)
    }

    @Test func `a SYN with another number is forgotten when its challenge is answered`() {
        var talk = opened()
        talk.client(900_000, ack: nil, .syn)
        talk.server(1, ack: 1)
        #expect(talk.table.statistics.waiting == 0)
        talk.client(1, "q", ack: 1)
        #expect(talk.events() == [.octets(.fromOriginator, 1, "q")])
    }

    // MARK: - Overlaps

    @Test func `where copies differ, the segment that begins first is taken`() {
        var talk = opened()
        talk.client(5, "1 HTTP", ack: 1)
        talk.client(1, "GET /9 HT", ack: 1)
        #expect(
            talk.events() == [.octets(.fromOriginator, 1, "GET "), .octets(.fromOriginator, 5, "/9 HTP")]
        )
        #expect(talk.table.statistics.conflictingOctets > 0)
    }

    @Test func `where copies begin together, a longer one is taken`() {
        var talk = opened()
        talk.client(3, "first", ack: 1)
        talk.client(3, "longer", ack: 1)
        talk.client(1, "ab", ack: 1)
        #expect(
            talk.events() == [
                .octets(.fromOriginator, 1, "ab"), .octets(.fromOriginator, 3, "longe"),
                .octets(.fromOriginator, 8, "r"),
            ]
        )
    }

    @Test func `a segment that begins between two copies changes what neither of them holds`() {
        var talk = opened()
        talk.client(5, "56789", ack: 1)
        talk.client(2, "234567", ack: 1)
        talk.client(3, "xxxxxxx", ack: 1)
        talk.client(1, "1", ack: 1)
        let text = talk.events().compactMap { event -> String? in
            guard case .octets(.fromOriginator, _, let text) = event else { return nil }
            return text
        }
        #expect(text.joined().hasPrefix("1234567"))
    }

    @Test func `where copies begin together, the first is taken`() {
        var talk = opened()
        talk.client(3, "first", ack: 1)
        talk.client(3, "other", ack: 1)
        talk.client(1, "ab", ack: 1)
        #expect(talk.events() == [.octets(.fromOriginator, 1, "ab"), .octets(.fromOriginator, 3, "first")])
    }

    // MARK: - Urgent data

    @Test(
        arguments: [
            (5, ["GET ", "/1"]), (0, ["ET !/1"]), (1, ["ET !/1"]), (7, ["GET !/"]), (8, ["GET !/1"]),
        ] as [(UInt16, [String])]
    )
    func `an urgent octet is no part of the stream`(pointer: UInt16, texts: [String]) {
        var talk = opened()
        talk.client(1, "GET !/1", ack: 1, urgent: pointer)
        talk.server(1, "b", ack: 8)
        talk.client(8, " HTTP", ack: 2)
        let octets = talk.events().compactMap { event -> String? in
            guard case .octets(.fromOriginator, _, let text) = event else { return nil }
            return text
        }
        #expect(octets == texts + [" HTTP"])
        talk.pass(1_000)
        #expect(talk.table.statistics.gaps.total == 0)
        #expect(talk.table.statistics.urgentOctets == (pointer == 8 ? 0 : 1))
        #expect(talk.sink.violations == [])
    }

    // MARK: - The same traffic from two clocks

    @Test func `connections that another interface delivers again long after are counted`() {
        var talk = Conversation()
        for interface in 0..<2 {
            talk.client(-1, ack: nil, .syn, interface: interface)
            talk.server(-1, ack: 0, .syn, interface: interface)
            talk.client(0, "q", interface: interface)
            talk.client(1, ack: 0, .fin, interface: interface)
            talk.server(0, ack: 2, .fin, interface: interface)
            talk.pass(40_000)
        }
        #expect(talk.table.statistics.connectionsOpened == 2)
        #expect(talk.table.statistics.repeatedConnections == 1)
    }
}
