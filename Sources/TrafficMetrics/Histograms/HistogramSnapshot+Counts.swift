// Wingmirror · Apache-2.0

extension HistogramSnapshot {
    /// Takes counts that somebody else keeps.
    /// - Parameters:
    ///   - counts: Observations between two neighbours of `HistogramLayout.cellBounds`, not cumulative; the last has no upper
    ///     bound.
    ///   - sum: The sum of all observations, in the unit of the layout's bounds.
    ///   - layout: What the counts mean.
    public init(counts: [UInt64], sum: Double, in layout: HistogramLayout) {
        precondition(
            counts.count == layout.cellCount,
            "HistogramSnapshot.init: a count for each cell"
        )
        self.init(layout: layout)
        for (index, count) in counts.enumerated() where count > 0 {
            cells.append(Cell(index: index, count: count))
        }
        storedSum = UInt64(exactly: sum.rounded()) ?? .max
    }
}
