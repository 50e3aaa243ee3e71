// Wingmirror · Apache-2.0

import Testing
import TrafficModel

@testable import AnswerComparison

@Suite struct AnswerComparatorTests {
    /// What is different between two answers with these contents and fields, in words: `content items[].price: value`.
    static func differences(
        _ production: RecordedResponse,
        _ candidate: RecordedResponse,
        settings: ComparisonSettings = ComparisonSettings()
    ) -> [String] {
        comparison(production, candidate, settings: settings).differences.map {
            "\($0.place.text): \($0.kind.rawValue)"
        }
    }

    static func comparison(
        _ production: RecordedResponse,
        _ candidate: RecordedResponse,
        settings: ComparisonSettings = ComparisonSettings(),
        decoder: @escaping ContentDecoder = { _, _, _ in nil }
    ) -> ComparedAnswers {
        var policy = ComparisonPolicy(name: "p", targets: ["t"])
        policy.settings = settings
        return AnswerComparator(policy: policy, hosts: ["staging:8080", "shop.example.com"], decoder: decoder)
            .compare(production, with: .success(candidate), authority: "shop.example.com")
    }

    static func json(_ text: String) -> RecordedResponse {
        answer(text, fields: [("content-type", "application/json")])
    }

    static func answer(
        _ content: String,
        status: Int = 200,
        fields: [(String, String)] = []
    ) -> RecordedResponse {
        RecordedResponse(
            status: status,
            message: RecordedMessage(
                fields: fields.map { RecordedField(name: $0.0, value: $0.1) },
                content: Array(content.utf8)
            )
        )
    }

    // MARK: - Status

    @Test func `a status of another class is told apart from another status`() {
        #expect(Self.differences(Self.answer("a"), Self.answer("b", status: 500)) == ["status: status_class"])
        #expect(Self.differences(Self.answer("a"), Self.answer("b", status: 201)) == ["status: status"])
        #expect(Self.differences(Self.answer("a"), Self.answer("a")) == [])
    }

    @Test func `no answer is a difference of outcome`() {
        let comparator = AnswerComparator(policy: ComparisonPolicy(name: "p", targets: []), decoder: { _, _, _ in nil })
        let comparison = comparator.compare(Self.answer("a"), with: .failure(.timeout))
        #expect(comparison.differences.map(\.place) == [.outcome])
        #expect(comparison.differences.first?.candidate == "timeout")
    }

    @Test func `the length that a request for the head alone is answered with stands for the content`() {
        func differences(_ first: String, _ second: String, isHead: Bool) -> [String] {
            let policy = ComparisonPolicy(name: "p", targets: [])
            let comparator = AnswerComparator(policy: policy, decoder: { _, _, _ in nil })
            var asked = AskedFor()
            asked.isHead = isHead
            var answers = [first, second].map {
                comparator.prepared(Self.answer("", fields: [("content-length", $0)]))
            }
            var other = answers.removeLast()
            return comparator.compare(&answers[0], &other, authority: nil, asked: asked).differences.map {
                "\($0.place.text): \($0.kind.rawValue) \($0.hasEqualShape)"
            }
        }
        #expect(differences("1234", "0", isHead: true) == ["field content-length: value false"])
        #expect(differences("1234", "1240", isHead: true) == ["field content-length: value true"])
        #expect(differences("1234", "1234", isHead: true).isEmpty)
        #expect(differences("1234", "0", isHead: false).isEmpty)
    }

    @Test func `ends of lines count in text, and not in markup`() {
        func differences(_ type: String) -> [String] {
            let fields = [("content-type", type)]
            return Self.differences(Self.answer("a\r\nb\r\n", fields: fields), Self.answer("a\nb\n", fields: fields))
        }
        #expect(differences("text/csv") == ["content: value"])
        #expect(differences("text/html").isEmpty)
    }

    // MARK: - JSON

    struct Row: Sendable, CustomTestStringConvertible {
        let label: String
        let production: String
        let candidate: String
        let expected: [String]

        init(_ label: String, _ production: String, _ candidate: String, _ expected: [String]) {
            self.label = label
            self.production = production
            self.candidate = candidate
            self.expected = expected
        }

        var testDescription: String { label }
    }

