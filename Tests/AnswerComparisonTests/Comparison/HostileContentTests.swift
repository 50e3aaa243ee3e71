// Wingmirror · Apache-2.0

import OctetText
import Testing
import TrafficModel

@testable import AnswerComparison

/// Content that is made to be expensive.
///
/// The time limits are far above what is needed and far below what a quadratic or
/// exponential walk would take.
@Suite struct HostileContentTests {
    static func differences(_ production: String, _ candidate: String) -> [AnswerDifference] {
        AnswerComparatorTests.comparison(AnswerComparatorTests.json(production), AnswerComparatorTests.json(candidate))
            .differences
    }

    @Test func `content nested too deep is compared as text`() {
        let deep = String(repeating: "[", count: 100_000)
        #expect(Self.differences(deep, deep + "[").map(\.place) == [.content("")])
        let closed = String(repeating: "[", count: 5000) + String(repeating: "]", count: 5000)
        #expect(Self.differences(closed, closed + " ").map(\.kind) == [.value])
    }

    @Test(.timeLimit(.minutes(20))) func `lists nested in lists are walked in bounded time`() {
        // Each level hashes everything below it once more.
        func nested(_ core: String) -> String {
            String(repeating: "[", count: 50) + core + String(repeating: "]", count: 50)
        }
        let numbers = (0..<20_000).map(String.init).joined(separator: ",")
        #expect(!Self.differences(nested(numbers), nested(numbers + "1")).isEmpty)
    }

    @Test(.timeLimit(.minutes(20))) func `objects with many members in another order take no quadratic time`() {
        let count = 20_000
        func object(_ indices: some Sequence<Int>) -> String {
            "{" + indices.map { "\"member\($0)\":\($0)" }.joined(separator: ",") + "}"
        }
        #expect(Self.differences(object(0..<count), object((0..<count).reversed())).isEmpty)
    }

    @Test func `differences are told apart only up to a limit`() {
        func object(_ value: Int) -> String {
            "{" + (0..<5000).map { "\"m_\($0)x\":\(value)" }.joined(separator: ",") + "}"
        }
        #expect(Self.differences(object(1), object(2)).count == ComparisonLimits().differences)
    }

    @Test func `fields without end are told apart only up to a limit`() {
        let many = AnswerComparatorTests.answer("a", fields: (0..<5000).map { ("x-\($0)", "1") })
        #expect(
            AnswerComparatorTests.comparison(many, AnswerComparatorTests.answer("a")).differences.count
                == ComparisonLimits().differences
        )
    }

    @Test func `long paths and names have short places`() {
        let name = String(repeating: "n", count: 10_000)
        let deep = (0..<40).map { "{\"level\($0)\":" }.joined()
        let end = String(repeating: "}", count: 40)
        let differences = Self.differences(deep + "{\"\(name)\":1}" + end, deep + "{\"\(name)\":2}" + end)
        #expect(differences.count == 1)
        #expect((differences.first?.place.text.utf8.count ?? 1000) < 120)
    }

    @Test func `a bomb is not unpacked beyond the limit`() {
        nonisolated(unsafe) var asked = 0
        var settings = ComparisonSettings()
        settings.maximumContentOctets = 1000
        let coded = AnswerComparatorTests.answer("x", fields: [("Content-Encoding", "gzip")])
        let comparison = AnswerComparatorTests.comparison(
            coded,
            AnswerComparatorTests.answer("y"),
            settings: settings,
            decoder: { _, _, limit in
                unsafe asked = limit
                return nil
            }
        )
        #expect(unsafe asked == 1000)
        #expect(comparison.contentIsUnread)
    }

    @Test(arguments: 0..<40)
    func `mutated answers are compared without harm`(seed: Int) {
        var generator = SeededGenerator(seed: UInt64(seed))
        let text = #"{"items":[{"id":1,"p":1.5e3,"n":"aé"},{"id":2}],"next":null,"ok":true}"#
        var response = AnswerComparatorTests.json(text)
        for _ in 0..<(1 + seed % 5) {
            let position = Int(generator.next() % UInt64(response.message.content.count))
            response.message.content[position] = UInt8(truncatingIfNeeded: generator.next())
        }
        let comparison = AnswerComparatorTests.comparison(AnswerComparatorTests.json(text), response)
        let isChanged = response.message.content != Array(text.utf8)
        #expect(comparison.differences.count <= 10)
        if !isChanged { #expect(comparison.differences.isEmpty) }
    }
}
