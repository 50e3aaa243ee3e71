// Wingmirror · Apache-2.0

import AnswerComparison
import Recordings
import ShadowTesting
import TrafficModel

/// What became of a replay.
///
/// Every request that was to be sent is counted once:
///
///     chosen × loops = sent + unsent
///     sent = answered + failed (by reason)
struct ReplaySummary: Sendable {
    /// How many exchanges the recording holds.
    var recorded = 0
    /// Why some of them were not to be sent.
    var filtered: [FilterReason: Int] = [:]
    /// How many were outside the share.
    var notSampled = 0
    /// How many requests were to be sent, all rounds together.
    var planned = 0
    /// How many were sent.
    var sent = 0
    /// How many got an answer.
    var answered = 0
    /// Why others got none.
    var failed: [ShadowFailure: Int] = [:]
    /// How many answers had a status of each class, by its first digit.
    var statusClasses: [Int: Int] = [:]
    /// From sending to the end of the answer.
    var latency = DurationDigest()
    /// From when the request was due to the end of the answer: what a client would have seen that did not wait for us.
    var latencyFromDue = DurationDigest()
    /// How long after it was due each request was sent.
    var lateness = DurationDigest()
    /// What comparing with the recorded answers gave.
    var comparisons: [ComparisonWord: Int] = [:]
    /// Where answers differed in what counts, and how often.
    var differences: [AnswerPlace: Int] = [:]
    /// Values of earlier redactions that were not sent.
    var placeholders = 0
    /// How many of the chosen requests are sent without credentials that they had.
    var withoutCredentials = 0
    /// What the recording does not hold, or could not be read of it.
    var losses = RecordingLosses()
    /// How long it took.
    var elapsed = Duration.zero
    /// Whether somebody ended it early.
    var isInterrupted = false
    /// Why TLS with the target failed the first time; `nil` where it did not.
    var handshakeProblem: String?

    /// After how many requests a target that accepts no connection is given up.
    static let hopelessRequests = 20

    /// Whether there was never a connection to the target that a request could go out on.
    var isHopeless: Bool {
        sent >= Self.hopelessRequests && failed[.connect, default: 0] + failed[.tls, default: 0] == sent
    }

    /// How many were to be sent and were not.
    var unsent: Int { planned - sent }

    /// How many answers differ from the recorded ones in what counts.
    var mismatches: Int {
        [ComparisonWord.statusDiffers, .bodyDiffers, .headersDiffer].reduce(0) { $0 + comparisons[$1, default: 0] }
    }
}

/// What became of one request of a replay.
struct ReplayOutcome: Sendable {
    /// The place among the chosen exchanges, from 0.
    var place: Int
    /// The number of the round, from 0.
    var loop: Int
    /// What was sent.
    var request: ShadowRequest
    /// When it was due, since the replay began.
    var due: Duration
    /// How long after that it was sent.
    var lateness: Duration
    /// From sending to the end of the answer, or to the failure.
    var latency: Duration
    /// The answer, or why there is none.
    var result: Result<RecordedResponse, ShadowFailure>
    /// How it compares with the recorded answer.
    var word: ComparisonWord
    /// Where it differs in what counts.
    var places: [AnswerPlace]
    /// When the recorded request began, in nanoseconds since the Unix epoch.
    var startTime: Int64 = 0
    /// The number of its connection in the recording; negative where that is not known.
    var connection = -1
}

extension ReplaySummary {
    /// Counts what became of a request.
    mutating func add(_ outcome: ReplayOutcome) {
        sent += 1
        lateness.add(outcome.lateness)
        switch outcome.result {
        case .success(let response):
            answered += 1
            statusClasses[response.status / 100, default: 0] += 1
            latency.add(outcome.latency)
            latencyFromDue.add(outcome.lateness + outcome.latency)
        case .failure(let reason): failed[reason, default: 0] += 1
        }
        comparisons[outcome.word, default: 0] += 1
        for place in Set(outcome.places) { differences[place, default: 0] += 1 }
    }
}
