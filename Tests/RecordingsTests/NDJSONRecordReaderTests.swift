// Wingmirror · Apache-2.0

import OctetText
import Recordings
import TestSupport
import Testing
import TrafficModel

@Suite struct NDJSONRecordReaderTests {
    /// A record as `read --output ndjson --fields --content 1024` prints it.
    static let line =
        #"{"client":"[2001:db8::9]:51034","server":"10.0.0.1:8080","connection":17,"exchange":0,"#
        + #""startTime":"2026-11-23T04:06:00.123456Z","protocol":"HTTP/1.1","request":{"method":"POST","#
        + #""target":"/products/1?x=2","scheme":"http","authority":"shop.example.com","fieldCount":2,"#
        + #""contentBytes":5,"trailerCount":0,"fields":[["Host","shop.example.com"],["X-A","1"]],"#
        + #""content":"aGVsbG8=","contentTruncated":false},"response":{"status":200,"fieldCount":1,"#
        + #""contentBytes":1234,"contentEncoding":"gzip","trailerCount":0,"interim":[103],"#
        + #""fields":[["Content-Encoding","gzip"]],"content":"H4sI","contentTruncated":true},"#
        + #""timing":{"responseFirstByteSeconds":0.0021,"durationSeconds":1},"integrity":[],"#
        + #""route":{"outcome":"route","gateway":"default/g","virtualService":"default/product-vs","rule":3,"match":0,"#
        + #""routeName":"","action":"forward","destinations":[]}}"#

