// Wingmirror · Apache-2.0

import Testing

@testable import Agent
@testable import AgentCommands
@testable import AgentConfiguration

@Suite struct TopKeyTests {
    private static let octets: [(String, [TopKey])] = [
        ("q", [.character("q")]),
        ("\r", [.enter]),
        ("\n", [.enter]),
        ("\u{7F}", [.backspace]),
        ("\u{8}", [.backspace]),
        ("\u{1B}[A\u{1B}[B\u{1B}[C\u{1B}[D", [.up, .down, .right, .left]),
        ("\u{1B}OA\u{1B}OB", [.up, .down]),
        ("\u{1B}[5~\u{1B}[6~", [.pageUp, .pageDown]),
        ("\u{1B}[H\u{1B}[F\u{1B}[1~\u{1B}[4~", [.home, .end, .home, .end]),
        ("\u{1B}[1;5A", [.up]),
        ("\u{1B}q", [.escape, .character("q")]),
        ("\u{1B}[200~", []),
        ("é€😀", [.character("é"), .character("€"), .character("😀")]),
        ("\u{1}\u{1A}a", [.character("a")]),
    ]

    @Test(arguments: octets)
    func `keys are told from octets, whole and in pieces`(_ text: String, _ keys: [TopKey]) {
        var whole = TopKeyDecoder()
        #expect(whole.keys(in: Array(text.utf8)) == keys)
        var pieces = TopKeyDecoder()
        #expect(text.utf8.flatMap { pieces.keys(in: [$0]) } == keys)
        #expect(!pieces.isWaiting)
    }

    @Test func `a lone escape is a key once nothing follows`() {
        var decoder = TopKeyDecoder()
        #expect(decoder.keys(in: [0x1B]).isEmpty)
        #expect(decoder.isWaiting)
        #expect(decoder.flushed() == [.escape])
        #expect(!decoder.isWaiting)
    }

    @Test func `octets that are no UTF-8 and sequences without end are passed over`() {
        var decoder = TopKeyDecoder()
        #expect(decoder.keys(in: [0xFF, 0xC0, 0x80, 0xE2, 0x28, 0x61]) == [.character("("), .character("a")])
        #expect(decoder.keys(in: Array("\u{1B}[".utf8) + Array(repeating: 0x31, count: 40)).isEmpty)
        #expect(decoder.keys(in: Array("q".utf8)) == [.character("q")])
    }
}
