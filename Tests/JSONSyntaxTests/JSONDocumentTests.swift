// Wingmirror · Apache-2.0

import JSONSyntax
import Testing

@Suite struct JSONDocumentTests {
    private func parse(_ text: String) throws(DocumentError) -> JSONValue {
        try JSONDocument.parse(Array(text.utf8))
    }

    @Test(arguments: [
        ("null", JSONValue.null), (" true ", .bool(true)), ("-12", .integer(-12)), ("1.5e3", .double(1500)),
        ("9223372036854775807", .integer(.max)), ("9223372036854775808", .double(9_223_372_036_854_775_808)),
        (#""a\"\\\/\b\f\n\r\t\u00e4\ud83d\ude00""#, .string("a\"\\/\u{8}\u{C}\n\r\tä😀")), ("[]", .array([])),
        ("[1, [2]]", .array([.integer(1), .array([.integer(2)])])),
    ])
    func `a value is read as what it is`(text: String, value: JSONValue) throws {
        #expect(try parse(text) == value)
    }

    @Test func `a text with more values than are asked for is refused`() throws {
        let text = Array(#"{"a":[1,2,{}]}"#.utf8)
        var limits = DocumentLimits()
        limits.values = 5
        #expect(throws: Never.self) { try JSONDocument.parse(text, limits: limits) }
        limits.values = 4
        #expect(throws: DocumentError(line: 1, message: "more than 4 values")) {
            try JSONDocument.parse(text, limits: limits)
        }
    }

    @Test(arguments: [
        "", "{", "[1,]", "{\"a\":1,}", "{a:1}", "tru", "01", "1.", "-", "+1", "\"\n\"", "\"\\x\"", "\"\\ud800\"",
        "\"\\u12\"",
        "1 2", "\"abc", "{\"a\" 1}", "[1 2]", "nan", "1e999",
    ])
    func `what is no JSON is refused`(text: String) {
        #expect(throws: DocumentError.self) { try parse(text) }
    }

    @Test func `a key that occurs twice is refused with its line`() {
        #expect(throws: DocumentError(line: 3, message: "the key a occurs twice in one object")) {
            try parse("{\"a\": 1,\n\"b\": 2,\n\"a\": 3}")
        }
    }

    @Test func `nesting is limited`() {
        let deep = String(repeating: "[", count: 1_000_000)
        #expect(throws: DocumentError(line: 1, message: "nested more than 64 deep")) { try parse(deep) }
    }

    @Test func `octets that are no UTF-8 are refused`() {
        #expect(throws: DocumentError.self) { try JSONDocument.parse([0x22, 0xFF, 0x22]) }
    }

    @Test func `every beginning of a document is refused`() throws {
        let text = Array(#"{"a": [1, -2.5, "x\u00e4", {"b": null}], "c": true}"#.utf8)
        for end in 0..<text.count {
            #expect(throws: DocumentError.self, "the first \(end) octets") {
                try JSONDocument.parse(Array(text[..<end]))
            }
        }
        _ = try JSONDocument.parse(text)
    }
}
