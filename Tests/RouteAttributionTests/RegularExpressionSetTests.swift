// Wingmirror · Apache-2.0

import OctetText
import Testing

@testable import RouteAttribution

/// Patterns that are asked together say what each says by itself.
@Suite struct RegularExpressionSetTests {
    private static func numbers(_ set: RegularExpressionSet, _ text: [UInt8]) -> [Int32]? {
        set.withMatches(text.span) { matches in
            guard let matches else { return nil }
            return matches.indices.map { matches[$0] }
        }
    }

    @Test(arguments: 1...20) func `a set finds what its patterns find one by one`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let pieces = [
            "/", "/a", "b", "[ab]", "(a|/b)", "a*", ".", ".*", "\\d", "[^/]+", "(?i:AB)", "a{2,3}", "^/", "b$", "\\b",
            "é", "(?P<n>a)",
            "(?<n>b)", "|", "",
        ]
        let patterns = (0..<24).compactMap { _ in
            let text = (0..<Int.random(in: 1...4, using: &generator)).map { _ in
                pieces.randomElement(using: &generator) ?? ""
            }
            // A name that occurs twice is no pattern.
            return try? RegularExpression(text.joined())
        }
        try #require(patterns.count > 8)
        let set = try #require(RegularExpressionSet(patterns))
        let octets = Array("//aabB1é".utf8) + [0x0A, 0x00, 0xFF]
        for _ in 0..<300 {
            let text = (0..<Int.random(in: 0...8, using: &generator)).map { _ in
                octets.randomElement(using: &generator) ?? 0
            }
            let expected = patterns.indices.filter { patterns[$0].matchesWhole(text.span) }.map(Int32.init)
            #expect(Self.numbers(set, text) == expected, "seed \(seed), \(set.texts), \(text)")
        }
    }

    @Test func `more matches than are told are none that is told`() throws {
        let most = RegularExpressionSet.mostMatches
        for count in [most, most + 1] {
            let patterns = try (0..<count).map { try RegularExpression("/.*(\($0))?") }
            let set = try #require(RegularExpressionSet(patterns))
            let expected = count == most ? (0..<most).map(Int32.init) : nil
            #expect(Self.numbers(set, Array("/x".utf8)) == expected)
        }
    }

    @Test func `patterns whose program is too large together make no set`() throws {
        let large = String(repeating: "[a-z]{900}", count: 11)
        let patterns = try (0..<40).map { try RegularExpression("/\($0)\(large)") }
        #expect(RegularExpressionSet(patterns) == nil)
    }

    @Test func `states that were forgotten change no answer`() throws {
        let patterns = try (0..<10).map { try RegularExpression("/[xy]*x[xy]{\($0 + 8)}/.*") }
        let set = try #require(RegularExpressionSet(patterns))
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<2_000 {
            let path = (0..<40).map { _ in UInt8(ascii: Bool.random(using: &generator) ? "x" : "y") }
            let found = Self.numbers(set, [UInt8(ascii: "/")] + path + Array("/a".utf8))
            #expect(found == (0..<10).filter { path[31 - $0] == UInt8(ascii: "x") }.map(Int32.init))
        }
    }

    @Test func `a set is kept for the next table as long as one has it`() throws {
        let cache = RegularExpressionCache()
        let patterns = try ["/a.*", "/b"].map { try RegularExpression($0) }
        let first = try #require(cache.set(patterns))
        cache.tablesMade()
        #expect(cache.set(patterns) === first)
        cache.tablesMade()
        cache.tablesMade()
        #expect(cache.set(patterns) !== first)
    }
}
