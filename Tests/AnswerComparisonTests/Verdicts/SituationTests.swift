// Wingmirror · Apache-2.0
// Situations people were in, and what a careful engineer would conclude from each design.

import OctetText
import TestTraits
import Testing
import TrafficModel

@testable import AnswerComparison

/// What one of the three servers answers to request `n`.
struct Situation: Sendable, CustomTestStringConvertible {
    enum Role: Sendable {
        case production
        case baseline
        case candidate
    }

    /// One request, asked of one server.
    struct Question {
        let role: Role
        let number: Int
        var random: SeededGenerator
        /// Seconds since the situation began.
        let time: Double

        var isNew: Bool { role == .candidate }
        var isStaging: Bool { role != .production }

        /// Whether something happens by chance, another time each time.
        mutating func chance(_ share: Double) -> Bool { random.next() >> 11 < UInt64(share * 0x1p53) }

        /// Whether something is so for this request, at every server and every time.
        func isOneOf(_ share: Double, _ salt: UInt64 = 0) -> Bool {
            var generator = SeededGenerator(seed: UInt64(number) &* 0x9E37_79B9_7F4A_7C15 ^ salt)
            return generator.next() >> 11 < UInt64(share * 0x1p53)
        }

        mutating func word() -> Int { Int(random.next() >> 40) }
    }

    let name: String
    /// What may be concluded with a baseline (D2), with a second answer to every request (D1), and to one in ten (default).
    let baseline: Set<Verdict>
    let repeats: Set<Verdict>
    let standard: Set<Verdict>
    var lostCredentials = false
    /// When it begins, in seconds since the Unix epoch; 0 where that does not matter.
    var start: Int64 = 0
    /// Why nothing is concluded with a baseline; `nil` where that does not matter.
    var reason: VerdictReason?
    /// From one request to the next, in nanoseconds.
    var step: Int64 = 1_000_000_000
    /// How long a server takes, or is given, in nanoseconds; 0 where that does not matter.
    var took: @Sendable (Question) -> Int64 = { _ in 0 }
    /// Whether the recording has no replayed answer.
    var isUnanswered: @Sendable (Question) -> Bool = { _ in false }
    let answer: @Sendable (inout Question) -> Result<RecordedResponse, ShadowFailure>

    init(
        _ name: String,
        _ baseline: Set<Verdict>,
        _ repeats: Set<Verdict>,
        _ standard: Set<Verdict>,
        lostCredentials: Bool = false,
        answer: @escaping @Sendable (inout Question) -> Result<RecordedResponse, ShadowFailure>
    ) {
        self.name = name
        self.baseline = baseline
        self.repeats = repeats
        self.standard = standard
        self.lostCredentials = lostCredentials
        self.answer = answer
    }

    var testDescription: String { name }

    /// The same with requests that follow each other faster or slower.
    func every(_ nanoseconds: Int64) -> Situation {
        var other = self
        other.step = nanoseconds
        return other
    }

    /// The same at a certain time.
    func since(_ start: Int64) -> Situation {
        var other = self
        other.start = start
        return other
    }

    /// The same where the reason matters.
    func because(_ reason: VerdictReason) -> Situation {
        var other = self
        other.reason = reason
        return other
    }

    /// The same with times.
    func taking(_ took: @escaping @Sendable (Question) -> Int64) -> Situation {
        var other = self
        other.took = took
        return other
    }

    /// The same with answers that are not there.
    func missing(_ isUnanswered: @escaping @Sendable (Question) -> Bool) -> Situation {
        var other = self
        other.isUnanswered = isUnanswered
        return other
    }

    // MARK: - Answers

    static func json(_ text: String, status: Int = 200, _ fields: [(String, String)] = []) -> Result<
        RecordedResponse, ShadowFailure
    > {
        .success(
            AnswerComparatorTests.answer(text, status: status, fields: [("Content-Type", "application/json")] + fields)
        )
    }

