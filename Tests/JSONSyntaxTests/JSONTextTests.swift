// Wingmirror · Apache-2.0

import JSONSyntax
import Testing

@Suite struct JSONTextTests {
    @Test func `commas stand between members and entries only`() {
        var json = JSONText()
        json.beginObject()
        json.key("a")
        json.beginList()
        json.integer(1)
        json.integer(2)
        json.beginObject()
        json.endObject()
        json.endList()
        json.key("b")
        json.null()
        json.endObject()
        #expect(String(decoding: json.octets, as: UTF8.self) == #"{"a":[1,2,{}],"b":null}"#)
    }

    @Test(arguments: [
        (0, "0"), (1_000_000, "1"), (333_333, "0.333333"), (900_000, "0.9"), (12_500_000, "12.5"), (1, "0.000001"),
        (-17_900, "-0.0179"),
    ])
    func `millionths have no superfluous digits`(value: Int, text: String) {
        var json = JSONText()
        json.millionths(value)
        #expect(String(decoding: json.octets, as: UTF8.self) == text)
    }

    @Test(arguments: [
        ("\u{80}", "\\u0080"), ("a\u{9B}31m", "a\\u009b31m"), ("\u{202A}\u{202E}", "\\u202a\\u202e"),
        ("\u{2066}b\u{2069}", "\\u2066b\\u2069"), ("\u{A0}", "\u{A0}"), ("\u{2029}\u{2065}", "\u{2029}\u{2065}"),
    ])
    func `what would move a terminal's text is escaped`(text: String, written: String) {
        var json = JSONText()
        json.string(text)
        #expect(json.octets.elementsEqual("\"\(written)\"".utf8))
    }

    @Test(arguments: [
        "", "plain", "\"\\/\u{8}\u{C}\n\r\t\u{0}\u{1F}\u{7F}", "ä€😀", "\u{2028}", "\u{80}\u{9B}x\u{A0}",
        "a\u{202E}\u{2066}\u{2069}b\u{206A}",
    ])
    func `what is written as a string is read as the same string`(text: String) throws {
        var json = JSONText()
        json.string(text)
        #expect(try JSONDocument.parse(json.octets) == .string(text))
        var octets = JSONText()
        octets.string(Array(text.utf8).span)
        #expect(octets.octets == json.octets)
    }

    @Test func `octets that are no text become replacement characters`() throws {
        var json = JSONText()
        json.string([0x61, 0xFF, 0x62].span)
        #expect(try JSONDocument.parse(json.octets) == .string("a\u{FFFD}b"))
    }

    /// Strings are looked at eight octets at a time, so each octet stands once at each place of a word, and behind it.
    @Test func `every octet at every place of a string is escaped where it must be, and nowhere else`() throws {
        for length in 1...19 {
            for place in 0..<length {
                for octet in UInt8(0)..<0x80 {
                    var octets = [UInt8](repeating: UInt8(ascii: "a"), count: length)
                    octets[place] = octet
                    let text = String(decoding: octets, as: UTF8.self)
                    var json = JSONText()
                    json.string(text)
                    let mustEscape = octet < 0x20 || [0x22, 0x5C, 0x7F].contains(octet)
                    guard json.octets.contains(UInt8(ascii: "\\")) == mustEscape,
                        try JSONDocument.parse(json.octets) == .string(text)
                    else {
                        Issue.record("octet \(octet) at \(place) of \(length)")
                        return
                    }
                }
            }
        }
    }

    @Test func `a key of any text is read as the same text`() throws {
        var json = JSONText()
        json.beginObject()
        json.key(named: #"a "quoted" \ key"#)
        json.bool(true)
        json.key("plain")
        json.bool(false)
        json.endObject()
        let value = try JSONDocument.parse(json.octets)
        #expect(value[#"a "quoted" \ key"#] == .bool(true))
        #expect(value["plain"] == .bool(false))
    }

    @Test(arguments: [
        (0, "0"), (1, "0.000000001"), (1_500_000_000, "1.5"), (-250_000_000, "-0.25"), (60_000_000_000, "60"),
        (Int64.min, "-9223372036.854775808"), (Int64.max, "9223372036.854775807"),
    ])
    func `seconds are exact and have no superfluous digits`(nanoseconds: Int64, text: String) {
        var json = JSONText()
        json.seconds(nanoseconds: nanoseconds)
        #expect(String(decoding: json.octets, as: UTF8.self) == text)
    }

    @Test(arguments: [0, 9, 10, 99, 100, 12_345, -1, Int.min, Int.max])
    func `a whole number has the digits that the standard library gives it`(value: Int) {
        var json = JSONText()
        json.integer(value)
        #expect(String(decoding: json.octets, as: UTF8.self) == String(value))
    }
}
