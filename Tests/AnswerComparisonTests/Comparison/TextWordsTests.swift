// Wingmirror · Apache-2.0

import Testing
import TrafficModel

@testable import AnswerComparison

@Suite struct TextWordsTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let label: String
        let first: String
        let second: String
        let count: Int
        let isAligned: Bool

        init(_ label: String, _ first: String, _ second: String, _ count: Int, isAligned: Bool = true) {
            self.label = label
            self.first = first
            self.second = second
            self.count = count
            self.isAligned = isAligned
        }

        var testDescription: String { label }
    }

    @Test(arguments: [
        Row("one word", "took 3 ms", "took 5 ms", 1),
        Row("two words", "a 1, b 2", "a 3, b 4", 2),
        Row("white space alone", "a  b", "a b", 1),
        Row("values in JSON", #"data: {"price":9.99,"id":"a1"}"#, #"data: {"price":0.00,"id":"b2"}"#, 2),
        Row("a directive", "'nonce-a' 'strict-dynamic'", "'nonce-b' 'strict-dynamic'", 1),
        Row("a word more at the end", "a b", "a b c", 1),
        Row("words more in the middle", "a d", "a b c d", 2),
        Row("a middle that fits nowhere", "a x d", "a b c d", 2, isAligned: false),
        Row("base64 with padding", "t=ab+/cd==;x", "t=ef-_gh==;x", 1),
        Row("a clock time", "at 12:03:22 h", "at 13:04:23 h", 1),
        Row("nothing", "", "a b", 2),
    ])
    func `words that differ are counted`(row: Row) {
        let difference = TextWords.difference(Array(row.first.utf8), Array(row.second.utf8))
        #expect(difference == TextWords.Difference(count: row.count, isAligned: row.isAligned))
        let reverse = TextWords.difference(Array(row.second.utf8), Array(row.first.utf8))
        #expect(reverse == difference, "the same from either side")
    }

    private static func occurrences(_ production: RecordedResponse, _ candidate: RecordedResponse) -> [String: Int] {
        let differences = AnswerComparatorTests.comparison(production, candidate).differences
        return Dictionary(differences.map { ("\($0.place.text): \($0.kind.rawValue)", $0.occurrences) }) { $0 + $1 }
    }

    @Test func `values that share a place are counted, and a list of another length is compared all the same`() {
        let json = AnswerComparatorTests.json
        #expect(
            Self.occurrences(json(#"{"i":[{"p":1},{"p":2},{"p":3}]}"#), json(#"{"i":[{"p":4},{"p":2},{"p":5}]}"#)) == [
                "content i[].p: value": 2
            ]
        )
        #expect(
            Self.occurrences(json(#"{"i":[{"p":1},{"p":2},{"p":3}]}"#), json(#"{"i":[{"p":2},{"p":4}]}"#)) == [
                "content i[]: size": 1, "content i[].p: value": 1,
            ]
        )
        #expect(Self.occurrences(json(#"{"h":"<b>1</b> 2"}"#), json(#"{"h":"<b>3</b> 4"}"#)) == ["content h: value": 2])
    }

    @Test func `pieces of a page, and words of a header, are counted`() {
        func page(_ first: Int, _ second: Int) -> RecordedResponse {
            AnswerComparatorTests.answer(
                "<p>\(first)</p><p>\(second) and \(second)</p>",
                fields: [("content-type", "text/html"), ("x-a", "n=\(first); m=\(second)")]
            )
        }
        #expect(Self.occurrences(page(1, 2), page(3, 4)) == ["content <p>: value": 3, "field x-a: value": 2])
        #expect(Self.occurrences(page(1, 2), page(3, 2)) == ["content <p>: value": 1, "field x-a: value": 1])
    }

    @Test func `links to here are no difference among words`() {
        let production = AnswerComparatorTests.json(#"{"t":"see https://shop.example.com/a at 1"}"#)
        let candidate = AnswerComparatorTests.json(#"{"t":"see http://staging:8080/a at 2"}"#)
        #expect(Self.occurrences(production, candidate) == ["content t: value": 1])
    }

    @Test(.timeLimit(.minutes(5))) func `long texts take no quadratic time`() {
        let words = (0..<200_000).map(String.init)
        let (first, second) = (words.joined(separator: " "), words.dropFirst().joined(separator: " "))
        #expect(TextWords.difference(Array(first.utf8), Array(second.utf8)).count > 1)
    }
}
