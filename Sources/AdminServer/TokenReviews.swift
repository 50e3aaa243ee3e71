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
/// counts soon, and a client that tries again and again does not become the authority's load. Tokens are kept as SHA-256 alone.
///
/// Everyone who reaches the port can make up tokens, so those cost a known scraper nothing: what lets somebody in has a table of
/// its own, which no refusal evicts; it is renewed before it ends, while the old one counts; and a token that was let in within
/// ten minutes is asked about at places of its own. The rest share a few open questions, two of each peer, and a number a second.
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
        init(token: String, verb: String, path: String) {
            self.token = token
            self.verb = verb
            self.path = path
        }

        /// Stands for the question where answers are kept; neither a verb nor a path has a line feed.
        fileprivate var digest: SHA256Digest { SHA256.hash(data: Array("\(verb)\n\(path)\n\(token)".utf8)) }

        /// Stands for the token alone.
        fileprivate var holder: SHA256Digest { SHA256.hash(data: Array("\n\(token)".utf8)) }
    }

    /// An answer that lets somebody in.
    private struct Grant {
        var until: ContinuousClock.Instant
        /// From when on it is renewed at its next use; it counts meanwhile.
        var renewal: ContinuousClock.Instant
        var isBeingRenewed = false
    }

    private struct Refusal {
        let review: TokenReview
        let until: ContinuousClock.Instant
    }

    /// Whose places a question takes.
    private enum Asker: Hashable {
        /// Somebody whose token was let in a short time ago.
        case known
        case stranger(ConnectionPlaces.Peer)
    }

    private struct State {
        var grants: [SHA256Digest: Grant] = [:]
        var refusals: [SHA256Digest: Refusal] = [:]
        /// Tokens that were let in, and until when they are known.
        var holders: [SHA256Digest: ContinuousClock.Instant] = [:]
        var open: [Asker: Int] = [:]
        /// Questions of strangers in the second that began then.
        var second: (start: ContinuousClock.Instant, questions: Int)?
    }

    /// What is done about a question.
    private enum Step {
        case answer(TokenReview)
        /// The answer counts, and is asked for anew.
        case renew
        case ask(Asker)
    }

    private static let allowedTime: Duration = .seconds(60)
    private static let renewalTime: Duration = .seconds(30)
    /// How soon a renewal that got no answer is tried again.
    private static let retryTime: Duration = .seconds(1)
    private static let otherTime: Duration = .seconds(10)
    /// How long a token that was let in is known: longer than scrapes are apart.
    private static let knownTime: Duration = .seconds(600)
    /// How many answers of each kind are kept.
    private static let limit = 1024
    /// How many questions may be open about tokens that are known.
    private static let openLimitOfKnown = 16
    /// How many may be about others, and of one peer; more come from nobody but an attacker.
    private static let openLimit = 12
    private static let openLimitPerPeer = 2
    /// How many of them may begin within a second: each is a request to the API server.
    private static let limitPerSecond = 50
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
    ///
    /// - Parameters:
    ///   - question: What is asked.
    ///   - peer: Who asks.
    /// - Returns: The answer, or why there is none.
    func review(_ question: Question, from peer: ConnectionPlaces.Peer = .own) async -> TokenReview {
        guard question.token.utf8.count <= Self.tokenLimit else { return .unknown }
        let key = question.digest
        let holder = question.holder
        let time = now()
        switch state.withLock({ Self.step(&$0, key, holder, peer, at: time) }) {
        case .answer(let review): return review
        case .renew:
            Task { await self.renew(question, key, holder) }
            return .allowed
        case .ask(let asker):
            let review = await ask(question)
            state.withLock { state in
                if let open = state.open[asker] { state.open[asker] = open > 1 ? open - 1 : nil }
                Self.keep(review, &state, key, holder, at: time)
            }
            return review
        }
    }

    private static func step(
        _ state: inout State,
        _ key: SHA256Digest,
        _ holder: SHA256Digest,
        _ peer: ConnectionPlaces.Peer,
        at time: ContinuousClock.Instant
    ) -> Step {
        if let grant = state.grants[key], grant.until > time {
            guard grant.renewal <= time, !grant.isBeingRenewed else { return .answer(.allowed) }
            state.grants[key]?.isBeingRenewed = true
            return .renew
        }
        if let refusal = state.refusals[key], refusal.until > time { return .answer(refusal.review) }
        let isKnown = state.holders[holder].map { $0 > time } ?? false
        let asker = isKnown ? Asker.known : .stranger(peer)
        guard takePlace(for: asker, &state, at: time) else {
            return .answer(.unavailable("too many credentials are being looked at"))
        }
        return .ask(asker)
    }

    private static func takePlace(for asker: Asker, _ state: inout State, at time: ContinuousClock.Instant) -> Bool {
        let own = state.open[asker, default: 0]
        if asker == .known {
            guard own < openLimitOfKnown else { return false }
        } else {
            let others = state.open.reduce(0) { $1.key == .known ? $0 : $0 + $1.value }
            if let second = state.second, second.start + .seconds(1) > time {
                guard second.questions < limitPerSecond else { return false }
            } else {
                state.second = (time, 0)
            }
            guard own < openLimitPerPeer, others < openLimit else { return false }
            state.second?.questions += 1
        }
        state.open[asker] = own + 1
        return true
    }

    private func renew(_ question: Question, _ key: SHA256Digest, _ holder: SHA256Digest) async {
        let time = now()
        let review = await ask(question)
        state.withLock { state in
            guard case .unavailable = review else { return Self.keep(review, &state, key, holder, at: time) }
            // What was let in stays in until its end.
            state.grants[key]?.isBeingRenewed = false
            state.grants[key]?.renewal = time + Self.retryTime
        }
    }

    private static func keep(
        _ review: TokenReview,
        _ state: inout State,
        _ key: SHA256Digest,
        _ holder: SHA256Digest,
        at time: ContinuousClock.Instant
    ) {
        switch review {
        case .allowed:
            makeRoom(in: &state.grants, at: time, until: \.until)
            makeRoom(in: &state.holders, at: time, until: \.self)
            state.grants[key] = Grant(until: time + allowedTime, renewal: time + renewalTime)
            state.holders[holder] = time + knownTime
            state.refusals[key] = nil
        case .denied, .unknown:
            makeRoom(in: &state.refusals, at: time, until: \.until)
            state.refusals[key] = Refusal(review: review, until: time + otherTime)
            state.grants[key] = nil
            // A token that the cluster does not know any more is as good as one that was made up.
            if review == .unknown { state.holders[holder] = nil }
        // The authority may be back at the next question.
        case .unavailable: break
        }
    }

    /// Makes room for one more entry: forgets those that have ended, or else the one that ends first.
    private static func makeRoom<Value>(
        in table: inout [SHA256Digest: Value],
        at time: ContinuousClock.Instant,
        until: (Value) -> ContinuousClock.Instant
    ) {
        guard table.count >= limit else { return }
        table = table.filter { until($0.value) > time }
        guard table.count >= limit, let first = table.min(by: { until($0.value) < until($1.value) }) else { return }
        table[first.key] = nil
    }
}
