// Wingmirror · Apache-2.0

import OctetText
import Recordings
import TestSupport
import Testing
import TrafficModel

@Suite struct GorReaderTests {
    /// As GoReplay writes them: four numbers in front, ids of 24 digits that spell ports, address and sequence number.
    static let written =
        "1 d7ad1f91c000024d2ef3ae5d 1763870000000000000 125000\n"
        + "POST /cart HTTP/1.1\r\nHost: shop.example.com\r\nContent-Length: 7\r\n\r\na=1&b=2" + Samples.separator
        + "2 d7ad1f91c000024d2ef3ae5d 1763870000004000000 900000\n"
        + "HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nWiki\r\n5\r\npedia\r\n0\r\n\r\n"
        + Samples.separator
        + "3 d7ad1f91c000024d2ef3ae5d 1763870100000000000 7000000\n"
        + "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n" + Samples.separator

    @Test func `request, response and replayed response of one id are one entry`() throws {
        let recording = Samples.recording(Samples.octets(Self.written))
        #expect(recording.losses.isEmpty)
        let entry = try #require(recording.entries.first)
        #expect(recording.entries.count == 1)
        #expect(entry.exchange.request.method == "POST")
        #expect(entry.exchange.request.targetText == "/cart")
        #expect(entry.exchange.request.message.content == Samples.octets("a=1&b=2"))
        #expect(entry.exchange.requestNanoseconds == 125_000)
        #expect(entry.exchange.startTime == 1_763_870_000_000_000_000)
        #expect(entry.exchange.response?.status == 201)
        #expect(entry.exchange.response?.message.content == Samples.octets("Wikipedia"))
        #expect(entry.exchange.firstByteNanoseconds == 4_000_000)
        #expect(entry.exchange.durationNanoseconds == 4_900_000)
        #expect(entry.exchange.integrity == [])
        #expect(entry.replayed.map(\.response?.status) == [500])
        #expect(entry.replayed.first?.roundTripNanoseconds == 7_000_000)
    }

    @Test(arguments: [
        ("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", true), ("", true), ("xxx\r\n\r\n", false),
        ("HTTP/1.1 0 \r\n\r\n", false),
    ])
    func `a replayed response that is not whole is one, and that of the end of a file is none`(
        message: String,
        isCut: Bool
    ) throws {
        let request = "1 aa 1 0\nGET / HTTP/1.1\r\nHost: a\r\n\r\n" + Samples.separator
        let replay = "3 aa 2 5\n" + message
        let damaged = Samples.recording(Samples.octets(request + replay + Samples.separator + request))
        let answer = try #require(damaged.entries.first?.replayed.first)
        #expect(answer.response == nil && answer.isCut == isCut && answer.roundTripNanoseconds == 5)
        #expect(damaged.losses[isCut ? .cutMessage : .malformedMessage] == 1)
        let ended = Samples.recording(Samples.octets(request + replay))
        #expect(ended.entries.first?.replayed.isEmpty == true)
        let head = "1 aa 3 0\nHEAD / HTTP/1.1\r\nHost: a\r\n\r\n" + Samples.separator
        let early = Samples.recording(Samples.octets(replay + Samples.separator + head))
        #expect(early.entries.first?.replayed.isEmpty == isCut)
    }

    @Test func `headers of three fields, with ids of 40 digits, are those of older files`() throws {
        let identifier = String(repeating: "c0ffee42", count: 5)
        let file = "1 \(identifier) 1435000000000000000\nGET / HTTP/1.1\r\nHost: a\r\n\r\n" + Samples.separator
        let (records, losses) = Samples.records(Samples.octets(file))
        #expect(losses.isEmpty)
        #expect(records.map(\.identifier) == [identifier])
        #expect(records.first?.time == 1_435_000_000_000_000_000)
        #expect(records.first?.latencyNanoseconds == nil)
    }

    @Test(arguments: ["", "\n", "\n\u{1F435}", Samples.separator]) func `the last separator may be missing`(
        _ end: String
    ) {
        let file = Self.written.dropLast(Samples.separator.count) + end
        let (records, losses) = Samples.records(Samples.octets(String(file)))
        #expect(records.count == 3)
        #expect(losses.isEmpty)
    }

