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
        var latestRouted = -1
        var latestFailed = -1
        /// Requests that no route took, by reason, as far as the sample stands for them.
        var counted = [UInt64](repeating: 0, count: UnmatchedReason.allCases.count)
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

    /// The kinds of requests of a route that were answered with 4xx, 5xx or not at all, the most frequent first.
    func failing(_ labels: RouteLabels, _ limit: Int) -> [RequestGroups.Group] {
        state.withLock { $0.failing.largest(limit) { $0.cause == .route(labels) } }
    }

    /// Takes up what was kept since the last time.
    func sample() {
        var totals = [UInt64](repeating: 0, count: UnmatchedReason.allCases.count)
        for summary in registry.unmatchedSummaries() { totals[Int(summary.reason.rawValue)] += summary.requestCount }
        let (unmatched, routed, failed) = (recent.unmatched, recent.routed, recent.failed)
        state.withLock { state in
            state.takeUnmatched(unmatched, totals: totals)
            state.takeFailing(routed, failed)
            let latest = [unmatched.first, routed.first, failed.first].compactMap { $0?.facts.startTime.nanoseconds }
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
        for exchange in new.reversed() {
            guard let reason = exchange.unmatchedReason, let key = exchange.key(.unmatched(reason)) else { continue }
            let place = Int(reason.rawValue)
            let requests = totals[place] >= counted[place] ? totals[place] - counted[place] : totals[place]
            unmatched.add(exchange, key: key, weight: max(1, Double(requests) / Double(kept[place])))
        }
        for place in totals.indices where kept[place] > 0 { counted[place] = totals[place] }
    }

    /// Failures are kept as such, and others with 4xx among the sample of all.
    fileprivate mutating func takeFailing(_ routed: [RecentExchange], _ failed: [RecentExchange]) {
        let newFailed = failed.prefix { $0.number > latestFailed }
        let known = Set(newFailed.map(\.number))
        let newRouted = routed.prefix { $0.number > latestRouted }.filter {
            (400...499).contains($0.facts.status) && !known.contains($0.number)
        }
        latestFailed = newFailed.first?.number ?? latestFailed
        latestRouted = routed.first?.number ?? latestRouted
        for exchange in (newFailed + newRouted).sorted(by: { $0.number < $1.number }) {
            guard let route = exchange.route, let key = exchange.key(.route(RouteLabels(route))) else { continue }
            failing.add(exchange, key: key, weight: 1)
        }
    }
}

extension RecentExchange {
    /// Why no route took the request; `nil` where one did.
    fileprivate var unmatchedReason: UnmatchedReason? {
        route == nil ? UnmatchedReason.allCases.first { $0.text == reason.label } : nil
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
}
