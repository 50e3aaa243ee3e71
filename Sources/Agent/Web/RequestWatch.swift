// Wingmirror · Apache-2.0

import PacketDecoding
import RouteAttribution
import Synchronization
import TrafficMetrics
import TrafficPipeline

/// Watches which kinds of requests no route takes, and which fail, from the exchanges that are kept to be looked at.
///
/// The capture thread keeps up to some twenty requests a second of each kind; once a second they are taken up here, each
/// weighted by how many requests it stands for. So the thread pays nothing for the summary, whatever the load.
final class RequestWatch: Sendable {
    /// For how long a group is remembered of which nothing comes any more, in nanoseconds.
    private static let memory: Int64 = 3_600_000_000_000

    private let registry: MetricsRegistry
    private let recent: RecentBoard
    private let state = Mutex(State())

    fileprivate struct State {
        var unmatched = RequestGroups()
        var failing = RequestGroups()
        /// The numbers of the latest exchanges that were taken up, by ring.
        var latestUnmatched = -1
        var latestFailing = -1
        /// Requests that no route took, by reason, as far as the sample stands for them.
        var counted = [SampleReckoning](repeating: SampleReckoning(), count: UnmatchedReason.allCases.count)
        /// Requests of routes that failed or were refused, as far as the sample stands for them.
        var countedErrors: [FailingExchanges.Kind: SampleReckoning] = [:]
    }

    /// Makes a watch that has seen nothing.
    ///
    /// - Parameters:
    ///   - registry: Where requests are counted.
    ///   - recent: Where exchanges are kept.
    init(_ registry: MetricsRegistry, recent: RecentBoard) {
        self.registry = registry
        self.recent = recent
    }

    /// The kinds of requests that no route took, the most frequent first.
    func unmatched(_ limit: Int) -> (groups: [RequestGroups.Group], total: Double) {
        state.withLock { ($0.unmatched.largest(limit), $0.unmatched.total) }
    }

    /// Of which kind most of the requests are that a route was missing for, and what share of these.
    ///
    /// A kind that began with a change of the routes comes before a larger one that was there already, while it is at least one
    /// in twenty of the last minute's: what a change broke must not hide behind a scanner of the whole day.
    /// - Parameters:
    ///   - change: When other routes came into force last, in nanoseconds since the Unix epoch.
    ///   - now: The end of the last minute.
    /// - Returns: The kind and its share; `nil` without such requests.
    func mostMistaken(after change: Int64?, at now: Int64) -> (group: RequestGroups.Group, share: Double)? {
        let groups = state.withLock { state in
            state.unmatched.largest(.max) { key in
                if case .unmatched(let reason) = key.cause { reason.isMistaken } else { false }
            }
        }
        guard let largest = groups.first else { return nil }
        var most = largest
        if let change {
            let present = groups.reduce(0) { $0 + $1.lastMinute(until: now) }
            let began = groups.first { group in
                // Clocks of packets and of the agent are those of one machine, or nearly so.
                group.first >= change - 2_000_000_000 && group.first <= change + 60_000_000_000
                    && group.lastMinute(until: now) > 0 && group.lastMinute(until: now) >= 0.05 * present
            }
            most = began ?? largest
        }
        let all = groups.reduce(0) { $0 + $1.count }
        return (most, all > 0 ? most.count / all : 1)
    }

    /// The kinds of requests of a route that were answered with 4xx, 5xx or not at all, the most frequent first.
    func failing(_ labels: RouteLabels, _ limit: Int) -> [RequestGroups.Group] {
        state.withLock { $0.failing.largest(limit) { $0.cause == .route(labels) } }
    }

    /// Takes up what was kept since the last time.
    func sample() {
        var totals = [UInt64](repeating: 0, count: UnmatchedReason.allCases.count)
        for summary in registry.unmatchedSummaries() { totals[Int(summary.reason.rawValue)] += summary.requestCount }
        let kept = recent.all
        let refused = kept.refused + kept.routed.filter { $0.facts.isRefusal }
        let failing = FailingExchanges(kept.failed + refused, after: state.withLock { $0.latestFailing })
        let errors = failing.routes.isEmpty ? [:] : registry.errorCounts(of: failing.routes)
        state.withLock { state in
            state.takeUnmatched(kept.unmatched, totals: totals)
            state.takeFailing(failing, errors)
            let latest = [kept.unmatched.first, failing.exchanges.last].compactMap { $0?.facts.startTime.nanoseconds }
            guard let now = latest.max() else { return }
            state.unmatched.forget(before: now - Self.memory)
            state.failing.forget(before: now - Self.memory)
        }
    }
}

