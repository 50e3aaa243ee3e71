// Wingmirror · Apache-2.0

import PacketDecoding
import Testing

@testable import TCPReassembly

/// When a hole is final, and what an acknowledgement of unseen octets makes wait.
@Suite struct HoleTests {
    private func opened(_ limits: ReassemblyLimits = ReassemblyLimits()) -> Conversation {
        var conversation = Conversation(limits)
        conversation.handshake()
        _ = conversation.events()
        return conversation
    }

    // MARK: - Holes

    @Test func `an acknowledged hole is final when the grace is over`() {
        var talk = opened()
        talk.client(3, "def")
        let arrival = talk.time
        talk.server(0, ack: 6)
        talk.pass(90)
        #expect(talk.events() == [])
        talk.pass(20)
        #expect(talk.sink.positions.last?.time == arrival)
        #expect(talk.events() == [.missing(.fromOriginator, 0, 3, .captureLoss), .octets(.fromOriginator, 3, "def")])
        #expect(talk.table.statistics.gaps[.captureLoss] == 1)
        #expect(talk.table.statistics.gapOctets[.captureLoss] == 3)
        #expect(talk.sink.violations == [])
    }

    @Test func `late octets inside the grace repair a hole`() {
        var talk = opened()
        talk.client(3, "def")
        talk.server(0, ack: 6)
        talk.client(0, "abc", after: 50)
        #expect(talk.events() == [.octets(.fromOriginator, 0, "abc"), .octets(.fromOriginator, 3, "def")])
        talk.pass(1000)
        #expect(talk.events() == [])
        #expect(talk.table.statistics.gaps.total == 0)
    }

    @Test func `an acknowledged hole is final after so many segments`() {
        var limits = ReassemblyLimits()
        limits.graceSegments = 4
        var talk = opened(limits)
        talk.client(1, "b")
        talk.server(0, ack: 2)
        for _ in 0..<3 {
            talk.server(0, ack: 2)
        }
        #expect(talk.events() == [])
        talk.server(0, ack: 2)
        #expect(talk.events() == [.missing(.fromOriginator, 0, 1, .captureLoss), .octets(.fromOriginator, 1, "b")])
    }

    @Test func `a hole that nobody acknowledged waits for the retransmission`() {
        var talk = opened()
        talk.client(3, "def")
        talk.server(0, ack: 0)
        talk.pass(14_000)
        #expect(talk.events() == [])
        talk.client(0, "abc")
        #expect(talk.events() == [.octets(.fromOriginator, 0, "abc"), .octets(.fromOriginator, 3, "def")])
    }

    @Test func `a hole that nobody ever acknowledges is final in the end`() {
        var talk = opened()
        talk.client(3, "def")
        talk.pass(14_900)
        #expect(talk.events() == [])
        talk.pass(200)
        #expect(talk.events() == [.missing(.fromOriginator, 0, 3, .timeout), .octets(.fromOriginator, 3, "def")])
    }

    @Test func `an acknowledgement alone shows octets that were not captured`() {
        var talk = opened()
        talk.client(0, "GET ")
        talk.server(0, ack: 9)
        talk.pass(110)
        #expect(talk.events() == [.octets(.fromOriginator, 0, "GET ")])
        talk.client(9, "x")
        talk.pass(110)
        #expect(talk.events() == [.missing(.fromOriginator, 4, 5, .captureLoss), .octets(.fromOriginator, 9, "x")])
    }

    @Test(arguments: [true, false])
    func `what was acknowledged and never came is missing when the connection ends`(byReset: Bool) {
        var talk = opened()
        talk.client(0, "GET")
        talk.client(3, ack: 9)
        talk.pass(1_000)
        #expect(talk.table.statistics.waiting == 0)
        if byReset { talk.client(3, ack: 9, .rst) } else { talk.end() }
        let events = talk.events()
        #expect(events.prefix(2) == [.octets(.fromOriginator, 0, "GET"), .missing(.fromResponder, 0, 9, .captureLoss)])
    }

