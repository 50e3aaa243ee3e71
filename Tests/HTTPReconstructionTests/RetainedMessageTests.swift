// Wingmirror · Apache-2.0

import Testing
import TrafficModel

@testable import HTTPReconstruction

/// The memory of a message that was kept is taken by the next one.
@Suite struct RetainedMessageTests {
    @Test func `nothing of a message is seen in the one that takes its memory`() throws {
        let conversation = Conversation(
            .client(
                "POST /long/target HTTP/1.1\r\nHost: first.example\r\nX-Extra: 1\r\nContent-Length: 5\r\n\r\nhello"
            ),
            .server("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nX-Extra: 2\r\nContent-Length: 3\r\n\r\nabc"),
            .client("GET /b HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"),
            .server("HTTP/1.0 404 Not Found\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n"),
            .client("GET /c HTTP/1.1\r\nHost: third.example\r\n\r\n"),
            .server("HTTP/1.1 204 No Content\r\n\r\n")
        )
        let record = conversation.read()
        #expect(record.lines == ["POST /long/target (5) -> 200 (3)", "GET /b -> 404", "GET /c -> 204"])
        try #require(record.exchanges.count == 3)
        let requests = record.exchanges.map(\.request)
        let responses = record.exchanges.map(\.response)
        #expect(requests.map { $0?.authority } == ["first.example", nil, "third.example"])
        #expect(
            requests.map { $0?.fields.map(\.name) } == [
                ["Host", "X-Extra", "Content-Length"], ["Connection"], ["Host"],
            ]
        )
        #expect(requests.map { $0?.content } == [Array("hello".utf8), [], []])
        #expect(responses.map { $0?.contentCoding } == ["gzip", nil, nil])
        let names: [[String]?] = [
            ["Content-Encoding", "X-Extra", "Content-Length"], ["Connection", "Content-Length"], [],
        ]
        #expect(responses.map { $0?.fields.map(\.name) } == names)
        #expect(responses.map { $0?.content } == [Array("abc".utf8), [], []])
    }

    @Test
    func
        `an exchange that is taken without its connection is told once, in its turn, and its messages' memory serves the next`()
    {
        var conversation = Conversation(
            (0..<6).flatMap { number -> [Conversation.Event] in
                [
                    .client("POST /\(number) HTTP/1.1\r\nHost: a.example\r\nContent-Length: 2\r\n\r\nab"),
                    .server("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"),
                ]
            }
        )
        let reported = conversation.read()
        conversation.countsOdd = true
        let counted = conversation.read()
        #expect(counted.lines == (0..<6).map { "POST /\($0) (2) -> 200 (3)" })
        #expect(counted.lines == reported.lines)
        #expect(counted.exchanges.map(\.number) == Array(0..<6))
        #expect(counted.complaints.isEmpty)
        #expect(counted.exchanges.map { $0.response?.content } == reported.exchanges.map { $0.response?.content })
    }

    @Test func `of heads that are kept for their names nothing is left but what names a request, and codings`() throws {
        var conversation = Conversation(
            .client("POST /a HTTP/1.1\r\nX-A: 1\r\nHost: a.example\r\nX-B: 2\r\nContent-Length: 0\r\n\r\n"),
            .server("HTTP/1.1 200 OK\r\nX-A: 1\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc"),
            .client("GET /b HTTP/1.1\r\n\r\n"),
            .server("HTTP/1.1 404 Not Found\r\nX-A: 1\r\nContent-Length: 0\r\n\r\n")
        )
        let whole = conversation.read()
        conversation.kept = Retention(heads: .names, contentOctets: 16)
        let named = conversation.read()
        #expect(named.lines == ["POST /a -> 200 (3)", "GET /b -> 404"])
        #expect(named.lines == whole.lines)
        try #require(named.exchanges.count == 2 && whole.exchanges.count == 2)
        for (exchange, other) in zip(named.exchanges, whole.exchanges) {
            #expect(exchange.request?.authority == other.request?.authority)
            #expect(exchange.response?.contentCoding == other.response?.contentCoding)
            #expect(exchange.integrity == other.integrity)
            #expect(exchange.request?.fields == [] && exchange.response?.fields == [])
        }
        #expect(named.exchanges[0].request?.authority == "a.example")
        #expect(named.exchanges[0].response?.contentCoding == "gzip")
    }

    @Test func `a head that is kept for its names takes as much memory as it has octets up to the last of them`() throws
    {
        let ledger = RetentionLedger(limit: 10_000)
        var head = MessageHead()
        head.textLength = 1_000
        head.method = OctetRange(0..<3)
        head.target = OctetRange(4..<6)
        head.host = OctetRange(20..<25)
        let text = [UInt8](repeating: UInt8(ascii: "a"), count: 1_000)
        let fields = [FieldLine(name: 14..<18, value: 20..<25), FieldLine(name: 27..<30, value: 32..<900)]
        let kept = ledger.keep(text.span, head: head, fields: fields.span, .names, contentLimit: 0)
        let message = try #require(kept)
        #expect(message.octets.count == 25 && message.fields.isEmpty && message.authority == 20..<25)
        #expect(ledger.octets == RetentionLedger.fixedCharge + 25)
    }

    /// Keeps a head of so many octets without field lines.
    private static func keep(_ octets: Int, in ledger: RetentionLedger) -> RetainedMessage? {
        var head = MessageHead()
        head.textLength = octets
        let text = [UInt8](repeating: UInt8(ascii: "a"), count: octets)
        let fields: [FieldLine] = []
        return ledger.keep(text.span, head: head, fields: fields.span, .whole, contentLimit: 0)
    }

    @Test func `memory that a message has from one before it counts, as long as it is kept`() {
        let ledger = RetentionLedger(limit: 10_000)
        var long = Self.keep(3_000, in: ledger)
        #expect(ledger.octets == RetentionLedger.fixedCharge + 3_000)
        ledger.takeBack(&long)
        #expect(long == nil && ledger.octets == 0)
        var short = Self.keep(10, in: ledger)
        #expect(short?.octets.count == 10)
        #expect(ledger.octets >= RetentionLedger.fixedCharge + 3_000)
        // Another has memory of its own.
        let before = ledger.octets
        let other = Self.keep(20, in: ledger)
        #expect(other?.octets.count == 20)
        #expect(ledger.octets == before + RetentionLedger.fixedCharge + 20)
        ledger.takeBack(&short)
        #expect(ledger.octets == RetentionLedger.fixedCharge + 20)
        withExtendedLifetime(other) {}
    }

    @Test func `heads take no more memory than was entered for them`() {
        let ledger = RetentionLedger(limit: 10_000)
        // Each has the memory of the one before, which counts as soon as it is more than the head needs.
        for (octets, entered) in [(10, 10), (5, 10), (20, 20), (300, 300), (310, 310), (30, 310)] {
            var message = Self.keep(octets, in: ledger)
            #expect(ledger.octets == RetentionLedger.fixedCharge + entered)
            ledger.takeBack(&message)
            #expect(ledger.octets == 0)
        }
    }

    @Test func `what is given up holds nothing, takes nothing and leaves the others as they are`() {
        let ledger = RetentionLedger(limit: 2 * (RetentionLedger.fixedCharge + 300))
        var messages = (0..<10).map { _ in Self.keep(300, in: ledger) }
        #expect(messages.map { $0?.isShed } == [Bool](repeating: true, count: 8) + [false, false])
        #expect(messages.map { $0?.octets.count } == [Int](repeating: 0, count: 8) + [300, 300])
        #expect(ledger.refusedMessages == 8 && ledger.octets == ledger.limit)
        let more: [UInt8] = [1, 2, 3]
        let line = [FieldLine(name: 0..<1, value: 1..<2)]
        for message in messages.prefix(8) {
            message?.append(more.span, 0..<3)
            message?.cutContent(to: 0)
            #expect(message?.keepTrailers(more.span, line.span) == false)
            #expect(message?.content.isEmpty == true && message?.trailers.octets.isEmpty == true)
            #expect(message?.wantsContent == false && message?.isShed == true)
        }
        #expect(messages.suffix(2).allSatisfy { $0?.octets.allSatisfy { $0 == UInt8(ascii: "a") } == true })
        for place in messages.indices { ledger.takeBack(&messages[place]) }
        #expect(ledger.octets == 0)
        let next = (0..<2).map { _ in Self.keep(300, in: ledger) }
        #expect(next.allSatisfy { $0?.octets.count == 300 && $0?.isShed == false })
    }
}
