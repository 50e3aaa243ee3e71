// Wingmirror · Apache-2.0

import Recordings
import Synchronization
import Testing
import TrafficModel

/// A scratch file that is none, of which writing and reading can fail.
private final class TestScratch: RecordingScratch {
    private let octets = Mutex<[UInt8]>([])
    private let limit: Int
    private let isReadable: Bool

    init(limit: Int = .max, isReadable: Bool = true) {
        self.limit = limit
        self.isReadable = isReadable
    }

    var count: Int { octets.withLock(\.count) }

    func write(_ new: [UInt8], at offset: Int) -> String? {
        octets.withLock { octets in
            guard offset + new.count <= limit else { return "it is full" }
            octets.removeLast(octets.count - offset)
            octets += new
            return nil
        }
    }

    func octets(at offset: Int, count: Int) -> [UInt8]? {
        guard isReadable else { return nil }
        return octets.withLock { octets in
            offset + count <= octets.count ? Array(octets[offset..<offset + count]) : nil
        }
    }
}

@Suite struct RecordingStoreTests {
    /// An exchange in which nothing is as it is when nobody says anything.
    private static func exchange(_ number: Int) -> RecordedExchange {
        var request = RecordedMessage(
            fields: [
                RecordedField(name: "Host", value: [0x68, 0xFF]),
                RecordedField(name: "x-ä", value: [], isSecret: true),
            ],
            content: [UInt8](repeating: 7, count: number),
            contentOctets: 1 << 40
        )
        request.contentIsOpen = true
        var response = RecordedMessage(fields: [], content: [0, 0x80, 0xFF])
        response.trailers = [RecordedField(name: "grpc-status", value: "0")]
        var exchange = RecordedExchange(
            request: RecordedRequest(method: "PUT", target: [0x2F, 0xFE], message: request),
            response: RecordedResponse(status: 503, message: response),
            route: RouteName(virtualServiceNamespace: "shop", virtualService: "cart", route: "#3"),
            clientAddress: "192.0.2.9",
            connection: -1,
            startTime: Int64(number),
            firstByteNanoseconds: .min,
            durationNanoseconds: .max,
            integrity: ["gap", "cut"],
            serverAddress: "2001:db8::1",
            serverPort: 8443,
            protocolVersion: "HTTP/2",
            requestNanoseconds: -1
        )
        exchange.isRequestEnded = true
        exchange.isSecured = true
        exchange.serverName = ""
        return exchange
    }

    private static let answers = [
        ReplayedAnswer(
            time: .min,
            roundTripNanoseconds: nil,
            response: RecordedResponse(status: 200, message: RecordedMessage(fields: [], content: [1]))
        ),
        ReplayedAnswer(time: .max, roundTripNanoseconds: 300, isCut: true),
    ]

    @Test(arguments: [Int.max, 1 << 12, 0])
    func `exchanges come back as they were, from memory and from a scratch file`(room: Int) {
        let scratch = TestScratch()
        let store = RecordingStore(room: room, scratch: scratch)
        for number in 0..<100 {
            store.append(RecordingEntry(exchange: Self.exchange(number), replayed: Self.answers))
            store.append(Samples.exchange(at: Int64(number)))
        }
        #expect((scratch.count > 0) == (room < .max))
        let entries = store.takeEntries()
        #expect(entries.count == 200 && entries.loss == nil)
        for number in 0..<100 {
            // Text has every property in it, those to come too.
            #expect("\(entries[2 * number].exchange)" == "\(Self.exchange(number))")
            #expect("\(entries[2 * number].replayed)" == "\(Self.answers)")
            #expect("\(entries[2 * number + 1].exchange)" == "\(Samples.exchange(at: Int64(number)))")
        }
    }

    @Test func `what is in a scratch file takes no memory but for its place`() {
        let scratch = TestScratch()
        let store = RecordingStore(room: 0, scratch: scratch)
        for number in 0..<100 {
            store.append(Samples.exchange(content: [UInt8](repeating: 0, count: 50_000), at: Int64(number)))
        }
        #expect(scratch.count >= 5_000_000)
        #expect(store.octetsInMemory < 100 << 10)
    }