    @Test func `an answer that is missing whole is given up when the next request waits for it`() {
        var talk = opened()
        talk.client(0, "one")
        talk.client(3, ack: 9)
        talk.client(3, "two", ack: 9, after: 500)
        talk.server(9, "answer", ack: 6)
        talk.pass(110)
        #expect(
            talk.events() == [
                .octets(.fromOriginator, 0, "one"), .missing(.fromResponder, 0, 9, .captureLoss),
                .octets(.fromOriginator, 3, "two"), .octets(.fromResponder, 9, "answer"),
            ]
        )
    }

    // MARK: - Acknowledgements of what was never sent (RFC 9293 §3.10.7.4, RFC 5961 §5)

    @Test(arguments: [2, 100, 5_000, 16_000_000])
    func `an acknowledgement of what was never sent blinds no connection`(amount: Int) {
        var talk = opened()
        talk.client(0, "q")
        talk.server(0, "a", ack: 1)
        talk.client(1, ack: 1 + amount)
        talk.pass(300)
        for number in 1...3 {
            talk.client(number, "q", ack: number, after: 200)
            talk.server(number, "a", ack: number + 1)
        }
        talk.client(4, ack: 4, .fin)
        talk.server(4, ack: 5, .fin)
        let events = talk.events()
        let octets = (0...3).flatMap { number -> [StreamEvent] in
            [.octets(.fromOriginator, Int64(number), "q"), .octets(.fromResponder, Int64(number), "a")]
        }
        #expect(events.prefix(8) == octets[...])
        #expect(events.last == .closed(.finished))
        #expect(talk.table.statistics.gaps.total == 0)
        #expect(talk.table.statistics.outOfWindowSegments == 1)
        #expect(talk.sink.violations == [])
    }

    @Test(arguments: [-1, -2_097_152, -1_073_741_824])
    func `octets and FIN fall with an acknowledgement that is too old`(acknowledged: Int) {
        var talk = opened()
        talk.client(0, "evil", ack: acknowledged)
        talk.client(0, ack: acknowledged, .fin)
        talk.client(0, "good")
        #expect(talk.events() == [.octets(.fromOriginator, 0, "good")])
        #expect(talk.table.statistics.outOfWindowSegments == 2)
    }

    @Test(arguments: ["evil", "eviler", "e"])
    func `a copy takes the place of octets that acknowledge what was never sent`(evil: String) {
        var talk = opened()
        talk.client(0, evil, ack: 100_000)
        talk.client(0, "good", after: 20)
        talk.server(0, "fine", ack: 4)
        talk.client(4, "more", ack: 4)
        #expect(
            talk.events() == [
                .octets(.fromOriginator, 0, "good"), .octets(.fromResponder, 0, "fine"),
                .octets(.fromOriginator, 4, "more"),
            ]
        )
        talk.pass(1_000)
        #expect(talk.events() == [])
    }

    @Test func `a FIN that acknowledges what was never sent ends nothing when its sender goes on`() {
        var talk = opened()
        talk.client(0, "q")
        talk.server(0, "a", ack: 1)
        talk.client(1, ack: 5_000, .fin)
        talk.client(1, "q", ack: 1)
        talk.server(1, "a", ack: 2)
        talk.client(2, ack: 2, .fin)
        talk.server(2, ack: 3, .fin)
        #expect(
            talk.events() == [
                .octets(.fromOriginator, 0, "q"), .octets(.fromResponder, 0, "a"), .octets(.fromOriginator, 1, "q"),
                .octets(.fromResponder, 1, "a"), .ended(.fromOriginator, .finished), .ended(.fromResponder, .finished),
                .closed(.finished),
            ]
        )
    }

    @Test(arguments: [true, false])
    func `who closed first has ended first, though both FINs waited`(isClient: Bool) {
        var talk = opened()
        talk.client(4, "GET", ack: 5)
        talk.server(5, "a", ack: 7)
        if isClient {
            talk.client(7, ack: 6, .fin)
            talk.server(6, ack: 8, .fin)
        } else {
            talk.server(6, ack: 7, .fin)
            talk.client(7, ack: 7, .fin)
        }
        talk.pass(300)
        let ends: [StreamEvent] = [.ended(.fromOriginator, .finished), .ended(.fromResponder, .finished)]
        #expect(
            talk.events() == [
                .missing(.fromOriginator, 0, 4, .captureLoss), .missing(.fromResponder, 0, 5, .captureLoss),
                .octets(.fromOriginator, 4, "GET"), .octets(.fromResponder, 5, "a"),
            ] + (isClient ? ends : ends.reversed()) + [.closed(.finished)]
        )
    }

    @Test(arguments: [0, 1])
    func `a segment that its receiver does not take blinds nothing, however long nothing follows`(count: Int) {
        var talk = opened()
        talk.client(0, "q")
        talk.server(0, "a", ack: 1)
        if count == 0 { talk.client(1, ack: 5_000, .fin) } else { talk.client(1, "x", ack: 5_000) }
        talk.pass(1_000)
        #expect(talk.events() == [.octets(.fromOriginator, 0, "q"), .octets(.fromResponder, 0, "a")])
        talk.pass(20_000)
        talk.server(1, "b", ack: 1)
        talk.server(2, "c", ack: 1)
        let events = talk.events()
        #expect(events.suffix(2) == [.octets(.fromResponder, 1, "b"), .octets(.fromResponder, 2, "c")])
        #expect(talk.table.statistics.gaps.total == 0)
        #expect(talk.sink.violations == [])
    }

    @Test func `what acknowledges a missing answer passes when its receiver takes it`() {
        var talk = opened()
        talk.client(0, "q")
        talk.client(1, "q", ack: 9)
        talk.pass(500)
        #expect(talk.events() == [.octets(.fromOriginator, 0, "q")])
        talk.server(9, ack: 2)
        talk.pass(110)
        #expect(
            talk.events() == [.missing(.fromResponder, 0, 9, .captureLoss), .octets(.fromOriginator, 1, "q")]
        )
    }

    @Test func `a FIN behind an answer that is missing ends its stream when the grace is over`() {
        var talk = opened()
        talk.client(0, "q")
        talk.client(1, ack: 9, .fin)
        talk.server(9, ack: 2)
        talk.pass(110)
        #expect(
            talk.events() == [
                .octets(.fromOriginator, 0, "q"), .missing(.fromResponder, 0, 9, .captureLoss),
                .ended(.fromOriginator, .finished),
            ]
        )
    }

    @Test func `an acknowledgement that comes before its octets makes no hole`() {
        var talk = opened()
        talk.server(0, ack: 4)
        talk.client(0, "GET ", after: 5)
        talk.pass(1000)
        #expect(talk.events() == [.octets(.fromOriginator, 0, "GET ")])
        #expect(talk.table.statistics.gaps.total == 0)
    }

    @Test func `acknowledgements that always run ahead of their octets make no hole`() {
        var talk = opened()
        for number in 0..<100 {
            talk.server(0, ack: number * 2 + 4)
            talk.client(number * 2, "ab", after: 10)
        }
        #expect(talk.events().count == 100)
        #expect(talk.table.statistics.gaps.total == 0)
    }

    @Test func `an acknowledgement of unseen octets is not believed of a segment that does not fit`() {
        var talk = opened()
        talk.server(1 << 30, ack: 5_000)
        talk.pass(1_000)
        talk.client(0, "abc")
        #expect(talk.events() == [.octets(.fromOriginator, 0, "abc")])
        #expect(talk.table.statistics.outOfWindowSegments == 1)
    }

    @Test func `a hole is given up only as far as it was acknowledged`() {
        var talk = opened()
        talk.client(10, "k")
        talk.server(0, ack: 4)
        talk.pass(110)
        #expect(talk.events() == [.missing(.fromOriginator, 0, 4, .captureLoss)])
        talk.client(4, "efghij")
        #expect(talk.events() == [.octets(.fromOriginator, 4, "efghij"), .octets(.fromOriginator, 10, "k")])
    }

    @Test func `losses one after another do not add up their waits`() {
        var talk = opened()
        for number in 0..<20 {
            talk.client(number * 2 + 1, "x", after: 10)
            talk.server(0, ack: number * 2 + 2)
        }
        talk.pass(110)
        #expect(talk.events().count == 40)
        #expect(talk.table.statistics.bufferedOctets == 0)
        #expect(talk.sink.violations == [])
    }

    @Test func `the octets of one connection are bounded, and the first hole gives way`() {
        var limits = ReassemblyLimits()
        limits.bufferedOctetsPerConnection = 4 * HeldSegments.blockOctets
        var talk = opened(limits)
        for number in 0..<4 {
            talk.client(number * 2 + 1, "x")
        }
        #expect(talk.events() == [])
        talk.client(9, "y")
        #expect(talk.events() == [.missing(.fromOriginator, 0, 1, .limit), .octets(.fromOriginator, 1, "x")])
        #expect(talk.table.statistics.limitsMet[.connectionOctets] == 1)
        #expect(talk.table.statistics.bufferedOctets == 4)
    }

    @Test func `the octets of all connections are bounded, and the longest wait gives way`() {
        var limits = ReassemblyLimits()
        limits.bufferedOctetsPerConnection = 4 * HeldSegments.blockOctets
        limits.bufferedOctets = 8 * HeldSegments.blockOctets
        var talk = Conversation(limits)
        for port in UInt16(1)...4 {
            talk.client = Endpoint(address: IPAddress(ipv4: 0x0A00_0009), port: port)
            talk.handshake()
        }
        _ = talk.events()
        for port in UInt16(1)...3 {
            talk.client = Endpoint(address: IPAddress(ipv4: 0x0A00_0009), port: port)
            talk.client(1, "x")
        }
        #expect(talk.events() == [.missing(.fromOriginator, 0, 1, .limit), .octets(.fromOriginator, 1, "x")])
        #expect(talk.table.statistics.limitsMet[.totalOctets] == 1)
        #expect(talk.table.statistics.bufferedOctets == 2)
    }

    @Test func `waiting connections are bounded, and the longest wait gives way`() {
        var limits = ReassemblyLimits()
        limits.waitingConnections = 2
        var talk = Conversation(limits)
        for port in UInt16(1)...3 {
            talk.client = Endpoint(address: IPAddress(ipv4: 0x0A00_0009), port: port)
            talk.handshake()
        }
        _ = talk.events()
        for port in UInt16(1)...3 {
            talk.client = Endpoint(address: IPAddress(ipv4: 0x0A00_0009), port: port)
            talk.client(1, "x")
        }
        #expect(talk.events() == [.missing(.fromOriginator, 0, 1, .limit), .octets(.fromOriginator, 1, "x")])
        #expect(talk.table.statistics.limitsMet[.waitingConnections] == 1)
    }

    // MARK: - Cause before effect

    @Test func `an answer captured before its request is delivered after it`() {
        var talk = opened()
        talk.server(0, "200", ack: 3)
        let answered = talk.time
        talk.client(0, "GET", after: 5)
        #expect(talk.sink.positions.last?.time == answered)
        #expect(talk.events() == [.octets(.fromOriginator, 0, "GET"), .octets(.fromResponder, 0, "200")])
        #expect(talk.sink.violations == [])
    }

    @Test func `an answer to a request that was not captured waits for the grace`() {
        var talk = opened()
        talk.client(0, "a", ack: 0)
        talk.server(0, "200", ack: 4)
        talk.server(3, " OK", ack: 4)
        talk.client(4, ack: 6)
        #expect(talk.events() == [.octets(.fromOriginator, 0, "a")])
        talk.pass(110)
        #expect(
            talk.events() == [
                .missing(.fromOriginator, 1, 3, .captureLoss),
                .octets(.fromResponder, 0, "200"), .octets(.fromResponder, 3, " OK"),
            ]
        )
    }

    @Test func `an answer waits for the middle of its request`() {
        var talk = opened()
        talk.client(0, "GET")
        talk.client(6, "end")
        talk.server(0, "200", ack: 9)
        #expect(talk.events() == [.octets(.fromOriginator, 0, "GET")])
        talk.client(3, "mid")
        #expect(
            talk.events() == [
                .octets(.fromOriginator, 3, "mid"), .octets(.fromOriginator, 6, "end"),
                .octets(.fromResponder, 0, "200"),
            ]
        )
    }

    @Test func `two streams never wait for each other`() {
        var talk = opened()
        // The request was lost; the answer acknowledges it; the request is sent again and acknowledges the answer.
        talk.server(0, "200", ack: 3)
        talk.client(0, "GET", ack: 3)
        #expect(talk.events() == [.octets(.fromOriginator, 0, "GET"), .octets(.fromResponder, 0, "200")])
    }

    @Test func `held segments that acknowledge each other are released, the later first`() {
        var talk = opened()
        talk.client(1, "b", ack: 0)
        talk.server(0, "1", ack: 2)
        talk.client(2, "c", ack: 1)
        talk.client(0, "a", ack: 1)
        #expect(
            talk.events() == [
                .octets(.fromOriginator, 0, "a"), .octets(.fromOriginator, 1, "b"),
                .octets(.fromResponder, 0, "1"), .octets(.fromOriginator, 2, "c"),
            ]
        )
    }

    @Test func `in a capture of one direction the other is waited for once`() {
        var talk = Conversation()
        talk.server(0, "200", ack: 500)
        talk.server(3, "201", ack: 900)
        #expect(talk.events() == [.opened(0, sawHandshake: false), .octets(.fromOriginator, 0, "200")])
        talk.pass(110)
        #expect(talk.events() == [.octets(.fromOriginator, 3, "201")])
        talk.server(6, "202", ack: 1_300)
        #expect(talk.events() == [.octets(.fromOriginator, 6, "202")])
        talk.pass(20_000)
        #expect(talk.events() == [])
        #expect(talk.table.statistics.gaps.total == 0)
        #expect(talk.table.statistics.waiting == 0)
    }

    @Test func `answers that are seen before anything of the client wait for their requests`() {
        var talk = Conversation()
        talk.server(-1, ack: 0, .syn)
        talk.server(0, ack: 3)
        talk.server(0, "200", ack: 3)
        talk.server(3, "201", ack: 6)
        #expect(talk.events() == [.opened(0, sawHandshake: true)])
        talk.client(-1, ack: nil, .syn, after: 40)
        talk.client(0)
        talk.client(0, "GET")
        #expect(talk.events() == [.octets(.fromOriginator, 0, "GET"), .octets(.fromResponder, 0, "200")])
        talk.client(3, "PUT", ack: 3)
        #expect(talk.events() == [.octets(.fromOriginator, 3, "PUT"), .octets(.fromResponder, 3, "201")])
        #expect(talk.table.statistics.gaps.total == 0)
    }

    /// An answer that is captured twice acknowledges less than the one behind it, which takes nothing back.
    @Test(arguments: [true, false])
    func `answers that are seen before the client wait for their requests though one is seen again`(beforeSYN: Bool) {
        var talk = Conversation()
        talk.server(-1, ack: 0, .syn)
        talk.server(0, "200", ack: 3)
        talk.server(3, "201", ack: 6)
        if beforeSYN { talk.server(0, "200", ack: 3) }
        talk.client(-1, ack: nil, .syn, after: 40)
        talk.client(0)
        if !beforeSYN { talk.server(0, "200", ack: 3) }
        #expect(talk.events() == [.opened(0, sawHandshake: true)])
        talk.client(0, "GET")
        #expect(talk.events() == [.octets(.fromOriginator, 0, "GET"), .octets(.fromResponder, 0, "200")])
        talk.client(3, "PUT", ack: 3)
        #expect(talk.events() == [.octets(.fromOriginator, 3, "PUT"), .octets(.fromResponder, 3, "201")])
        #expect(talk.table.statistics.outOfWindowSegments == 0)
    }

    @Test func `answers that are seen before a client that comes too late are not held for it`() {
        var talk = Conversation()
        talk.server(-1, ack: 0, .syn)
        talk.server(0, "200", ack: 3)
        talk.pass(110)
        #expect(talk.events() == [.opened(0, sawHandshake: true), .octets(.fromResponder, 0, "200")])
        talk.client(0, "GET")
        #expect(talk.events() == [.octets(.fromOriginator, 0, "GET")])
        #expect(talk.table.statistics.gaps.total == 0)
    }

    @Test func `in a capture of one direction a hole is final after its own timeout`() {
        var talk = Conversation()
        talk.client(0, "a")
        talk.client(2, "c")
        talk.pass(1_900)
        #expect(talk.events() == [.opened(0, sawHandshake: false), .octets(.fromOriginator, 0, "a")])
        talk.pass(200)
        #expect(talk.events() == [.missing(.fromOriginator, 1, 1, .timeout), .octets(.fromOriginator, 2, "c")])
    }

    // MARK: - The end as a hole

    @Test func `a FIN that was not captured is no missing octet`() {
        var talk = opened()
        talk.client(0, "ask")
        talk.server(0, "yes", ack: 3, .fin)
        // The client's FIN was lost; its acknowledgement was not.
        talk.server(4, ack: 4)
        talk.pass(110)
        #expect(
            talk.events() == [
                .octets(.fromOriginator, 0, "ask"), .octets(.fromResponder, 0, "yes"),
                .ended(.fromResponder, .finished), .ended(.fromOriginator, .finished), .closed(.finished),
            ]
        )
        #expect(talk.table.statistics.gaps.total == 0)
    }

    @Test func `one lost octet is missing once something follows it`() {
        var talk = opened()
        talk.client(0, "ab")
        talk.server(0, ack: 3)
        talk.pass(110)
        #expect(talk.events() == [.octets(.fromOriginator, 0, "ab")])
        talk.client(3, "d")
        talk.server(0, ack: 4)
        talk.pass(110)
        #expect(talk.events() == [.missing(.fromOriginator, 2, 1, .captureLoss), .octets(.fromOriginator, 3, "d")])
    }

    @Test func `holes are final when the capture ends`() {
        var talk = opened()
        talk.client(1, "b")
        talk.server(0, "1", ack: 4)
        talk.end()
        #expect(
            talk.events() == [
                .missing(.fromOriginator, 0, 1, .captureLoss), .octets(.fromOriginator, 1, "b"),
                .missing(.fromOriginator, 2, 2, .captureLoss), .octets(.fromResponder, 0, "1"),
                .ended(.fromOriginator, .abandoned), .ended(.fromResponder, .abandoned), .closed(.captureEnded),
            ]
        )
        #expect(talk.table.statistics.entries == 0)
        #expect(talk.table.statistics.bufferedOctets == 0)
    }
}
