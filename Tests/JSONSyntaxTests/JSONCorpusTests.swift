// Wingmirror · Apache-2.0
// The JavaScript Object Notation, RFC 8259. In the manner of N. Seriot's JSONTestSuite: what every reader must take, what
// none may, and, where the RFC leaves it open, what this one does.

import JSONSyntax
import OctetText
import Testing

@Suite struct JSONCorpusTests {
    private func parse(_ octets: [UInt8]) -> JSONValue? {
        try? JSONDocument.parse(octets)
    }

    private func object(_ members: (String, JSONValue)...) -> JSONValue {
        (try? JSONObject(members.map { JSONObject.Member(key: $0.0, value: $0.1) })).map(JSONValue.object) ?? .null
    }

    // MARK: - Numbers

    @Test(
        arguments: [
            ("0", .integer(0)), ("-0", .integer(0)), ("20", .integer(20)), ("-1", .integer(-1)),
            ("9223372036854775807", .integer(.max)), ("-9223372036854775808", .integer(.min)),
            ("0.0", .double(0)), ("-0.1", .double(-0.1)), ("1.0", .double(1)), ("123.456789", .double(123.456789)),
            ("1E22", .double(1e22)), ("1e-2", .double(0.01)), ("1E+2", .double(100)), ("0e1", .double(0)),
            ("0e+1", .double(0)), ("123e45", .double(123e45)), ("1.5E-08", .double(1.5e-8)),
            ("-9223372036854775809", .double(-0x1p63)),
            ("-237462374673276894279832749832423479823246327846", .double(-2.3746237467327689e47)),
            ("0.000000000000000000000000000000000000000000000000000000000000000000000000000001", .double(1e-78)),
            ("123123e-10000000", .double(0)),
            ("2.2250738585072014e-308", .double(.leastNormalMagnitude)), ("5e-324", .double(.leastNonzeroMagnitude)),
        ] as [(String, JSONValue)]
    )
    func `a number is exact, or the nearest there is`(text: String, value: JSONValue) {
        #expect(parse(Array(text.utf8)) == value)
        #expect(parse(Array("[\(text)]".utf8)) == .array([value]))
    }

    @Test(arguments: [
        "-", "+1", "++1", "-1x", "--1", "- 1", "01", "-01", "00", "012", "0x1", "0x", "0.", "1.", ".5", "-.5", "-.",
        "1.e5",
        "0.e1", "2.e+3", "1e", "1e+", "1E-", "0e", "1eE2", "1e2.5", "1.2.3", "1+2", "1-2", "1 000", "1_000", "1,000",
        "Infinity", "-Infinity", "NaN", "1e400", "-1e400", "0.3e", "0.3e+", "9.e+", "１", "1a", "1ea", "0e+-1",
    ])
    func `what the grammar has no number for is refused`(text: String) {
        #expect(parse(Array(text.utf8)) == nil)
    }

    // MARK: - Strings