    @Test(arguments: [
        Row("the order of members", #"{"a":1,"b":2}"#, #"{"b":2,"a":1}"#, []),
        Row("white space", #"{"a":1}"#, #"{ "a" : 1 }"#, []),
        Row("one number written in two ways", #"{"a":1}"#, #"{"a":1.0}"#, []),
        Row("another number", #"{"a":1}"#, #"{"a":2}"#, ["content a: value"]),
        Row("a null where a number was", #"{"a":{"b":1}}"#, #"{"a":{"b":null}}"#, ["content a.b: type"]),
        Row("a missing member", #"{"a":1,"b":2}"#, #"{"a":1}"#, ["content b: missing"]),
        Row("one more member", #"{"a":1}"#, #"{"a":1,"b":2}"#, ["content b: extra"]),
        Row("an entry's member", #"[{"p":1},{"p":2}]"#, #"[{"p":1},{"p":3}]"#, ["content [].p: value"]),
        Row("many entries, one place", #"{"i":[1,2,3]}"#, #"{"i":[4,5,6]}"#, ["content i[]: value"]),
        Row("entries in another order", #"{"i":[1,2,3]}"#, #"{"i":[3,2,1]}"#, ["content i[]: order"]),
        Row("entries that have members in another order", #"[{"a":1,"b":2}]"#, #"[{"b":2,"a":1}]"#, []),
        Row("fewer entries", #"{"i":[1,2,3]}"#, #"{"i":[1,2]}"#, ["content i[]: size"]),
        Row("an object where a list was", #"{"i":[]}"#, #"{"i":{}}"#, ["content i: type"]),
        Row("other text", #"{"a":"x"}"#, #"{"a":"y"}"#, ["content a: value"]),
        Row(
            "members named after data",
            #"{"u":{"bob@example.com":1}}"#,
            #"{"u":{"bob@example.com":2}}"#,
            ["content u.*: value"]
        ),
        Row("no JSON at all", #"{"a":1}"#, #"{"a":1"#, ["content: value"]),
        Row("a name twice", #"{"a":1,"a":2}"#, #"{"a":1,"a":3}"#, ["content: value"]),
        Row("nothing", #"{"a":1}"#, "", ["content: missing"]),
        Row("a link to itself", #"{"l":"https://shop.example.com/a"}"#, #"{"l":"http://staging:8080/a"}"#, []),
        Row(
            "a link elsewhere",
            #"{"l":"https://cdn.example.com/a"}"#,
            #"{"l":"http://staging:8080/a"}"#,
            ["content l: value"]
        ),
    ])
    func `content that is JSON is compared by structure`(row: Row) {
        #expect(Self.differences(Self.json(row.production), Self.json(row.candidate)) == row.expected)
    }

    @Test func `ignored paths are not compared, and nothing below them`() {
        var settings = ComparisonSettings()
        settings.ignoredPaths = ["meta", "items[].price", "*.etag"]
        let production = Self.json(#"{"meta":{"id":1},"items":[{"price":1,"n":1}],"x":{"etag":"a"}}"#)
        #expect(
            Self.differences(
                production,
                Self.json(#"{"items":[{"price":2,"n":1}],"x":{"etag":"b"}}"#),
                settings: settings
            ) == []
        )
        let other = Self.json(#"{"meta":{"id":1},"items":[{"price":2,"n":2}],"x":{"etag":"a"}}"#)
        #expect(Self.differences(production, other, settings: settings) == ["content items[].n: value"])
    }

    @Test func `lists without an order are compared as sets`() {
        var settings = ComparisonSettings()
        settings.unorderedPaths = ["tags"]
        #expect(
            Self.differences(Self.json(#"{"tags":[1,2,2]}"#), Self.json(#"{"tags":[2,1,2]}"#), settings: settings) == []
        )
        #expect(
            Self.differences(Self.json(#"{"tags":[1,2,2]}"#), Self.json(#"{"tags":[2,1]}"#), settings: settings)
                == ["content tags[]: missing"]
        )
        #expect(
            Self.differences(
                Self.json(#"{"tags":[{"a":1},{"a":2}]}"#),
                Self.json(#"{"tags":[{"a":3},{"a":1}]}"#),
                settings: settings
            )
                == ["content tags[].a: value"]
        )
    }

    @Test func `lists with a key are matched by it`() {
        var settings = ComparisonSettings()
        settings.keyedPaths = ["items": "id"]
        let production = Self.json(#"{"items":[{"id":1,"p":1},{"id":2,"p":2}]}"#)
        #expect(
            Self.differences(production, Self.json(#"{"items":[{"id":2,"p":2},{"id":1,"p":1}]}"#), settings: settings)
                == []
        )
        #expect(
            Self.differences(production, Self.json(#"{"items":[{"id":3,"p":2},{"id":1,"p":7}]}"#), settings: settings)
                == ["content items[].p: value", "content items[]: missing", "content items[]: extra"]
        )
    }

    @Test func `numbers within the tolerance are equal`() {
        var settings = ComparisonSettings()
        settings.numericTolerance = 0.01
        #expect(Self.differences(Self.json(#"{"a":100}"#), Self.json(#"{"a":100.9}"#), settings: settings) == [])
        #expect(
            Self.differences(Self.json(#"{"a":100}"#), Self.json(#"{"a":102}"#), settings: settings) == [
                "content a: value"
            ]
        )
    }

    // MARK: - Other content

    @Test func `text is compared by lines`() {
        #expect(Self.differences(Self.answer("a\nb\nc"), Self.answer("a\nx\nc")) == ["content: value"])
        #expect(Self.differences(Self.answer("a\nb\nc"), Self.answer("a\nb")) == ["content: missing"])
        #expect(
            Self.differences(Self.answer("price: 1\ncount: 2"), Self.answer("price: 3\ncount: 2")) == [
                "content price:: value"
            ]
        )
        #expect(
            Self.differences(
                Self.answer("<a href=\"https://shop.example.com/x\">"),
                Self.answer("<a href=\"http://staging:8080/x\">")
            ) == []
        )
        let example = Self.comparison(Self.answer("a\nb\nc"), Self.answer("a\nx\nc")).differences.first
        #expect(example?.production.hasPrefix("text of 1 #") == true)
    }

    @Test func `markup is compared tag by tag, so that a token that is new each time hides nothing`() {
        func page(token: String, price: String, more: String = "") -> RecordedResponse {
            Self.answer(
                "<html><body><input type=hidden name=csrf value=\"\(token)\">\n<p>a</p>\(more)<p class=price>\(price)</p>"
                    + "</body></html>",
                fields: [("Content-Type", "text/html")]
            )
        }
        #expect(
            Self.differences(page(token: "a1", price: "9.99"), page(token: "b2", price: "0.00")) == [
                "content <input name=csrf>: value", "content <p class=price>: value",
            ]
        )
        #expect(
            Self.differences(page(token: "a1", price: "9.99"), page(token: "a1", price: "9.99", more: "<b>new</b>"))
                == [
                    "content <b>: extra", "content </b>: extra",
                ]
        )
    }

    @Test func `text in another character set is text`() {
        func answer(_ type: String, _ text: String) -> RecordedResponse {
            var answer = Self.answer("", fields: type.isEmpty ? [] : [("Content-Type", type)])
            // "é" in ISO 8859-1 is no UTF-8.
            answer.message = RecordedMessage(
                fields: answer.message.fields,
                content: Array(text.replacing("é", with: "\u{1}").utf8).map { $0 == 1 ? 0xE9 : $0 }
            )
            return answer
        }
        func page(_ type: String, _ token: String, _ price: String) -> RecordedResponse {
            answer(type, "<p>Café</p><input name=csrf value=\(token)>\n<p class=price>\(price)</p>")
        }
        for type in ["text/html; charset=iso-8859-1", "application/xhtml+xml", ""] {
            #expect(
                Self.differences(page(type, "a1", "9.99"), page(type, "b2", "0.00")) == [
                    "content <input name=csrf>: value", "content <p class=price>: value",
                ]
            )
        }
        let lines = ["text/plain; charset=windows-1252", "application/x-yaml", "text/csv"]
        for type in lines {
            #expect(
                Self.differences(answer(type, "name: Café\nprice: 1"), answer(type, "name: Café\nprice: 2")) == [
                    "content price:: value"
                ]
            )
        }
        let json = ["application/json", "application/problem+json;charset=latin1"].map { type in
            Self.differences(answer(type, #"{"n":"Café","p":1}"#), answer(type, #"{"n":"Café","p":2}"#))
        }
        #expect(json == [["content p: value"], ["content p: value"]])
        // The same text in another character set is other content.
        #expect(
            Self.differences(Self.json("{\"n\":\"Caf\u{E9}\"}"), answer("application/json", #"{"n":"Café"}"#)).count
                == 1
        )
        let image = ["image/png", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"].map { type in
            Self.differences(answer(type, "é: 1\nx: 1"), answer(type, "é: 2\nx: 2"))
        }
        #expect(image == [["content: value"], ["content: value"]])
    }

    @Test func `lines of JSON are compared as JSON`() {
        func lines(_ value: Int) -> RecordedResponse {
            Self.answer(
                "{\"i\":1,\"v\":2}\n{\"i\":2,\"v\":\(value)}\n",
                fields: [("Content-Type", "application/x-ndjson")]
            )
        }
        #expect(Self.differences(lines(3), lines(4)) == ["content [].v: value"])
    }

    @Test func `texts that Unicode calls equivalent are compared by octets`() {
        let composed = #"{"n":"Caf\u00e9"}"#
        #expect(Self.differences(Self.json(composed), Self.json("{\"n\":\"Caf\u{E9}\"}")) == [])
        #expect(Self.differences(Self.json(composed), Self.json("{\"n\":\"Cafe\u{301}\"}")) == ["content n: value"])
    }

    @Test func `base64 without a digit has the shape of base64`() {
        #expect(
            ValueShape("QWJjZGVmZ2hpamtsbW5vcHFy".utf8.map { $0 }).isLike(
                ValueShape("QWJjZGVmZ2hpa2xtbm9wcXJz0".dropLast().utf8.map { $0 })
            )
        )
        #expect(
            ValueShape("abcdefghijklmnopqrstuvwX".utf8.map { $0 }).isLike(
                ValueShape("abcdefghijklmnopqrstuv1X".utf8.map { $0 })
            )
        )
    }

    @Test func `other octets are equal or not`() {
        var first = Self.answer("")
        first.message = RecordedMessage(fields: [], content: [0, 0xFF, 1])
        var second = first
        second.message.content[2] = 2
        #expect(Self.differences(first, first) == [])
        #expect(Self.differences(first, second) == ["content: value"])
    }

    @Test func `content that was cut is compared as far as it was kept, and marked`() {
        var first = Self.answer(#"{"a":[1,2"#)
        first.message.contentOctets = 1000
        var second = first
        #expect(Self.comparison(first, second).contentIsCut)
        #expect(Self.differences(first, second) == [])
        second.message.contentOctets = 1001
        #expect(Self.differences(first, second) == ["content: size"])
        second.message.content[3] = UInt8(ascii: "b")
        second.message.contentOctets = 1000
        #expect(Self.differences(first, second) == ["content: value"])
    }

    @Test func `content of which nothing was kept is not missing`() {
        var nothing = Self.answer("", fields: [("Content-Type", "application/json")])
        nothing.message.contentOctets = 7
        let whole = Self.json(#"{"a":1}"#)
        for (first, second) in [(nothing, whole), (whole, nothing)] {
            #expect(Self.differences(first, second) == [] && Self.comparison(first, second).contentIsCut)
        }
        #expect(Self.differences(whole, Self.json("")) == ["content: missing"])
    }

    @Test func `content that was not read to its end is no shorter than what may be as long`() {
        var whole = Self.answer("first line\nsecond")
        whole.message.contentOctets = 80 << 20
        var open = whole
        open.message.contentOctets = 64 << 20
        open.message.contentIsOpen = true
        #expect(Self.differences(whole, open) == [] && Self.comparison(whole, open).contentIsCut)
        #expect(Self.differences(open, whole) == [] && Self.differences(open, open) == [])
        var short = whole
        short.message.contentOctets = 63 << 20
        #expect(Self.differences(short, open) == ["content: size"])
        let small = Self.answer("first line\nsecond")
        #expect(Self.differences(small, open) == ["content: size"])
    }

    @Test func `content codings are taken off, and are no difference`() {
        let decoder: ContentDecoder = { coding, octets, limit in
            coding == "gzip" && octets.first == 0x1F
                ? FreedContent(Array(octets.dropFirst().prefix(limit)), isWhole: octets.count <= limit + 1) : nil
        }
        let plain = Self.json(#"{"a":1}"#)
        var coded = Self.answer(
            "\u{1F}{\"a\":1}",
            fields: [("Content-Type", "application/json"), ("Content-Encoding", "gzip"), ("Vary", "Accept-Encoding")]
        )
        #expect(Self.comparison(plain, coded, decoder: decoder).differences.isEmpty)
        #expect(Self.comparison(coded, plain, decoder: decoder).differences.isEmpty)
        var limited = ComparisonSettings()
        limited.maximumContentOctets = 4
        let long = Self.comparison(plain, coded, settings: limited, decoder: decoder)
        #expect(long.differences.isEmpty && long.contentIsCut && !long.contentIsUnread)
        coded.message.content[0] = 0x20
        let broken = Self.comparison(plain, coded, decoder: decoder).differences
        #expect(broken.map(\.candidate) == ["unreadable"])
        coded.message.fields[1].value = Array("zstd".utf8)
        let unread = Self.comparison(plain, coded, decoder: decoder)
        #expect(unread.differences.isEmpty && unread.contentIsUnread)
        coded.message.content[0] = 0x1F
        coded.message.fields[1].value = Array("gzip, gzip".utf8)
        let twice = Self.comparison(plain, coded, settings: limited, decoder: decoder)
        #expect(twice.differences.isEmpty, "cut by the first step, and not broken")
    }

    // MARK: - Fields

    struct FieldRow: Sendable, CustomTestStringConvertible {
        let label: String
        let name: String
        let production: String?
        let candidate: String?
        let counts: Bool

        init(_ label: String, _ name: String, _ production: String?, _ candidate: String?, counts: Bool) {
            self.label = label
            self.name = name
            self.production = production
            self.candidate = candidate
            self.counts = counts
        }

        var testDescription: String { label }
    }

    @Test(arguments: [
        FieldRow("another type", "Content-Type", "text/html", "text/plain", counts: true),
        FieldRow(
            "a type written otherwise",
            "Content-Type",
            "text/html; charset=UTF-8",
            "text/html;charset=utf-8",
            counts: false
        ),
        FieldRow("a field that went missing", "X-Shop", "a", nil, counts: true),
        FieldRow("a field that is new", "X-Shop", nil, "a", counts: true),
        FieldRow("Date", "Date", "Mon, 23 Nov 2026 10:00:00 GMT", "Mon, 23 Nov 2026 10:00:01 GMT", counts: false),
        FieldRow("Age", "Age", "3", nil, counts: false),
        FieldRow("Server", "Server", "envoy", "nginx", counts: false),
        FieldRow("Envoy's times", "X-Envoy-Upstream-Service-Time", "3", nil, counts: false),
        FieldRow(
            "a request id",
            "X-Request-Id",
            "0b9d4a5e-6c3f-4b39-9d3a-0d4b1f2a3c4d",
            "1b9d4a5e-6c3f-4b39-9d3a-0d4b1f2a3c4e",
            counts: false
        ),
        FieldRow(
            "a request id that became null",
            "X-Request-Id",
            "0b9d4a5e-6c3f-4b39-9d3a-0d4b1f2a3c4d",
            "null",
            counts: true
        ),
        FieldRow("a rate limit", "RateLimit-Remaining", "99", "7", counts: false),
        FieldRow("a rate limit that is gone", "RateLimit-Remaining", "99", nil, counts: true),
        FieldRow("how the content is carried", "Content-Length", "5", nil, counts: false),
        FieldRow("an entity tag of equal content", "ETag", "\"a1\"", "\"b2\"", counts: false),
        FieldRow("a weak entity tag", "ETag", "\"a1\"", "W/\"a1\"", counts: false),
        FieldRow(
            "a redirect to the same place",
            "Location",
            "https://shop.example.com/a",
            "http://staging:8080/a",
            counts: false
        ),
        FieldRow("a relative redirect", "Location", "https://shop.example.com:443/a", "/a", counts: false),
        FieldRow(
            "a redirect to another place",
            "Location",
            "https://shop.example.com/a",
            "http://staging:8080/b",
            counts: true
        ),
        FieldRow(
            "a redirect to another host",
            "Location",
            "https://shop.example.com/a",
            "https://evil.example/a",
            counts: true
        ),
        FieldRow("a cookie's value", "Set-Cookie", "s=abc; Path=/; Secure", "s=def; Path=/; secure", counts: false),
        FieldRow("a cookie's name", "Set-Cookie", "s=abc", "t=abc", counts: true),
        FieldRow("a cookie that is no longer guarded", "Set-Cookie", "s=abc; HttpOnly", "s=abc", counts: true),
        FieldRow("a cookie that became empty", "Set-Cookie", "s=abc", "s=", counts: true),
        FieldRow("a cookie that is deleted", "Set-Cookie", "s=abc; Max-Age=3600", "s=deleted; Max-Age=0", counts: true),
        FieldRow(
            "a cookie that is deleted by a time of long ago",
            "Set-Cookie",
            "s=abc; Max-Age=3600",
            "s=x; Expires=Thu, 01-Jan-1970 00:00:01 GMT",
            counts: true
        ),
        FieldRow("a cookie deleted either way", "Set-Cookie", "s=a; Max-Age=-1", "s=; max-age=0", counts: false),
        FieldRow(
            "Max-Age before Expires",
            "Set-Cookie",
            "s=a; Max-Age=60",
            "s=b; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
            counts: false
        ),
        FieldRow(
            "how long a cookie lasts",
            "Set-Cookie",
            "s=abc; Max-Age=3600",
            "s=def; Expires=Tue, 19 Jan 2038 03:14:07 GMT",
            counts: false
        ),
        FieldRow("a cookie that lasts no longer", "Set-Cookie", "s=abc; Max-Age=3600", "s=def", counts: true),
        FieldRow("a cookie for other paths", "Set-Cookie", "s=abc; Path=/A", "s=def; Path=/a", counts: true),
        FieldRow("a cookie for more hosts", "Set-Cookie", "s=a", "s=b; Domain=shop.example.com", counts: true),
        FieldRow(
            "a cookie for the hosts around",
            "Set-Cookie",
            "s=a; Domain=shop.example.com",
            "s=b; Domain=.example.com",
            counts: true
        ),
        FieldRow(
            "a cookie for elsewhere",
            "Set-Cookie",
            "s=a; Domain=shop.example.com",
            "s=b; Domain=evil.example",
            counts: true
        ),
        FieldRow(
            "a cookie for its own host",
            "Set-Cookie",
            "s=a; Domain=Shop.example.com",
            "s=b; Domain=staging",
            counts: false
        ),
        FieldRow("content that is old at once", "Expires", "Tue, 19 Jan 2038 03:14:07 GMT", "0", counts: true),
        FieldRow("content that is old, either way", "Expires", "Thu, 01 Jan 1970 00:00:00 GMT", "-1", counts: false),
        FieldRow("how many requests are allowed", "X-RateLimit-Limit", "1000", "0", counts: true),
        FieldRow("how many requests are allowed in a minute", "x-ratelimit-limit-minute", "60", "6", counts: true),
        FieldRow("another policy for caches", "Cache-Control", "no-store", "max-age=60", counts: true),
        FieldRow("what answers vary by", "Vary", "Accept-Encoding, Origin", "origin", counts: false),
        FieldRow("a time nobody knows", "X-Built", "2026-11-23T10:00:00Z", "2026-11-24T10:00:00Z", counts: false),
    ])
    func `fields are compared by value, and volatile ones by shape`(row: FieldRow) {
        let production = Self.answer("a", fields: row.production.map { [(row.name, $0)] } ?? [])
        let candidate = Self.answer("a", fields: row.candidate.map { [(row.name, $0)] } ?? [])
        let differences = Self.comparison(production, candidate).differences
        #expect(differences.contains { Volatility.unknown.counts($0) } == row.counts)
        guard row.counts else { return }
        #expect(differences.allSatisfy { $0.place.text.hasPrefix("field \(row.name.lowercased())") })
    }

    @Test func `a cookie that expires before its own answer was made is deleted`() {
        func answer(_ date: String, _ expiry: String) -> RecordedResponse {
            Self.answer(
                "a",
                fields: [
                    ("Date", "Mon, 23 Nov 2026 \(date) GMT"),
                    ("Set-Cookie", "s=1; Expires=Mon, 23-Nov-26 \(expiry) GMT"),
                    ("Expires", "Mon, 23 Nov 2026 \(expiry) GMT"),
                ]
            )
        }
        func counted(_ first: RecordedResponse, _ second: RecordedResponse) -> [AnswerPlace] {
            Self.comparison(first, second).differences.filter(Volatility.unknown.counts).map(\.place)
        }
        // Each by its own clock, as the one may answer an hour after the other.
        #expect(counted(answer("10:00:00", "10:30:00"), answer("11:00:00", "11:30:00")) == [])
        #expect(
            counted(answer("10:00:00", "10:30:00"), answer("11:00:00", "10:59:00")) == [
                .field("expires"), .field("set-cookie s"),
            ]
        )
    }

    struct Lifetime: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let production: [(String, String)]
        let candidate: [(String, String)]
        let counted: [AnswerPlace]

        init(_ label: String, _ production: [(String, String)], _ candidate: [(String, String)], _ counted: [String]) {
            testDescription = label
            self.production = production
            self.candidate = candidate
            self.counted = counted.map { .field($0) }
        }
    }

    @Test(arguments: [
        Lifetime(
            "a month, and a minute",
            [("Set-Cookie", "s=1; Max-Age=2592000")],
            [("Set-Cookie", "s=2; Max-Age=60")],
            ["set-cookie s"]
        ),
        Lifetime("some time less", [("Set-Cookie", "s=1; Max-Age=3600")], [("Set-Cookie", "s=2; Max-Age=2700")], []),
        Lifetime(
            "as long, said otherwise",
            [("Set-Cookie", "s=1; Max-Age=3600")],
            [("Set-Cookie", "s=2; Expires=Mon, 23-Nov-26 11:00:00 GMT")],
            []
        ),
        Lifetime(
            "until another time",
            [("Set-Cookie", "s=1; Expires=Mon, 23-Nov-26 10:30:00 GMT")],
            [("Set-Cookie", "s=2; Expires=Mon, 23-Nov-26 10:01:00 GMT")],
            ["set-cookie s"]
        ),
    ])
    func `how long cookies last counts, give or take a half`(row: Lifetime) {
        let date = [("Date", "Mon, 23 Nov 2026 10:00:00 GMT")]
        let differences = Self.comparison(
            Self.answer("a", fields: date + row.production),
            Self.answer("a", fields: date + row.candidate)
        ).differences.filter(Volatility.unknown.counts)
        #expect(differences.map(\.place) == row.counted)
        // So that lifetimes that vary by themselves are learned.
        #expect(differences.allSatisfy { !Volatility.volatile.counts($0) })
    }

    @Test(
        arguments: [
            ("gzip", "gzip", "br", true), ("gzip, br", "gzip", "br", false), (nil, "gzip", "br", false),
            ("*", "", "br", false), ("gzip;q=1, *;q=0", "gzip", "br", true), ("br; q=0.0, gzip", "gzip", "br", true),
            ("", "", "gzip", true), ("gzip", "gzip", "x-gzip", false), ("gzip", "br", "br", false),
            ("identity", "", "gzip", true), ("GZIP", "", "gzip", false), ("gzip", "gzip", "", false),
        ] as [(String?, String, String, Bool)]
    )
    func `a coding that the client cannot read is a difference, and any other is none`(
        accepted: String?,
        production: String,
        candidate: String,
        isDifferent: Bool
    ) {
        func answer(_ coding: String) -> RecordedResponse {
            Self.answer("a", fields: coding.isEmpty ? [] : [("Content-Encoding", coding)])
        }
        let request = RecordedRequest(
            method: "GET",
            target: Array("/".utf8),
            message: RecordedMessage(
                fields: accepted.map { [RecordedField(name: "Accept-Encoding", value: $0)] } ?? []
            )
        )
        func places(ignoring ignored: [String]) -> [AnswerPlace] {
            var policy = ComparisonPolicy(name: "p", targets: [])
            policy.settings.ignoredFields = ignored
            let comparator = AnswerComparator(policy: policy) { _, octets, _ in FreedContent(octets) }
            var first = comparator.prepared(answer(production))
            var second = comparator.prepared(answer(candidate))
            return comparator.compare(&first, &second, authority: nil, asked: AskedFor(request)).differences.map(
                \.place
            )
        }
        #expect(places(ignoring: []) == (isDifferent ? [.field("content-encoding")] : []))
        #expect(places(ignoring: ["content-encoding"]).isEmpty)
    }

    @Test func `of lines that set one cookie the last counts, and a deletion elsewhere is one of its own`() {
        func answer(_ lines: String...) -> RecordedResponse {
            Self.answer("a", fields: lines.map { ("Set-Cookie", $0) })
        }
        let both = answer("s=; Max-Age=0; Path=/old", "s=1; Path=/")
        #expect(Self.differences(both, answer("s=1; Path=/", "s=; Max-Age=0; Path=/old")) == [])
        #expect(Self.differences(both, answer("s=1; Path=/")) == ["field set-cookie s: missing"])
        #expect(Self.differences(answer("s=; Max-Age=0", "s=1"), answer("s=1")) == [])
        let example = Self.comparison(answer("s=1; Max-Age=9"), answer("s=1; Max-Age=0")).differences.first
        #expect(example?.production.hasSuffix(", lasting") == true && example?.candidate.hasSuffix(", expired") == true)
    }

    @Test(
        arguments: [
            ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777), ("Sunday, 06-Nov-94 08:49:37 GMT", 784_111_777),
            ("Sun Nov  6 08:49:37 1994", 784_111_777), ("Thu, 01-Jan-1970 00:00:00 GMT", 0),
            ("Tue, 19 Jan 2038 03:14:08 GMT", 2_147_483_648), ("6 nov 2069 1:2:3", 3_150_925_323),
            ("Sun, 06 Nov 1500 08:49:37 GMT", nil), ("Sun, 06 Nov 1994 24:00:00 GMT", nil), ("0", nil), ("", nil),
            ("Sun, 06 1994 08:49:37 GMT", nil), ("Sun, 32 Nov 1994 08:49:37 GMT", nil),
        ] as [(String, Int?)]
    )
    func `times are read in all forms that servers write`(text: String, seconds: Int?) {
        #expect(HTTPTime.seconds(Array(text.utf8)) == seconds)
    }

    @Test func `each cookie is a place of its own, and names that look like data are one`() {
        func answer(_ lines: String...) -> RecordedResponse {
            Self.answer("a", fields: lines.map { ("Set-Cookie", $0) })
        }
        let none = Self.answer("a")
        #expect(
            Self.differences(answer("lb=1", "session=2"), none) == [
                "field set-cookie lb: missing", "field set-cookie session: missing",
            ]
        )
        #expect(Self.differences(none, answer("anna@example.com=1")) == ["field set-cookie *: extra"])
    }

    // MARK: - What stands around JSON

    @Test(arguments: ["\u{FEFF}%", ")]}',\n%", "for(;;);%", "/**/ shop.took(%);", "took(%)\n", "%"])
    func `what stands around JSON hides nothing of it`(wrapper: String) {
        func answer(_ json: String, _ wrapper: String = wrapper) -> RecordedResponse {
            let parts = wrapper.split(separator: "%", omittingEmptySubsequences: false)
            let type = wrapper.contains("(%") ? "text/javascript" : "application/json"
            return Self.answer("\(parts[0])\(json)\(parts[1])", fields: [("Content-Type", type)])
        }
        #expect(
            Self.differences(answer(#"{"ts":1,"price":5}"#), answer(#"{"ts":2,"price":0}"#)) == [
                "content ts: value", "content price: value",
            ]
        )
        #expect(Self.differences(answer(#"{"a":1}"#), answer(#"{ "a":1}"#)) == [])
        guard wrapper != "%" else { return }
        let other = wrapper.replacing("took", with: "other").replacing("\u{FEFF}", with: "").replacing(
            ")]}',",
            with: ""
        )
        .replacing("for(;;)", with: "while(1)")
        #expect(Self.differences(answer(#"{"a":1}"#), answer(#"{"a":1}"#, other)) == ["content: type"])
    }

    @Test func `half of a surrogate pair is a value like any other`() {
        let first = Self.json(#"{"name":"a\ud800","price":5}"#)
        #expect(Self.differences(first, Self.json(#"{"name":"a\ud800","price":6}"#)) == ["content price: value"])
        #expect(Self.differences(first, Self.json(#"{"name":"a\ud801","price":5}"#)) == ["content name: value"])
    }

    @Test func `whole numbers that no Int holds are compared digit by digit`() {
        func id(_ number: String) -> RecordedResponse { Self.json("{\"id\":\(number)}") }
        let first = id("18446744073709551515")
        #expect(Self.differences(first, id("18446744073709551515")) == [])
        #expect(Self.differences(first, id("18446744073709552000")) == ["content id: value"])
        #expect(Self.differences(id("18446744073709551616"), id("18446744073709551616.0")) == [])
        #expect(Self.differences(id("1"), id("1.0")) == [])
        let lists = ["[18446744073709551515,2]", "[2,18446744073709552000]"].map(id)
        #expect(Self.differences(lists[0], lists[1]) == ["content id[]: value"])
    }

    @Test func `a map of many entries is one place, and an object of many members is as many`() {
        func map(_ price: Int, of count: Int = 64) -> RecordedResponse {
            let entry = #":{"price":\#(price),"name":"x"}"#
            let entries = (0..<count).map { "\"sku-\(["a", "b", "c"][$0 % 3])\($0)\"" + entry }
            return Self.json("{\"items\":{\(entries.joined(separator: ","))}}")
        }
        #expect(Self.differences(map(1), map(2)) == ["content items.*.price: value"])
        #expect(Self.differences(map(1, of: 63), map(2, of: 63)).count == 63)
        func object(_ value: Int) -> RecordedResponse {
            Self.json("{\((0..<64).map { "\"f\($0)\":\(value)" }.joined(separator: ","))}")
        }
        #expect(Self.differences(object(1), object(2)).count == 64)
    }

    @Test func `ignored fields are not compared`() {
        var settings = ComparisonSettings()
        settings.ignoredFields = ["x-shop"]
        #expect(
            Self.differences(Self.answer("a", fields: [("X-Shop", "1")]), Self.answer("a"), settings: settings) == []
        )
    }

    // MARK: - What is shown

    @Test func `examples show no value unless told to, and no secret ever`() {
        let production = Self.answer(
            #"{"name":"Alice","card":4111,"ok":true}"#,
            fields: [("Set-Cookie", "session=topsecret"), ("X-Note", "note-one")]
        )
        let candidate = Self.answer(
            #"{"name":"Mallory","card":4222,"ok":false}"#,
            fields: [("Set-Cookie", "session="), ("X-Note", "note-two")]
        )
        func shown(_ settings: ComparisonSettings) -> String {
            Self.comparison(production, candidate, settings: settings).differences
                .map { $0.production + " " + $0.candidate }.joined(separator: " ")
        }
        var settings = ComparisonSettings()
        for value in ["Alice", "Mallory", "4111", "4222", "true", "false", "topsecret", "note-"] {
            #expect(!shown(settings).contains(value))
        }
        settings.showsValues = true
        #expect(shown(settings).contains("Mallory") && shown(settings).contains("note-two"))
        #expect(!shown(settings).contains("topsecret"))
    }

    @Test func `equal values look equal and others do not`() {
        let differences = Self.comparison(
            Self.json(#"{"a":"x","b":"x"}"#),
            Self.json(#"{"a":"y","b":"y"}"#)
        ).differences
        #expect(differences.map(\.production).allSatisfy { $0 == differences[0].production })
        #expect(differences[0].production != differences[0].candidate)
    }
}
