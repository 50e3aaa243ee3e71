// Wingmirror · Apache-2.0

extension HistogramSnapshot {
    /// Takes counts that somebody else keeps.
    /// - Parameters:
    ///   - counts: Observations in each bucket of a layout that `HistogramLayout.counted` made, not cumulative; the last
    ///     bucket has no upper bound.
    ///   - sum: The sum of all observations, in the unit of the layout's bounds.
    ///   - layout: What the counts mean.
    public init(counts: [UInt64], sum: Double, in layout: HistogramLayout) {
        precondition(
            counts.count == layout.bounds.count + 1 && layout.nativeBuckets.isEmpty,
            "HistogramSnapshot.init: a count for each classic bucket"
        )
        self.init(layout: layout)
        for (bucket, count) in counts.enumerated() where count > 0 {
            cells.append(Cell(index: bucket, count: count))
        }
        storedSum = UInt64(exactly: sum.rounded()) ?? .max
    }
}
