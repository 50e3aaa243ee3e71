// Wingmirror · Apache-2.0

import Recordings
import Testing
import TrafficModel

@Suite struct GorWriterTests {
    @Test func `an exchange is a request record and a response record of one id`() throws {
        let (octets, losses) = Samples.gor([Samples.exchange()])
        #expect(losses.isEmpty)
        let text = String(decoding: octets, as: UTF8.self)
        let identifier = try #require(text.split(separator: " ").dropFirst().first)
        #expect(identifier.count == 24)
        #expect(identifier.allSatisfy { "0123456789abcdef".contains($0) })
        #expect(
            text == "1 \(identifier) 1763870000000000000 500000\n"
                + "GET /products/1?x=2 HTTP/1.1\r\nHost: shop.example.com\r\n\r\n" + Samples.separator
                + "2 \(identifier) 1763870000002000000 3000000\n"
                + "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" + Samples.separator
        )
    }

    @Test func `ids depend on the key and tell nothing of the client`() {
        let exchanges = (0..<50).map { _ in Samples.exchange() }
        let ids = { (key: String) in
            Set(Samples.records(Samples.gor(exchanges, key: key).octets).records.map(\.identifier))
        }
        #expect(ids("one").count == 50)
        #expect(ids("one") == ids("one"))
        #expect(ids("one").isDisjoint(with: ids("two")))
        // 192.0.2.77 as GoReplay's ids spell it.
        #expect(!ids("one").contains { $0.contains("c000024d") })
    }

    @Test(arguments: [
        ("chunked", [("Transfer-Encoding", "chunked")]), ("length", [("Content-Length", "9")]), ("no framing", []),
    ])
    func `content comes back whole in any framing`(_ label: String, _ framing: [(String, String)]) {
        let content = Samples.octets("nine\r\n0\r\n")
        let exchange = Samples.exchange(
            "POST",
            fields: framing,
            content: content,
            responseFields: framing,
            responseContent: content
        )
        let (octets, losses) = Samples.gor([exchange])
        #expect(losses.isEmpty)
        let entry = Samples.recording(octets).entries.first
        #expect(entry?.exchange.request.message.content == content)
        #expect(entry?.exchange.response?.message.content == content)
        let added = framing.isEmpty ? [RecordedField(name: "Content-Length", value: "9")] : []
        #expect(entry?.exchange.request.message.fields == exchange.request.message.fields + added)
    }

    @Test(arguments: [
        ("HEAD", 200, [("Content-Length", "500")]), ("GET", 304, [("Content-Length", "500")]), ("GET", 204, []),
        ("CONNECT", 200, []), ("GET", 101, [("Upgrade", "websocket")]),
    ])
    func `responses that have no content keep their head as it is`(
        _ method: String,
        _ status: Int,
        _ fields: [(String, String)]
    ) {
        let exchange = Samples.exchange(method, status: status, responseFields: fields, responseContent: [])
        let (octets, losses) = Samples.gor([exchange])
        #expect(losses.isEmpty)
        let response = Samples.recording(octets).entries.first?.exchange.response
        #expect(response?.status == status)
        #expect(response?.message.fields == Samples.fields(fields))
    }

    @Test(arguments: [
        ("in the middle", "a" + Samples.separator + "b"), ("at the end", "a\n" + Samples.separatorLine),
        ("at the start", Samples.separatorLine + "\nb"), ("alone", Samples.separatorLine),
    ])
    func `content with the separator as a line is left out and counted`(_ label: String, _ content: String) {
        let exchange = Samples.exchange("POST", content: Samples.octets(content))
        let (octets, losses) = Samples.gor([exchange, Samples.exchange("GET", "/after")])
        #expect(losses[.separator] == 1)
        #expect(Samples.recording(octets).entries.map(\.exchange.request.targetText) == ["/after"])
    }

    @Test func `a response with the separator is left out and its request kept`() {
        let exchange = Samples.exchange(
            responseFields: [],
            responseContent: Samples.octets("a" + Samples.separator + "b")
        )
        let (octets, losses) = Samples.gor([exchange])
        #expect(losses[.separator] == 1)
        let recording = Samples.recording(octets)
        #expect(recording.entries.count == 1)
        #expect(recording.entries.first?.exchange.response == nil)
        #expect(recording.entries.first?.exchange.integrity == ["no_response"])
    }

    @Test func `the emoji within a line are content like any other`() {
        let content = Samples.octets("see " + Samples.separatorLine + " here")
        let (octets, losses) = Samples.gor([Samples.exchange("POST", content: content)])
        #expect(losses.isEmpty)
        #expect(Samples.recording(octets).entries.first?.exchange.request.message.content == content)
    }

    @Test(arguments: ["request_gap", "truncated_capture", "joined_midstream", "malformed", "framing_conflict"])
    func `an exchange not seen whole is left out and counted`(_ mark: String) {
        let (octets, losses) = Samples.gor([Samples.exchange(integrity: [mark])])
        #expect(octets.isEmpty)
        #expect(losses[.notWhole] == 1)
    }

    @Test func `content that was not all kept is left out and counted`() {
        var exchange = Samples.exchange("POST", content: Samples.octets("abc"))
        exchange.request.message.contentOctets = 4
        let (octets, losses) = Samples.gor([exchange])
        #expect(octets.isEmpty)
        #expect(losses[.contentNotKept] == 1)
        var longAnswer = Samples.exchange()
        longAnswer.response?.message.contentOctets = 9
        let (kept, others) = Samples.gor([longAnswer])
        #expect(others[.responseContentNotKept] == 1)
        #expect(Samples.records(kept).records.count == 1)
        #expect(
            [RecordingLoss.contentNotKept, .responseContentNotKept].allSatisfy { $0.explanation.contains("--content") }
        )
    }

    @Test(arguments: [
        ["reset_by_server", "no_response"], ["reset_by_client", "no_response"], ["closed_early"], ["interrupted"],
        ["forgotten"],
    ])
    func `a request that had ended before its exchange broke off is written, without its response`(
        marks: [String]
    ) {
        var exchange = Samples.exchange(integrity: marks)
        #expect(Samples.gor([exchange]).octets.isEmpty)
        exchange.isRequestEnded = true
        let (octets, losses) = Samples.gor([exchange])
        #expect(Samples.records(octets).records.map { $0.request != nil } == [true])
        #expect(losses[.responseNotWhole] == 1 && losses.total == 1)
        exchange.integrity.append("request_gap")
        #expect(Samples.gor([exchange]).octets.isEmpty)
    }

    @Test func `a time before 1970 is read again, and no connection is known`() {
        let read = Samples.recording(Samples.gor([Samples.exchange(at: -5)]).octets).entries.first?.exchange
        #expect(read?.startTime == -5)
        #expect((read?.connection ?? 0) < 0)
    }

    @Test func `a response with a hole is left out and its request kept`() {
        let (octets, losses) = Samples.gor([Samples.exchange(integrity: ["response_gap"])])
        #expect(losses[.responseNotWhole] == 1)
        #expect(Samples.records(octets).records.count == 1)
    }

    @Test(arguments: [
        ("another length", [("Content-Length", "3")]),
        ("both framings", [("Content-Length", "2"), ("Transfer-Encoding", "chunked")]),
        ("a line end in a name", [("X: y\r\nInjected", "1")]), ("a NUL in a value", [("X", "a\u{0}b")]),
    ])
    func `a message that would be read as another is not written`(_ label: String, _ fields: [(String, String)]) {
        let (octets, losses) = Samples.gor([Samples.exchange("POST", fields: fields, content: Samples.octets("ab"))])
        #expect(octets.isEmpty)
        #expect(losses[.unframeable] == 1)
    }

    @Test func `line ends in a value or target cannot make a field`() {
        let folded = Samples.gor([Samples.exchange(fields: [("X-Folded", "one\r\n two")])])
        let value = Samples.recording(folded.octets).entries.first?.exchange.request.message.firstText(of: "x-folded")
        #expect(value == "one   two")
        let split = Samples.gor([Samples.exchange("GET", "/ HTTP/1.1\r\nX-Injected: 1\r\nX: ")])
        #expect(split.octets.isEmpty)
        #expect(split.losses[.unframeable] == 1)
    }

    @Test func `credentials are replaced by hashes that keep equal values equal`() {
        let exchanges = ["Bearer s3cr3t-A", "Bearer s3cr3t-B", "Bearer s3cr3t-A"].map {
            Samples.exchange(fields: [("Authorization", $0), ("Cookie", "sid=s3cr3t-C")])
        }
        let (octets, _) = Samples.gor(exchanges)
        #expect(!String(decoding: octets, as: UTF8.self).contains("s3cr3t"))
        let values = Samples.recording(octets).entries.map {
            $0.exchange.request.message.firstText(of: "authorization")
        }
        #expect(values[0] == values[2])
        #expect(values[0] != values[1])
        #expect(values.allSatisfy { RecordingRedaction.isReplaced(Array(($0 ?? "").utf8)) })
        let other = Samples.recording(Samples.gor(exchanges, key: "another").octets).entries
        #expect(other.first?.exchange.request.message.firstText(of: "authorization") != values[0])
    }

    @Test func `credentials in targets, links and forms are replaced, and all lengths hold`() throws {
        let form = Array("user=anna&password=s3cr3t-long&pin=9876".utf8)
        let exchange = Samples.exchange(
            "POST",
            "/a?access_token=s3cr3t&b=c",
            fields: [
                ("Referer", "https://h/?token=s3cr3t"), ("Content-Type", "application/x-www-form-urlencoded"),
                ("Content-Length", "\(form.count)"),
            ],
            content: form,
            responseFields: [("Content-Length", "2"), ("Location", "https://u:s3cr3t@h/")]
        )
        let (octets, losses) = Samples.gor([exchange])
        let text = String(decoding: octets, as: UTF8.self)
        #expect(!text.contains("s3cr3t") && !text.contains("9876") && losses.isEmpty)
        let read = try #require(Samples.recording(octets).entries.first?.exchange)
        let target = String(decoding: read.request.target, as: UTF8.self)
        #expect(target.hasPrefix("/a?access_token=redacted-") && target.hasSuffix("&b=c"))
        #expect(read.request.message.content.count == form.count)
        #expect(RecordingRedaction.withoutReplaced(target: read.request.target) == (Array("/a?b=c".utf8), 1))
        var writer = GorWriter(
            key: RecordingKey(secret: "k"),
            redaction: RecordingRedaction(fields: ["authorization"], replacesParameters: false)
        )
        writer.append(exchange)
        #expect(String(decoding: writer.finish(), as: UTF8.self).contains("/a?access_token=s3cr3t&b=c"))
    }

    @Test(arguments: [
        ("/a?token=redacted-0123456789abcdef", "/a"), ("/a?token=[redacted]&b=c", "/a?b=c"),
        ("/a?b=c;token=[redacted]&d=e", "/a?b=c&d=e"), ("/a?token=redacted-x", "/a?token=redacted-x"), ("/a", "/a"),
    ])
    func `parameters that a redaction replaced can be left out`(target: String, left: String) {
        let (kept, count) = RecordingRedaction.withoutReplaced(target: Array(target.utf8))
        #expect(String(decoding: kept, as: UTF8.self) == left)
        #expect((count > 0) == (left != target))
    }

    @Test func `octets are handed over once`() {
        var writer = GorWriter(key: RecordingKey(secret: "k"), redaction: Samples.redaction())
        writer.append(Samples.exchange())
        // A record waits for its place until another cannot come before it any more.
        let first = writer.takeOctets()
        writer.append(Samples.exchange())
        #expect(Samples.recording(first + writer.finish()).entries.count == 2)
        #expect(writer.takeOctets().isEmpty)
        #expect(writer.finish().isEmpty)
    }
}
