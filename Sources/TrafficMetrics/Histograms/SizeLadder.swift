// Wingmirror · Apache-2.0

/// Tells the cell of a size in octets; there are few bounds, and each classic bucket is one cell.
final class SizeLadder: Sendable {
    /// What the cells mean.
    let layout: HistogramLayout

    /// Makes a ladder with bounds in octets, ascending.
    init(bounds: [UInt64]) {
        layout = HistogramLayout(
            unitsPerBaseUnit: 1,
            bounds: bounds,
            classicBuckets: (0...bounds.count).map { UInt8($0) },
            nativeBuckets: []
        )
    }

    /// The cell of a size.
    @inline(__always)
    func cell(of octets: UInt64) -> Int {
        var cell = 0
        while cell < layout.bounds.count, octets > layout.bounds[cell] {
            cell += 1
        }
        return cell
    }
}