    @Test(arguments: [
        (#""""#, ""), (#""\u0060\u012a\u12AB""#, "`Ī\u{12AB}"), (#""\uD801\udc37""#, "\u{10437}"),
        (#""\ud83d\ude39\ud83d\udc8d""#, "😹💍"), (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{C}\n\r\t"),
        (#""\\u0000""#, "\\u0000"), (#""\u0000""#, "\u{0}"), (#""\u0012""#, "\u{12}"), (#""\uFFFF""#, "\u{FFFF}"),
        (#""\uDBFF\uDFFF""#, "\u{10FFFF}"), (#""\u2028\u2029""#, "\u{2028}\u{2029}"), ("\"\u{2028}\"", "\u{2028}"),
        ("\"\u{7F}\"", "\u{7F}"), ("\"€𝄞\"", "€𝄞"), ("\"a/*b*/c\"", "a/*b*/c"), (#""new\u00A0line""#, "new\u{A0}line"),
        ("\"\u{FEFF}\"", "\u{FEFF}"),
    ])
    func `a string is read with its escapes`(text: String, value: String) {
        #expect(parse(Array(text.utf8)) == .string(value))
    }

    @Test(arguments: [
        "\"", "\"a", "'a'", "a", #""\"#, #""\""#, #""\a""#, #""\x00""#, #""\0""#, #""\u""#, #""\u1""#, #""\u12""#,
        #""\u123""#, #""\u00G0""#, #""\uD800""#, #""\uD800\n""#, #""\uD800\u""#, #""\uD800\u1""#, #""\uD800\uD800""#,
        #""\uDC00""#, #""\uDd1e\uD834""#, #""\ud83d\x""#, "\"\n\"", "\"\t\"", "\"\u{0}\"", "\"\u{1F}\"", #""\u+123""#,
        "\"a\"b", "\\u0020\"a\"", #""\U0041""#,
    ])
    func `what is no string is refused`(text: String) {
        #expect(parse(Array(text.utf8)) == nil)
    }

    @Test(
        arguments: [
            [0xFF], [0xC0, 0xAF], [0xE2, 0x82], [0xED, 0xA0, 0x80], [0xF4, 0xBF, 0xBF, 0xBF], [0x81],
            [0xFC, 0x83, 0xBF, 0xBF],
            [0xE0, 0xFF],
        ] as [[UInt8]]
    )
    func `a string that is no UTF-8 is refused, in values and in keys`(octets: [UInt8]) {
        #expect(parse([0x22] + octets + [0x22]) == nil)
        #expect(parse([0x7B, 0x22] + octets + [0x22] + Array(":1}".utf8)) == nil)
    }

    // MARK: - Structure

    @Test func `members stay in the order written`() {
        let text = #"{"z":1,"a":{"y":2,"b":3},"m":[{"q":4,"c":5}]}"#
        #expect(parse(Array(text.utf8))?.encoded() == Array(text.utf8))
    }

    @Test(arguments: [
        #"{"a":1,"a":1}"#, #"{"a":1,"b":2,"a":3}"#, #"{"a":{},"\u0061":[]}"#, #"[{"":0,"":0}]"#,
        #"{"a":{"b":1,"b":2}}"#,
    ])
    func `a key that occurs twice is refused, however it is written`(text: String) {
        #expect(parse(Array(text.utf8)) == nil)
    }

    @Test func `keys that differ in case, or in normalization where strings do, are two`() {
        #expect(parse(Array(#"{"a":1,"A":2}"#.utf8)) == object(("a", .integer(1)), ("A", .integer(2))))
    }

    @Test(
        arguments: [
            (" [] ", "[]"), ("[ 1 ,\r\n\t2 ]", "[1,2]"), ("{ }", "{}"), ("{\"\":0}", "{\"\":0}"),
            ("[null,true,false]", nil),
            ("[[[[]]]]", nil), ("{\"a\":[]}", nil), ("\ttrue\n", "true"), ("[\"\",{}]", nil), ("\r\n0\r\n", "0"),
        ] as [(String, String?)]
    )
    func `a document is read with white space around its tokens`(text: String, encoded: String?) {
        #expect(parse(Array(text.utf8))?.encoded() == Array((encoded ?? text).utf8))
    }

    @Test(arguments: [
        "", " ", "[", "]", "[1", "[1,", "[1,]", "[,1]", "[1,,2]", "[,]", "[1 true]", "[\"a\" \"b\"]", "[1:2]", "[}",
        "[1}", "{",
        "}", "{]", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,", "{\"a\":1,}", "{,}", "{\"a\"}", "{\"a\",1}", "{a:1}",
        "{'a':1}",
        "{1:1}", "{null:1}", "{\"a\":1 \"b\":2}", "{\"a\":1:2}", "{\"a\"::1}", "{\"a\":\"a\" 123}", "[]]", "{}}",
        "[] []", "1 2",
        "nul", "nulll", "True", "NULL", "truth", "fals", "<null>", "*", "[1]/**/", "//\n1", "# a\n1", "[\u{B}1]",
        "\u{C}1",
        "\u{A0}1", "\u{FEFF}{}", "\u{2060}[]", "[\n1\n,1\n,1", "{\"a\":/*c*/1}", "[a", "[\"a", "å", "[⁠]", "&", "@",
    ])
    func `what is no document is refused`(text: String) {
        #expect(parse(Array(text.utf8)) == nil)
    }

    @Test func `documents of other encodings are refused`() {
        #expect(parse([0xEF, 0xBB, 0xBF] + Array("{}".utf8)) == nil)
        #expect(parse([0xFF, 0xFE, 0x5B, 0x00, 0x5D, 0x00]) == nil)
        #expect(parse([0x00, 0x5B, 0x00, 0x5D]) == nil)
    }

    // MARK: - Depth

    @Test func `as deep as the limit is read, and one deeper is refused`() {
        func nested(_ depth: Int, _ opening: String, _ closing: String) -> [UInt8] {
            Array((String(repeating: opening, count: depth) + "1" + String(repeating: closing, count: depth)).utf8)
        }
        #expect(parse(nested(63, "[", "]")) != nil)
        #expect(parse(nested(64, "[", "]")) == nil)
        #expect(parse(nested(63, "{\"a\":", "}")) != nil)
        #expect(parse(nested(64, "{\"a\":", "}")) == nil)
        #expect(parse(Array(String(repeating: "[{\"\":", count: 100_000).utf8)) == nil)
    }

    // MARK: - Writing

    @Test(arguments: UInt64(1)...4)
    func `every value is read as what was written`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<250 {
            let value = Self.value(depth: 0, &random)
            #expect(parse(value.encoded()) == value)
            #expect(parse(value.indented()) == value)
        }
    }

    private static func value(depth: Int, _ random: inout SeededGenerator) -> JSONValue {
        switch Int.random(in: 0..<(depth < 5 ? 8 : 6), using: &random) {
        case 0: .null
        case 1: .bool(.random(using: &random))
        case 2: .integer(Int(truncatingIfNeeded: random.next()))
        case 3: .double(Double.random(in: -1e9...1e9, using: &random) + 0.5e-9)
        case 4, 5: .string(text(&random))
        case 6: .array((0..<Int.random(in: 0..<4, using: &random)).map { _ in value(depth: depth + 1, &random) })
        default:
            .object(
                JSONObject(
                    Dictionary(
                        (0..<Int.random(in: 0..<4, using: &random)).map { _ in
                            (text(&random), value(depth: depth + 1, &random))
                        }
                    ) { first, _ in first }
                )
            )
        }
    }

    private static func text(_ random: inout SeededGenerator) -> String {
        var text = ""
        for _ in 0..<Int.random(in: 0..<6, using: &random) {
            let code = UInt32.random(in: 0...(Bool.random(using: &random) ? 0x7F : 0x10FFFF), using: &random)
            if let scalar = Unicode.Scalar(code) { text.unicodeScalars.append(scalar) }
        }
        return text
    }
}
