// Wingmirror · Apache-2.0

import TrafficMetrics

/// What half of the traffic is missing, and what shows that the table is not the gateway's, a sentence each.
struct UnseenTraffic {
    /// From this share on something is worth a sentence.
    private static let noticeableShare = 0.05

    private let requests: UInt64
    private let unseen: UInt64
    private let answersAlone: UInt64
    private let unmatched: UInt64
    private let served: UInt64

    /// Counts of a whole run.
    ///
    /// - Parameters:
    ///   - requests: Requests that arrived, with a route and without.
    ///   - unseen: Those of them whose answers were not captured.
    ///   - answersAlone: Answers whose requests were not captured.
    ///   - unmatched: Requests that a route was missing for.
    ///   - served: Those of them that were answered with 2xx although the table has no route for them.
    init(requests: UInt64, unseen: UInt64, answersAlone: UInt64, unmatched: UInt64, served: UInt64) {
        self.requests = requests
        self.unseen = unseen
        self.answersAlone = answersAlone
        self.unmatched = unmatched
        self.served = served
    }

    /// Reads what was counted of the traffic.
    init(_ registry: MetricsRegistry) {
        let unmatched = registry.unmatchedSummaries()
        let answers = registry.unmatchedAnswers
        self.init(
            requests: unmatched.reduce(registry.routedRequestCount) {
                $0 + ($1.reason.isArrival ? $1.requestCount : 0)
            },
            unseen: registry.routeSummaries().reduce(answers.unseen) { $0 + $1.unseenCount },
            answersAlone: registry.responsesAlone,
            unmatched: unmatched.reduce(0) { $0 + ($1.reason.isMistaken ? $1.requestCount : 0) },
            served: answers.served
        )
    }

    /// The sentences, without full stops.
    var sentences: [String] {
        var sentences: [String] = []
        if Self.isNoticeable(unseen, of: requests) {
            sentences.append(
                "the answers to \(HumanUnits.count(unseen)) of \(HumanUnits.count(requests)) requests were not captured"
                    + question(unseen, of: requests)
            )
        }
        if Self.isNoticeable(answersAlone, of: requests + answersAlone) {
            let what =
                answersAlone == 1
                ? "answer was captured without its request" : "answers were captured without their requests"
            sentences.append(
                "\(HumanUnits.count(answersAlone)) \(what)" + question(answersAlone, of: requests + answersAlone)
            )
        }
        if Self.isNoticeable(served, of: unmatched) {
            sentences.append(
                "\(HumanUnits.count(served)) of the \(HumanUnits.count(unmatched)) requests without a route were answered 2xx, "
                    + "so the gateway has routes that these objects lack"
            )
        }
        return sentences
    }

    private static func isNoticeable(_ part: UInt64, of whole: UInt64) -> Bool {
        part > 0 && Double(part) >= noticeableShare * Double(whole)
    }

    /// The likely cause, where it is most of the traffic.
    private func question(_ part: UInt64, of whole: UInt64) -> String {
        part > whole / 2 ? "; is one direction filtered out?" : ""
    }
}
