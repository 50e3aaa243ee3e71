// Wingmirror · Apache-2.0

import OctetText
import Testing

@Suite struct OctetEscapesTests {
    @Test(
        arguments: [
            ([], "", false),
            (Array("/products/1".utf8), "/products/1", false),
            (Array("café".utf8), "café", false),
            // Latin-1, which is no UTF-8.
            ([0x63, 0x61, 0x66, 0xE9], #"caf\xe9"#, true),
            // A backslash is two, so that what looks like an escape is none.
            (Array(#"\xe9"#.utf8), #"\\xe9"#, false),
            ([0x5C, 0xE9], #"\\\xe9"#, true),
            // A character that is cut, an overlong slash, a surrogate, and what UTF-8 has never (RFC 3629 §3).
            ([0xE2, 0x82], #"\xe2\x82"#, true),
            ([0xC0, 0xAF], #"\xc0\xaf"#, true),
            ([0xED, 0xA0, 0x80], #"\xed\xa0\x80"#, true),
            ([0xFF, 0x41], #"\xffA"#, true),
        ] as [([UInt8], String, Bool)]
    )
    func `octets have a text that gives them back`(octets: [UInt8], text: String, isNeeded: Bool) {
        #expect(OctetEscapes.text(octets) == text)
        #expect(OctetEscapes.octets(text) == octets)
        #expect(OctetEscapes.areNeeded(for: octets) == isNeeded)
    }

    @Test func `any octets survive, and different ones have different texts`() {
        var random = SeededGenerator(seed: 10)
        var texts: [String: [UInt8]] = [:]
        for _ in 0..<5_000 {
            let octets = (0..<Int.random(in: 0...6, using: &random)).map { _ in
                let octet = UInt8.random(in: .min ... .max, using: &random)
                return octet % 5 == 0 ? UInt8(ascii: "\\") : octet
            }
            let text = OctetEscapes.text(octets)
            #expect(OctetEscapes.octets(text) == octets)
            #expect(texts.updateValue(octets, forKey: text) ?? octets == octets)
        }
    }

    @Test(arguments: [#"\"#, #"a\"#, #"\x"#, #"\xe"#, #"\xg0"#, #"\n"#, #"\\\"#])
    func `a backslash that begins no escape is refused`(text: String) {
        #expect(OctetEscapes.octets(text) == nil)
    }
}
