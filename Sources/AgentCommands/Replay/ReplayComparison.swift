// Wingmirror · Apache-2.0

import Agent
import AnswerComparison
import ContentDecoding
import OctetText
import ShadowTesting
import TrafficModel

/// Compares the answers of a replay with the recorded ones.
struct ReplayComparison: Sendable {
    private let comparator: AnswerComparator
    /// How long the target has for an answer, in nanoseconds.
    private let timeout: Int64

    /// Makes a comparison.
    /// - Parameters:
    ///   - policy: How answers are compared.
    ///   - target: The target, whose own name in links is no difference.
    ///   - unknownFields: Fields, in lower case, whose recorded values were redacted.
    init(policy: MirrorPolicy, target: MirrorTarget, unknownFields: Set<String>) {
        timeout = target.timeout.nanoseconds
        var policy = policy
        policy.comparison.ignoredFields += unknownFields.sorted()
        comparator = AnswerComparator(policy: policy.comparisonPolicy, hosts: [target.authority]) {
            coding,
            octets,
            limit in
            ContentDecoding.freed(coding, octets, limit: limit)
        }
    }

    /// How an answer compares with the recorded one, and where it differs in what counts.
    func compare(
        _ exchange: RecordedExchange,
        with result: Result<RecordedResponse, ShadowFailure>
    ) -> (word: ComparisonWord, places: [AnswerPlace]) {
        // What was not seen whole, or answers to a condition that is not sent, is no measure; what was given up, or never reached the target, says nothing of its answers.
        guard let recorded = exchange.response, exchange.integrity.isEmpty, !recorded.answersCondition,
            ![.cancelled, .connect, .tls].contains(result.failure)
        else { return (.skipped, []) }
        let answer = ShadowAnswer(result: result, durationNanoseconds: timeout)
        guard !answer.ranOutOfTime(beside: exchange) else { return (.skipped, []) }
        let comparison = comparator.compare(
            recorded,
            with: result,
            authority: exchange.request.authority,
            request: exchange.request
        )
        let counted = comparison.differences.filter(\.counts)
        guard counted.isEmpty else { return (Self.word(counted), counted.map(\.place)) }
        if comparison.contentIsUnread { return (.unread, []) }
        if comparison.contentIsCut { return (.cut, []) }
        return (comparison.differences.isEmpty ? .same : .noise, [])
    }

    private static func word(_ differences: [AnswerDifference]) -> ComparisonWord {
        var word = ComparisonWord.headersDiffer
        for difference in differences {
            switch difference.place {
            case .outcome, .status: return .statusDiffers
            case .content: word = .bodyDiffers
            case .field, .other, .latency: break
            }
        }
        return word
    }
}

extension AnswerDifference {
    /// Whether the difference counts without anything having been learned of the route.
    fileprivate var counts: Bool {
        switch expectation {
        case .stable: true
        case .presumedVolatile, .volatile: !hasEqualShape
        case .infrastructure: false
        }
    }
}

extension Result<RecordedResponse, ShadowFailure> {
    /// Why there is no answer, if there is none.
    var failure: ShadowFailure? {
        if case .failure(let failure) = self { failure } else { nil }
    }
}