    @Test func `the earliest is first, and those of one moment are as they came`() {
        let entries = RecordingEntries(
            [("/b", 2), ("/c", 2), ("/a", 1), ("/d", 2)].map { target, time in
                RecordingEntry(exchange: Samples.exchange("GET", target, at: time))
            }
        )
        #expect(entries.map(\.exchange.request.targetText) == ["/a", "/b", "/c", "/d"])
        #expect(entries.startTimes == [1, 2, 2, 2])
        let some = entries.selected([1, 3]) { $0.exchange.request.method = "HEAD" }
        #expect(some.map(\.exchange.request.targetText) == ["/b", "/d"])
        #expect(some.allSatisfy { $0.exchange.request.method == "HEAD" })
        #expect(entries.allSatisfy { $0.exchange.request.method == "GET" })
    }

    @Test func `what a full scratch file does not take stays in memory`() {
        let scratch = TestScratch(limit: 10_000)
        let store = RecordingStore(room: 0, scratch: scratch)
        for number in 0..<100 { store.append(Self.exchange(number)) }
        #expect(store.failure == "it is full")
        #expect(scratch.count <= 10_000)
        let entries = store.takeEntries()
        for number in 0..<100 { #expect("\(entries[number].exchange)" == "\(Self.exchange(number))") }
        // Nothing is lost by that.
        #expect(entries.loss == nil)
    }

    @Test func `what cannot be read again is an exchange without a method, and is said`() {
        let store = RecordingStore(room: 0, scratch: TestScratch(isReadable: false))
        store.append(Samples.exchange(at: 5))
        let entries = store.takeEntries()
        #expect(entries.count == 1 && entries.loss == nil)
        #expect(entries[0].exchange.request.method.isEmpty && entries[0].exchange.startTime == 5)
        #expect(entries.loss?.contains("cannot be read") == true)
    }

    @Test func `records of a gor file are joined where they lie apart in a scratch file`() {
        let request: (Int) -> String = {
            "1 a\($0) \($0) 0\nGET /\($0) HTTP/1.1\r\nHost: h\r\n\r\n" + Samples.separator
        }
        let answer: (Int, Int) -> String = {
            "\($0) a\($1) 900 0\nHTTP/1.1 \(200 + $0) Ok\r\nContent-Length: 0\r\n\r\n" + Samples.separator
        }
        let numbers = 0..<50
        let early = numbers.filter { $0 % 2 == 0 }.map { answer(2, $0) }
        let late = numbers.filter { $0 % 2 == 1 }.map { answer(2, $0) } + numbers.map { answer(3, $0) }
        let (records, _) = Samples.records(Samples.octets((early + numbers.map(request) + late).joined()))
        var joiner = GorJoiner(store: RecordingStore(room: 0, scratch: TestScratch()))
        for record in records { joiner.append(record) }
        let recording = joiner.finish()
        #expect(recording.losses.isEmpty)
        #expect(recording.entries.map(\.exchange.request.targetText) == numbers.map { "/\($0)" })
        #expect(recording.entries.allSatisfy { $0.exchange.response?.status == 202 && $0.exchange.integrity.isEmpty })
        #expect(recording.entries.allSatisfy { $0.replayed.map(\.response?.status) == [203] })
    }

    @Test func `of many replayed responses to a request the two are kept that are judged`() {
        let request = "1 aa 1 0\nGET / HTTP/1.1\r\nHost: h\r\n\r\n" + Samples.separator
        let answers = (200..<300).map { "3 aa 2 0\nHTTP/1.1 \($0) Ok\r\nContent-Length: 0\r\n\r\n" + Samples.separator }
        let recording = Samples.recording(Samples.octets(request + answers.joined()))
        #expect(recording.entries.map { $0.replayed.map(\.response?.status) } == [[200, 201]])
    }
}
