// Wingmirror · Apache-2.0

import Agent
import AgentConfiguration
import OctetText
import PacketCapture
import PacketDecoding
import RouteAttribution
import Synchronization
import TrafficMetrics
import TrafficPipeline

/// The figures of a capture of this process.
final class LocalTopSource: TopSource {
    /// The steps of the trend: ten minutes.
    static let trend = TrendShape(steps: 60, step: .seconds(10))
    /// How far back the past of a route goes, and in which steps.
    private static let past: (window: Duration, step: Duration) = (.seconds(600), .seconds(10))

    private let catalogue: RouteCatalogue
    private let gateway: GatewayConfiguration
    private let table: RouteTable
    private let registry: MetricsRegistry
    private let boards: WorkerBoards
    private let sources: CaptureSources
    private let window: Duration
    private let state: Mutex<State>

    private struct State: Sendable {
        var history: TrafficHistory
        var hasEnded = false
    }

    /// Begins a history, before anything is counted.
    ///
    /// - Parameters:
    ///   - gateway: The gateway as configured.
    ///   - table: The routes.
    ///   - registry: What is counted of them.
    ///   - boards: What else the pipeline sees.
    ///   - sources: Where packets come from.
    ///   - window: How far back the figures of a row go.
    init(
        gateway: GatewayConfiguration,
        table: RouteTable,
        registry: MetricsRegistry,
        boards: WorkerBoards,
        sources: CaptureSources,
        window: Duration
    ) {
        self.gateway = gateway
        self.table = table
        catalogue = RouteCatalogue(RouteTables(table))
        self.registry = registry
        self.boards = boards
        self.sources = sources
        self.window = window
        // Whatever the interval, somebody has looked all the time, so that no time is a gap.
        state = Mutex(State(history: TrafficHistory(of: registry, limits: .packetTime)))
    }

    /// Nothing will be captured any more: takes a last sample.
    func captureEnded() {
        sample()
        state.withLock { $0.hasEnded = true }
    }

    func frame() async -> TopFrame {
        sample()
        let (history, hasEnded) = state.withLock { ($0.history, $0.hasEnded) }
        return frame(history, hasEnded: hasEnded)
    }

    func detail(of id: String) async -> TopDetail {
        var detail = TopDetail(id: id)
        let history = state.withLock { $0.history }
        guard let labels = catalogue[id: id]?.labels ?? history.labels(id: id) else { return detail }
        detail.points = history.timeline(of: labels, over: Self.past.window, step: Self.past.step).map { point in
            TopDetail.Point(
                start: point.start,
                end: point.end,
                classes: point.activity.requestsByAnswer.map { TopDetail.Class(word: $0.word, requests: $0.requests) },
                latency: LatencyQuantiles(point.activity.latency),
                buckets: point.activity.latency.buckets(perDoubling: 2).map {
                    TopDetail.Bucket(lower: $0.lower, upper: $0.upper, requests: $0.count)
                }
            )
        }
        return detail
    }

    // MARK: - Samples

    /// The clock of samples: that of the day, except where savefiles are read faster than time passes in them.
    private var now: Int64? {
        sources.isReadFast ? boards.figures.latestPacket?.nanoseconds : WallClock.now()
    }

    private func sample() {
        let figures = boards.figures
        guard let now else { return }
        state.withLock { state in
            guard !state.hasEnded else { return }
            if state.history.latestSample == nil {
                state.history.countingBegan(at: beginning(figures) ?? now)
            }
            let reading = CaptureReading(figures, sources: sources, registry: registry)
            state.history.sampled(registry, capture: reading, at: now)
        }
    }

    private func beginning(_ figures: PipelineFigures) -> Int64? {
        sources.isReadFast ? figures.firstPacket?.nanoseconds : nil
    }

    // MARK: - Frames