    @Test func `a body that holds the separator is read whole where framing says so`() {
        let body = "before" + Samples.separator + "behind"
        let chunk = String(body.utf8.count, radix: 16)
        let file =
            "1 aa 1 0\nPOST / HTTP/1.1\r\nHost: a\r\nContent-Length: \(body.utf8.count)\r\n\r\n" + body
            + Samples.separator
            + "1 bb 2 0\nPOST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\(chunk)\r\n" + body
            + "\r\n0\r\n\r\n" + Samples.separator
            + "1 cc 3 0\nGET / HTTP/1.1\r\nHost: a\r\n\r\n" + Samples.separator
        for size in [1, 7, .max] {
            let (records, losses) = Samples.records(Samples.octets(file), by: size)
            #expect(losses.isEmpty)
            #expect(records.map(\.identifier) == ["aa", "bb", "cc"])
            #expect(
                records.prefix(2).map { $0.request?.message.content } == [Samples.octets(body), Samples.octets(body)]
            )
        }
    }

    @Test func `a message cut before its end is counted, and the next record read`() {
        let file =
            "1 aa 1 0\nPOST / HTTP/1.1\r\nHost: a\r\nContent-Length: 500\r\n\r\nshort" + Samples.separator
            + "1 bb 2 0\nGET / HTTP/1.1\r\nHost: a\r\n\r\n" + Samples.separator
        let (records, losses) = Samples.records(Samples.octets(file))
        #expect(records.map(\.identifier) == ["bb"])
        #expect(losses.reasons.map(\.reason) == [.cutMessage])
        #expect(losses.total == 1)
    }

    @Test func `octets behind the end of a message are counted as damage`() {
        let file = "1 aa 1 0\nGET / HTTP/1.1\r\nHost: a\r\n\r\nmore" + Samples.separator
        let (records, losses) = Samples.records(Samples.octets(file))
        #expect(records.isEmpty)
        #expect(losses[.cutMessage] == 1)
    }

    @Test(
        arguments: [
            "hello world", "4 aa 1 0", "1  1 0", "1 aa x 0", "1 aa", "11 aa 1 0",
            "1 aa 99999999999999999999 0", "",
        ]
    )
    func `a record with another line in front is counted and passed over`(_ line: String) {
        let good = "1 bb 2 0\nGET / HTTP/1.1\r\nHost: a\r\n\r\n" + Samples.separator
        let file = good + line + "\nGET /lost HTTP/1.1\r\nHost: a\r\n\r\n" + Samples.separator + good
        let (records, losses) = Samples.records(Samples.octets(file))
        #expect(records.map { $0.request?.targetText } == ["/", "/"])
        #expect(losses[.malformedRecord] == 1)
    }

    @Test func `a message that is no HTTP is counted as such`() {
        let file = "1 bb 2 0\nBREW\u{1}POT\r\n\r\n" + Samples.separator
        let (records, losses) = Samples.records(Samples.octets(file))
        #expect(records.isEmpty)
        #expect(losses[.malformedMessage] == 1)
    }

    @Test func `two framings in one message are not guessed at`() {
        let file =
            "1 bb 2 0\nPOST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
            + "0\r\n\r\n" + Samples.separator
        let (records, losses) = Samples.records(Samples.octets(file))
        #expect(records.isEmpty)
        #expect(losses[.malformedMessage] == 1)
    }

    @Test func `the response to HEAD has no content, whatever its length says`() {
        let file =
            "1 bb 2 0\nHEAD / HTTP/1.1\r\nHost: a\r\n\r\n" + Samples.separator
            + "2 bb 3 0\nHTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + Samples.separator
            + "1 cc 4 0\nGET / HTTP/1.1\r\nHost: a\r\n\r\n" + Samples.separator
        let recording = Samples.recording(Samples.octets(file))
        #expect(recording.losses.isEmpty)
        #expect(recording.entries.map { $0.exchange.response?.status } == [200, nil])
    }

    @Test func `interim responses in front of the answer are passed over`() {
        let file =
            "1 bb 2 0\nGET / HTTP/1.1\r\nHost: a\r\n\r\n" + Samples.separator
            + "2 bb 3 0\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n" + Samples.separator
        let recording = Samples.recording(Samples.octets(file))
        #expect(recording.losses.isEmpty)
        #expect(recording.entries.map { $0.exchange.response?.status } == [204])
    }

    @Test func `a response that ends with its connection ends with its record`() {
        let file =
            "1 bb 2 0\nGET / HTTP/1.1\r\nHost: a\r\n\r\n" + Samples.separator
            + "2 bb 3 0\nHTTP/1.0 200 OK\r\n\r\nto the end" + Samples.separator
            + "1 cc 4 0\nGET / HTTP/1.1\r\nHost: a\r\n\r\n" + Samples.separator
        let recording = Samples.recording(Samples.octets(file))
        #expect(recording.losses.isEmpty)
        #expect(recording.entries.first?.exchange.response?.message.content == Samples.octets("to the end"))
        #expect(recording.entries.count == 2)
    }

    @Test func `a response without its request is counted`() {
        let file = "2 bb 3 0\nHTTP/1.1 204 No Content\r\n\r\n" + Samples.separator
        let recording = Samples.recording(Samples.octets(file))
        #expect(recording.entries.isEmpty)
        #expect(recording.losses[.noRequest] == 1)
    }

    @Test func `a response may come before its request, and in another file`() {
        let (response, _) = Samples.records(
            Samples.octets("2 bb 3 0\nHTTP/1.1 204 No Content\r\n\r\n" + Samples.separator)
        )
        let (request, _) = Samples.records(
            Samples.octets("1 bb 2 0\nGET / HTTP/1.1\r\nHost: a\r\n\r\n" + Samples.separator)
        )
        var joiner = GorJoiner()
        for record in response + request { joiner.append(record) }
        let recording = joiner.finish()
        #expect(recording.losses.isEmpty)
        #expect(recording.entries.map { $0.exchange.response?.status } == [204])
    }

    @Test func `several files are merged by time`() {
        let first = Samples.gor([
            Samples.exchange("GET", "/1", at: 1_000), Samples.exchange("GET", "/4", at: 4_000),
            Samples.exchange("GET", "/2", at: 2_000),
        ])
        let second = Samples.gor([Samples.exchange("GET", "/3", at: 3_000), Samples.exchange("GET", "/0", at: 500)])
        let merged = Samples.recording(first.octets + second.octets)
        #expect(merged.entries.map(\.exchange.request.targetText) == ["/0", "/1", "/2", "/3", "/4"])
    }

    @Test func `what came at one moment stays in its order`() {
        let file = Samples.gor([
            Samples.exchange("GET", "/1", at: 1_000), Samples.exchange("GET", "/2", at: 1_000),
            Samples.exchange("GET", "/3", at: 3_000), Samples.exchange("GET", "/0", at: 500),
        ])
        let recording = Samples.recording(file.octets)
        #expect(recording.entries.map(\.exchange.request.targetText) == ["/0", "/1", "/2", "/3"])
    }

    @Test func `a record over the limit is counted, and the next one read`() {
        var limits = RecordingLimits()
        limits.recordOctets = 1000
        let large = String(repeating: "x", count: 5000)
        let file =
            "1 aa 1 0\nPOST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9000\r\n\r\n" + large + Samples.separator
            + "1 bb 2 0\nGET / HTTP/1.1\r\nHost: a\r\n\r\n" + Samples.separator
        let (records, losses) = Samples.records(Samples.octets(file), by: 64, limits: limits)
        #expect(records.map(\.identifier) == ["bb"])
        #expect(losses[.tooLarge] == 1)
    }

    @Test func `messages whose framing is wrong cost no more than the budget`() {
        var limits = RecordingLimits()
        limits.searchedOctets = 4096
        let record = "1 aa 1 0\nPOST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nshort" + Samples.separator
        let file = Samples.octets(String(repeating: record, count: 200))
        let (records, losses) = Samples.records(file, limits: limits)
        #expect(records.isEmpty)
        #expect(losses[.cutMessage] == 200)
    }

    // MARK: - Any octets

    @Test func `a file cut at any octet gives whole records and counted losses`() throws {
        let file = Samples.octets(Self.written)
        let ends = [0, 1, 2, 3]
        for length in 0...file.count {
            let (records, losses) = Samples.records(Array(file[..<length]))
            #expect(ends.contains(records.count))
            #expect(losses.total <= 1, "cut at \(length)")
            for (record, whole) in zip(records, Samples.records(file).records) {
                #expect(record.request == whole.request)
                #expect(record.response == whole.response)
            }
        }
    }

    @Test func `octets in pieces of any size give the same as all at once`() {
        let file = Samples.octets(Self.written + "rubbish\n" + Samples.separator + Self.written)
        let whole = Samples.records(file)
        for size in 1...64 {
            let pieces = Samples.records(file, by: size)
            #expect(pieces.records.map(\.identifier) == whole.records.map(\.identifier))
            #expect(pieces.records.map(\.response) == whole.records.map(\.response))
            #expect(pieces.losses == whole.losses)
        }
    }

    @Test(arguments: [1, 2, 3] as [UInt64]) func `changed octets never end the reader`(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let file = Samples.octets(Self.written)
        for _ in 0..<2000 {
            var changed = file
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                let place = Int.random(in: 0..<changed.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: changed[place] = UInt8.random(in: 0...255, using: &random)
                case 1: changed.remove(at: place)
                default: changed.insert(contentsOf: changed[place...].prefix(20), at: place)
                }
            }
            let recording = Samples.recording(changed, by: Int.random(in: 1...400, using: &random))
            #expect(recording.entries.count <= 2, "seed \(seed)")
        }
    }
}
