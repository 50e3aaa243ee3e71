// Wingmirror · Apache-2.0

/// What was measured of one workload, in each round.
struct Measurement {
    /// Items that one run takes.
    let items: Int
    /// Nanoseconds of processor time for an item.
    private(set) var nanoseconds: [Double] = []
    /// Calls of the allocator for an item.
    private(set) var allocations: [Double] = []

    /// Runs all workloads in turn, `rounds` times after one round that is not counted.
    static func measure(_ rows: [any Measurable], rounds: Int) throws -> [Measurement] {
        var measurements = rows.map { Measurement(items: $0.items) }
        for round in 0...rounds {
            for (index, row) in rows.enumerated() {
                let allocationsBefore = AllocationCounter.calls
                let before = ProcessorTime.nanoseconds
                let done = try row.measuredRun()
                let elapsed = ProcessorTime.nanoseconds - before
                let allocations = AllocationCounter.calls - allocationsBefore
                guard done == row.items else {
                    throw BenchmarkFailure("\(row.label): \(done) of \(row.items) came out as they should")
                }
                guard round > 0 else { continue }
                measurements[index].append(nanoseconds: elapsed, allocations: allocations)
            }
        }
        return measurements
    }

    private init(items: Int) {
        self.items = items
    }

    private mutating func append(nanoseconds: Int, allocations: Int) {
        self.nanoseconds.append(Double(nanoseconds) / Double(items))
        self.allocations.append(Double(allocations) / Double(items))
    }

    /// The processor time of an item as a multiple of that of `other`, round by round.
    func ratios(to other: Measurement) -> [Double] {
        zip(nanoseconds, other.nanoseconds).map { $0 / max($1, .leastNormalMagnitude) }
    }
}

/// The middle and the ends of some figures.
struct Spread {
    let median: Double
    let least: Double
    let greatest: Double

    /// Looks at figures, of which there must be at least one.
    init(_ figures: [Double]) {
        precondition(!figures.isEmpty, "Spread: there are no figures")
        let sorted = figures.sorted()
        let middle = sorted.count / 2
        median = sorted.count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
        least = sorted[0]
        greatest = sorted[sorted.count - 1]
    }
}