extension RequestWatch.State {
    /// Each exchange stands for the requests of its reason that were counted since, in equal parts.
    fileprivate mutating func takeUnmatched(_ exchanges: [RecentExchange], totals: [UInt64]) {
        let new = exchanges.prefix { $0.number > latestUnmatched }
        guard let latest = new.first else { return }
        latestUnmatched = latest.number
        var kept = [Int](repeating: 0, count: totals.count)
        for reason in new.compactMap(\.unmatchedReason) { kept[Int(reason.rawValue)] += 1 }
        let weights = totals.indices.map { place in
            kept[place] > 0 ? counted[place].requests(for: kept[place], of: totals[place]) / Double(kept[place]) : 0
        }
        for exchange in new.reversed() {
            guard let reason = exchange.unmatchedReason, let key = exchange.key(.unmatched(reason)) else { continue }
            unmatched.add(exchange, key: key, weight: weights[Int(reason.rawValue)])
        }
    }

    /// Each exchange stands for the requests of its route that failed, or were refused, since, in equal parts.
    ///
    /// Those whose heads were kept say what was asked for: they stand for the others of their status too, where there are any.
    fileprivate mutating func takeFailing(_ failing: FailingExchanges, _ totals: [RouteLabels: RouteErrorCounts]) {
        guard let latest = failing.exchanges.last else { return }
        latestFailing = latest.number
        for (kind, exchanges) in failing.byKind {
            let count = totals[kind.route].map(kind.count) ?? 0
            let requests = countedErrors[kind, default: SampleReckoning()].requests(for: exchanges.count, of: count)
            for (_, alike) in Dictionary(grouping: exchanges, by: \.facts.status) {
                let withHeads = alike.filter { $0.request != nil }
                let shown = withHeads.isEmpty ? alike : withHeads
                let share = Double(alike.count) / Double(exchanges.count) / Double(shown.count)
                for exchange in shown {
                    let key = exchange.key(.route(kind.route)) ?? exchange.keyWithoutHead(.route(kind.route))
                    self.failing.add(exchange, key: key, weight: requests * share)
                }
            }
        }
        // Routes that the table no longer has, or whose series are gone, have no place here for ever.
        if countedErrors.count > Self.routeLimit {
            countedErrors = countedErrors.filter { totals[$0.key.route] != nil }
        }
    }

    /// Routes whose errors are remembered.
    private static var routeLimit: Int { 20_000 }
}

/// How many requests a sample stands for, such that what was given out in all is what was counted.
///
/// An exchange may be kept before it is counted, so that the sample is ahead of the counter; the next one stands for less.
struct SampleReckoning: Sendable {
    /// The counter at the latest sample.
    private var latest: UInt64 = 0
    /// What was given out since the counter began.
    private var given: UInt64 = 0

    /// Says how many requests a sample stands for: at least itself.
    ///
    /// - Parameters:
    ///   - samples: How many exchanges were kept since the last time.
    ///   - total: The counter, which begins anew when its series does.
    /// - Returns: The requests, of which each exchange of the sample stands for an equal part.
    mutating func requests(for samples: Int, of total: UInt64) -> Double {
        if total < latest { given = 0 }
        latest = total
        let requests = max(total > given ? total - given : 0, UInt64(samples))
        given += requests
        return Double(requests)
    }
}

/// What was kept of requests of routes that failed or were refused, since the last time.
private struct FailingExchanges {
    /// A route, and which of the two.
    struct Kind: Hashable {
        let route: RouteLabels
        let isRefusal: Bool

        func count(_ counts: RouteErrorCounts) -> UInt64 { isRefusal ? counts.refusals : counts.failures }
    }

    /// All of them, the oldest first.
    let exchanges: [RecentExchange]
    /// They by kind, the oldest first.
    let byKind: [Kind: [RecentExchange]]

    init(_ kept: [RecentExchange], after number: Int) {
        var seen: Set<Int> = []
        exchanges = kept.filter { $0.number > number && $0.route != nil && seen.insert($0.number).inserted }
            .sorted { $0.number < $1.number }
        byKind = Dictionary(grouping: exchanges) { exchange in
            Kind(route: exchange.route.map { RouteLabels($0) } ?? .overflow, isRefusal: exchange.facts.isRefusal)
        }
    }

    var routes: Set<RouteLabels> { Set(byKind.keys.map(\.route)) }
}

extension RecentExchange {
    /// Why no route took the request; `nil` where one did.
    fileprivate var unmatchedReason: UnmatchedReason? {
        route == nil ? UnmatchedReason(reason) : nil
    }

    /// What the request has in common with others; `nil` where its head was not kept.
    fileprivate func key(_ cause: RequestGroups.Cause) -> RequestGroups.Key? {
        guard let request else { return nil }
        return RequestGroups.Key(
            cause: cause,
            status: facts.status,
            host: (request.authority ?? "").lowercased(),
            path: PathShape(target: request.target),
            grpcStatus: facts.grpcStatus
        )
    }

    /// The same where the head was not kept: what was asked for is not known.
    fileprivate func keyWithoutHead(_ cause: RequestGroups.Cause) -> RequestGroups.Key {
        RequestGroups.Key(
            cause: cause,
            status: facts.status,
            host: "",
            path: .unknown,
            grpcStatus: facts.grpcStatus
        )
    }
}