    static func read(
        _ text: String,
        by size: Int = .max,
        limits: RecordingLimits = RecordingLimits()
    ) -> (exchanges: [RecordedExchange], losses: RecordingLosses, problem: (line: Int, reason: String)?) {
        var reader = NDJSONRecordReader(limits: limits)
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            reader.append(Array(rest.prefix(size)))
            rest = rest.dropFirst(size)
        }
        reader.finish()
        return (reader.takeExchanges(), reader.losses, reader.firstProblem)
    }

    @Test(arguments: [
        ("as long as its length", #""Content-Length","5""#, "HTTP/1.1", true),
        ("shorter than its length", #""Content-Length","7""#, "HTTP/1.1", false),
        ("as long as its length, over HTTP/2", #""content-length","5""#, "HTTP/2", true),
        ("without a length", #""X-A","1""#, "HTTP/1.1", false),
        ("in chunks", #""Transfer-Encoding","chunked""#, "HTTP/1.1", false),
    ])
    func `a record tells that a request had ended only where its length does`(
        label: String,
        field: String,
        version: String,
        isEnded: Bool
    ) throws {
        let line = Self.line.replacing(#""X-A","1""#, with: field).replacing("HTTP/1.1", with: version)
            .replacing(#""integrity":[]"#, with: #""integrity":["reset_by_server","no_response"]"#)
        let exchange = try #require(Self.read(line).exchanges.first)
        #expect(exchange.isRequestSeenWhole == isEnded)
    }

    @Test func `a record with fields and content is an exchange`() throws {
        let (exchanges, losses, _) = Self.read(Self.line + "\n")
        #expect(losses.isEmpty)
        let exchange = try #require(exchanges.first)
        #expect(exchange.request.method == "POST")
        #expect(exchange.request.targetText == "/products/1?x=2")
        #expect(exchange.request.authority == "shop.example.com")
        #expect(exchange.request.message.content == Array("hello".utf8))
        #expect(exchange.response?.status == 200)
        #expect(exchange.response?.message.contentOctets == 1234)
        #expect(exchange.response?.message.contentIsWhole == false)
        #expect(exchange.clientAddress == "2001:db8::9")
        #expect(exchange.serverAddress == "10.0.0.1")
        #expect(exchange.serverPort == 8080)
        #expect(exchange.connection == 17)
        // date -u -d 2026-11-23T04:06:00 +%s
        #expect(exchange.startTime == 1_795_406_760_123_456_000)
        #expect(exchange.firstByteNanoseconds == 2_100_000)
        #expect(exchange.durationNanoseconds == 1_000_000_000)
        #expect(exchange.integrity == [])
        let route = RouteName(virtualServiceNamespace: "default", virtualService: "product-vs", route: "#3")
        #expect(exchange.route == route)
    }

    @Test func `escaped octets are had back, and only where the message says that they are escaped`() throws {
        let escaped = Self.line.replacing("/products/1?x=2", with: #"/caf\\xe9"#)
            .replacing(#""1"]"#, with: #""\\xff\\\\"]"#)
        let marked = escaped.replacing(#""request":{"#, with: #""request":{"octetsEscaped":true,"#)
        let (exchanges, losses, _) = Self.read(escaped + "\n" + marked)
        #expect(losses.isEmpty)
        #expect(exchanges.map(\.request.target) == [Array(#"/caf\xe9"#.utf8), Array("/caf".utf8) + [0xE9]])
        let values = exchanges.map { $0.request.message.values(of: "x-a").first }
        #expect(values == [Array(#"\xff\\"#.utf8), [0xFF, 0x5C]])
        let broken = marked.replacing(#"\\xe9"#, with: #"\\e9"#)
        #expect(Self.read(broken).losses[.malformedRecord] == 1)
    }

    @Test func `a response may be missing and a route too`() {
        let range = Self.line.range(of: #""response":"#, upTo: #","timing""#)
        let text = Self.line.replacingCharacters(in: range, with: #""response":null"#)
        let (exchanges, losses, _) = Self.read(text)
        #expect(losses.isEmpty)
        #expect(exchanges.count == 1)
        #expect(exchanges.first?.response == nil)
    }

    @Test(arguments: [
        (RecordingLoss.noFields, #","fields":[["Host","shop.example.com"],["X-A","1"]]"#, ""),
        (.noContent, #","content":"aGVsbG8=","contentTruncated":false"#, ""),
        (.noContent, #""contentBytes":5"#, #""contentBytes":6"#),
        (.malformedRecord, #""contentBytes":5"#, #""contentBytes":4"#),
        (.malformedRecord, #""contentBytes":5"#, #""contentBytes":-5"#),
        (.malformedRecord, "aGVsbG8=", "aGVsbG8"), (.malformedRecord, "aGVsbG8=", "aGVs_G8="),
        (.malformedRecord, "aGVsbG8=", "===="), (.malformedRecord, #""method":"POST","#, ""),
        (.malformedRecord, "2026-11-23T", "2026-13-23T"), (.malformedRecord, ".123456Z", ".123456+01:00"),
        (.malformedRecord, #"["X-A","1"]"#, #"["X-A"]"#), (.malformedRecord, #"["X-A","1"]"#, #"["X A\n","1"]"#),
        (.malformedRecord, #""status":200"#, #""status":"200""#),
        (.malformedRecord, #""integrity":[]"#, #""integrity":0"#),
        (.malformedRecord, #""request":{"#, #""request":{"method":1,"#), (.malformedRecord, "{", "["),
    ])
    func `what cannot be replayed is counted under its reason`(_ loss: RecordingLoss, _ old: String, _ new: String) {
        let changed = Self.line.replacing(old, with: new, maxReplacements: 1)
        #expect(changed != Self.line)
        let (exchanges, losses, problem) = Self.read(Self.line + "\n" + changed + "\n\n" + Self.line + "\n")
        #expect(exchanges.count == 2)
        #expect(losses[loss] == 1)
        #expect(losses.total == 1)
        #expect(problem?.line == 2)
    }

    @Test func `a request that was not seen is counted`() {
        let range = Self.line.range(of: #""request":"#, upTo: #","response""#)
        let (exchanges, losses, _) = Self.read(Self.line.replacingCharacters(in: range, with: #""request":null"#))
        #expect(exchanges.isEmpty)
        #expect(losses[.noRequest] == 1)
    }

    @Test func `a line over the limit is passed over without being kept`() {
        var limits = RecordingLimits()
        limits.recordOctets = Self.line.utf8.count
        let long = String(repeating: "x", count: 10_000)
        let (exchanges, losses, _) = Self.read(long + "\n" + Self.line + "\n" + long, by: 100, limits: limits)
        #expect(exchanges.count == 1)
        #expect(losses[.tooLarge] == 2)
    }

    @Test func `a file cut at any octet gives whole records and one counted loss`() {
        let text = Self.line + "\n" + Self.line
        for length in stride(from: 0, through: text.utf8.count, by: 1) {
            let (exchanges, losses, _) = Self.read(String(text.prefix(length)), by: 97)
            #expect(exchanges.count + losses.total <= 2)
            let isBetweenLines = length == 0 || length == Self.line.count || length == Self.line.count + 1
            #expect(losses.isEmpty == (isBetweenLines || length == text.count), "cut at \(length)")
        }
    }

    @Test func `changed octets never end the reader`() {
        var random = SeededGenerator(seed: 7)
        for _ in 0..<2000 {
            var changed = Array(Self.line.utf8)
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                changed[Int.random(in: 0..<changed.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            var reader = NDJSONRecordReader()
            reader.append(changed)
            reader.finish()
            #expect(reader.takeExchanges().count <= 2)
        }
    }
}

extension String {
    /// From the beginning of one text to the beginning of another behind it.
    fileprivate func range(of start: String, upTo end: String) -> Range<String.Index> {
        guard let first = firstRange(of: start)?.lowerBound, let last = self[first...].firstRange(of: end)?.lowerBound
        else {
            return startIndex..<startIndex
        }
        return first..<last
    }

    fileprivate func replacingCharacters(in range: Range<Index>, with text: String) -> String {
        self[..<range.lowerBound] + text + self[range.upperBound...]
    }
}
