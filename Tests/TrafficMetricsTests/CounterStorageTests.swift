// Wingmirror · Apache-2.0

import OctetText
import Testing

@testable import TrafficMetrics

@Suite struct CounterStorageTests {
    @Test func `paged words are zero until written, and hold what is written`() {
        let words = PagedWords(count: 100)
        #expect((0..<100).allSatisfy { words.load($0) == 0 })
        for index in [0, 15, 16, 99] { words.add(UInt64(index) + 1, at: index) }
        words.add(1, at: 16)
        var copy = PagedWordsCopy()
        words.copy(into: &copy)
        words.add(1000, at: 99)
        var found: [Int: UInt64] = [:]
        copy.visitNonzero(in: 0..<100) { found[$0] = $1 }
        #expect(found == [0: 1, 15: 16, 16: 18, 99: 100])
        found = [:]
        copy.visitNonzero(in: 1..<16) { found[$0] = $1 }
        #expect(found == [15: 16])
        #expect(copy[99] == 100)
        #expect(copy[50] == 0)
    }

    @Test func `growing words keep their place however many follow`() {
        let words = GrowingWords()
        for number in 0..<5000 as Range<UInt64> {
            words.append(number, 0)
            words.increment(Int(number) * 2 + 1)
        }
        #expect(words.count == 10_000)
        #expect((0..<5000).allSatisfy { words.load($0 * 2) == UInt64($0) && words.load($0 * 2 + 1) == 1 })
    }

    @Test func `combinations are told apart, however many there are`() {
        let counters = CombinationCounters()
        var generator = SeededGenerator(seed: 1)
        var expected: [UInt32: UInt64] = [:]
        for _ in 0..<20_000 {
            let combination = UInt32.random(in: 0..<3000, using: &generator) << 4
            if !counters.increment(combination) { counters.begin(combination, at: 7_900_000_000) }
            expected[combination, default: 0] += 1
        }
        var found: [UInt32: UInt64] = [:]
        counters.visit { combination, count, beganAt in
            found[combination] = count
            #expect(beganAt == 7_000_000_000)
        }
        #expect(found == expected)
    }

    @Test func `a combination is packed and unpacked`() {
        for method in RequestMethodLabel.allCases {
            for requestProtocol in RequestProtocolLabel.allCases {
                for errorType in ErrorTypeLabel.allCases {
                    for status in [0, 100, 404, 599, 1000] {
                        let code = ResponseCodeLabel(status: status)
                        let combination = RequestCombination(
                            packed: RequestCombination(
                                method: method,
                                requestProtocol: requestProtocol,
                                code: code,
                                errorType: errorType
                            ).packed
                        )
                        #expect(
                            combination.labelValues == [
                                method.text, requestProtocol.text, code.text, errorType.text,
                            ]
                        )
                    }
                }
            }
        }
    }

    @Test(arguments: ErrorTypeLabel.allCases)
    func `a failure is what the one matcher of the dashboards selects`(_ errorType: ErrorTypeLabel) throws {
        let matcher = try Regex("5xx.*|grpc_error|no_response|incomplete_response")
        let exchange = ExchangeObservation(method: .get, status: 200, errorType: errorType, startedAt: 0)
        #expect(exchange.combination.isFailure == (try matcher.wholeMatch(in: errorType.text) != nil))
    }
}
