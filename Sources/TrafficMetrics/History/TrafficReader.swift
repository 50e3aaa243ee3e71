// Wingmirror · Apache-2.0

/// Takes readings of a registry, each of what changed since the one before.
///
/// A route that counted nothing costs one comparison, so that most of ten thousand may be idle at next to no cost.
struct TrafficReader: Sendable {
    /// What was seen of the routes, by their slots in the registry.
    private var marks: [Mark?] = []
    private var overflowMark: Mark?

    /// What was seen of a route.
    private struct Mark: Sendable {
        let labels: RouteLabels
        /// Tells the route from others that had the slot before.
        let serial: UInt32
        /// The counters; held, so that others cannot be taken for them.
        let cells: [RouteCells]
        var revision: UInt64 = 0

        /// The counters have changed since the revision.
        var newRevision: UInt64? {
            let present = cells.reduce(0) { $0 &+ $1.revision }
            return present == revision ? nil : present
        }
    }

    /// Makes a reader that has seen nothing.
    init() {}

    /// Reads what changed.
    mutating func read(_ registry: MetricsRegistry) -> TrafficReading {
        var reading = TrafficReading()
        var copy = RouteCopy()
        var scratch = DenseCounts(layout: registry.layout.duration)
        let records = registry.withState { $0.routes.records }
        marks += Array(repeating: nil, count: max(0, records.count - marks.count))
        for (slot, record) in records.enumerated() {
            let hasBegunAgain = follow(record, at: slot, &reading)
            guard let revision = marks[slot]?.newRevision else { continue }
            marks[slot]?.revision = revision
            guard let mark = marks[slot] else { continue }
            reading.take(mark.labels, mark.cells, registry.layout, &copy, &scratch, hasBegunAgain)
        }
        if overflowMark == nil {
            overflowMark = Mark(labels: .overflow, serial: 0, cells: registry.shards.map(\.overflow))
        }
        if let mark = overflowMark, let revision = mark.newRevision {
            overflowMark?.revision = revision
            reading.take(mark.labels, mark.cells, registry.layout, &copy, &scratch, false)
        }
        for summary in registry.unmatchedSummaries() {
            reading.unmatched[Int(summary.reason.rawValue)] += summary.requestCount
        }
        reading.answers = registry.unmatchedAnswers
        return reading
    }

    /// Sees to it that the mark of a slot is that of its route, if it has one that is shown.
    ///
    /// - Returns: Whether the route's counters are others than they were.
    private mutating func follow(_ record: RouteRecord?, at slot: Int, _ reading: inout TrafficReading) -> Bool {
        guard let record, record.isExposed else {
            if let mark = marks[slot] {
                reading.removed.append(mark.labels)
                marks[slot] = nil
            }
            return false
        }
        guard let mark = marks[slot], mark.serial == record.serial else {
            if let mark = marks[slot] { reading.removed.append(mark.labels) }
            marks[slot] = Mark(labels: record.labels, serial: record.serial, cells: record.cells)
            return false
        }
        guard mark.cells.first !== record.cells.first else { return false }
        marks[slot] = Mark(labels: record.labels, serial: record.serial, cells: record.cells)
        return true
    }
}

extension TrafficReading {
    /// Adds what a route has counted.
    fileprivate mutating func take(
        _ labels: RouteLabels,
        _ cells: [RouteCells],
        _ layout: ShardLayout,
        _ copy: inout RouteCopy,
        _ scratch: inout DenseCounts,
        _ hasBegunAgain: Bool
    ) {
        let counted = cells.read(layout: layout, copy: &copy)
        routes.append(
            Route(
                labels: labels,
                counts: RouteCounts(counted, using: &scratch),
                lastRequestAt: counted.lastRequest,
                hasBegunAgain: hasBegunAgain
            )
        )
    }
}
