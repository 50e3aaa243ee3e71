// Wingmirror · Apache-2.0

import Synchronization

/// Everything that is counted, and the one place that makes a snapshot of it.
///
/// Holds a shard for each capture thread and what the route tables, as they come and go, mean for the series. Threads that
/// count never enter here: they write to their shard, and take a new `RouteSeriesTable` between packets. What is called
/// here comes from the slow side, a reload or a scrape, and is serialised by one lock.
public final class MetricsRegistry: Sendable {
    /// One for each capture thread.
    public let shards: [TrafficShard]
    /// The table in force.
    var table: RouteSeriesTable {
        state.withLock { $0.table }
    }

    let layout: ShardLayout
    let configuration: MetricsConfiguration
    private let state: Mutex<State>

    /// What the lock guards.
    struct State: Sendable {
        var routes: RouteAdmission
        var gateways: GatewayAdmission
        var description: RouteTableDescription?
        var table: RouteSeriesTable
        var collectors: [any MetricCollector] = []
        var blocks = OwnLabelBlocks()
        var beginnings: SampleBeginnings
        var resets = NativeHistogramResets()
    }

    /// How many label sets a family with route labels may have.
    var seriesLimit: Int {
        configuration.seriesLimit
    }

    /// Makes a registry whose table has no routes.
    /// - Parameters:
    ///   - configuration: What the user chose.
    ///   - shardCount: How many capture threads there are.
    ///   - startedAt: When the agent's own counters began at zero, in nanoseconds since the Unix epoch; `nil` if that is
    ///     not to be told.
    public init(configuration: MetricsConfiguration = .standard, shardCount: Int = 1, startedAt: Int64? = nil) {
        self.configuration = configuration
        layout = ShardLayout(configuration: configuration)
        let routes = RouteAdmission(
            layout: layout,
            shardCount: shardCount,
            limit: configuration.seriesLimit / RequestCombination.outcomeCount
        )
        let gateways = GatewayAdmission(shardCount: shardCount, seriesLimit: configuration.seriesLimit)
        let table = RouteSeriesTable(
            description: nil,
            routes: routes,
            gateways: gateways,
            shardCount: shardCount,
            limit: configuration.seriesLimit
        )
        let layout = self.layout
        shards = (0..<shardCount).map { TrafficShard(layout: layout, index: $0, table: table.shards[$0]) }
        state = Mutex(
            State(
                routes: routes,
                gateways: gateways,
                table: table,
                beginnings: SampleBeginnings(startedAt: startedAt)
            )
        )
    }

    /// Takes a new route table; each capture thread has to give the result to its shard.
    ///
    /// Series of routes that are in both tables go on; series of routes that are gone stay for a grace.
    /// - Parameters:
    ///   - description: The new table.
    ///   - now: Nanoseconds since the Unix epoch.
    /// - Returns: The series of the new table.
    public func routesPublished(_ description: RouteTableDescription, at now: Int64) -> RouteSeriesTable {
        state.withLock { state in
            state.routes.routesPublished(description.series, at: now)
            state.gateways.gatewaysPublished(description.gateways, at: now)
            state.description = description
            return remakeTable(&state)
        }
    }

    /// Looks again at which routes have series of their own, if there are more than the limit allows; for every ten minutes.
    /// - Parameters:
    ///   - now: Nanoseconds since the Unix epoch.
    ///   - generation: What the description's generation becomes if something changes; `nil` lets it be.
    /// - Returns: The table that each capture thread has to give to its shard; `nil` when nothing changes.
    public func admissionReconsidered(at now: Int64, generation: Int? = nil) -> RouteSeriesTable? {
        state.withLock { state in
            guard state.routes.reconsidered(at: now) else { return nil }
            if let generation { state.description?.generation = generation }
            return remakeTable(&state)
        }
    }

    /// Adds a collector, which is asked at every scrape from now on.
    public func add(_ collector: any MetricCollector) {
        state.withLock { $0.collectors.append(collector) }
    }

    /// What everything is at this moment; counts as a scrape.
    /// - Parameters:
    ///   - now: Nanoseconds since the Unix epoch.
    ///   - format: What the snapshot is for: a histogram is reset for its native buckets only where those are read.
    /// - Returns: All families that have series.
    public func snapshot(at now: Int64, for format: ExpositionFormat = .text) -> MetricsSnapshot {
        // Collectors take locks of their own, and whoever holds one of those may ask this registry: so none is called while
        // the state is locked.
        var collected = SampleCollection()
        for collector in state.withLock(\.collectors) {
            collector.collect(into: &collected)
        }
        return state.withLock { state in
            state.routes.scraped(at: now)
            state.gateways.scraped(at: now)
            return assemble(&state, collected, at: now, for: format)
        }
    }

    /// Lends the state to what reads the traffic without being a scrape.
    func withState<Result: Sendable>(_ body: (inout State) -> Result) -> Result {
        state.withLock { body(&$0) }
    }

    private func remakeTable(_ state: inout State) -> RouteSeriesTable {
        let table = RouteSeriesTable(
            description: state.description,
            routes: state.routes,
            gateways: state.gateways,
            shardCount: shards.count,
            limit: seriesLimit
        )
        state.table = table
        return table
    }
}
