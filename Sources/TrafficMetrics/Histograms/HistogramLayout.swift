// Wingmirror · Apache-2.0

/// How a histogram divides what it observes.
///
/// A cell is the finest division that is counted. Each cell lies within one classic bucket and, where the layout has
/// native buckets, within one of those too, so both kinds come exactly from the same counts.
public final class HistogramLayout: Sendable {
    /// How many stored units make one base unit: 1e9 where nanoseconds are counted and seconds are shown.
    public let unitsPerBaseUnit: Double
    /// Upper bounds of the classic buckets in stored units, inclusive and ascending, without the last, which has none.
    public let bounds: [UInt64]
    /// The classic bucket of each cell.
    let classicBuckets: [UInt8]
    /// The native bucket of each cell at `ExponentialBuckets.schema`, `nil` for the zero bucket; empty if the layout has none.
    let nativeBuckets: [Int?]
    /// The label `le` of each classic bucket as the text formats write it: `,le="0.005"` without the comma.
    let boundTexts: [[UInt8]]

    init(unitsPerBaseUnit: Double, bounds: [UInt64], classicBuckets: [UInt8], nativeBuckets: [Int?]) {
        self.unitsPerBaseUnit = unitsPerBaseUnit
        self.bounds = bounds
        self.classicBuckets = classicBuckets
        self.nativeBuckets = nativeBuckets
        boundTexts = (bounds.map { Double($0) / unitsPerBaseUnit } + [.infinity]).map { bound in
            var text = Array(#"le=""#.utf8)
            text.appendNumber(bound)
            text.append(UInt8(ascii: "\""))
            return text
        }
    }

    /// How many cells there are.
    var cellCount: Int {
        classicBuckets.count
    }
}
