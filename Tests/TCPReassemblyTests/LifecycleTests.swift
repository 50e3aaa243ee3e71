// Wingmirror · Apache-2.0

import PacketDecoding
import Testing

@testable import TCPReassembly

/// How connections are opened, ended, kept apart and forgotten.
@Suite struct LifecycleTests {
    private func opened(_ limits: ReassemblyLimits = ReassemblyLimits()) -> Conversation {
        var conversation = Conversation(limits)
        conversation.handshake()
        _ = conversation.events()
        return conversation
    }

    private static func port(_ number: UInt16) -> Endpoint {
        Endpoint(address: IPAddress(ipv4: 0x0A00_0009), port: number)
    }

    // MARK: - Opening

    @Test func `a SYN alone is not announced`() {
        var talk = Conversation()
        talk.client(-1, ack: nil, .syn)
        #expect(talk.events() == [])
        #expect(talk.table.statistics.halfOpen == 1)
        talk.pass(31_000)
        talk.pass(2_000)
        #expect(talk.events() == [])
        #expect(talk.table.statistics.entries == 0)
        #expect(talk.table.statistics.halfOpenExpirations == 1)
    }

    @Test func `who sent the SYN is the originator, also when only the answer was captured`() {
        var talk = Conversation()
        talk.server(-1, ack: 0, .syn)
        talk.client(0, "GET")
        #expect(talk.sink.introductions.first?.originator == Conversation.client)
        #expect(talk.events() == [.opened(0, sawHandshake: true), .octets(.fromOriginator, 0, "GET")])
    }

