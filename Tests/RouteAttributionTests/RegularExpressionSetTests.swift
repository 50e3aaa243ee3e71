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

    /// RE2 makes such states anew for each text, and goes on with it for ever.
    @Test func `a set whose states do not fit is given up, and is right until then`() throws {
        let patterns = try (0..<50).map { try RegularExpression("/.*/s\($0)/.*/end\($0)") }
        let set = try #require(RegularExpressionSet(patterns))
        var generator = SeededGenerator(seed: 7)
        var answers = 0
        while answers < 20_000 {
            let steps = (0..<24).map { _ in Int.random(in: 0..<50, using: &generator) }
            let text = Array(("/a" + steps.map { "/s\($0)/q" }.joined() + "/end\(steps[3])").utf8)
            guard let found = Self.numbers(set, text) else { break }
            #expect(found == patterns.indices.filter { patterns[$0].matchesWhole(text.span) }.map(Int32.init))
            answers += 1
        }
        #expect((1..<20_000).contains(answers))
        #expect(Self.numbers(set, Array("/a".utf8)) == nil)
    }

    @Test func `a long text is for the patterns one by one`() throws {
        let set = try #require(RegularExpressionSet(["/a*", "/b"].map { try RegularExpression($0) }))
        for (count, expected) in [(511, [0] as [Int32]?), (512, nil)] {
            #expect(
                Self.numbers(set, Array("/".utf8) + [UInt8](repeating: UInt8(ascii: "a"), count: count)) == expected
            )
        }
    }

    @Test func `sets take no more memory together than they may`() throws {
        let cache = RegularExpressionCache()
        let most = Int(RegularExpressionCache.setMemoryLimit / RegularExpression.ordinaryMemory)
        let lists = try (0..<most + 2).map { try [RegularExpression("/a\($0)"), RegularExpression("/b")] }
        for round in 0..<2 {
            #expect(lists.map { cache.set($0) != nil } == lists.indices.map { $0 < most }, "round \(round)")
        }
        cache.tablesMade()
        // Those of the latest tables are taken over, and leave the same room.
        #expect(lists.reversed().map { cache.set($0) != nil } == lists.indices.map { $0 < most })
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
