// Wingmirror · Apache-2.0

import Recordings
import Testing
import TrafficModel

@Suite struct HARReaderTests {
    private static func written(_ exchanges: [RecordedExchange]) -> [UInt8] {
        var writer = HARWriter(
            creatorVersion: "0.1",
            key: RecordingKey(secret: "k"),
            redaction: RecordingRedaction(fields: [])
        )
        for exchange in exchanges { writer.append(exchange) }
        return writer.finish()
    }

    private static func browser(_ request: String, response: String = "null") -> [UInt8] {
        Samples.octets(
            #"{"log":{"version":"1.2","creator":{"name":"b","version":"1"},"entries":[{"startedDateTime":"#
                + #""2026-11-23T04:06:00.123+01:00","time":3,"request":\#(request),"response":\#(response)}]}}"#
        )
    }

    @Test func `what was written is read again`() throws {
        let exchange = Samples.exchange(
            "POST",
            "/orders?x=1",
            fields: [("Content-Type", "application/json")],
            content: Samples.octets(#"{"a":1}"#),
            responseContent: Samples.octets("ok")
        )
        var binary = Samples.exchange("PUT", "/b", content: [0, 0xFF, 1], at: 1_763_870_001_000_000_000)
        binary.response = nil
        let recording = try HARReader.recording(Self.written([exchange, binary]))
        #expect(recording.losses.isEmpty)
        let read = try #require(recording.entries.first?.exchange)
        #expect(read.request.method == "POST")
        #expect(read.request.target == Samples.octets("/orders?x=1"))
        #expect(read.request.message.fields == exchange.request.message.fields)
        #expect(read.request.message.content == exchange.request.message.content)
        #expect(read.response?.status == 200)
        #expect(read.response?.message.content == Samples.octets("ok"))
        #expect(read.startTime == exchange.startTime)
        #expect(read.firstByteNanoseconds == 2_000_000 && read.durationNanoseconds == 5_000_000)
        #expect(read.connection == 17 && read.serverAddress == "10.0.0.1")
        let second = try #require(recording.entries.last?.exchange)
        #expect(second.request.message.content == [0, 0xFF, 1])
        #expect(second.response == nil)
    }

    @Test func `a browser's archive has pseudo-header fields and no Host`() throws {
        let octets = Self.browser(
            #"{"method":"GET","url":"https://u@shop.example.com/a?b=c#d","headers":[{"name":":method","value":"GET"},"#
                + #"{"name":"accept","value":"*/*"}],"bodySize":0}"#,
            response: #"{"status":200,"headers":[],"content":{"size":9,"mimeType":"text/html"}}"#
        )
        let exchange = try #require(try HARReader.recording(octets).entries.first?.exchange)
        #expect(exchange.request.target == Samples.octets("/a?b=c"))
        #expect(exchange.request.message.fields.map(\.name) == ["Host", "accept"])
        #expect(exchange.request.message.fields.first?.value == Samples.octets("shop.example.com"))
        #expect(exchange.response?.message.contentIsWhole == false, "the text is left out, so nothing is known of it")
        #expect(exchange.startTime == 1_795_403_160_123_000_000)
    }

    @Test(arguments: [
        (#"{"method":"GET","url":"/a","headers":[]}"#, RecordingLoss.malformedRecord),
        (#"{"url":"http://h/","headers":[]}"#, .malformedRecord),
        (#"{"method":"GET","url":"http://h/"}"#, .noFields),
        (#"{"method":"POST","url":"http://h/","headers":[],"bodySize":5}"#, .noContent),
        (#"{"method":"POST","url":"http://h/","headers":[],"postData":{"mimeType":"a/b","params":[]}}"#, .noContent),
        (#"{"method":"GET","url":"http://h/","headers":[{"name":"a b","value":"c"}]}"#, .malformedRecord),
        (#"{"method":"GET","url":"data:image/png;base64,AAAA","headers":[]}"#, .notHTTP),
        (#"{"method":"GET","url":"blob:http://h/uuid","headers":[]}"#, .notHTTP),
        (#"{"method":"GET","url":"chrome-extension://abc/x.js","headers":[]}"#, .notHTTP),
        (#"{"method":"GET","url":"ftp://h/x","headers":[]}"#, .notHTTP),
        (#"{"method":"POST","url":"http://h/","headers":[{"name":"Content-Length","value":"5"}]}"#, .noContent),
        (
            #"{"method":"POST","url":"http://h/","headers":[{"name":"Transfer-Encoding","value":"chunked"}]}"#,
            .noContent
        ),
    ])
    func `entries that cannot be sent again are counted`(request: String, loss: RecordingLoss) throws {
        let recording = try HARReader.recording(Self.browser(request))
        #expect(recording.entries.isEmpty)
        #expect(recording.losses[loss] == 1 && recording.losses.total == 1)
    }

    /// A POST with headers, `bodySize` and `postData`.
    private static func post(_ headers: [(String, String)], _ size: Int, _ post: String) -> [UInt8] {
        let fields = headers.map { #"{"name":"\#($0.0)","value":"\#($0.1)"}"# }.joined(separator: ",")
        return browser(
            #"{"method":"POST","url":"http://h/","headers":[\#(fields)],"bodySize":\#(size),"postData":\#(post)}"#
        )
    }

    private static let length5 = [("Content-Length", "5")]
    private static let latin1 = #""text/plain; charset=ISO-8859-1""#

    @Test(
        arguments: [
            ("as long as it says", length5, 5, #"{"mimeType":"text/plain","text":"hello"}"#, Array("hello".utf8)),
            ("of unknown length", [], -1, #"{"mimeType":"text/plain","text":"{}"}"#, Array("{}".utf8)),
            (
                "of a browser that counts characters", [("Content-Length", "6")], 5,
                #"{"mimeType":"text/plain","text":"café!"}"#, Array("café!".utf8)
            ),
            (
                "of another charset", length5, 5, #"{"mimeType":\#(latin1),"text":"café!"}"#,
                [0x63, 0x61, 0x66, 0xE9, 0x21]
            ),
            ("of another charset, of unknown length", [], -1, #"{"mimeType":\#(latin1),"text":"é"}"#, [0xE9]),
            ("of another charset, in UTF-8 all the same", [], 2, #"{"mimeType":\#(latin1),"text":"é"}"#, [0xC3, 0xA9]),
            ("in base64", [], -1, #"{"mimeType":"a/b","encoding":"base64","text":"AAEC/w=="}"#, [0, 1, 2, 0xFF]),
            (
                "with a replacement character of its own", [], 3, #"{"mimeType":"text/plain","text":"\uFFFD"}"#,
                [0xEF, 0xBF, 0xBD]
            ),
            (
                "that was compressed", [("Content-Encoding", "gzip"), ("Content-Length", "30")], 30,
                #"{"mimeType":"text/plain","text":"aaaa"}"#, Array("aaaa".utf8)
            ),
            ("empty", [], -1, #"{"mimeType":"","params":[],"text":""}"#, []), ("of null", [], -1, "null", []),
            ("of an empty object", [], 0, "{}", []),
        ] as [(String, [(String, String)], Int, String, [UInt8])]
    )
    func `content is sent as it was sent`(
        label: String,
        headers: [(String, String)],
        size: Int,
        post: String,
        content: [UInt8]
    ) throws {
        let recording = try HARReader.recording(Self.post(headers, size, post))
        #expect(recording.losses.isEmpty)
        #expect(recording.entries.first?.exchange.request.message.content == content)
    }

    @Test(
        arguments: [
            ("cut", [("Content-Length", "3000000")], 3_000_000, #"{"mimeType":"text/plain","text":"aaa"}"#),
            ("cut, by one length only", [("Content-Length", "4")], -1, #"{"mimeType":"text/plain","text":"aaa"}"#),
            ("cut, in base64", [], 9, #"{"mimeType":"a/b","encoding":"base64","text":"AAEC"}"#),
            ("binary, read as text", [], 4, #"{"mimeType":"a/b","text":"\uFFFD\uFFFD"}"#),
            ("binary, read as text, of unknown length", [], -1, #"{"mimeType":"a/b","text":"\uFFFD"}"#),
            ("in a charset that is not written", [], 2, #"{"mimeType":"text/plain; charset=Shift_JIS","text":"日"}"#),
            ("changed", length5, 5, #"{"mimeType":"text/plain","text":"longer"}"#),
        ] as [(String, [(String, String)], Int, String)]
    )
    func `content that is not what was sent is refused`(
        label: String,
        headers: [(String, String)],
        size: Int,
        post: String
    ) throws {
        let recording = try HARReader.recording(Self.post(headers, size, post))
        #expect(recording.entries.isEmpty)
        #expect(recording.losses[.noContent] == 1)
    }

    @Test(
        arguments: [
            ("all there", #"{"size":2,"mimeType":"text/plain","text":"ok"}"#, Array("ok".utf8), true),
            ("cut", #"{"size":1000007,"mimeType":"text/plain","text":"ok"}"#, Array("ok".utf8), false),
            ("cut, in base64", #"{"size":9,"mimeType":"a/b","encoding":"base64","text":"AAEC"}"#, [0, 1, 2], false),
            ("of another charset", #"{"size":4,"mimeType":\#(latin1),"text":"café"}"#, [0x63, 0x61, 0x66, 0xE9], true),
            (
                "in a charset that is not written", #"{"size":2,"mimeType":"a/b;charset=Shift_JIS","text":"é!"}"#,
                Array("é!".utf8), false
            ),
            ("binary, read as text", #"{"size":1,"mimeType":"a/b","text":"\uFFFD"}"#, [0xEF, 0xBF, 0xBD], false),
        ] as [(String, String, [UInt8], Bool)]
    )
    func `an answer that is not all there is not whole`(
        label: String,
        content: String,
        octets: [UInt8],
        isWhole: Bool
    ) throws {
        let archive = Self.browser(
            #"{"method":"GET","url":"http://h/","headers":[]}"#,
            response: #"{"status":200,"headers":[],"content":\#(content)}"#
        )
        let message = try #require(try HARReader.recording(archive).entries.first?.exchange.response?.message)
        #expect(message.content == octets)
        #expect(message.contentIsWhole == isWhole)
    }

    private static func entry(_ members: String, start: String = "2026-11-23T04:06:00.123Z") throws -> Recording {
        let request = #"{"method":"GET","url":"https://h/a","httpVersion":"h2","headers":[]}"#
        return try HARReader.recording(
            Samples.octets(
                #"{"log":{"entries":[{"startedDateTime":"\#(start)","request":\#(request),"response":null\#(members)}]}}"#
            )
        )
    }

    @Test(arguments: [
        #","_fromCache":"disk""#, #","_error":"net::ERR_BLOCKED_BY_CLIENT""#,
    ]) func `what never left the browser is not sent`(members: String) throws {
        let recording = try Self.entry(members)
        #expect(recording.entries.isEmpty)
        #expect(recording.losses[.notSent] == 1)
    }

    @Test func `connections have numbers, names or nothing`() throws {
        func connection(_ members: String) throws -> Int? {
            try Self.entry(members).entries.first?.exchange.connection
        }
        #expect(try connection(#","connection":"443""#) == 443)
        #expect(try connection("") == -1)
        let first = try #require(try connection(#","connection":"e2a7b5c0-1111""#))
        #expect(first >= 0)
        #expect(try connection(#","connection":"e2a7b5c0-1111""#) == first)
        #expect(try connection(#","connection":"e2a7b5c0-2222""#) != first)
    }

    @Test func `the version and the scheme are read, and an offset without a colon`() throws {
        let exchange = try #require(try Self.entry("", start: "2026-11-23T05:06:00.9+0100").entries.first?.exchange)
        #expect(exchange.protocolVersion == "HTTP/2" && exchange.isSecured)
        #expect(exchange.startTime == 1_795_406_760_900_000_000)
    }

    @Test(arguments: ["ws", "wss"]) func `a WebSocket is read as the upgrade that it is`(scheme: String) throws {
        let octets = Self.browser(#"{"method":"GET","url":"\#(scheme)://h/s","headers":[]}"#)
        let exchange = try #require(try HARReader.recording(octets).entries.first?.exchange)
        #expect(exchange.request.message.firstText(of: "upgrade") == "websocket")
    }

    @Test(arguments: ["", "{", #"{"log":{}}"#, "[]", #"{"log":{"entries":7}}"#])
    func `what is no archive is said`(text: String) {
        #expect(throws: HARReader.Failure.self) { try HARReader.recording(Samples.octets(text)) }
    }

    private static func read(_ pieces: [[UInt8]], limits: RecordingLimits = RecordingLimits()) throws -> Recording {
        var reader = HARReader(limits: limits)
        for piece in pieces { try reader.append(piece) }
        try reader.finish()
        let entries = reader.takeExchanges().map { RecordingEntry(exchange: $0) }
        return Recording(entries: entries, losses: reader.losses)
    }

    private static func entry(named name: String, _ members: String = "") -> String {
        let request = #"{"method":"GET","url":"http://h/\#(name)","headers":[]}"#
        return #"{"startedDateTime":"2026-11-23T04:06:00.123Z","request":\#(request)\#(members)}"#
    }

    @Test func `an archive is read the same wherever its octets are divided`() throws {
        let odd = Self.entry(named: "a", #","_x":["\"]},{\\",{"_y":[]}]"#)
        let text = " {\"log\" : {\"entries\" :[\(odd) ,\n\(Self.entry(named: "b"))\n]}, \"x\":[]} "
        let octets: [UInt8] = [0xEF, 0xBB, 0xBF] + Samples.octets(text)
        let whole = try HARReader.recording(octets).entries.map(\.exchange.request.targetText)
        #expect(whole == ["/a", "/b"])
        #expect(try Self.read(octets.map { [$0] }).entries.map(\.exchange.request.targetText) == whole)
        for place in octets.indices {
            let pieces = [Array(octets[..<place]), Array(octets[place...])]
            #expect(try Self.read(pieces).entries.map(\.exchange.request.targetText) == whole)
        }
    }

    @Test func `only the entries of the log are read`() throws {
        let others = #""entries":[7],"x":{"entries":[8]},"y":"log","z":["log",{"log":{"entries":[9]}}]"#
        let log = #""pages":[{"entries":[7]}],"a":"\"entries\":[","b":"entries","entries":[\#(Self.entry(named: "a"))]"#
        let recording = try HARReader.recording(Samples.octets(#"{\#(others),"log":{\#(log),"c":{"entries":[7]}}}"#))
        #expect(recording.entries.map(\.exchange.request.targetText) == ["/a"])
        #expect(recording.losses.isEmpty)
    }

    @Test func `entries that are no JSON, too large or of too many values are counted, and others are read`() throws {
        var limits = RecordingLimits()
        limits.recordOctets = 2000
        limits.recordValues = 50
        let values = [String](repeating: "1", count: 100).joined(separator: ",")
        let large = #""\#(String(repeating: "x", count: 3000))""#
        let entries = [Self.entry(named: "a"), #"{"a" 1}"#, "[\(values)]", large, Self.entry(named: "b")]
        let text = #"{"log":{"entries":[\#(entries.joined(separator: ","))]}}"#
        let recording = try Self.read([Samples.octets(text)], limits: limits)
        #expect(recording.entries.map(\.exchange.request.targetText) == ["/a", "/b"])
        #expect(recording.losses[.malformedRecord] == 2 && recording.losses[.tooLarge] == 1)
        #expect(recording.losses.total == 3)
    }

    @Test(arguments: [
        #"{"log":{"entries":[}"#, #"{"log":{"entries":[1}]}"#, #"{"log":{"entries":[{]}"#, #"{"log":{"entries":["]}}"#,
        #"{"log":{"entries":[]}} x"#, #"{"log":{"entries":[]}}{}"#, #"{"log":{"entries":[]}}]"#, "}",
    ])
    func `what ends too early or too late is no whole archive`(text: String) {
        #expect(throws: HARReader.Failure.self) { try HARReader.recording(Samples.octets(text)) }
    }

    @Test func `an archive is told from request records`() {
        #expect(RecordingFormat(beginning: Samples.octets("{\n  \"log\" : {")) == .har)
        #expect(RecordingFormat(beginning: [0xEF, 0xBB, 0xBF] + Samples.octets(#"{"log":{"#)) == .har)
        #expect(RecordingFormat(beginning: Samples.octets(#"{"_x":{"log":1},"b":["\"log\":"],"log":{"#)) == .har)
        #expect(RecordingFormat(beginning: Samples.octets(#"{"client":"10.0.0.1:1"#)) == .records)
        #expect(RecordingFormat(beginning: Samples.octets(#"{"route":{"log":1},"a":"log"}"#)) == .records)
    }

    @Test func `records of a gor file are in the order of time`() {
        let late = Samples.exchange("GET", "/late", at: 1_763_870_000_000_000_000)
        let later = Samples.exchange("GET", "/later", at: 1_763_870_000_500_000_000)
        // The one that began first became complete last.
        let times = Samples.records(Samples.gor([later, late]).octets).records.map(\.time)
        #expect(times.count == 4)
        #expect(times == times.sorted())
    }
}
