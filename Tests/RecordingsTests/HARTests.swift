// Wingmirror · Apache-2.0

import JSONSyntax
import Recordings
import Testing
import TrafficModel

@Suite struct HARTests {
    /// Writes exchanges as an archive and reads it back.
    static func archive(
        _ exchanges: [RecordedExchange],
        redaction: RecordingRedaction = Samples.redaction(),
        limits: RecordingLimits = RecordingLimits(),
        decoder: HARWriter.ContentDecoder? = nil
    ) throws -> JSONValue {
        var writer = HARWriter(
            creatorVersion: "0.1",
            key: RecordingKey(secret: "k"),
            redaction: redaction,
            decoder: decoder,
            limits: limits
        )
        var octets: [UInt8] = []
        for exchange in exchanges {
            writer.append(exchange)
            octets += writer.takeOctets()
        }
        octets += writer.finish()
        return try JSONDocument.parse(octets)
    }

    static func entries(_ archive: JSONValue) -> [JSONValue] {
        if case .array(let entries)? = archive["log"]?["entries"] { entries } else { [] }
    }

    static func entry(_ exchange: RecordedExchange, decoder: HARWriter.ContentDecoder? = nil) throws -> JSONValue {
        try #require(entries(try archive([exchange], decoder: decoder)).first)
    }

    static func starts(_ archive: JSONValue) -> [JSONValue?] { entries(archive).map { $0["startedDateTime"] } }

    // MARK: - Members

    @Test func `an archive without entries is one`() throws {
        let archive = try Self.archive([])
        #expect(ArchiveRules.violations(of: archive) == [])
        #expect(Self.entries(archive).isEmpty)
    }

