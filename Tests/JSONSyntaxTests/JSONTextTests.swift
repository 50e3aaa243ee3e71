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

    @Test(arguments: ["", "plain", "\"\\/\u{8}\u{C}\n\r\t\u{0}\u{1F}\u{7F}", "ä€😀", "\u{2028}"])
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
}
