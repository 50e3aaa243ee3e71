// Wingmirror · Apache-2.0

/// What a registry has counted of the traffic so far, as far as it changed.
struct TrafficReading: Sendable {
    /// The routes that counted something since the reading before, or are new.
    var routes: [Route] = []
    /// The routes that the registry has no longer.
    var removed: [RouteLabels] = []
    /// Requests that no route accounts for, by reason; all of them.
    var unmatched = [UInt64](repeating: 0, count: UnmatchedReason.allCases.count)

    /// A route and all that it has counted.
    struct Route: Sendable {
        var labels: RouteLabels
        var counts: RouteCounts
        /// When the latest request began.
        var lastRequestAt: Int64?
        /// Whether the counters are others than before, at zero when they began.
        var hasBegunAgain = false
    }
}

/// Takes readings of a registry, each of what changed since the one before.
///
/// A route that counted nothing costs one comparison, so that most of ten thousand may be idle at no cost.
struct TrafficReader: Sendable {
    /// What was seen of each route, by its serial number, which no other route ever has.
    private var marks: [UInt32: Mark] = [:]
    /// Stands for all routes beyond the series limit; those of routes begin at 1.
    private static let overflowSerial: UInt32 = 0

    private struct Mark: Sendable {
        var labels: RouteLabels
        /// The counters; held, so that others cannot be taken for them.
        var cells: [RouteCells]
        var revision: UInt64
        /// The reading in which the registry had the route last.
        var seenIn: UInt64
    }

    private var readings: UInt64 = 0

    /// Makes a reader that has seen nothing.
    init() {}

    /// Reads what changed.
    mutating func read(_ registry: MetricsRegistry) -> TrafficReading {
        var reading = TrafficReading()
        var copy = RouteCopy()
        readings += 1
        for record in registry.withState({ $0.routes.records }) {
            guard let record, record.isExposed else { continue }
            read(record.cells, of: record.labels, record.serial, registry.layout, into: &reading, &copy)
        }
        let overflow = registry.shards.map(\.overflow)
        read(overflow, of: .overflow, Self.overflowSerial, registry.layout, into: &reading, &copy)
        for (serial, mark) in marks where mark.seenIn != readings {
            reading.removed.append(mark.labels)
            marks[serial] = nil
        }
        for summary in registry.unmatchedSummaries() {
            reading.unmatched[Int(summary.reason.rawValue)] += summary.requestCount
        }
        return reading
    }

    private mutating func read(
        _ cells: [RouteCells],
        of labels: RouteLabels,
        _ serial: UInt32,
        _ layout: ShardLayout,
        into reading: inout TrafficReading,
        _ copy: inout RouteCopy
    ) {
        // Taken before the counters, so that what is counted meanwhile is noticed next time.
        let revision = cells.reduce(0) { $0 &+ $1.revision }
        let mark = marks[serial]
        let isKnown = mark.map { $0.cells.first === cells.first } ?? false
        marks[serial] = Mark(labels: labels, cells: cells, revision: revision, seenIn: readings)
        guard revision != 0, !isKnown || mark?.revision != revision else { return }
        let counted = cells.read(layout: layout, copy: &copy)
        reading.routes.append(
            TrafficReading.Route(
                labels: labels,
                counts: RouteCounts(counted, layout: layout.duration),
                lastRequestAt: counted.lastRequest,
                hasBegunAgain: mark != nil && !isKnown
            )
        )
    }
}
