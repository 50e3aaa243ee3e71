// Wingmirror · Apache-2.0
// Hostile HTTP/2: frames that cost their reader more than their sender, RFC 9113 §10.5.

import OctetText
import TCPReassembly
import Testing
import TrafficModel

@testable import HTTPReconstruction

@Suite struct HTTP2FloodTests {
    /// Feeds events, and answers the most exchanges that were in progress, and what was told.
    private static func run(_ events: [Conversation.Event]) -> (most: Int, record: Record) {
        var reader = ConversationReader(Conversation(events))
        var most = 0
        for event in events {
            reader.take(event)
            most = max(most, reader.pendingExchanges)
        }
        return (most, reader.finish())
    }

    @Test func `a hundred thousand streams that never end hold no more than the limit`() {
        var script = HTTP2Script()
        var events: [Conversation.Event] = [.client(HTTP2Script.opening)]
        for batch in 0..<UInt32(1000) {
            events.append(
                .client(
                    (0..<100).flatMap {
                        script.request(2 * (100 * batch + $0) + 1, HTTP2Script.head("/s"), ends: false)
                    }
                )
            )
        }
        let (most, record) = Self.run(events)
        #expect(most == HTTPLimits().liveStreams)
        #expect(record.statistics.abandonedExchanges == 100_000 - HTTPLimits().liveStreams)
        #expect(record.statistics.http2.frames(at: 1) == 100_000)
        #expect(record.exchanges.count == 100_000)
    }

    @Test func `responses to streams that were never asked for hold no more than the limit`() {
        var script = HTTP2Script()
        // The client's stream is lost from the beginning, so that any response may have had a request.
        var events: [Conversation.Event] = [
            .client(HTTP2Script.opening), .missing(.fromOriginator, 1 << 20, .captureLoss),
            .server(HTTP2Script.serverOpening),
        ]
        for number in 0..<UInt32(5000) {
            events.append(.server(script.response(2 * number + 1, [(":status", "200")])))
        }
        let (most, record) = Self.run(events)
        #expect(most == HTTPLimits().liveStreams)
        #expect(record.exchanges.count == 5000)
    }

    @Test(arguments: [
        ("settings", 4, TestFrame.frame(4, 0, 0, [0, 3, 0, 0, 0, 100])),
        ("ping", 6, TestFrame.frame(6, 0, 0, [1, 2, 3, 4, 5, 6, 7, 8])),
        ("priority", 2, TestFrame.frame(2, 0, 3, [0, 0, 0, 1, 16])),
        ("window update", 8, TestFrame.frame(8, 0, 0, [0, 0, 0, 1])),
        ("empty data", 0, TestFrame.frame(0, 0, 1, [])),
        ("unknown", 10, TestFrame.frame(0x0C, 0, 0, [1, 2, 3])),
    ])
    func `frames without content are counted and leave nothing behind`(label: String, type: Int, frame: [UInt8]) {
        var script = HTTP2Script()
        let flood = Array([[UInt8]](repeating: frame, count: 500).joined())
        var events: [Conversation.Event] = [
            .client(HTTP2Script.opening + script.request(1, HTTP2Script.head("/a"), ends: false))
        ]
        events += [Conversation.Event](repeating: .client(flood), count: 40)
        events += [
            .client(HTTP2Script.data(1, "x")),
            .server(HTTP2Script.serverOpening + script.response(1, [(":status", "200")], ends: true)),
        ]
        let (most, record) = Self.run(events)
        #expect(most == 1, "\(label)")
        #expect(record.lines == ["GET /a (1) -> 200"])
        #expect(record.statistics.http2.frames(at: type) >= 20_000)
    }

    @Test func `a block of two thousand continuations is decoded for the table and not held`() {
        var script = HTTP2Script()
        var block: [UInt8] = []
        for (name, value) in HTTP2Script.head("/flood") { block += script.client.encode(name, value, inserts: true) }
        for number in 0..<20_000 {
            block += script.client.encode("x-\(number)", String(repeating: "v", count: 40), inserts: false)
        }
        block += script.client.encode("x-last", "inserted", inserts: true)
        var events: [Conversation.Event] = [.client(HTTP2Script.opening)]
        let pieces = stride(from: 0, to: block.count, by: 480).map { Array(block[$0..<min($0 + 480, block.count)]) }
        for (number, piece) in pieces.enumerated() {
            let flags: UInt8 = number == pieces.count - 1 ? 4 : 0
            events.append(
                .client(TestFrame.frame(number == 0 ? 1 : 9, number == 0 ? 1 : flags, 1, piece))
            )
        }
        events.append(.client(script.request(3, HTTP2Script.head("/next") + [("x-last", "inserted")])))
        let (most, record) = Self.run(events)
        #expect(pieces.count > 2000)
        #expect(most == 2)
        #expect(record.exchanges.first?.marks.contains("limit_reached") == true)
        #expect(record.exchanges.last?.request?.value(of: "x-last") == "inserted")
        #expect(record.statistics.http2.frames(at: 9) == pieces.count - 1)
    }

    @Test(arguments: 0..<20)
    func `random octets behind a valid opening neither trap nor hold anything`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var script = HTTP2Script()
        var events: [Conversation.Event] = [
            .client(HTTP2Script.opening + script.request(1, HTTP2Script.head("/a"))),
            .server(HTTP2Script.serverOpening + script.response(1, [(":status", "200")], ends: true)),
        ]
        for _ in 0..<60 {
            let octets = (0..<Int.random(in: 1..<1500, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            events.append(random.oneIn(2) ? .client(octets) : .server(octets))
        }
        let (most, record) = Self.run(events)
        #expect(most < 20)
        #expect(record.lines.first == "GET /a -> 200")
        #expect(record.exchanges.dropFirst().allSatisfy { !$0.marks.isEmpty })
    }
}