    @Test func `every required member is there, and every own one begins with an underscore`() throws {
        var unanswered = Samples.exchange(integrity: ["no_response"])
        unanswered.response = nil
        unanswered.durationNanoseconds = nil
        unanswered.firstByteNanoseconds = nil
        var routed = Samples.exchange(
            "POST",
            fields: [("Cookie", "a=b; c"), ("Content-Type", "application/json")],
            content: Samples.octets(#"{"a":1}"#),
            status: 302,
            responseFields: [("Set-Cookie", "sid=1; Path=/; HttpOnly"), ("Location", "/next")]
        )
        routed.route = RouteName(virtualServiceNamespace: "default", virtualService: "product-vs", route: "#0")
        let binary = Samples.exchange("PUT", content: [0, 1, 0xFF], responseContent: [0xFE, 0, 1])
        let archive = try Self.archive([unanswered, routed, binary, Samples.exchange("CONNECT", "db:5432")])
        #expect(ArchiveRules.violations(of: archive) == [])
        #expect(Self.entries(archive).count == 4)
    }

    @Test func `the rules of the test notice what is missing`() throws {
        let archive = try Self.archive([Samples.exchange()])
        let text = String(decoding: archive.encoded(), as: UTF8.self)
        for change in [("\"cache\":{},", ""), ("\"wait\":1.5", "\"wait\":-1"), ("\"url\":\"http://", "\"url\":\"")] {
            let changed = text.replacing(change.0, with: change.1)
            #expect(changed != text)
            #expect(ArchiveRules.violations(of: try JSONDocument.parse(Array(changed.utf8))) != [])
        }
    }

    @Test func `timings are what was seen on the network, in milliseconds`() throws {
        let entry = try Self.entry(Samples.exchange())
        #expect(entry["time"] == .integer(5))
        #expect(entry["timings"]?["send"] == .double(0.5))
        #expect(entry["timings"]?["wait"] == .double(1.5))
        #expect(entry["timings"]?["receive"] == .integer(3))
        #expect(entry["timings"]?["connect"] == .integer(-1))
        #expect(entry["startedDateTime"] == "2025-11-23T03:53:20.000000Z")
    }

    @Test(
        arguments: [(nil, nil, nil), (9_000_000, 2_000_000, 5_000_000), (0, 7, 3), (-5, -5, -5)]
            as [(Int64?, Int64?, Int64?)]
    )
    func `timings are never negative and make up the time`(_ request: Int64?, _ firstByte: Int64?, _ duration: Int64?)
        throws
    {
        var exchange = Samples.exchange()
        exchange.requestNanoseconds = request
        exchange.firstByteNanoseconds = firstByte
        exchange.durationNanoseconds = duration
        #expect(ArchiveRules.violations(of: try Self.archive([exchange])) == [])
    }

    @Test(arguments: [
        ("/a?b=c%20d+e&f&=g#frag", "http://shop.example.com/a?b=c%20d+e&f&=g", ["b", "c d e", "f", "", "", "g"]),
        ("http://other.example/x", "http://other.example/x", []), ("*", "http://shop.example.com", []),
        ("/ü?q=%zz", "http://shop.example.com/%C3%BC?q=%zz", ["q", "%zz"]),
    ])
    func `the URL is absolute and the query decoded`(_ target: String, _ url: String, _ query: [String]) throws {
        let request = try #require(try Self.entry(Samples.exchange("GET", target))["request"])
        #expect(request["url"] == .string(url))
        guard case .array(let parameters)? = request["queryString"] else {
            Issue.record("no queryString")
            return
        }
        let words = parameters.flatMap { [$0["name"], $0["value"]] }
        #expect(words == query.map(JSONValue.string))
    }

    @Test func `a query's octets that are no UTF-8 have escapes, and a mark`() throws {
        let request = try #require(try Self.entry(Samples.exchange("GET", "/a?q=%FF%5C&b=c"))["request"])
        #expect(
            request["queryString"] == [
                ["name": "q", "value": #"\xff\\"#, "_octetsEscaped": true], ["name": "b", "value": "c"],
            ]
        )
    }

    @Test(
        arguments: [
            ("/health", "198.51.100.20", 8080, "http://198.51.100.20:8080/health"),
            ("/health", "2001:db8::5", 8080, "http://[2001:db8::5]:8080/health"),
            ("/health", "2001:db8::5", 80, "http://[2001:db8::5]/health"),
            ("*", "198.51.100.20", 8080, "http://198.51.100.20:8080"),
            ("HTTP://other.example/x", "198.51.100.20", 8080, "HTTP://other.example/x"),
            ("/health", "", 0, "http://unknown.invalid/health"),
        ]
    )
    func `without a Host the URL names the server's address and port`(
        target: String,
        address: String,
        port: Int,
        url: String
    ) throws {
        for host in [[], [RecordedField(name: "Host", value: "")]] {
            var exchange = Samples.exchange("GET", target)
            exchange.request.message.fields = host
            exchange.serverAddress = address
            exchange.serverPort = port
            #expect(try Self.entry(exchange)["request"]?["url"] == .string(url))
        }
    }

    @Test func `header values that are no UTF-8 are escaped, and marked`() throws {
        var exchange = Samples.exchange()
        exchange.request.message.fields.append(RecordedField(name: "X-Name", value: [0x52, 0xE9, 0x5C]))
        let archive = try Self.archive([exchange])
        #expect(ArchiveRules.violations(of: archive) == [])
        let headers = Self.entries(archive).first?["request"]?["headers"]
        let header: JSONValue = ["name": "X-Name", "value": #"R\xe9\\"#, "_octetsEscaped": true]
        guard case .array(let lines)? = headers else {
            Issue.record("no headers")
            return
        }
        #expect(lines.last == header)
        #expect(lines.first?["_octetsEscaped"] == nil)
    }

    @Test func `entries of one connection share its number`() throws {
        let archive = try Self.archive([Samples.exchange(), Samples.exchange("GET", "/2")])
        #expect(Self.entries(archive).map { $0["connection"] } == ["17", "17"])
        #expect(Self.entries(archive).allSatisfy { $0["timings"]?["connect"] == .integer(-1) })
    }

    @Test func `a response that was not seen has the status 0 and the reason`() throws {
        var exchange = Samples.exchange(integrity: ["reset_by_server"])
        exchange.response = nil
        let entry = try Self.entry(exchange)
        #expect(entry["response"]?["status"] == .integer(0))
        #expect(entry["response"]?["_error"] == "reset_by_server")
        #expect(entry["_integrity"] == ["reset_by_server"])
    }

    // MARK: - Content

    @Test func `text is text and anything else is base64`() throws {
        let text = try Self.entry(Samples.exchange(responseContent: Samples.octets("grüße\n")))
        #expect(text["response"]?["content"]?["text"] == "grüße\n")
        #expect(text["response"]?["content"]?["encoding"] == nil)
        let binary = try Self.entry(Samples.exchange("PUT", content: [0xFF, 0x00], responseContent: [0xFF, 0x00]))
        #expect(binary["response"]?["content"]?["text"] == "/wA=")
        #expect(binary["response"]?["content"]?["encoding"] == "base64")
        #expect(binary["request"]?["postData"]?["text"] == "")
        #expect(binary["request"]?["postData"]?["_content"] == "/wA=")
    }

    @Test func `coded content is decoded where that is possible, and said to be coded where not`() throws {
        let exchange = Samples.exchange(
            responseFields: [("Content-Encoding", "X-Half, Rot")],
            responseContent: Samples.octets("abcd")
        )
        let decoder: HARWriter.ContentDecoder = { coding, octets in
            coding == "x-half" ? octets + octets : coding == "rot" ? octets.reversed() : nil
        }
        let decoded = try #require(try Self.entry(exchange, decoder: decoder)["response"]?["content"])
        #expect(decoded["text"] == "dcbadcba")
        #expect(decoded["size"] == .integer(8))
        #expect(decoded["compression"] == .integer(4))
        let coded = try #require(try Self.entry(exchange)["response"]?["content"])
        #expect(coded["encoding"] == "base64")
        #expect(coded["_contentEncoding"] == "x-half, rot")
        #expect(coded["size"] == .integer(4))
    }

    @Test func `truncated content says so and never ends within a character`() throws {
        var exchange = Samples.exchange(responseContent: Samples.octets("grü").dropLast())
        exchange.response?.message.contentOctets = 900
        let content = try #require(try Self.entry(exchange)["response"]?["content"])
        #expect(content["text"] == "gr")
        #expect(content["_truncated"] == true)
        #expect(content["size"] == .integer(900))
    }

    // MARK: - Order

    @Test func `entries are ordered by start though longer ones are complete later`() throws {
        let exchanges = [30, 10, 20, 50, 40].map { Samples.exchange(at: $0 * 1_000_000_000) }
        let archive = try Self.archive(exchanges)
        let ordered = try Self.archive(exchanges.sorted { $0.startTime < $1.startTime })
        #expect(Self.starts(archive) == Self.starts(ordered))
        #expect(archive["log"]?["_losses"] == nil)
    }

    @Test func `an entry that comes too late is written and marked`() throws {
        var limits = RecordingLimits()
        limits.waitingEntries = 2
        let exchanges = [10, 20, 30, 40, 1].map { Samples.exchange(at: $0 * 1_000_000_000) }
        let archive = try Self.archive(exchanges, limits: limits)
        #expect(Self.entries(archive).count == 5)
        #expect(Self.entries(archive).compactMap { $0["_late"] } == [true])
        #expect(archive["log"]?["_losses"]?["late"] == .integer(1))
    }

    @Test func `what waits is bounded in octets`() {
        var limits = RecordingLimits()
        limits.waitingOctets = 10_000
        var writer = HARWriter(
            creatorVersion: "0.1",
            key: RecordingKey(secret: "k"),
            redaction: Samples.redaction(),
            limits: limits
        )
        for second in Int64(0)..<100 {
            writer.append(Samples.exchange(at: second * 1_000_000_000))
            _ = writer.takeOctets()
            #expect(writer.pendingOctets <= 10_000)
        }
    }

    @Test func `an entry has the policy, the target and the weight of its sample`() throws {
        var writer = HARWriter(creatorVersion: "0.1", key: RecordingKey(secret: "k"), redaction: Samples.redaction())
        writer.append(Samples.exchange(), note: HARWriter.Note(policy: "p", target: "t", sampleWeight: 12.5))
        let archive = try JSONDocument.parse(writer.finish())
        let entry = try #require(Self.entries(archive).first)
        #expect(entry["_policy"] == "p")
        #expect(entry["_target"] == "t")
        #expect(entry["_sampleWeight"] == .double(12.5))
        #expect(archive["log"]?["_losses"] == nil)
    }

    // MARK: - Redaction

    @Test(arguments: RecordingRedaction.Replacement.allCases)
    func `nothing redacted is anywhere in the archive`(_ replacement: RecordingRedaction.Replacement) throws {
        let exchange = Samples.exchange(
            "POST",
            "/a?access_token=s3cr3t-9&x=2",
            fields: [
                ("Content-Type", "application/x-www-form-urlencoded"), ("Authorization", "Bearer s3cr3t-1"),
                ("Cookie", "sid=s3cr3t-2; s3cr3t-3;=s3cr3t-4"),
                ("X-Key", "s3cr3t-5"), ("COOKIE", "b=s3cr3t-6"),
            ],
            content: Samples.octets("a=b&password=s3cr3t-10"),
            status: 302,
            responseFields: [("Set-Cookie", "sid=s3cr3t-7; Path=/"), ("Location", "/?token=s3cr3t-8")]
        )
        let redaction = RecordingRedaction(
            fields: ["Authorization", "cookie", "set-cookie", "x-key", "location"],
            replacement: replacement
        )
        let archive = try Self.archive([exchange], redaction: redaction)
        #expect(!String(decoding: archive.encoded(), as: UTF8.self).contains("s3cr3t"))
        let entry = try #require(Self.entries(archive).first)
        #expect(entry["_redactions"] == .integer(8))
        guard case .array(let cookies)? = entry["request"]?["cookies"] else {
            Issue.record("no cookies")
            return
        }
        #expect(cookies.map { $0["name"] } == ["sid", "", "", "b"])
        #expect(ArchiveRules.violations(of: archive) == [])
    }

    @Test func `cookies are listed with their attributes where they are not redacted`() throws {
        let exchange = Samples.exchange(
            fields: [("Cookie", "a=1; b=x=y")],
            responseFields: [("Set-Cookie", "sid=7; Path=/p; Domain=example.com; Secure; HttpOnly; Max-Age=3")]
        )
        let archive = try Self.archive([exchange], redaction: RecordingRedaction(fields: []))
        let entry = try #require(Self.entries(archive).first)
        #expect(
            entry["request"]?["cookies"] == [["name": "a", "value": "1"], ["name": "b", "value": "x=y"]]
        )
        #expect(
            entry["response"]?["cookies"] == [
                [
                    "name": "sid", "value": "7", "path": "/p", "domain": "example.com", "httpOnly": true,
                    "secure": true,
                ]
            ]
        )
    }
}