    private func frame(_ history: TrafficHistory, hasEnded: Bool) -> TopFrame {
        let totals = history.totals(over: window)
        let figures = boards.figures
        var frame = TopFrame(source: sources.names.joined(separator: ", "))
        frame.time = (figures.latestPacket?.nanoseconds).map { WallClock.text($0) }
        frame.windowSeconds = totals.routes.seconds
        frame.rows = rows(history)
        frame.unmatchedPerSecond = UnmatchedReason.allCases.compactMap { reason in
            guard let count = totals.unmatched[reason], totals.routes.seconds > 0 else { return nil }
            return TopFrame.Reason(reason: reason, perSecond: Double(count) / totals.routes.seconds)
        }
        let capture = CaptureReading(figures, sources: sources, registry: registry)
        frame.truth = TopFrame.Truth(capture, packetsPerSecond: totals.packetsPerSecond)
        frame.truth?.windowUnseen = totals.unseen
        frame.truth?.windowRequests = totals.requests
        frame.unmatchedServed = totals.unmatchedAnswers.served
        frame.notice = registry.unserved(figures, by: gateway, in: table)
        frame.hasEnded = hasEnded
        return frame
    }

    private func rows(_ history: TrafficHistory) -> [TopFrame.Row] {
        let activities = history.routes(over: window, trend: Self.trend)
        let byLabels = Dictionary(activities.map { ($0.labels, $0) }) { first, _ in first }
        var rows = catalogue.entries.map { entry in
            var row = TopFrame.Row(catalogue.route(of: entry), id: entry.id, matchCount: entry.numbers.count)
            if let activity = byLabels[entry.labels] { row.take(activity) }
            return row
        }
        for activity in activities where catalogue[activity.labels] == nil && activity.totalRequests > 0 {
            var row = TopFrame.Row(removed: activity.labels)
            row.take(activity)
            rows.append(row)
        }
        return rows
    }
}

extension TrafficHistory {
    /// The labels of a route that is in the history and not in the table.
    fileprivate func labels(id: String) -> RouteLabels? {
        routes(over: .zero).first { $0.labels.id == id }?.labels
    }
}

extension TopFrame.Row {
    /// A route of the table.
    fileprivate init(_ route: CompiledRoute, id: String, matchCount: Int) {
        self.init(
            id: id,
            object: route.identity.object.reference,
            route: route.label,
            match: matchCount > 1 ? "\(route.matchText) (+\(matchCount - 1))" : route.matchText,
            gateway: route.gateway,
            hosts: route.hosts.prefix(5).joined(separator: ", ") + (route.hosts.count > 5 ? ", …" : ""),
            target: ExplanationReport.target(route)
        )
    }

    /// A route that is no longer in the table.
    fileprivate init(removed labels: RouteLabels) {
        self.init(
            id: labels.id,
            object: "\(labels.virtualServiceNamespace)/\(labels.virtualService)",
            route: labels.route,
            match: "",
            gateway: labels.gateway,
            target: labels.destinationService,
            isInTable: false
        )
    }

    fileprivate mutating func take(_ route: RouteActivity) {
        requests = route.totalRequests
        windowRequests = route.activity.requests
        windowFailures = route.activity.failures
        windowUnseen = route.activity.unseen
        windowClientErrors = route.activity.requests(.clientError)
        requestsPerSecond = route.activity.requestsPerSecond
        latency = LatencyQuantiles(route.activity.latency)
        trend = route.trend
        lastRequest = route.lastRequestAt.map { WallClock.text($0) }
    }
}

extension LatencyQuantiles {
    /// The quantiles that are shown of a distribution.
    init(_ latency: LatencyDistribution) {
        self.init(p50: latency.quantile(0.5), p95: latency.quantile(0.95), p99: latency.quantile(0.99))
    }
}

extension TopFrame.Truth {
    /// What was counted of a capture.
    fileprivate init(_ capture: CaptureReading, packetsPerSecond: Double?) {
        self.init(
            packetsPerSecond: packetsPerSecond,
            packets: capture.packets,
            lostPackets: capture.lostPackets,
            truncatedPackets: capture.truncatedPackets,
            gaps: capture.gaps,
            gapOctets: capture.gapOctets,
            connections: capture.connections,
            opaqueConnections: capture.opaqueConnections,
            answersAlone: capture.answersAlone
        )
    }
}
