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
    ])
    func `entries that cannot be sent again are counted`(request: String, loss: RecordingLoss) throws {
        let recording = try HARReader.recording(Self.browser(request))
        #expect(recording.entries.isEmpty)
        #expect(recording.losses[loss] == 1 && recording.losses.total == 1)
    }

    @Test(arguments: ["", "{", #"{"log":{}}"#, "[]", #"{"log":{"entries":7}}"#])
    func `what is no archive is said`(text: String) {
        #expect(throws: HARReader.Failure.self) { try HARReader.recording(Samples.octets(text)) }
    }

    @Test func `an archive is told from request records`() {
        #expect(RecordingFormat(beginning: Samples.octets("{\n  \"log\" : {")) == .har)
        #expect(RecordingFormat(beginning: [0xEF, 0xBB, 0xBF] + Samples.octets(#"{"log":{"#)) == .har)
        #expect(RecordingFormat(beginning: Samples.octets(#"{"client":"10.0.0.1:1"#)) == .records)
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
