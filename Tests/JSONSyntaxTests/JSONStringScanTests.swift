// Wingmirror · Apache-2.0

import JSONSyntax
import Testing

@Suite struct JSONStringScanTests {
    @Test(arguments: [
        (##"{"a":1}"##, "__aa___"),
        (##"["",""]"##, "__a__a_"),
        // An escaped quotation mark ends no string, and an escaped backslash escapes nothing.
        (##"["\"{",1]"##, "__aaaa___"),
        (##"["\\",1]"##, "__aaa___"),
        (##"["\\\"","]"]"##, "__aaaaa__aa_"),
        ("\"a", "_a"),
    ])
    func `brackets and commas in strings are told from others`(text: String, expected: String) {
        var strings = JSONStringScan()
        let marks = text.utf8.map { strings.append($0) ? "a" : "_" }.joined()
        #expect(marks == expected)
        #expect(strings.isInString == (text == "\"a"))
    }
}
