// Wingmirror · Apache-2.0
// Exchanges in progress and what is kept of them.

import HTTPReconstruction
import PacketDecoding
import TCPReassembly
import Testing

/// Many connections whose exchanges take memory together, though each stays within its own limits.
@Suite struct CrowdedExchangesTests {
    /// Sends the same to many connections, piece by piece, and leaves them open.
    private func open(
        _ count: Int,
        _ pieces: [String],
        limits: HTTPLimits,
        keeps retention: Retention = .none
    ) -> HTTPReconstructor<RecordingSink> {
        var sink = RecordingSink()
        sink.kept = retention
        var reconstructor = HTTPReconstructor(sink: sink, limits: limits)
        for slot in 0..<count {
            send(pieces, on: .seenFromStart(slot: slot, number: slot), to: &reconstructor)
        }
        return reconstructor
    }

    /// Opens a connection, on which the client sends pieces.
    private func send(
        _ pieces: [String],
        on introduction: ConnectionIntroduction,
        to reconstructor: inout HTTPReconstructor<RecordingSink>
    ) {
        reconstructor.connectionOpened(introduction)
        var sent: Int64 = 0
        for piece in pieces {
            let position = StreamPosition(
                direction: .fromOriginator,
                offset: sent,
                time: PacketTime(nanoseconds: introduction.time.nanoseconds + 1),
                acknowledged: 0,
                startsSegment: true
            )
            let octets = Array(piece.utf8)
            reconstructor.octetsArrived(octets.span, at: position, slot: introduction.slot)
            sent += Int64(octets.count)
        }
    }

    /// Opens one more connection, which has an exchange.
    private func complete(
        _ request: String,
        _ response: String,
        on slot: Int,
        _ reconstructor: inout HTTPReconstructor<RecordingSink>
    ) {
        send([request], on: .seenFromStart(slot: slot, number: slot, at: 2), to: &reconstructor)
        let octets = Array(response.utf8)
        let position = StreamPosition(
            direction: .fromResponder,
            offset: 0,
            time: PacketTime(nanoseconds: 3),
            acknowledged: Int64(request.utf8.count),
            startsSegment: true
        )
        reconstructor.octetsArrived(octets.span, at: position, slot: slot)
    }

    private static let request = "GET / HTTP/1.1\r\nHost: h\r\n\r\n"

    @Test func `clients that pipeline without end give up their own requests, and others keep theirs`() {
        var limits = HTTPLimits()
        limits.openExchanges = 1000
        let pipelining = [String](repeating: Self.request, count: 100)
        let reconstructor = open(200, pipelining, limits: limits)
        let (pending, statistics) = (reconstructor.pendingExchanges, reconstructor.statistics)
        let told = reconstructor.sink.exchanges
        #expect(pending < 1000 + 200)
        #expect(statistics.shedExchanges == 200 * 100 - pending)
        #expect(statistics.abandonedExchanges == 0)
        #expect(told.allSatisfy { $0.integrity.contains(.limitReached) })
        // One request each is never too much.
        let waiting = open(2000, [Self.request], limits: limits)
        let (waitingCount, shed) = (waiting.pendingExchanges, waiting.statistics.shedExchanges)
        #expect(waitingCount == 2000)
        #expect(shed == 0)
    }

    @Test func `below the limit nothing is given up`() {
        var limits = HTTPLimits()
        limits.openExchanges = 1000
        let reconstructor = open(9, [String](repeating: Self.request, count: 100), limits: limits)
        let (pending, shed) = (reconstructor.pendingExchanges, reconstructor.statistics.shedExchanges)
        #expect(pending == 900)
        #expect(shed == 0)
    }

    @Test func `answers behind a gap that wait for their requests are given up like requests`() {
        var limits = HTTPLimits()
        limits.openExchanges = 1000
        var reconstructor = open(200, [Self.request, Self.request], limits: limits)
        for slot in 0..<200 {
            var position = StreamPosition(
                direction: .fromResponder,
                offset: 0,
                time: PacketTime(nanoseconds: 2),
                acknowledged: nil,
                startsSegment: true
            )
            reconstructor.octetsMissing(1, reason: .captureLoss, at: position, slot: slot)
            for _ in 0..<90 {
                let octets = Array("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".utf8)
                position = StreamPosition(
                    direction: .fromResponder,
                    offset: max(position.offset, 1),
                    time: PacketTime(nanoseconds: 3),
                    acknowledged: nil,
                    startsSegment: true
                )
                reconstructor.octetsArrived(octets.span, at: position, slot: slot)
                position = StreamPosition(
                    direction: .fromResponder,
                    offset: position.offset + Int64(octets.count),
                    time: position.time,
                    acknowledged: nil,
                    startsSegment: true
                )
            }
        }
        let (pending, shed) = (reconstructor.pendingExchanges, reconstructor.statistics.shedExchanges)
        let told = reconstructor.sink.exchanges
        #expect(pending <= 1000 + 200)
        #expect(shed > 1_000)
        #expect(told.allSatisfy { !$0.integrity.isEmpty })
    }

