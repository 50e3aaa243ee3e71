// Wingmirror · Apache-2.0

import OctetText
import Testing

@testable import Redaction

@Suite struct WebTokenTests {
    static let token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl"

    @Test(arguments: [
        token, "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.",
        // Encrypted, without a key of its own and with one.
        "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..aXY.Y2lwaGVydGV4dA.dGFn",
        "eyJhbGciOiJSU0EtT0FFUCJ9.a2V5.aXY.Y2lwaGVydGV4dA.dGFn",
    ])
    func `a token is found wherever it stands`(token: String) {
        for (before, after) in [("", ""), ("/a?t=", "&b=1"), ("Bearer ", ""), ("/", "/x"), ("a=\"", "\"")] {
            let octets = Array((before + token + after).utf8)
            let range = WebToken.range(in: octets)
            #expect(range == before.utf8.count..<before.utf8.count + token.utf8.count, "\(before)\(after)")
            for count in 0..<octets.count { _ = WebToken.range(in: Array(octets[..<count])) }
        }
    }

    @Test(arguments: [
        "", "eyJ", "eyJhbGciOiJIUzI1NiJ9", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0", "eyJ.a.b",
        "/greyJhbGciOiJIUzI1NiJ9.a.b",
        "www.example.com", "eyJhbGciOiJIUzI1NiJ9..x", "eyJhbGciOiJIUzI1NiJ9..x.y", "eyJhbGciOiJIUzI1NiJ9..x..y",
        "eyJhbGciOiJIUzI1NiJ9/a.b.c",
    ])
    func `what is no token stays`(text: String) {
        var redactions = 0
        let values = ValueRedaction(key: RedactionKey(high: 1, low: 2))
        let octets = Array(text.utf8)
        #expect(WebToken.replaced(in: octets, by: values, redactions: &redactions) == octets && redactions == 0)
    }

    @Test func `equal tokens get equal replacements`() {
        var redactions = 0
        let values = ValueRedaction(key: RedactionKey(high: 1, low: 2))
        let text = Array("a=\(Self.token)&b=\(Self.token)&c=1".utf8)
        let replaced = String(
            decoding: WebToken.replaced(in: text, by: values, redactions: &redactions),
            as: UTF8.self
        )
        let word = values.replacement(for: Array(Self.token.utf8))
        #expect(replaced == "a=\(word)&b=\(word)&c=1" && redactions == 2)
    }
}
