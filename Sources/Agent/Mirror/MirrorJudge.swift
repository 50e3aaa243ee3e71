// Wingmirror · Apache-2.0

import AdminServer
import AgentConfiguration
import AnswerComparison
import ContentDecoding
import Redaction
import ShadowTesting
import Synchronization
import TrafficModel

/// Keeps the verdicts: compares the answers of exchanges that have been sent, one after the other.
///
/// Comparing happens on a thread of its own, off those that capture, send and answer; whoever shows verdicts gets those of the last
/// `publish`, and so never waits for a comparison. Requests that were dropped before they became copies never come here:
/// their number is taken from the queue, because a verdict on the few that got through would be one on a chosen few.
final class MirrorJudge: Sendable {
    private let queue: MirrorQueue
    private let node: String
    private let key: RedactionKey
    private let thread = WorkThread("judge")
    private let state: Mutex<State>
    private let published = Mutex(Published())

    private struct Published: Sendable {
        var verdicts: [RouteVerdict] = []
        var forgottenVotes: UInt64 = 0
        var unjudged: UInt64 = 0
    }

    fileprivate struct State: Sendable {
        var book: VerdictBook
        var targets: [String: MirrorTarget] = [:]
        /// Drops that the book has counted.
        var countedDrops: [DropKey: UInt64] = [:]
    }

    fileprivate struct DropKey: Hashable {
        let lane: MirrorLane
        let route: RouteName
        let reason: MissedReason
    }

    /// Makes a judge without policies.
    ///
    /// - Parameters:
    ///   - queue: Where drops are counted.
    ///   - node: The name of this node, for the requests of examples.
    ///   - key: What redacted values are hashed with.
    init(queue: MirrorQueue, node: String, key: RedactionKey) {
        self.queue = queue
        self.node = node
        self.key = key
        var generator = SystemRandomNumberGenerator()
        let book = VerdictBook(
            secret: "\(generator.next())-\(generator.next())",
            seed: generator.next(),
            decoder: { coding, content, limit in ContentDecoding.freed(coding, content, limit: limit) }
        )
        state = Mutex(State(book: book))
    }

    // MARK: - Policies

    /// Takes up the policies in force, and forgets others with what was found out for them.
    ///
    /// - Parameter configuration: The policies and targets.
    func configure(_ configuration: MirrorConfiguration) {
        let active = configuration.isActive ? configuration.policies : []
        let names = Set(active.map(\.name))
        state.withLock { state in
            for policy in state.book.policyNames where !names.contains(policy) { state.book.policyRemoved(policy) }
            state.targets = Dictionary(configuration.targets.map { ($0.name, $0) }) { $1 }
            for policy in active {
                state.book.policyConfigured(
                    policy.comparisonPolicy,
                    origins: state.targets.mapValues {
                        TargetOrigin(authority: $0.authority, isSecured: $0.usesTLS)
                    },
                    addresses: state.targets.mapValues { "\($0.usesTLS) \($0.host):\($0.port) \($0.hostField)" }
                )
            }
        }
    }

    // MARK: - Answers

    /// Compares the answers to one exchange.
    func judge(_ finished: FinishedExchange) async {
        await thread.perform { [self] in
            state.withLock { state in
                for fate in finished.fates where !fate.isBaseline { judge(fate, of: finished, &state) }
            }
        }
    }

    private func judge(_ fate: FinishedExchange.Fate, of finished: FinishedExchange, _ state: inout State) {
        let ticket = finished.ticket
        let lane = MirrorLane(policy: ticket.policy.name, target: fate.target)
        let route = ticket.exchange.route
        state.book.sampled(lane, route: route)
        guard case .sent(let answer) = fate.outcome else {
            return state.book.missed(lane, route: route, reason: fate.dropReason?.missedReason ?? .thinned)
        }
        // A baseline's copy that was left out whatever is answered takes the pair with it. One that was lost otherwise leaves what the
        // candidate answered, which may be an error.
        if finished.fates.first(where: \.isBaseline)?.dropReason?.missedReason == .thinned {
            return state.book.missed(lane, route: route, reason: .thinned)
        }
        let pair = ComparedPair(
            lane: lane,
            keyHash: ticket.sampled.keyHash,
            time: answer.intendedTime + answer.queueNanoseconds + answer.durationNanoseconds,
            production: ticket.exchange,
            candidate: answer,
            repeated: fate.repeated,
            baseline: finished.baseline,
            lostCredentials: ticket.policy.takesCredentials(of: ticket.exchange.request)
        )
        let target = state.targets[fate.target]
        state.book.compared(pair) { target.map { curl(ticket, to: $0) } ?? "" }
    }

    /// A line that repeats a request, without what is redacted.
    private func curl(_ ticket: MirrorTicket, to target: MirrorTarget) -> String {
        let builder = ShadowRequestBuilder(policy: ticket.policy, target: target, node: node, key: key)
        guard let request = try? builder.build(ticket.exchange) else { return "" }
        return CurlLine.text(for: request, to: target)
    }

    // MARK: - Verdicts

    /// Begins the verdicts of a policy anew, or of all; waits for the comparison that is being made.
    /// - Returns: How many; `nil` for a policy that there is not.
    func judgeAgain(policy: String?) -> Int? {
        let count = state.withLock { state -> Int? in
            if let policy, !state.book.hasPolicy(policy) { return nil }
            return state.book.judgedAnew(policy: policy)
        }
        makeVerdicts()
        return count
    }

    /// The verdicts of the last `publish`.
    var verdicts: [RouteVerdict] { published.withLock { $0.verdicts } }

    /// Keys whose vote was forgotten before its window ended, because there were more keys than the limit.
    var forgottenVotes: UInt64 { published.withLock { $0.forgottenVotes } }

    /// Sampled requests of routes for which there was no room.
    var unjudged: UInt64 { published.withLock { $0.unjudged } }

    /// Makes the verdicts so far the ones to show.
    func publish() async {
        await thread.perform { [self] in makeVerdicts() }
    }

    private func makeVerdicts() {
        let now = WallClock.now()
        let figures = queue.figures(now: now)
        let breakers = figures.targets.map { target in
            (target.name, BreakerState(openings: target.breakerOpenings, isOpen: target.breakerIsOpen))
        }
        let found = state.withLock { state in
            state.book.breakersSeen(Dictionary(breakers) { $1 }, at: now)
            for lane in figures.lanes {
                for (route, reasons) in lane.droppedByRoute {
                    for (reason, count) in reasons { state.dropped(count, of: lane.lane, route, reason) }
                }
            }
            return Published(
                verdicts: state.book.report(isExact: false),
                forgottenVotes: state.book.forgottenVotes,
                unjudged: state.book.unjudged
            )
        }
        published.withLock { $0 = found }
    }
}

extension MirrorJudge.State {
    /// Counts in the book the drops since the last time, of which there were `count` altogether.
    fileprivate mutating func dropped(_ count: UInt64, of lane: MirrorLane, _ route: RouteName, _ reason: MissedReason)
    {
        let key = MirrorJudge.DropKey(lane: lane, route: route, reason: reason)
        let counted = countedDrops[key] ?? 0
        guard count > counted else { return }
        book.sampled(lane, route: route, count: count - counted)
        book.missed(lane, route: route, reason: reason, count: count - counted)
        countedDrops[key] = count
    }
}