    @Test func `heads that are kept until their answers come are bounded together`() {
        var limits = HTTPLimits()
        limits.retainedOctets = 100_000
        let head = "GET / HTTP/1.1\r\nHost: h\r\nX: " + String(repeating: "x", count: 5_000) + "\r\n\r\n"
        let reconstructor = open(100, [head], limits: limits, keeps: Retention(heads: .whole))
        let kept = 100 - reconstructor.statistics.refusedMessages
        #expect(kept * 5_000 <= limits.retainedOctets)
        let pending = reconstructor.pendingExchanges
        #expect(kept * 6_000 > limits.retainedOctets)
        #expect(pending == 100)
    }

    @Test func `an exchange is kept whole while requests without answers take all the room`() throws {
        var limits = HTTPLimits()
        limits.retainedOctets = 100_000
        let head = "GET / HTTP/1.1\r\nHost: h\r\nX: " + String(repeating: "x", count: 5_000) + "\r\n\r\n"
        var reconstructor = open(100, [head], limits: limits, keeps: Retention(heads: .whole, contentOctets: 1_000))
        complete(
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello",
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
            on: 100,
            &reconstructor
        )
        let whole = try #require(reconstructor.sink.exchanges.first)
        let cut = reconstructor.statistics.cutContents
        #expect(whole.integrity.isEmpty && cut == 0)
        #expect(whole.request?.method == "POST" && whole.request?.authority == "h")
        #expect(whole.request?.content == Array("hello".utf8) && whole.response?.content == Array("hi".utf8))
        #expect(whole.response?.value(of: "content-length") == "2")
        for slot in 0..<100 { reconstructor.connectionClosed(.finished, at: PacketTime(nanoseconds: 4), slot: slot) }
        let unanswered = reconstructor.sink.exchanges.dropFirst()
        let shed = unanswered.count { $0.integrity.contains(.limitReached) }
        let refused = reconstructor.statistics.refusedMessages
        #expect(unanswered.count == 100)
        #expect(shed == refused && shed > 50)
        // The oldest made room, and say so; the newest are kept.
        #expect(unanswered.first?.request?.method == "" && unanswered.last?.request?.method == "GET")
        #expect(unanswered.allSatisfy { ($0.request?.method == "") == $0.integrity.contains(.limitReached) })
    }

    @Test func `content is kept while messages without an end take all the room that contents have`() throws {
        var limits = HTTPLimits()
        limits.retainedOctets = 400_000
        let head = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999\r\n\r\n"
        let retention = Retention(heads: .whole, contentOctets: 65_536)
        var reconstructor = open(20, [head, String(repeating: "x", count: 50_000)], limits: limits, keeps: retention)
        complete(
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello",
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
            on: 20,
            &reconstructor
        )
        let whole = try #require(reconstructor.sink.exchanges.first)
        #expect(whole.integrity.isEmpty)
        #expect(whole.request?.content == Array("hello".utf8) && whole.response?.content == Array("hi".utf8))
        for slot in 0..<20 { reconstructor.connectionClosed(.finished, at: PacketTime(nanoseconds: 4), slot: slot) }
        let requests = reconstructor.sink.exchanges.dropFirst().compactMap(\.request)
        let (cut, refused) = (reconstructor.statistics.cutContents, reconstructor.statistics.refusedMessages)
        #expect(requests.count == 20 && requests.allSatisfy { $0.contentOctets == 50_000 && $0.method == "POST" })
        // The oldest made room.
        #expect(requests.first?.content == [] && requests.last?.content.count == 50_000)
        #expect(requests.count { $0.content.count < 50_000 } == cut)
        #expect(refused == 0)
    }

    @Test func `contents are cut short before heads are refused`() {
        var limits = HTTPLimits()
        limits.retainedOctets = 400_000
        let head = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999\r\n\r\n"
        let pieces = [head, String(repeating: "x", count: 50_000)]
        var reconstructor = open(20, pieces, limits: limits, keeps: Retention(heads: .whole, contentOctets: 65_536))
        let statistics = reconstructor.statistics
        #expect(statistics.refusedMessages == 0)
        #expect(statistics.cutContents >= 14)
        for slot in 0..<20 { reconstructor.connectionClosed(.finished, at: PacketTime(nanoseconds: 2), slot: slot) }
        // What was kept is released with its exchanges, so that the next ones are kept whole.
        let before = statistics.cutContents
        send(pieces, on: .seenFromStart(number: 20, at: 3), to: &reconstructor)
        let after = reconstructor.statistics.cutContents
        #expect(after == before)
    }

    @Test func `interim answers without end are marked, and only the first are kept`() throws {
        let record = Conversation(
            .client(Self.request),
            .server(String(repeating: "HTTP/1.1 102 \r\n\r\n", count: 1000)),
            .server("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        ).read()
        let exchange = try #require(record.exchanges.first)
        #expect(exchange.interim.count == HTTPLimits.interimStatuses)
        #expect(exchange.integrity.contains(.limitReached))
        #expect(exchange.response?.status == 200)
    }
}
