// Wingmirror · Apache-2.0

import Testing
import TrafficModel

@testable import AnswerComparison

/// Answers to unary gRPC calls: status, message and trailers.
@Suite struct CallComparisonTests {
    static func answer(
        _ message: [UInt8]? = [7],
        status: Int? = 0,
        flags: UInt8 = 0,
        head: [(String, String)] = [],
        trailers: [(String, String)] = []
    ) -> RecordedResponse {
        let ending = status.map { [("grpc-status", String($0))] } ?? []
        let type = [("content-type", "application/grpc")]
        func fields(_ pairs: [(String, String)]) -> [RecordedField] {
            pairs.map { RecordedField(name: $0.0, value: $0.1) }
        }
        guard let message else {
            return RecordedResponse(
                status: 200,
                message: RecordedMessage(fields: fields(type + head + ending + trailers))
            )
        }
        var recorded = RecordedMessage(
            fields: fields(type + head),
            content: [flags, 0, 0, 0, UInt8(message.count)] + message
        )
        recorded.trailers = fields(ending + trailers)
        return RecordedResponse(status: 200, message: recorded)
    }

    private static let comparator = AnswerComparator(
        policy: ComparisonPolicy(name: "p", targets: ["t"]),
        decoder: { coding, octets, _ in coding == "gzip" ? FreedContent(octets.reversed()) : nil }
    )

    private static func differences(_ first: RecordedResponse, _ second: RecordedResponse) -> [String] {
        comparator.compare(first, with: .success(second)).differences.filter { !$0.isExpected }
            .map { "\($0.place.text): \($0.kind.rawValue)" }
    }

    @Test func `equal calls are equal, an error in the head or in trailers alike`() {
        #expect(Self.differences(Self.answer(), Self.answer()) == [])
        let inTrailers = Self.answer([], status: 5)
        var inHead = Self.answer(nil, status: 5)
        inHead.message.content = inTrailers.message.content
        inHead.message.contentOctets = inTrailers.message.contentOctets
        #expect(Self.differences(inTrailers, inHead) == [])
    }

    @Test func `status, message, trailers and metadata are places of their own`() {
        #expect(Self.differences(Self.answer(), Self.answer(status: 14)) == ["status: status_class"])
        #expect(Self.differences(Self.answer(status: 5), Self.answer(status: 7)) == ["status: status"])
        #expect(Self.differences(Self.answer(), Self.answer(status: nil)) == ["status: status_class"])
        #expect(Self.differences(Self.answer([7]), Self.answer([8])) == ["content: value"])
        #expect(Self.differences(Self.answer([7]), Self.answer([])) == ["content: missing"])
        #expect(
            Self.differences(
                Self.answer(status: 5, trailers: [("grpc-message", "no")]),
                Self.answer(status: 5, trailers: [("grpc-message", "none")])
            ) == ["field grpc-message: value"]
        )
        #expect(Self.differences(Self.answer(), Self.answer(head: [("x-a", "1")])) == ["field x-a: extra"])
        #expect(Self.differences(Self.answer(), Self.answer(trailers: [("x-a", "1")])) == ["field x-a: extra"])
    }

    @Test func `a message is compared as it is without its coding, which is no difference`() {
        let plain = Self.answer([1, 2, 3])
        let coded = Self.answer([3, 2, 1], flags: 1, head: [("grpc-encoding", "gzip")])
        #expect(Self.differences(plain, coded) == ["field grpc-encoding: extra"])
        let unknown = Self.answer([3, 2, 1], flags: 1, head: [("grpc-encoding", "snappy")])
        #expect(Self.comparator.compare(plain, with: .success(unknown)).contentIsUnread)
    }

    @Test func `what looks like text in a message is octets`() {
        let places = Self.differences(Self.answer(Array("a\nb".utf8)), Self.answer(Array("a\nc".utf8)))
        #expect(places == ["content: value"])
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let verdict: Verdict
        var reason: VerdictReason?
        let candidate: @Sendable (Int) -> RecordedResponse
        var baseline: @Sendable (Int) -> RecordedResponse = { _ in answer() }
    }

    @Test(arguments: [
        Case(testDescription: "the same", verdict: .pass) { _ in answer() },
        Case(testDescription: "UNAVAILABLE now and then", verdict: .fail, reason: .errors) {
            $0 % 20 == 3 ? answer(nil, status: 14) : answer()
        },
        Case(testDescription: "no status now and then", verdict: .fail, reason: .errors) {
            $0 % 20 == 3 ? answer(status: nil) : answer()
        },
        Case(testDescription: "a page of a proxy now and then", verdict: .fail, reason: .errors) {
            $0 % 20 == 3 ? AnswerComparatorTests.answer("<html>") : answer()
        },
        Case(testDescription: "NOT_FOUND now and then", verdict: .fail, reason: .beyondMargin) {
            $0 % 20 == 3 ? answer(nil, status: 5) : answer()
        },
        Case(testDescription: "another message", verdict: .fail, reason: .beyondMargin) { _ in answer([8]) },
        Case(
            testDescription: "errors of both",
            verdict: .inconclusive,
            reason: .stagingFails,
            candidate: { $0 % 20 == 3 ? answer(nil, status: 14) : answer() },
            baseline: { $0 % 20 == 3 ? answer(nil, status: 14) : answer() }
        ),
        Case(
            testDescription: "all turned away",
            verdict: .inconclusive,
            reason: .notComparable,
            candidate: { _ in answer(nil, status: 16) },
            baseline: { _ in answer(nil, status: 16) }
        ),
    ])
    func `statuses are judged by direction, messages by the baseline`(situation: Case) throws {
        var bench = VerdictBookTests.Bench(hasBaseline: true)
        for number in 0..<5000 {
            bench.pair(
                Self.answer(),
                candidate: .success(situation.candidate(number)),
                baseline: .success(situation.baseline(number))
            )
        }
        let verdict = try bench.verdict
        #expect(verdict.verdict == situation.verdict, "\(verdict.reason)")
        if let reason = situation.reason { #expect(verdict.reason == reason) }
    }
}