    @Test func `a handshake without its SYN-ACK opens a connection`() {
        var talk = Conversation()
        talk.client(-1, ack: nil, .syn)
        talk.client(0, "GET", ack: 0)
        talk.server(0, "200", ack: 3)
        #expect(
            talk.events() == [
                .opened(0, sawHandshake: true), .octets(.fromOriginator, 0, "GET"), .octets(.fromResponder, 0, "200"),
            ]
        )
    }

    @Test func `a reordered handshake opens one connection`() {
        var talk = Conversation()
        talk.server(-1, ack: 0, .syn)
        talk.client(0, "GET")
        talk.client(-1, ack: nil, .syn)
        talk.server(0, "200", ack: 3)
        #expect(
            talk.events() == [
                .opened(0, sawHandshake: true), .octets(.fromOriginator, 0, "GET"), .octets(.fromResponder, 0, "200"),
            ]
        )
        #expect(talk.table.statistics.challengedSynchronizes == 0)
    }

    @Test func `a simultaneous open is one connection`() {
        var talk = Conversation()
        talk.client(-1, ack: nil, .syn)
        talk.server(-1, ack: nil, .syn)
        talk.client(-1, ack: 0, .syn)
        talk.server(-1, ack: 0, .syn)
        talk.client(0, "a")
        talk.server(0, "b", ack: 1)
        #expect(
            talk.events() == [
                .opened(0, sawHandshake: true), .octets(.fromOriginator, 0, "a"), .octets(.fromResponder, 0, "b"),
            ]
        )
    }

    @Test func `octets on a SYN wait for the handshake`() {
        var talk = Conversation()
        talk.client(-1, "GET", ack: nil, .syn)
        #expect(talk.events() == [])
        talk.server(-1, "200", ack: 3, .syn)
        talk.client(3, "more", ack: 3)
        #expect(
            talk.events() == [
                .opened(0, sawHandshake: true), .octets(.fromOriginator, 0, "GET"), .octets(.fromResponder, 0, "200"),
                .octets(.fromOriginator, 3, "more"),
            ]
        )
    }

    @Test func `octets on a SYN that the server did not take are not delivered twice`() {
        var talk = Conversation()
        talk.client(-1, "GET", ack: nil, .syn)
        talk.server(-1, ack: 0, .syn)
        talk.client(0, "GET")
        #expect(talk.events() == [.opened(0, sawHandshake: true), .octets(.fromOriginator, 0, "GET")])
    }

    @Test func `a refused handshake is never announced`() {
        var talk = Conversation()
        talk.client(-1, ack: nil, .syn)
        talk.server(-1, ack: 0, .rst)
        #expect(talk.events() == [])
        #expect(talk.table.statistics.entries == 0)
        #expect(talk.table.statistics.refusedHandshakes == 1)
    }

    @Test func `what was sent before a midway join is not told when it is sent again`() {
        var talk = Conversation()
        talk.client(0, "GET", ack: 0)
        talk.server(6, "", ack: 3)
        talk.server(0, "200 OK", ack: 3)
        talk.client(3, "PUT", ack: 6)
        talk.server(6, "201", ack: 6)
        let events = talk.events()
        #expect(events.contains(.octets(.fromOriginator, 0, "GET")))
        #expect(!events.contains { if case .octets(.fromResponder, _, "200 OK") = $0 { true } else { false } })
        #expect(events.contains { if case .octets(.fromResponder, _, "201") = $0 { true } else { false } })
    }

    @Test func `a stream is joined midway with the first octets seen`() {
        var talk = Conversation()
        talk.client(1000, "GET", ack: 700)
        talk.server(700, "200", ack: 1003)
        #expect(
            talk.events() == [
                .opened(0, sawHandshake: false), .octets(.fromOriginator, 0, "GET"), .octets(.fromResponder, 0, "200"),
            ]
        )
        #expect(talk.table.statistics.midstreamPickups == 1)
    }

    @Test func `bare acknowledgements do not open a connection, octets after them do`() {
        var talk = Conversation()
        talk.client(999, ack: 700)
        talk.server(700, ack: 1000)
        #expect(talk.events() == [])
        talk.client(1000, "GET", ack: 700)
        talk.server(700, "200", ack: 1003)
        #expect(
            talk.events() == [
                .opened(0, sawHandshake: false), .octets(.fromOriginator, 0, "GET"), .octets(.fromResponder, 0, "200"),
            ]
        )
    }

    @Test func `an acknowledgement captured before the first octets does not hide them`() {
        var talk = Conversation()
        talk.server(700, ack: 1003)
        talk.client(1000, "GET", ack: 700)
        #expect(talk.events() == [.opened(0, sawHandshake: false), .octets(.fromResponder, 0, "GET")])
    }

    @Test func `connections are numbered by their first packet`() {
        var talk = Conversation()
        for number in UInt16(1)...3 {
            talk.client = Self.port(number)
            talk.client(-1, ack: nil, .syn)
        }
        for number in [UInt16(3), 1] {
            talk.client = Self.port(number)
            talk.server(-1, ack: 0, .syn)
        }
        #expect(talk.events() == [.opened(2, sawHandshake: true), .opened(0, sawHandshake: true)])
        #expect(talk.sink.introductions.map(\.time.nanoseconds).map { $0 % 1_000_000 } == [30_000, 10_000])
    }

    // MARK: - Ending

    @Test func `after a half-close the other side goes on`() {
        var talk = opened()
        talk.client(0, "ask", .fin)
        for number in 0..<3 {
            talk.server(number * 2, "ab", ack: 4)
        }
        talk.client(4, ack: 6)
        talk.server(6, ack: 4, .fin)
        #expect(
            talk.events() == [
                .octets(.fromOriginator, 0, "ask"), .ended(.fromOriginator, .finished),
                .octets(.fromResponder, 0, "ab"), .octets(.fromResponder, 2, "ab"), .octets(.fromResponder, 4, "ab"),
                .ended(.fromResponder, .finished), .closed(.finished),
            ]
        )
        #expect(talk.table.statistics.outOfOrderSegments == 0)
    }

    @Test func `a FIN before its octets waits for them`() {
        var talk = opened()
        talk.client(3, ack: 0, .fin)
        #expect(talk.events() == [])
        talk.client(0, "abc")
        #expect(talk.events() == [.octets(.fromOriginator, 0, "abc"), .ended(.fromOriginator, .finished)])
    }

    @Test func `octets behind a FIN are ignored and counted`() {
        var talk = opened()
        talk.client(0, "abc", .fin)
        talk.client(3, "def")
        talk.client(0, "abcdef")
        #expect(talk.events() == [.octets(.fromOriginator, 0, "abc"), .ended(.fromOriginator, .finished)])
        #expect(talk.table.statistics.segmentsAfterClose == 2)
    }

    @Test func `octets without ACK are no part of the stream`() {
        var talk = opened()
        talk.client(0, "evil", ack: nil)
        talk.client(0, "good")
        #expect(talk.events() == [.octets(.fromOriginator, 0, "good")])
        #expect(talk.table.statistics.unacceptableSegments == 1)
    }

    @Test func `a RST ends both directions`() {
        var talk = opened()
        talk.client(0, "ask")
        talk.server(0, ack: 3, .rst)
        talk.client(3, "more")
        #expect(
            talk.events() == [
                .octets(.fromOriginator, 0, "ask"), .ended(.fromOriginator, .resetByReceiver),
                .ended(.fromResponder, .resetBySender), .closed(.reset),
            ]
        )
        #expect(talk.table.statistics.segmentsAfterClose == 1)
        #expect(talk.table.statistics.entries == 1)
    }

    @Test func `a RST delivers what is held first`() {
        var talk = opened()
        talk.server(3, "def")
        talk.server(6, "", .rst)
        #expect(
            talk.events() == [
                .missing(.fromResponder, 0, 3, .captureLoss), .octets(.fromResponder, 3, "def"),
                .ended(.fromOriginator, .resetByReceiver), .ended(.fromResponder, .resetBySender), .closed(.reset),
            ]
        )
    }

    @Test(arguments: [-200_000, 200_000, 1 << 30])
    func `a blind RST is ignored and counted`(offset: Int) {
        var talk = opened()
        talk.client(0, "ask")
        talk.client(offset, "", .rst)
        talk.client(3, "more")
        #expect(talk.events() == [.octets(.fromOriginator, 0, "ask"), .octets(.fromOriginator, 3, "more")])
        #expect(talk.table.statistics.ignoredResets == 1)
    }

    @Test func `a RST after a FIN resets only the stream that is open`() {
        var talk = opened()
        talk.client(0, ack: 0, .fin)
        talk.client(1, "", .rst)
        #expect(
            talk.events() == [
                .ended(.fromOriginator, .finished), .ended(.fromResponder, .resetByReceiver), .closed(.reset),
            ]
        )
    }

    @Test func `segments of an unknown connection that only end it are not worth an entry`() {
        var talk = Conversation()
        talk.client(0, "", .rst)
        talk.client(0, "", .fin)
        talk.end()
        #expect(talk.events() == [])
        #expect(talk.table.statistics.straySegments == 2)
    }

    // MARK: - The same addresses again

    /// A conversation that has ended with both FINs.
    private func finished() -> Conversation {
        var talk = opened()
        talk.client(0, ack: 0, .fin)
        talk.server(0, ack: 1, .fin)
        talk.client(1, ack: 1)
        _ = talk.events()
        return talk
    }

    @Test func `late segments of a finished connection open nothing`() {
        var talk = finished()
        talk.server(0, ack: 1, .fin, after: 200)
        talk.client(1, ack: 1)
        talk.client(-1, ack: nil, .syn)
        talk.end()
        #expect(talk.events() == [])
        #expect(talk.table.statistics.segmentsAfterClose == 4)
    }

    @Test func `a SYN with another number opens a new connection after the end`() {
        var talk = finished()
        talk.clientOrigin &+= 70_000
        talk.serverOrigin &+= 90_000
        talk.handshake()
        talk.client(0, "again")
        #expect(talk.events() == [.opened(1, sawHandshake: true), .octets(.fromOriginator, 0, "again")])
    }

    @Test func `far octets after the end are a new connection whose handshake was lost`() {
        var talk = finished()
        talk.clientOrigin &+= 1 << 30
        talk.serverOrigin &+= 1 << 29
        talk.client(0, "again")
        #expect(talk.events() == [.opened(1, sawHandshake: false), .octets(.fromOriginator, 0, "again")])
    }

    @Test(arguments: [(70_000, 90_000), (70_000, -3), (-3, 90_000)])
    func `octets behind a FIN, or behind one that they acknowledge, are of a new connection`(
        client: Int32,
        server: Int32
    ) {
        var talk = finished()
        talk.clientOrigin &+= UInt32(bitPattern: client)
        talk.serverOrigin &+= UInt32(bitPattern: server)
        talk.client(0, "again")
        #expect(talk.events() == [.opened(1, sawHandshake: false), .octets(.fromOriginator, 0, "again")])
    }

    @Test func `an ended connection is forgotten after its linger`() {
        var talk = finished()
        #expect(talk.table.statistics.entries == 1)
        talk.pass(32_000)
        #expect(talk.table.statistics.entries == 0)
    }

    @Test func `a SYN alone does not end a live connection`() {
        var talk = opened()
        let origin = talk.clientOrigin
        talk.clientOrigin &+= 1_000_000
        talk.client(-1, ack: nil, .syn)
        talk.clientOrigin = origin
        talk.client(0, "still here")
        talk.server(0, "indeed", ack: 10)
        #expect(talk.events() == [.octets(.fromOriginator, 0, "still here"), .octets(.fromResponder, 0, "indeed")])
        #expect(talk.table.statistics.challengedSynchronizes == 1)
    }

    @Test func `a SYN that is answered supersedes a live connection`() {
        var talk = opened()
        talk.client(0, "old")
        talk.clientOrigin &+= 1_000_000
        talk.serverOrigin &+= 2_000_000
        talk.client(-1, ack: nil, .syn)
        let first = talk.time
        talk.server(-1, ack: 0, .syn)
        talk.client(0, "new")
        #expect(talk.sink.introductions.last?.time == first)
        #expect(
            talk.events() == [
                .octets(.fromOriginator, 0, "old"), .ended(.fromOriginator, .abandoned),
                .ended(.fromResponder, .abandoned), .closed(.superseded),
                .opened(1, sawHandshake: true), .octets(.fromOriginator, 0, "new"),
            ]
        )
    }

    @Test func `a SYN supersedes a live connection when its own octets follow`() {
        var talk = opened()
        talk.clientOrigin &+= 1_000_000
        talk.serverOrigin &+= 2_000_000
        talk.client(-1, ack: nil, .syn)
        talk.client(0, "new")
        #expect(
            talk.events() == [
                .ended(.fromOriginator, .abandoned), .ended(.fromResponder, .abandoned), .closed(.superseded),
                .opened(1, sawHandshake: true), .octets(.fromOriginator, 0, "new"),
            ]
        )
    }

    @Test func `a SYN that nothing follows is forgotten`() {
        var limits = ReassemblyLimits()
        limits.candidateSegments = 3
        var talk = opened(limits)
        let origin = talk.clientOrigin
        talk.clientOrigin &+= 1_000_000
        talk.client(-1, ack: nil, .syn)
        talk.clientOrigin = origin
        for number in 0..<5 {
            talk.client(number, "x")
        }
        #expect(talk.events().count == 5)
        #expect(talk.table.waitSlots.count == 0)
    }

    @Test func `a retransmitted SYN is of the same connection`() {
        var talk = opened()
        talk.client(-1, ack: nil, .syn)
        talk.server(-1, ack: 0, .syn)
        talk.client(0, "a")
        #expect(talk.events() == [.octets(.fromOriginator, 0, "a")])
        #expect(talk.table.statistics.challengedSynchronizes == 0)
    }

    // MARK: - Forgetting

    @Test func `an idle connection is kept while there is room, and goes on as if nothing had been`() {
        var talk = opened()
        talk.client(0, "a")
        talk.pass(3 * 3_600_000)
        talk.client(1, "b")
        #expect(talk.events() == [.octets(.fromOriginator, 0, "a"), .octets(.fromOriginator, 1, "b")])
    }

    @Test func `a connection that is silent for a day is forgotten by packet time`() {
        var talk = opened()
        talk.client(0, "a")
        talk.pass(23 * 3_600_000)
        talk.client(1, "b")
        talk.pass(23 * 3_600_000)
        #expect(talk.events() == [.octets(.fromOriginator, 0, "a"), .octets(.fromOriginator, 1, "b")])
        talk.pass(3_600_000 + 310_000)
        #expect(
            talk.events() == [.ended(.fromOriginator, .abandoned), .ended(.fromResponder, .abandoned), .closed(.idle)]
        )
        #expect(talk.table.statistics.evictions[.idle] == 1)
        #expect(talk.table.statistics.entries == 0)
    }

    /// Two connections in a table for two, so that more than half of it is taken.
    private func crowded() -> Conversation {
        var limits = ReassemblyLimits()
        limits.connections = 2
        var talk = Conversation(limits)
        for number in UInt16(1)...2 {
            talk.client = Self.port(number)
            talk.handshake()
            talk.client(0, "ask")
            talk.server(0, "answer", ack: 3)
        }
        return talk
    }

    @Test func `where room is short an idle connection is forgotten after the timeout`() {
        var talk = crowded()
        _ = talk.events()
        talk.pass(310_000)
        #expect(talk.events().contains(.closed(.idle)))
        #expect(talk.table.statistics.open == 1)
    }

    @Test func `a connection in the middle of something is not idle`() {
        var talk = crowded()
        talk.sink.busySlots = Set(talk.sink.introductions.map(\.slot))
        _ = talk.events()
        talk.pass(3_600_000)
        #expect(talk.events() == [])
        #expect(talk.table.statistics.open == 2)
    }

    @Test func `what was forgotten is taken up where it stood`() {
        var talk = crowded()
        talk.pass(310_000)
        talk.client = Self.port(talk.events().contains(.closed(.idle)) ? 1 : 2)
        talk.client(3, "more", ack: 6)
        talk.server(6, "again", ack: 7)
        #expect(
            talk.events() == [
                .opened(2, sawHandshake: true), .octets(.fromOriginator, 0, "more"),
                .octets(.fromResponder, 0, "again"),
            ]
        )
        #expect(talk.table.statistics.resumptions == 1)
        #expect(talk.table.statistics.midstreamPickups == 0)
    }

    @Test func `a full table forgets what is in the middle of nothing first`() {
        var talk = crowded()
        talk.sink.busySlots = [talk.sink.introductions[0].slot]
        _ = talk.events()
        talk.client = Self.port(3)
        talk.handshake()
        talk.client = Self.port(1)
        talk.client(3, "!", ack: 6)
        #expect(
            talk.events() == [
                .ended(.fromOriginator, .abandoned), .ended(.fromResponder, .abandoned), .closed(.evicted),
                .opened(2, sawHandshake: true), .octets(.fromOriginator, 3, "!"),
            ]
        )
    }

    @Test func `a full table evicts the connection that was idle longest`() {
        var limits = ReassemblyLimits()
        limits.connections = 3
        var talk = Conversation(limits)
        for number in UInt16(1)...3 {
            talk.client = Self.port(number)
            talk.handshake()
            talk.pass(5_000)
        }
        talk.client = Self.port(1)
        talk.client(0, "busy")
        _ = talk.events()
        talk.client = Self.port(4)
        talk.handshake()
        #expect(
            talk.events() == [
                .ended(.fromOriginator, .abandoned), .ended(.fromResponder, .abandoned), .closed(.evicted),
                .opened(3, sawHandshake: true),
            ]
        )
        talk.client = Self.port(1)
        talk.client(4, "!")
        #expect(talk.events() == [.octets(.fromOriginator, 4, "!")])
        #expect(talk.table.statistics.evictions[.capacity] == 1)
    }

    @Test func `a flood of SYNs evicts only its like`() {
        var limits = ReassemblyLimits()
        limits.halfOpenConnections = 10
        var talk = opened(limits)
        let client = talk.client
        for number in 0..<1000 {
            talk.client = Self.port(UInt16(2000 + number))
            talk.client(-1, "evil", ack: nil, .syn)
        }
        #expect(talk.table.statistics.halfOpen == 10)
        #expect(talk.table.statistics.halfOpenEvictions == 990)
        talk.client = client
        talk.client(0, "here")
        #expect(talk.events() == [.octets(.fromOriginator, 0, "here")])
    }

    @Test func `ended connections that linger are bounded`() {
        var limits = ReassemblyLimits()
        limits.lingeringConnections = 2
        var talk = Conversation(limits)
        for number in UInt16(1)...5 {
            talk.client = Self.port(number)
            talk.handshake()
            talk.client(0, "", .rst)
        }
        #expect(talk.table.statistics.entries == 2)
        #expect(talk.table.statistics.limitsMet[.lingeringConnections] == 3)
    }

    /// What the capture's end delivers, in its order.
    private static func textsAtEnd(of talk: inout Conversation) -> [String] {
        _ = talk.events()
        talk.end()
        return talk.events().compactMap { event in
            guard case .octets(_, _, let text) = event else { return nil }
            return text
        }
    }

    @Test func `the capture's end closes connections in the order of their numbers`() {
        var talk = Conversation()
        for number in UInt16(1)...50 {
            talk.client = Self.port(number &* 7919)
            talk.handshake()
            talk.client(Int(number), "\(number)")
        }
        let order = Self.textsAtEnd(of: &talk)
        #expect(order == (1...50).map { "\($0)" })
        #expect(talk.table.statistics.connectionsClosed[.captureEnded] == 50)
        talk.handshake()
        #expect(talk.events() == [.opened(50, sawHandshake: true)])
    }

    @Test func `the capture's end keeps to the order of numbers where slots were used again`() {
        var talk = Conversation()
        for number in UInt16(1)...50 {
            talk.client = Self.port(number &* 7919)
            talk.handshake()
            if number % 2 == 0 { talk.client(0, ack: 0, .rst) }
        }
        talk.pass(600_000)
        #expect(talk.table.statistics.entries == 25)
        let later = Array(UInt16(51)...90)
        for number in later {
            talk.client = Self.port(number &* 7919)
            talk.handshake()
        }
        let left = stride(from: UInt16(1), to: 50, by: 2) + later
        for number in left.reversed() {
            talk.client = Self.port(number &* 7919)
            talk.client(Int(number), "\(number)")
        }
        let order = Self.textsAtEnd(of: &talk)
        #expect(order == left.map { "\($0)" })
        #expect(talk.table.statistics.entries == 0)
    }

    // MARK: - Clocks

    @Test(arguments: [-3_000_000_000.0, 3_000_000_000.0])
    func `a packet with a wrong date ends nothing and does not stop time`(error: Double) {
        var talk = opened()
        talk.client(0, "a", after: error)
        talk.client(1, "b", after: -error)
        talk.client(3, "d")
        talk.server(0, ack: 4)
        #expect(talk.events() == [.octets(.fromOriginator, 0, "a"), .octets(.fromOriginator, 1, "b")])
        talk.pass(110)
        #expect(
            talk.events() == [.missing(.fromOriginator, 2, 1, .captureLoss), .octets(.fromOriginator, 3, "d")]
        )
    }

    @Test(arguments: [-3_600_000.0, 3_600_000.0])
    func `a clock that is set is followed, and ends nothing`(step: Double) {
        var talk = opened()
        talk.client(0, "a")
        talk.server(0, "b", ack: 1, after: step)
        talk.client(1, "c", ack: 1)
        talk.server(1, "d", ack: 2)
        let times = talk.sink.positions.map { $0.time.nanoseconds }
        for (index, elapsed) in [Int64(step) * 1_000_000, 10_000, 10_000].enumerated() {
            #expect(abs(times[index + 1] - times[index] - elapsed) < 10)
        }
        #expect(talk.events().count == 4)
        #expect(talk.table.statistics.evictions.total == 0)
        // The clock goes on: a hole is given up in its time.
        talk.client(4, "e", ack: 2)
        talk.server(2, ack: 5)
        talk.pass(110)
        #expect(talk.events().last == .octets(.fromOriginator, 4, "e"))
    }

    @Test func `what comes in disorder after a long silence is put in order`() {
        var talk = opened()
        for number in 0..<3 {
            talk.server(number, "b", ack: number + 1, after: 120_000)
            talk.client(number, "a", ack: number)
        }
        #expect(
            talk.events()
                == (0..<3).flatMap {
                    [.octets(.fromOriginator, Int64($0), "a"), .octets(.fromResponder, Int64($0), "b")]
                }
        )
    }

    @Test func `interfaces with clocks of their own do not make time race`() {
        var talk = opened()
        for number in 0..<200 {
            talk.client(number * 2, "a", ack: number * 2, after: -3_600_000 + 1, interface: 0)
            talk.client(number * 2 + 1, "b", ack: number * 2, after: 1, interface: 0)
            talk.server(number * 2, "c", ack: number * 2 + 2, after: 3_600_000, interface: 1)
            talk.server(number * 2 + 1, "d", ack: number * 2 + 2, after: 1, interface: 1)
        }
        #expect(talk.events().count == 800)
        #expect(talk.table.statistics.evictions.total == 0)
        #expect(talk.table.clock.now < 61_000_000_000)
    }

    @Test func `clocks of interfaces that see one direction each are compared by handshakes`() {
        var talk = Conversation()
        for number in UInt16(1)...20 {
            talk.client = Self.port(number)
            // The second interface's clock is 5 ms late, a round trip takes 2 ms, and the answer some time.
            talk.client(-1, ack: nil, .syn, after: 1, interface: 0)
            talk.server(-1, ack: 0, .syn, after: 5 + Double(number) / 100, interface: 1)
            talk.client(0, after: 2 - 5, interface: 0)
            talk.client(0, "ask", interface: 0)
            talk.server(0, "answer", ack: 3, after: 5, interface: 1)
        }
        let offset = talk.table.statistics.clockOffsets.first
        #expect(offset?.first == 0 && offset?.second == 1)
        #expect(offset?.handshakes == 20)
        #expect(offset?.differs == true)
        #expect((3_000_000...5_010_000).contains(offset?.estimate ?? 0))
        #expect(talk.sink.connectionsOfTwoClocks == 20)
        #expect(talk.sink.violations == [])
    }

    @Test(arguments: [(-0.5, 0), (0.5, 0), (1_000.0, 20), (-1_000.0, 20)])
    func `a connection of two clocks is told once, and one of a single clock never is`(late: Double, told: Int) {
        var talk = Conversation()
        for number in UInt16(1)...20 {
            talk.client = Self.port(number)
            talk.client(-1, ack: nil, .syn, after: 1, interface: 0)
            talk.server(-1, ack: 0, .syn, after: 1 + late, interface: 1)
            talk.client(0, after: 1 - late, interface: 0)
            talk.client(0, "ask", interface: 0)
            talk.client(3, "ask again", interface: 0)
        }
        #expect(talk.sink.connectionsOfTwoClocks == told)
    }

    @Test(arguments: [(0.5, 0), (1_000.0, 1), (-1_000.0, 1)])
    func `a connection that is joined midstream has the clocks that handshakes have compared`(late: Double, told: Int) {
        var talk = Conversation()
        talk.client(0, "before any is known", interface: 0)
        talk.server(0, "answer", ack: 3, after: 1 + late, interface: 1)
        for number in UInt16(1)...3 {
            talk.client = Self.port(number)
            talk.client(-1, ack: nil, .syn, after: 1 - late, interface: 0)
            talk.server(-1, ack: 0, .syn, after: 1 + late, interface: 1)
            talk.client(0, after: 1 - late, interface: 0)
        }
        let before = talk.sink.connectionsOfTwoClocks
        talk.client = Self.port(7)
        talk.client(0, "ask", interface: 0)
        talk.server(0, "answer", ack: 3, after: 1 + late, interface: 1)
        talk.client(3, "ask again", ack: 6, after: 1 - late, interface: 0)
        #expect(talk.sink.connectionsOfTwoClocks - before == told)
        talk.client = Self.port(8)
        talk.client(0, "ask", interface: 0)
        talk.server(0, "answer", ack: 3, after: 1, interface: 0)
        #expect(talk.sink.connectionsOfTwoClocks - before == told)
    }

    @Test(arguments: [(0.5, 0), (5.0, 20)])
    func `the clocks of files that were merged by their stamps are compared too`(late: Double, told: Int) {
        var talk = Conversation()
        for number in UInt16(1)...20 {
            talk.client = Self.port(number)
            // Stamped earlier than the SYN-ACK that it acknowledges.
            talk.client(-1, ack: nil, .syn, after: 1, interface: 0)
            talk.client(0, "ask", after: 0.1, interface: 0)
            talk.server(-1, ack: 0, .syn, after: late, interface: 1)
            talk.server(0, "answer", ack: 3, after: 0.1, interface: 1)
        }
        #expect(talk.sink.connectionsOfTwoClocks == told)
        #expect(talk.table.statistics.clockOffsets.first?.handshakes == 20)
        #expect(talk.sink.violations == [])
    }

    @Test func `one interface has no clock to compare with`() {
        let talk = opened()
        #expect(talk.table.statistics.clockOffsets == [])
    }
}
