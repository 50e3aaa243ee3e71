// Wingmirror · Apache-2.0

import Crypto
import Synchronization

/// What an authority says of somebody who brings a token.
public enum TokenReview: Sendable, Equatable {
    /// It is known whose it is, and they may do this.
    case allowed
    /// It is known whose it is, and they may not; the reason is for them to read.
    case denied(String)
    /// The token is unknown to the cluster, or has expired.
    case unknown
    /// The authority gives no answer; the reason is for a person to read.
    case unavailable(String)
}

/// Asks an authority about tokens, such as the API server, and keeps its answers for a while.
///
/// An answer that lets somebody in is kept for a minute and one that does not for ten seconds, so that a right that was taken away
/// counts soon, and a client that tries again and again does not become the authority's load. How many answers are kept and how
/// many questions are open has a limit. Tokens are kept as SHA-256 alone.
public final class TokenReviews: Sendable {
    /// What is asked.
    public struct Question: Sendable, Hashable {
        /// The token.
        public let token: String
        /// What is to be done, in the words of Kubernetes: `get`, `post`.
        public let verb: String
        /// The path.
        public let path: String

        /// Asks whether a token's owner may do something.
        public init(token: String, verb: String, path: String) {
            self.token = token
            self.verb = verb
            self.path = path
        }

        /// Stands for the question where answers are kept; neither a verb nor a path has a line feed.
        fileprivate var digest: SHA256Digest { SHA256.hash(data: Array("\(verb)\n\(path)\n\(token)".utf8)) }
    }

    private struct Answer {
        let review: TokenReview
        let until: ContinuousClock.Instant
    }

    private struct State {
        var answers: [SHA256Digest: Answer] = [:]
        var open = 0
    }

    private static let allowedTime: Duration = .seconds(60)
    private static let otherTime: Duration = .seconds(10)
    /// How many answers are kept.
    private static let limit = 1024
    /// How many questions may be open: more come from nobody but an attacker.
    private static let openLimit = 16
    /// The longest token that is asked about: tokens of service accounts have about a kibibyte.
    private static let tokenLimit = 16_384

    private let ask: @Sendable (Question) async -> TokenReview
    private let now: @Sendable () -> ContinuousClock.Instant
    private let state = Mutex(State())

    /// Makes a cache without answers.
    ///
    /// - Parameters:
    ///   - ask: Asks the authority.
    ///   - now: The time.
    public init(
        ask: @escaping @Sendable (Question) async -> TokenReview,
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) {
        self.ask = ask
        self.now = now
    }

    /// What the authority says, now or a short time ago.
    func review(_ question: Question) async -> TokenReview {
        guard question.token.utf8.count <= Self.tokenLimit else { return .unknown }
        let key = question.digest
        let time = now()
        let known: TokenReview? = state.withLock { state in
            if let answer = state.answers[key], answer.until > time { return answer.review }
            guard state.open < Self.openLimit else { return .unavailable("too many credentials are being looked at") }
            state.open += 1
            return nil
        }
        if let known { return known }
        let review = await ask(question)
        state.withLock { state in
            state.open -= 1
            if state.answers.count >= Self.limit {
                state.answers = state.answers.filter { $0.value.until > time }
                if state.answers.count >= Self.limit { state.answers = [:] }
            }
            switch review {
            case .allowed: state.answers[key] = Answer(review: review, until: time + Self.allowedTime)
            case .denied, .unknown: state.answers[key] = Answer(review: review, until: time + Self.otherTime)
            // The authority may be back at the next question.
            case .unavailable: state.answers[key] = nil
            }
        }
        return review
    }
}
