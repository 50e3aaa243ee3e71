// Wingmirror · Apache-2.0

import OctetText
import Testing

@testable import RouteAttribution

@Suite struct RegularExpressionTests {
    @Test(arguments: [
        (10, 512 << 10), (436, 512 << 10), (1_000, 1_200_000), (6_000, 7_200_000), (7_000, 8 << 20), (80_000, 8 << 20),
    ])
    func `what a pattern may hold grows with its program, up to the limit`(size: Int, octets: Int64) {
        #expect(RegularExpression.memory(forProgramSize: size) == octets)
    }

    @Test func `an ordinary pattern holds little, however many states its automaton has`() throws {
        for text in ["/[^/]+/(a|b|c).*", "/[xy]*x[xy]{14}/.*", "/orders/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"] {
            #expect(try RegularExpression(text).memory == RegularExpression.ordinaryMemory)
        }
        let large = try RegularExpression(String(repeating: "[a-z]{900}", count: 9))
        #expect(large.memory == RegularExpression.memoryLimit)
        let texts = [8_099, 8_100].map { [UInt8](repeating: UInt8(ascii: "a"), count: $0) }
        let matches = texts.map { large.matchesWhole($0.span) }
        #expect(matches == [false, true])
    }

    @Test func `states that were forgotten change no answer`() throws {
        // 2¹⁵ states, of which a few hundred are remembered at a time.
        let pattern = try RegularExpression("/[xy]*x[xy]{14}/.*")
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<20_000 {
            let path = (0..<60).map { _ in UInt8(ascii: Bool.random(using: &generator) ? "x" : "y") }
            let text = [UInt8(ascii: "/")] + path + Array("/a".utf8)
            let matches = pattern.matchesWhole(text.span)
            #expect(matches == (path[45] == UInt8(ascii: "x")))
        }
    }
}
