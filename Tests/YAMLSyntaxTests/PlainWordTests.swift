// Wingmirror · Apache-2.0

import Testing
import YAMLSyntax

@Suite struct PlainWordTests {
    @Test(arguments: ["", "~", "null", "Null", "NULL"])
    func `nothing has some spellings`(word: String) {
        #expect(PlainWord.tag(of: word) == YAMLTag.null)
    }

    @Test(arguments: ["true", "False", "YES", "no", "On", "OFF"])
    func `a truth value has some spellings`(word: String) {
        #expect(PlainWord.tag(of: word) == YAMLTag.bool)
    }

    @Test(arguments: [
        "0", "-7", "+685_230", "007", "0o17", "0x1F", "0xA_b", "-0b10_1", "190:20:30", "1:5", "00",
    ])
    func `whole numbers are told from text`(word: String) {
        #expect(PlainWord.tag(of: word) == YAMLTag.int)
    }

    @Test(arguments: [
        "1.5", "-1.", "6.8523015e+5", "685.230_15e03", "1e3", "08", ".5", ".5e-3", "190:20:30.15", "-.inf", ".NaN",
        "09",
    ])
    func `numbers are told from text`(word: String) {
        #expect(PlainWord.tag(of: word) == YAMLTag.float)
    }

    @Test(arguments: [
        "y", "tRUE", "nil", "1s", "1.2.3", "10.0.0.1", "-", "+", ".", "0x", "0b2", "0o", "1e", "1e+", "-.5", ".5e3",
        "1:60", "1:", ":1", "1:005", "_1", "+.nan", ".inF", "1 2", "１", "2026-01-01", "1:30e5", "::1", "1.5e3.2", "e5",
        "--1", "<<", "=",
    ])
    func `other words are text`(word: String) {
        #expect(PlainWord.tag(of: word) == YAMLTag.string)
    }
}