    static func product(
        _ question: Question,
        price: String? = nil,
        priceName: String = "price",
        more: String = "",
        tags: String = #"["new","sale"]"#,
        name: String? = nil,
        fields: [(String, String)] = []
    ) -> Result<RecordedResponse, ShadowFailure> {
        let n = question.number
        let price = price ?? "\(1 + n % 7).5"
        let name = name ?? #""product \#(n)""#
        return json(#"{"id":\#(n),"name":\#(name),"\#(priceName)":\#(price),"tags":\#(tags)\#(more)}"#, fields)
    }

    static func error(_ status: Int) -> Result<RecordedResponse, ShadowFailure> {
        json(#"{"error":"x"}"#, status: status)
    }

    static func json(_ text: String, _ fields: [(String, String)]) -> Result<RecordedResponse, ShadowFailure> {
        json(text, status: 200, fields)
    }

    static func page(_ token: String, price: String) -> Result<RecordedResponse, ShadowFailure> {
        let lines = (0..<10).map { "<p>line \($0)</p>" }.joined(separator: "\n")
        let csrf = token.isEmpty ? "" : "<input type=hidden name=csrf value=\"\(token)\">\n"
        return .success(
            AnswerComparatorTests.answer(
                "<html><body>\n\(csrf)\(lines)\n<p class=price>\(price)</p>\n</body></html>\n",
                fields: [("Content-Type", "text/html")]
            )
        )
    }

    /// The page in ISO 8859-1.
    static func latinPage(_ token: String, price: String) -> Result<RecordedResponse, ShadowFailure> {
        page(token, price: price).map { response in
            var response = response
            response.message.fields = [RecordedField(name: "Content-Type", value: "text/html; charset=iso-8859-1")]
            response.message.content += Array("<p>Caf".utf8) + [0xE9] + Array("</p>\n".utf8)
            response.message.contentOctets = Int64(response.message.content.count)
            return response
        }
    }

    /// The same entries in any order.
    static func list(_ question: inout Question, isShuffled: Bool) -> Result<RecordedResponse, ShadowFailure> {
        var entries = [1, 2, 3, 4, 5]
        if isShuffled { entries.shuffle(using: &question.random) }
        return product(question, tags: "\(entries)")
    }

    static func noise(_ question: inout Question) -> String {
        // Many enough that two answers are hardly ever of the same second.
        let minute = 10 + question.word() % 49
        let words = (0..<4).map { _ in String(UInt64(question.word()) | 1 << 40, radix: 16) }
        let id = "\(String(question.word() | 1 << 31, radix: 16).prefix(8))-6c3f-4b39-9d3a-0d4b1f2a3c4d"
        let time = "2026-11-23T10:\(minute):\(10 + question.word() % 49)Z"
        return #","ts":"\#(time)","uuid":"\#(id)","nonce":"\#(words.joined().prefix(24))""#
    }

    // MARK: - The table

    static let all: [Situation] =
        good + errors + changes + noisy + environment + hidden + several + times + settings + servers

    /// Nothing that matters has changed.
    static let good: [Situation] = [
        Situation("the same", [.pass], [.pass], [.pass]) { product($0) },
        Situation("members in another order", [.pass], [.pass], [.pass]) {
            $0.isNew
                ? json(#"{"name":"a","id":1}"#) : json(#"{"id":1,"name":"a"}"#)
        },
        Situation("numbers written otherwise", [.pass], [.pass], [.pass]) {
            json($0.isNew ? #"{"a":1.0,"b":1e2}"# : #"{"a":1,"b":100}"#)
        },
        Situation("text escaped", [.pass], [.pass], [.pass]) {
            json($0.isNew ? #"{"n":"Caf\u00e9"}"# : "{\"n\":\"Caf\u{E9}\"}")
        },
        Situation("white space", [.pass], [.pass], [.pass]) { json($0.isNew ? "{ \"a\" : 1 }" : #"{"a":1}"#) },
        Situation("fields in another order and case", [.pass], [.pass], [.pass]) {
            product($0, fields: $0.isNew ? [("x-b", "2"), ("X-A", "1")] : [("X-A", "1"), ("X-B", "2")])
        },
        Situation("lists in fields in another order, with other spaces", [.pass], [.pass], [.pass]) {
            product(
                $0,
                fields: $0.isNew
                    ? [
                        ("Cache-Control", "max-age=60,Public"), ("Access-Control-Allow-Methods", "GET,POST"),
                        ("Strict-Transport-Security", "max-age=60;includesubdomains"), ("X-Powered-By", "Express/5"),
                    ]
                    : [
                        ("Cache-Control", "public, max-age=60"), ("Access-Control-Allow-Methods", "POST, GET"),
                        ("Strict-Transport-Security", "max-age=60; includeSubDomains"), ("X-Powered-By", "Express/4"),
                    ]
            )
        },
        Situation("a character set in quotation marks", [.pass], [.pass], [.pass]) {
            .success(
                AnswerComparatorTests.answer(
                    "<p>a</p>",
                    fields: [("Content-Type", $0.isNew ? "text/html;charset=\"utf-8\"" : "text/html; charset=UTF-8")]
                )
            )
        },
        Situation("attributes in another order", [.pass], [.pass], [.pass]) {
            let tag = $0.isNew ? "<p title='a > b' class=\"x y\"/>" : "<p class=\"x y\" title='a > b'/>"
            return .success(
                AnswerComparatorTests.answer("<a>\(tag)</a>", fields: [("Content-Type", "application/xml")])
            )
        },
        Situation("an image", [.pass], [.pass], [.pass]) { _ in
            .success(
                AnswerComparatorTests.answer(
                    String(repeating: "\u{0}x", count: 50),
                    fields: [("Content-Type", "image/png")]
                )
            )
        },
        Situation("a redirect to its own host", [.pass], [.pass], [.pass]) {
            let host = $0.isStaging ? "staging:8080" : "shop.example.com"
            return .success(
                AnswerComparatorTests.answer("", status: 302, fields: [("Location", "http://\(host)/login")])
            )
        },
        Situation("a session cookie that is new each time", [.pass], [.pass], [.pass]) {
            let value = $0.word()
            return product($0, fields: [("Set-Cookie", "sid=\(value); Path=/; HttpOnly")])
        },
        Situation("times, identifiers and tokens", [.pass], [.pass], [.pass]) { question in
            let noise = noise(&question)
            return product(question, more: noise)
        },
        Situation("a page with a token", [.pass], [.inconclusive], [.inconclusive]) {
            page("t\($0.word())", price: "9.99")
        },
        Situation("a cookie that is deleted", [.pass], [.pass], [.pass]) {
            let value = $0.isStaging ? "deleted" : ""
            return product($0, fields: [("Set-Cookie", "sid=\(value); Path=/; Max-Age=0")])
        },
        Situation("a candidate that was just started", [.pass], [.pass], [.pass]) { product($0) }
            .every(100_000_000)
            .taking { $0.isNew && $0.number < 320 ? 12_000_000 : 6_000_000 },
    ]

    /// The candidate fails.
    static let errors: [Situation] =
        [0.05, 0.1, 0.3, 0.5, 0.8].map { share in
            Situation("500 at random in \(Int(share * 100)) %", [.fail], [.fail], [.fail]) {
                $0.isNew && $0.chance(share) ? error(500) : product($0)
            }
        } + [
            Situation("503 for some requests", [.fail], [.fail], [.fail]) {
                $0.isNew && $0.isOneOf(0.06) ? error(503) : product($0)
            },
            Situation("answers cut off", [.fail], [.fail], [.fail]) {
                $0.isNew && $0.isOneOf(0.06) ? .failure(.reset) : product($0)
            },
            Situation("timeouts", [.fail], [.fail], [.fail]) {
                $0.isNew && $0.isOneOf(0.06) ? .failure(.timeout) : product($0)
            },
            Situation("nobody there", [.fail], [.fail], [.fail]) { $0.isNew ? .failure(.connect) : product($0) },
            Situation("timeouts where production takes as long", [.inconclusive], [.inconclusive], [.inconclusive]) {
                $0.isStaging && $0.isOneOf(0.1) ? .failure(.timeout) : product($0)
            }
            .taking { $0.isOneOf(0.1) ? ($0.isStaging ? 10_000_000_000 : 12_000_000_000) : 0 },
            Situation(
                "a recording in which a third has no replayed answer",
                [.inconclusive],
                [.inconclusive],
                [.inconclusive]
            ) { product($0) }
            .missing { $0.isOneOf(0.3) },
            Situation(
                "a recording in which every twentieth or so has no replayed answer",
                [.inconclusive],
                [.inconclusive],
                [.inconclusive]
            ) { product($0) }
            .missing { $0.isOneOf(0.04) },
            Situation("production's own errors repaired, at random", [.pass], [.pass], [.pass]) {
                !$0.isNew && $0.chance(0.1) ? error(500) : product($0)
            },
            Situation("production's own errors repaired, for some requests", [.pass], [.pass], [.pass]) {
                !$0.isNew && $0.isOneOf(0.1) ? error(500) : product($0)
            },
            Situation("errors everywhere for the same requests", [.pass], [.pass], [.pass]) {
                $0.isOneOf(0.1) ? error(500) : product($0)
            },
            Situation(
                "a restart of two seconds",
                [.pass, .inconclusive],
                [.pass, .inconclusive],
                [.pass, .inconclusive]
            ) {
                $0.isNew && (100..<102).contains($0.time) ? .failure(.connect) : product($0)
            },
            Situation("429 from staging, at random", [.inconclusive], [.inconclusive], [.inconclusive]) {
                $0.isStaging && $0.chance(0.2) ? error(429) : product($0)
            },
            Situation(
                "429 from the candidate alone",
                [.fail],
                [.inconclusive, .different],
                [.inconclusive, .different]
            ) {
                $0.isNew && $0.chance(0.2) ? error(429) : product($0)
            },
            Situation("429 from the candidate now and then", [.fail], [.inconclusive], [.inconclusive]) {
                $0.isNew && $0.chance(0.04) ? error(429) : product($0)
            },
            Situation(
                "production's own errors repaired, and other requests fail",
                [.inconclusive],
                [.inconclusive],
                [.inconclusive]
            ) {
                if !$0.isNew, $0.isOneOf(0.12) { return error(500) }
                return $0.isNew && $0.isOneOf(0.04, 1) ? error(500) : product($0)
            },
        ]

    private static func change(
        _ name: String,
        answer: @escaping @Sendable (inout Question) -> Result<RecordedResponse, ShadowFailure>
    ) -> Situation {
        Situation(name, [.fail], [.different], [.different, .inconclusive], answer: answer)
    }

    /// The answers have changed.
    static let changes: [Situation] = [
        change("a member renamed") { product($0, priceName: $0.isNew ? "cost" : "price") },
        change("a number became text") { product($0, price: $0.isNew ? "\"1.5\"" : "1.5") },
        change("a list in another order") { product($0, tags: $0.isNew ? #"["sale","new"]"# : #"["new","sale"]"#) },
        change("a member more") { product($0, more: $0.isNew ? #","beta":true"# : "") },
        change("empty text became null") { product($0, more: $0.isNew ? #","note":null"# : #","note":"""#) },
        change("null became absent") { product($0, more: $0.isNew ? "" : #","note":null"#) },
        change("another case of letters") { product($0, name: $0.isNew ? "\"PRODUCT\"" : "\"product\"") },
        change("text that Unicode calls equivalent") {
            json($0.isNew ? "{\"n\":\"Cafe\u{301}\"}" : "{\"n\":\"Caf\u{E9}\"}")
        },
        change("an identifier one off") {
            json($0.isNew ? #"{"id":9007199254740992}"# : #"{"id":9007199254740993}"#)
        },
        change("a cookie that scripts may read") {
            product($0, fields: [("Set-Cookie", "sid=\($0.number); Path=/" + ($0.isNew ? "" : "; HttpOnly"))])
        },
        change("no security fields") {
            product($0, fields: $0.isNew ? [] : [("Strict-Transport-Security", "max-age=31536000")])
        },
        change("other rules for caches") {
            product($0, fields: [("Cache-Control", $0.isNew ? "no-store" : "max-age=60")])
        },
        change("a redirect elsewhere") {
            .success(
                AnswerComparatorTests.answer("", status: 302, fields: [("Location", $0.isNew ? "/home" : "/login")])
            )
        },
        change("a redirect to another host of production") {
            redirect("http://\($0.isNew ? "admin" : "shop").example.com/login")
        },
        change("a redirect by the other scheme") {
            redirect("http\($0.isNew ? "" : "s")://shop.example.com/login")
        },
        change("a picture by the other scheme") {
            json(#"{"img":"http\#($0.isNew ? "" : "s")://shop.example.com/a.png"}"#)
        },
        change("nothing in it") { json($0.isNew ? "" : "{}") },
        change("an attribute in another order, and other") {
            let tag = $0.isNew ? "<p b=\"1\" a=\"3\"/>" : "<p a=\"1\" b=\"1\"/>"
            return .success(AnswerComparatorTests.answer(tag, fields: [("Content-Type", "application/xml")]))
        },
        change("values of two attributes exchanged") {
            let tag = $0.isNew ? "<p a=\"2\" b=\"1\"/>" : "<p a=\"1\" b=\"2\"/>"
            return .success(AnswerComparatorTests.answer(tag, fields: [("Content-Type", "application/xml")]))
        },
        change("one line of many") { question in
            let lines = (0..<20).map { "{\"i\":\($0),\"v\":\(question.isNew && $0 == 7 ? 1 : 0)}" }
            return .success(
                AnswerComparatorTests.answer(
                    lines.joined(separator: "\n"),
                    fields: [("Content-Type", "application/x-ndjson")]
                )
            )
        },
        change("the price on a page") { page("", price: $0.isNew ? "0.00" : "9.99") },
        change("the price on a page with a token") { page("t\($0.word())", price: $0.isNew ? "0.00" : "9.99") },
        change("the price on a page in Latin-1 with a token") {
            latinPage("t\($0.word())", price: $0.isNew ? "0.00" : "9.99")
        },
        change("a cookie deleted instead of set") {
            product(
                $0,
                fields: [("Set-Cookie", $0.isNew ? "sid=deleted; Max-Age=0" : "sid=\($0.word()); Max-Age=3600")]
            )
        },
        change("content without end") { question in
            AnswerComparatorTests.answer("first line\nsecond").without(end: question.isNew)
        },
        change("404 for some requests") { $0.isNew && $0.isOneOf(0.08) ? error(404) : product($0) },
        change("a change beside noise") { question in
            let noise = noise(&question)
            return product(question, more: noise + (question.isNew ? #","state":"closed""# : #","state":"open""#))
        },
        change("null where a time was") { question in
            product(
                question,
                more: question.isNew ? #","ts":null"# : #","ts":"2026-11-23T10:00:\#(10 + question.word() % 49)Z""#
            )
        },
    ]

    /// The candidate varies, or its data do.
    static let noisy: [Situation] =
        [0.1, 0.3, 0.5, 0.7].map { share in
            Situation(
                "null at random in \(Int(share * 100)) %",
                [.fail],
                [.different, .inconclusive],
                [.different, .inconclusive]
            ) { $0.isNew && $0.chance(share) ? product($0, price: "null") : product($0) }
        } + [
            Situation(
                "0 now and then where a number varies",
                [.fail],
                [.inconclusive, .different],
                [.inconclusive, .different]
            ) {
                let isZero = $0.isNew && $0.chance(0.1)
                return product($0, more: ",\"took\":\(isZero ? 0 : 1 + $0.word())")
            },
            Situation("0 now and then where a number varies, everywhere", [.pass], [.inconclusive], [.inconclusive]) {
                product($0, more: ",\"took\":\($0.chance(0.05) ? 0 : 1 + $0.word())")
            },
            Situation("a member missing at random", [.fail], [.different], [.different, .inconclusive]) {
                $0.isNew && $0.chance(0.2) ? json(#"{"id":\#($0.number)}"#) : product($0)
            },
            Situation(
                "any of ten prices at the candidate",
                [.fail],
                [.different, .inconclusive],
                [.inconclusive, .different]
            ) {
                let price = "\($0.word() % 10)"
                return product($0, price: $0.isNew ? price : "1")
            },
            Situation(
                "a list in random order at the candidate",
                [.fail],
                [.inconclusive, .different],
                [.inconclusive, .different]
            ) { list(&$0, isShuffled: $0.isNew) },
            Situation(
                "a list in random order at the candidate, after another order once in a while",
                [.fail],
                [.inconclusive, .different],
                [.inconclusive, .different]
            ) { list(&$0, isShuffled: $0.isNew && $0.number >= 310 || $0.isStaging && $0.chance(0.02)) },
            Situation("a list in random order everywhere", [.pass], [.inconclusive], [.inconclusive]) {
                list(&$0, isShuffled: true)
            },
            Situation("a number that varies everywhere", [.pass], [.inconclusive], [.inconclusive]) {
                let took = $0.word()
                return product($0, more: ",\"took\":\(took)")
            },
            Situation("staging's data other", [.pass], [.different], [.different, .inconclusive]) {
                $0.isStaging && $0.isOneOf(0.3) ? product($0, price: "99") : product($0)
            },
            Situation(
                "staging's data other, and every tenth price wrong",
                [.fail],
                [.different],
                [.different, .inconclusive]
            ) {
                if $0.isNew && $0.isOneOf(0.1, 1) { return product($0, price: "1000") }
                return $0.isStaging && $0.isOneOf(0.05) ? product($0, price: "99") : product($0)
            },
            Situation(
                "staging's data other in a third, and a third of prices wrong",
                [.fail],
                [.different],
                [.different, .inconclusive]
            ) {
                if $0.isNew && $0.isOneOf(0.3, 1) { return product($0, price: "1000") }
                return $0.isStaging && $0.isOneOf(0.3) ? product($0, price: "99") : product($0)
            },
            Situation(
                "a truth turned in a fifth, beside other data",
                [.fail],
                [.different],
                [.different, .inconclusive]
            ) {
                let isFalse = $0.isStaging && $0.isOneOf(0.05) || $0.isNew && $0.isOneOf(0.2, 1)
                return product($0, more: ",\"available\":\(!isFalse)")
            },
            Situation("data missing in staging", [.pass, .inconclusive], [.different], [.different, .inconclusive]) {
                $0.isStaging && $0.isOneOf(0.3) ? error(404) : product($0)
            },
        ]

    /// Staging is another place.
    static let environment: [Situation] = [
        Situation("Last-Modified of its own", [.pass], [.pass], [.pass]) {
            product($0, fields: [("Last-Modified", "Mon, 0\($0.isStaging ? 2 : 1) Jan 2024 00:00:00 GMT")])
        },
        Situation("entity tags of its own", [.pass], [.pass], [.pass]) {
            product($0, fields: [("ETag", "\"\($0.isStaging ? "s" : "p")-\($0.number)\"")])
        },
        Situation("a time that staging caches", [.pass], [.pass], [.pass]) {
            let minute = $0.isStaging ? Int($0.time) / 20 % 60 : Int($0.time) % 60
            return product($0, more: #","generatedAt":"2026-11-23T10:\#(10 + minute % 49):00Z""#)
        },
        Situation("a time in milliseconds", [.pass], [.pass], [.pass]) {
            let time = 1_790_000_000_000 + Int($0.time * 1000) + ($0.isStaging ? 7 : 0)
            return product($0, more: ",\"at\":\(time)")
        },
        Situation("not modified", [.inconclusive], [.inconclusive], [.inconclusive]) {
            $0.isStaging ? product($0) : .success(AnswerComparatorTests.answer("", status: 304))
        },
        Situation("a user's answer, asked as a guest", [.pass], [.inconclusive], [.inconclusive], lostCredentials: true)
        {
            json($0.isStaging ? #"{"user":null,"items":0}"# : #"{"user":"u17","items":3}"#)
        },
        Situation("a user's answer that all get", [.pass], [.pass], [.pass], lostCredentials: true) { product($0) },
        Situation(
            "logins that staging does not know",
            [.inconclusive],
            [.inconclusive],
            [.inconclusive],
            lostCredentials: true
        ) {
            $0.isStaging ? error(401) : product($0)
        },
        Situation("a coding that is not read", [.inconclusive], [.inconclusive], [.inconclusive]) {
            let text = $0.isNew ? "a" : "b"
            return .success(AnswerComparatorTests.answer(text, fields: [("Content-Encoding", "zstd")]))
        },
        Situation("a coding that is not read for a few", [.inconclusive], [.inconclusive], [.inconclusive]) {
            guard $0.isOneOf(0.04) else { return product($0) }
            let text = $0.isNew ? "a" : "b"
            return .success(AnswerComparatorTests.answer(text, fields: [("Content-Encoding", "zstd")]))
        },
        Situation("content longer than is kept", [.inconclusive], [.inconclusive], [.inconclusive]) {
            var response = AnswerComparatorTests.answer("first line\nsecond" + ($0.isNew ? "x" : "y"))
            response.message.contentOctets = 2 << 20
            return .success(response)
        },
        Situation("a download longer than is read", [.inconclusive], [.inconclusive], [.inconclusive]) {
            var response = AnswerComparatorTests.answer("first line\nsecond")
            response.message.contentOctets = $0.isStaging ? 64 << 20 : 80 << 20
            response.message.contentIsOpen = $0.isStaging
            return .success(response)
        },
    ]
}

extension Situation {
    private static func redirect(_ location: String) -> Result<RecordedResponse, ShadowFailure> {
        .success(AnswerComparatorTests.answer("", status: 302, fields: [("Location", location)]))
    }

    /// Staging differs from production anyway, and a change may hide behind that.
    static let hidden: [Situation] = [
        Situation("staging asks to log in, and the candidate leads elsewhere", [.inconclusive], [.different], any) {
            $0.isStaging ? redirect($0.isNew ? "/broken" : "/login") : product($0)
        }
        .because(.notComparable),
        Situation("staging asks a few to log in, and the candidate leads elsewhere", [.inconclusive], any, any) {
            $0.isStaging && $0.isOneOf(0.1) ? redirect($0.isNew ? "/broken" : "/login") : product($0)
        }
        .because(.masked),
        Situation("staging leads to a host of its own, and the candidate forgets where from", [.inconclusive], any, any)
        {
            let host = $0.isStaging ? "login.staging.example.net" : "login.example.com"
            return redirect("https://\(host)/\($0.isNew ? "" : "?next=cart")")
        }
        .because(.masked),
        Situation("staging leads a few to addresses of their own", [.pass], any, any) {
            $0.isStaging && $0.isOneOf(0.1) ? redirect("/orders/\($0.word())?state=\($0.word())") : product($0)
        },
        Situation("staging in conflict, and the candidate otherwise", [.inconclusive], [.different], any) {
            $0.isStaging ? error($0.isNew ? 418 : 409) : product($0)
        }
        .because(.notComparable),
        Situation("staging in conflict for a few, and the candidate otherwise", [.inconclusive], any, any) {
            $0.isStaging && $0.isOneOf(0.1) ? error($0.isNew ? 418 : 409) : product($0)
        }
        .because(.masked),
        Situation("an empty text in staging, and none at the candidate", [.inconclusive], [.different], any) {
            product($0, more: $0.isNew ? "" : $0.isStaging ? #","d":"""# : #","d":"long enough to be told""#)
        }
        .because(.masked),
        Situation("staging's prices all other, and every tenth wrong at the candidate", [.inconclusive], any, any) {
            product($0, price: $0.isNew && $0.isOneOf(0.1) ? "1000" : $0.isStaging ? "\($0.number % 7)" : "99.5")
        }
        .because(.masked),
        Situation("staging's prices all other", [.pass], any, any) {
            product($0, price: $0.isStaging ? "\($0.number % 7)" : "99.5")
        },
        Situation("any of three words everywhere", [.pass, .inconclusive], any, any) {
            product($0, more: ",\"word\":\"\(["one", "two", "six"][$0.word() % 3])\"")
        },
        Situation("texts of any length everywhere", [.pass, .inconclusive], any, any) {
            let length = 1 << ($0.word() % 10)
            return product($0, more: ",\"text\":\"\(String(repeating: "no ", count: length))\"")
        },
        Situation("staging fails for all", [.inconclusive], [.fail], [.fail]) {
            $0.isStaging ? error(500) : product($0)
        }
        .because(.stagingFails),
        Situation("staging fails for most", [.inconclusive], [.fail], [.fail]) {
            $0.isStaging && $0.isOneOf(0.9) ? error(500) : product($0)
        }
        .because(.stagingFails),
        Situation("staging fails for a third", [.inconclusive], [.fail], [.fail]) {
            $0.isStaging && $0.isOneOf(0.3) ? error(500) : product($0)
        }
        .because(.stagingFails),
        Situation("the candidate asks for less, and the baseline fails", [.inconclusive], any, any) {
            $0.isStaging && $0.isOneOf(0.25) ? error($0.isNew ? 429 : 500) : product($0)
        }
        .because(.throttled),
        Situation("the baseline alone fails", [.inconclusive], [.pass], [.pass]) {
            $0.role == .baseline ? error(500) : product($0)
        }
        .because(.stagingFails),
        Situation("the baseline fails for some, and the candidate for others", [.inconclusive], [.fail], [.fail]) {
            if $0.role == .baseline, $0.isOneOf(0.15) { return error(500) }
            return $0.isNew && $0.isOneOf(0.1, 1) ? error(500) : product($0)
        }
        .because(.stagingFails),
        Situation("staging fails for a few", [.inconclusive], [.fail], [.fail]) {
            $0.isStaging && $0.isOneOf(0.15) ? error(500) : product($0)
        }
        .because(.stagingFails),
        Situation("staging gives no answer to a few", [.inconclusive], [.fail], [.fail]) {
            $0.isStaging && $0.isOneOf(0.04) ? .failure(.reset) : product($0)
        }
        .because(.stagingFails),
        Situation("the baseline fails for a few, and the candidate is wrong there", [.inconclusive], any, any) {
            guard $0.isStaging, $0.isOneOf(0.15) else { return product($0) }
            return $0.isNew ? product($0, price: "0") : error(500)
        }
        .because(.stagingFails),
        Situation("the baseline's prices wrong for some, and the candidate's for others", [.inconclusive], any, any) {
            if $0.role == .baseline, $0.isOneOf(0.12) { return product($0, price: "77") }
            return $0.isNew && $0.isOneOf(0.05, 1) ? product($0, price: "66") : product($0)
        },
        Situation("staging's prices other in a third, and wrong at the candidate there", [.inconclusive], any, any) {
            $0.isStaging && $0.isOneOf(0.3) ? product($0, price: $0.isNew ? "66" : "77") : product($0)
        }
        .because(.masked),
        Situation("a number, a list and a field new each time where there are any", [.pass], any, any) {
            guard $0.isOneOf(0.6) else { return product($0) }
            let list = "[\($0.word()),\($0.word())]"
            return product(
                $0,
                more: ",\"took\":\(1 + $0.word()),\"rec\":\(list)",
                fields: [("X-Count", "\(1 + $0.word())")]
            )
        },
        Situation("staging's entries other, and in another order at the candidate", [.inconclusive], any, any) {
            entries($0, first: $0.isStaging ? 1000 : 0, count: 5)
        }
        .because(.masked),
        Situation("staging's entries fewer, and in another order at the candidate", [.inconclusive], any, any) {
            entries($0, first: 0, count: $0.isStaging ? 8 : 10)
        }
        .because(.masked),
        Situation("staging's entries other, in the same order", [.pass], any, any) {
            let first = $0.isStaging ? 1000 : 0
            return json("{\"items\":[{\"id\":\(first + $0.number)},{\"id\":\(first + $0.number + 1)}]}")
        },
        Situation("more members than are told apart, all staging's own", [.inconclusive], any, any) {
            members($0, isWrong: false)
        }
        .because(.manyPlaces),
        Situation("a change behind more members than are told apart", [.fail], any, any) {
            members($0, isWrong: $0.isNew && $0.isOneOf(0.3))
        },
        Situation("cookies that a balancer adds, and no session at the candidate", [.fail], [.different], any) {
            let balancer = $0.isStaging ? [] : [("Set-Cookie", "lb=1")]
            return product($0, fields: balancer + ($0.isNew ? [] : [("Set-Cookie", "session=\($0.word())")]))
        },
        Situation("a text that is no JSON, with a time in it, and every price wrong", [.fail], any, any) {
            json("{'ts':\($0.word()),'price':\($0.isNew ? 0 : 5)}")
        },
        Situation("pictures that vary everywhere", [.inconclusive], any, any) {
            .success(
                AnswerComparatorTests.answer("\u{0}x\($0.word())", fields: [("Content-Type", "image/png")])
            )
        }
        .because(.masked),
    ]

    fileprivate static let any: Set<Verdict> = [.inconclusive, .different]

    /// A list of some entries, the last one first at the candidate.
    private static func entries(
        _ question: Question,
        first: Int,
        count: Int
    ) -> Result<RecordedResponse, ShadowFailure> {
        let identifiers = (0..<count).map { first + question.number * 3 + $0 }
        let ordered = question.isNew ? identifiers.reversed() : identifiers
        return json("{\"items\":[\(ordered.map { "{\"id\":\($0)}" }.joined(separator: ","))]}")
    }

    private static func members(_ question: Question, isWrong: Bool) -> Result<RecordedResponse, ShadowFailure> {
        let all = (0..<80).map { "\"field_\(["a", "b", "c", "d"][$0 % 4])\($0)\":\(question.isStaging ? 1 : 2)" }
        return json("{\(all.joined(separator: ",")),\"zzprice\":\(isWrong ? 0 : 5)}")
    }
}

extension Situation {
    /// A part of answers that varies everywhere, with another part of the same place or text right or wrong at the candidate.
    private static func beside(
        _ name: String,
        unchanged: Set<Verdict> = [.pass],
        answer: @escaping @Sendable (inout Question, _ isWrong: Bool) -> Result<RecordedResponse, ShadowFailure>
    ) -> [Situation] {
        [
            Situation("\(name), and what stands beside it wrong", [.fail], any, any) { answer(&$0, $0.isNew) },
            Situation(name, unchanged, [.pass, .inconclusive], [.pass, .inconclusive]) { answer(&$0, false) },
        ]
    }

    private static func text(_ content: String, _ type: String = "text/html") -> Result<RecordedResponse, ShadowFailure>
    {
        .success(AnswerComparatorTests.answer(content, fields: [("Content-Type", type)]))
    }

    /// Sixteen or thirty-two hexadecimal digits, other ones each time.
    private static func token(_ question: inout Question, words: Int = 1) -> String {
        (0..<words).map { _ in
            let digits = String(question.random.next() | 1 << 63, radix: 16)
            return digits
        }
        .joined()
    }

    private static let uncertain: Set<Verdict> = [.pass, .inconclusive]

    /// Several values share a place or a text, and one of them varies.
    static let several: [Situation] =
        beside("a paragraph that varies") { question, isWrong in
            let (price, stock) = isWrong ? ("0.00", 0) : ("9.99", 17)
            let took = "<p>Generated in \(question.word() % 9).\(question.word() % 1000) ms</p>"
            return text("<html><body>\n\(took)\n<p>Price: \(price)</p>\n<p>In stock: \(stock)</p></body></html>")
        }
        + beside("a cell with a clock time") { question, isWrong in
            let clock = "12:\(10 + question.word() % 49):\(10 + question.word() % 49)"
            return text("<table><tr><td>\(clock)</td><td>\(isWrong ? "0.00" : "9.99")</td></tr></table>")
        }
        + beside("a list of names and values of which one varies") { question, isWrong in
            let took = #"{"key":"renderMs","value":\#(question.word())}"#
            return json(#"{"attributes":[\#(took),{"key":"price","value":\#(isWrong ? 1 : 9)}]}"#)
        }
        + beside("a list of which one entry varies") { question, isWrong in
            let others = (isWrong ? [0, 0] : [17, 4]).map { #",{"sku":"x","stock":\#($0)}"# }.joined()
            return json(#"{"items":[{"sku":"a","stock":\#(question.word())}\#(others)]}"#)
        }
        + beside("a list of any length", unchanged: uncertain) { question, isWrong in
            let entries = (0..<(5 + question.word() % 10)).map { _ in
                #"{"stock":\#(question.word() % 3),"price":\#(isWrong ? 0 : 9)}"#
            }
            return json("{\"items\":[\(entries.joined(separator: ","))]}")
        }
        + beside("a table of any length", unchanged: uncertain) { question, isWrong in
            let rows = (0..<(5 + question.word() % 10)).map { _ in "<tr><td>\(question.word() % 3)</td></tr>" }
            return text("<table>\(rows.joined())</table><p>Price: \(isWrong ? "0.00" : "9.99")</p>")
        }
        + beside("entries that each vary now and then", unchanged: uncertain) { question, isWrong in
            let entries = (0..<12).map { _ in question.chance(0.3) ? question.word() : 7 }
            return json("{\"items\":\(entries + (isWrong ? [0, 0, 0, 0] : [5, 5, 5, 5]))}")
        }
        + beside("a script with an identifier") { question, isWrong in
            let price = isWrong ? "0.00" : "9.99"
            let state = #"{"props":{"price":"\#(price)"},"req":"\#(token(&question))"}"#
            return text("<html><body>\n<script id=\"__NEXT_DATA__\">\(state)</script></body></html>")
        }
        + beside("an event with an identifier") { question, isWrong in
            let event = #"data: {"price":\#(isWrong ? "0.00" : "9.99"),"id":"\#(token(&question))"}"#
            return text(event + "\n\n", "text/event-stream")
        }
        + beside("markup in JSON, with a token") { question, isWrong in
            json(#"{"html":"<input name=csrf value=\#(token(&question))><p>\#(isWrong ? "0.00" : "9.99")</p>"}"#)
        }
        + beside("a policy of contents with a nonce") { question, isWrong in
            let rules = "script-src 'nonce-\(token(&question))' \(isWrong ? "'unsafe-inline' *" : "'strict-dynamic'")"
            let policy = "default-src 'self'; \(rules); object-src 'none'"
            return product(question, fields: [("Content-Security-Policy", policy)])
        }
        + beside("a field of a form with a token") { question, isWrong in
            text("<form>\n<input name=csrf value=\(token(&question))> Price: \(isWrong ? "0.00" : "9.99")\n</form>")
        }
        + beside("a token that should be new each time") { question, isWrong in
            let token = token(&question, words: 2)
            return product(question, more: #","csrf":"\#(isWrong ? "a1b2c3d4a1b2c3d4a1b2c3d4a1b2c3d4" : token)""#)
        }
        + beside("an identifier that should be new each time") { question, isWrong in
            let id = "\(token(&question).prefix(8))-1111-4111-8111-\(token(&question).prefix(12))"
            return product(question, more: #","req":"\#(isWrong ? "6c3fa1b2-1111-4111-8111-0d4b1f2a3c4d" : id)""#)
        }
        + beside("an identifier that should not be nil") { question, isWrong in
            let id = "\(token(&question).prefix(8))-1111-4111-8111-\(token(&question).prefix(12))"
            return product(question, more: #","req":"\#(isWrong ? "00000000-0000-0000-0000-000000000000" : id)""#)
        }
        + beside("a number that varies, and that should not stay the same") { question, isWrong in
            let took = question.word()
            return product(question, more: ",\"took\":\(isWrong ? 7 : took)")
        }

    /// Times, and what only looks like them.
    static let times: [Situation] = [
        change("the year 1 where an order was placed") {
            let time = $0.isNew ? "0001-01-01T00:00:00Z" : "2026-0\(1 + $0.number % 9)-11T10:00:00Z"
            return product($0, more: #","at":"\#(time)""#)
        },
        change("the beginning of 1970 where something is due") {
            product($0, more: #","due":"\#($0.isNew ? "1970-01-01" : "2026-12-\(10 + $0.number % 9)")""#)
        },
        change("a day of birth one day off") {
            product($0, more: #","born":"1990-05-\#(($0.isNew ? 10 : 11) + $0.number % 9)""#)
        },
        change("a number of an account one off") {
            product($0, more: ",\"account\":\(1_500_000_000 + $0.number + ($0.isNew ? 1 : 0))")
        }
        .since(1_790_000_000),
        change("an identifier that lost precision") {
            let id = 1_866_123_456_789_012_345 + $0.number * 4_194_304 * 977
            return product($0, more: ",\"ref\":\($0.isNew ? Int(Double(id)) : id)")
        },
        change("a time with something behind it") {
            product($0, more: #","on":"2026-11-\#(10 + $0.number % 9)\#($0.isNew ? " 00:00 garbage" : "")""#)
        },
        Situation("a time of its answer, in seconds", uncertain, uncertain, uncertain) {
            product($0, more: ",\"now\":\(1_790_000_000 + Int($0.time) + ($0.isStaging ? 2 : 0))")
        }
        .since(1_790_000_000),
        Situation("a month from now, in seconds", uncertain, uncertain, uncertain) {
            product($0, more: ",\"until\":\(1_790_000_000 + 2_592_000 + Int($0.time) + ($0.isStaging ? 1 : 0))")
        }
        .since(1_790_000_000),
        change("lines that end otherwise") { question in
            let end = question.isNew ? "\n" : "\r\n"
            return text("a,b\(end)1,2\(end)", "text/csv")
        },
        change("a coding that was not asked for") {
            $0.isNew
                ? .success(AnswerComparatorTests.answer("(\u{B5}/", fields: [("Content-Encoding", "zstd")]))
                : product($0)
        },
    ]
}

extension Situation {
    /// What an answer says of how long something lasts, how much is allowed, and what time it is.
    static let settings: [Situation] = [
        change("a session that lasts for a minute") {
            product(
                $0,
                fields: [("Set-Cookie", "sid=\($0.word()); Path=/; Max-Age=\($0.isNew ? 60 : 2_592_000)")]
            )
        },
        Situation("sessions that were prolonged lately", [.pass], [.pass], [.pass]) {
            product($0, fields: [("Set-Cookie", "sid=\($0.word()); Path=/; Max-Age=\(3600 - $0.word() % 900)")])
        },
        Situation("no requests allowed", [.fail], [.pass], [.pass]) {
            product($0, fields: [("X-RateLimit-Limit", $0.isNew ? "0" : "1000")])
        },
        Situation("a clock that is an hour off", [.fail], uncertain, uncertain) {
            let now = 1_790_000_000 + Int($0.time) + ($0.isStaging ? 2 : 0)
            return product($0, more: ",\"now\":\(now + ($0.isNew ? 3600 : 0))")
        }
        .since(1_790_000_000),
    ]

    /// Staging has servers, sessions and data of its own.
    static let servers: [Situation] = [
        Situation("a session that all guests share", [.fail], [.pass], [.pass]) {
            let session = 10_000_000 + $0.word() % 10_000_000
            return product($0, fields: [("Set-Cookie", "sid=\($0.isNew ? 12_345_678 : session)")])
        },
        Situation("cookies of several servers, and of one at the candidate", [.pass], [.pass], [.pass]) {
            product($0, fields: [("Set-Cookie", "server=\($0.isNew ? 7 : $0.word() % 3)")])
        },
        Situation("names of several pods, and of one at the candidate", [.pass], [.pass], [.pass]) {
            let suffixes = ["xk2lp", "q8s9z", "mmnpq", "wwx4d"]
            let hash = $0.isNew ? "7c9f6d5b8" : $0.isStaging ? "5d8b7f6c9" : "6b7d8c9d5"
            return product($0, more: ",\"pod\":\"web-\(hash)-\(suffixes[$0.isNew ? 0 : $0.word() % 4])\"")
        },
        Situation("names of several servers, and of one at the candidate", [.inconclusive], any, any) {
            let name = "\($0.isStaging ? "staging" : "shop")-\($0.isNew ? 1 : $0.word() % 3)"
            return product($0, more: ",\"served\":\"\(name)\"")
        }
        .because(.masked),
        Situation("staging's prices all other, and doubled at the candidate", [.inconclusive], any, any) {
            let price = 1 + $0.number % 7
            return product($0, price: $0.isNew ? "\(2 * price)" : $0.isStaging ? "\(price)" : "99.5")
        }
        .because(.masked),
        Situation("staging's balances all other, and of the other sign at the candidate", [.inconclusive], any, any) {
            let balance = 5 + $0.number % 90
            return product($0, price: "\($0.isNew ? -balance : $0.isStaging ? balance : balance + 100)")
        }
        .because(.masked),
        Situation(
            "staging's origin other, and none at the candidate",
            [.fail],
            [.different],
            [.different, .inconclusive]
        ) {
            let origin = "https://\($0.isStaging ? "staging" : "www").example.org"
            return product($0, fields: [("Access-Control-Allow-Origin", $0.isNew ? "null" : origin)])
        },
    ]
}

extension RecordedResponse {
    /// The answer, which goes on and on if that is wanted, so that reading it was given up.
    fileprivate func without(end isWanted: Bool) -> Result<RecordedResponse, ShadowFailure> {
        guard isWanted else { return .success(self) }
        var endless = self
        endless.message.contentOctets = 64 << 20
        endless.message.contentIsOpen = true
        return .success(endless)
    }
}

@Suite(.heavy) struct SituationTests {
    /// Fewer pairs than a real route has, so margins are wider and shares larger; the rule is the same.
    static let pairs = 1000
    static let settings: ComparisonSettings = {
        var settings = ComparisonSettings()
        settings.margin = 0.02
        settings.errorMargin = 0.01
        return settings
    }()

    enum Design: Sendable {
        case baseline
        case repeats
        case standard
        /// As the standard one, with few addresses that are asked for again and again.
        case natural
        /// As the one with a baseline, with addresses that are asked for twice.
        case baselineAgain
        /// As the standard one, likewise.
        case standardAgain

        var hasBaseline: Bool { self == .baseline || self == .baselineAgain }
        var asksAgain: Bool { self == .natural || self == .baselineAgain || self == .standardAgain }
    }

    /// What is said after all pairs, and everything that is said at five looks on the way.
    private func judged(
        _ situation: Situation,
        _ design: Design,
        seed: UInt64 = 11,
        pairs: Int = pairs,
        margin: Double = settings.margin
    ) throws -> (last: RouteVerdict, said: Set<Verdict>) {
        var bench = VerdictBookTests.Bench(hasBaseline: design.hasBaseline, seed: seed, step: situation.step) {
            settings in
            settings.margin = margin
            settings.errorMargin = Self.settings.errorMargin
        }
        bench.start = situation.start * 1_000_000_000
        var random = SeededGenerator(seed: seed + 1)
        /// Which address a request is for; two are for the same one where they are asked for again.
        func address(_ number: Int) -> Int {
            switch design {
            case .baseline, .repeats, .standard: number
            case .natural: number % 5
            case .baselineAgain, .standardAgain: number / 2
            }
        }
        var said: Set<Verdict> = []
        func question(_ role: Situation.Role, _ number: Int) -> Situation.Question {
            Situation.Question(role: role, number: address(number), random: random, time: Double(number))
        }
        func ask(_ role: Situation.Role, _ number: Int) -> Result<RecordedResponse, ShadowFailure> {
            var question = question(role, number)
            let answer = situation.answer(&question)
            _ = random.next()
            random = SeededGenerator(seed: random.next())
            return answer
        }
        for number in 0..<pairs {
            guard case .success(let production) = ask(.production, number) else { continue }
            guard !situation.isUnanswered(question(.candidate, number)) else {
                bench.book.sampled(VerdictBookTests.Bench.lane, route: VerdictBookTests.Bench.route)
                bench.book.missed(VerdictBookTests.Bench.lane, route: VerdictBookTests.Bench.route, reason: .unanswered)
                continue
            }
            let candidate = ask(.candidate, number)
            let isRepeated = design == .repeats || !design.hasBaseline && number.isMultiple(of: 10)
            let repeated = isRepeated ? ask(.candidate, number) : nil
            let baseline = design.hasBaseline ? ask(.baseline, number) : nil
            bench.pair(
                production,
                candidate: candidate,
                repeated: repeated,
                baseline: baseline,
                path: design.asksAgain ? "/items/\(address(number))" : nil,
                took: situation.took(question(.production, number)),
                latency: (
                    situation.took(question(.candidate, number)), situation.took(question(.baseline, number))
                ),
                lostCredentials: situation.lostCredentials
            )
            if number % 200 == 199 { said.insert(try bench.verdict.verdict) }
        }
        return (try bench.verdict, said)
    }

    @Test(arguments: Situation.all)
    func `each design says what may be concluded, and never a wrong pass or fail on the way`(
        situation: Situation
    ) throws {
        for design in [Design.baseline, .repeats, .standard] {
            let expected =
                switch design {
                case .baseline, .baselineAgain: situation.baseline
                case .repeats: situation.repeats
                case .standard, .natural, .standardAgain: situation.standard
                }
            let (last, said) = try judged(situation, design)
            #expect(expected.contains(last.verdict), "\(design): \(last.verdict), \(last.reason)")
            if design == .baseline, let reason = situation.reason { #expect(last.reason == reason) }
            if [.stagingFails, .notComparable].contains(last.reason) {
                #expect(last.recent?.verdict == .inconclusive, "\(design): the last hours alone")
            }
            #expect(!said.contains(.pass) || expected.contains(.pass), "\(design): passed on the way")
            #expect(!said.contains(.fail) || expected.contains(.fail), "\(design): failed on the way")
            guard last.verdict == .inconclusive else { continue }
            #expect(!last.remedy.isEmpty, "\(design): \(last.reason) has no remedy")
        }
    }

    @Test(arguments: Situation.several + Situation.times)
    func `production's own repeats find what stands beside a part that varies, and nothing where nothing changed`(
        situation: Situation
    ) throws {
        let (last, said) = try judged(situation, .natural)
        let isChanged = situation.baseline == [.fail]
        #expect(!isChanged || !said.contains(.pass), "\(last.verdict), \(last.reason)")
        #expect(isChanged || !said.contains(.different), "\(last.verdict), \(last.reason)")
        #expect(!said.contains(.fail))
    }

    @Test(arguments: Situation.all, [Design.baselineAgain, .standardAgain])
    func `addresses that are asked for again let more be said, and nothing that is wrong`(
        situation: Situation,
        design: Design
    ) throws {
        let (last, said) = try judged(situation, design, pairs: 800)
        // What varies in production too is confirmed by its repeats.
        let expected =
            design.hasBaseline ? situation.baseline : situation.standard.union(situation.baseline.intersection([.pass]))
        let wrong = said.union([last.verdict]).subtracting(expected).subtracting([.inconclusive])
        #expect(wrong.isEmpty, "\(last.verdict), \(last.reason)")
    }

    @Test(arguments: Situation.several.filter { $0.baseline != [.fail] })
    func `parts that vary everywhere raise few alarms, with any seed`(situation: Situation) throws {
        let trials = VerdictSimulationTests.trials / 4
        for design in [Design.baseline, .repeats, .standard, .natural] {
            let alarms = try (0..<trials).count { trial in
                let said = try judged(situation, design, seed: UInt64(100 + trial), pairs: 200, margin: 0).said
                return said.contains(.fail) || said.contains(.different)
            }
            #expect(alarms <= trials / 20, "\(design)")
        }
    }

    @Test func `there are at least forty situations`() {
        #expect(Situation.all.count >= 40)
        #expect(Set(Situation.all.map(\.name)).count == Situation.all.count)
    }
}
