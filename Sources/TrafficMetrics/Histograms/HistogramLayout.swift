// Wingmirror · Apache-2.0

/// How a histogram divides what it observes.
///
/// A cell is the finest division that is counted: between two neighbouring edges, which are the bounds of the classic
/// buckets and, where the layout has native buckets, of those too. So each cell lies within one bucket of either kind,
/// and both kinds come exactly from the same counts.
public final class HistogramLayout: Sendable {
    /// How many stored units make one base unit: 1e9 where nanoseconds are counted and seconds are shown.
    public let unitsPerBaseUnit: Double
    /// Upper bounds of the classic buckets in stored units, inclusive and ascending, without the last, which has none.
    public let bounds: [UInt64]
    /// The classic bucket of each cell.
    let classicBuckets: [UInt8]
    /// The native bucket of each cell at `ExponentialBuckets.schema`, `nil` for the zero bucket; empty without native buckets.
    let nativeBuckets: [Int?]
    /// What the native buckets are; `nil` without any.
    let nativeRange: NativeRange?
    /// The label `le` of each classic bucket as the text formats write it.
    let boundTexts: [[UInt8]]
    /// Upper bounds of the cells, inclusive and ascending; the last cell has none.
    private let edges: ConstantTable<UInt64>
    /// For each range of values with the same four leading bits, the first cell that one of them can be in.
    private let firstCells: ConstantTable<UInt16>

    /// The layout of sizes in octets.
    /// - Parameter bounds: Upper bounds of the classic buckets in octets, inclusive and ascending.
    /// - Returns: The layout; worth keeping.
    public static func sizes(bounds: [UInt64]) -> HistogramLayout {
        HistogramLayout(unitsPerBaseUnit: 1, bounds: bounds, native: .sizes, nativeEdges: NativeRange.sizes.wholeEdges)
    }

    /// The layout of durations in nanoseconds, which are shown in seconds.
    /// - Parameter bounds: Upper bounds of the classic buckets in nanoseconds, inclusive and ascending.
    /// - Returns: The layout; worth keeping.
    public static func durations(bounds: [UInt64]) -> HistogramLayout {
        HistogramLayout(
            unitsPerBaseUnit: 1e9,
            bounds: bounds,
            native: .durations,
            nativeEdges: ExponentialBuckets.nanosecondEdges
        )
    }

    /// The layout of durations in nanoseconds that are shown in milliseconds; without native buckets, whose bounds are
    /// powers of two of the base unit.
    static func milliseconds(bounds: [UInt64]) -> HistogramLayout {
        HistogramLayout(unitsPerBaseUnit: 1e6, bounds: bounds, native: nil, nativeEdges: [])
    }

    /// The layout with these bounds; `nativeEdges` are the upper bounds of the zero and all native buckets but the last.
    private init(unitsPerBaseUnit: Double, bounds: [UInt64], native: NativeRange?, nativeEdges: [UInt64]) {
        nativeRange = native
        let edges = Set(bounds + nativeEdges).sorted()
        self.unitsPerBaseUnit = unitsPerBaseUnit
        self.bounds = bounds
        self.edges = ConstantTable(edges)
        classicBuckets = Self.boundsBelow(edges, bounds).map { UInt8($0) }
        nativeBuckets =
            nativeEdges.isEmpty
            ? []
            : Self.boundsBelow(edges, nativeEdges).map { $0 == 0 ? nil : (native?.first ?? 0) + $0 - 1 }
        boundTexts = (bounds.map { Double($0) / unitsPerBaseUnit } + [.infinity]).map { bound in
            var text = Array(#"le=""#.utf8)
            text.appendNumber(bound)
            text.append(UInt8(ascii: "\""))
            return text
        }
        firstCells = ConstantTable(
            (0..<UInt64.bitWidth * 8).map { range in
                UInt16(Self.count(edges, below: Self.least(inRange: range)))
            }
        )
    }

    /// For each cell how many of `bounds` lie below it; both lists are ascending, and each bound is an edge.
    private static func boundsBelow(_ edges: [UInt64], _ bounds: [UInt64]) -> [Int] {
        var counts = [0]
        counts.reserveCapacity(edges.count + 1)
        for edge in edges {
            var count = counts[counts.endIndex - 1]
            while count < bounds.count, bounds[count] <= edge { count += 1 }
            counts.append(count)
        }
        return counts
    }

    /// How many of the ascending `edges` are less than `value`.
    private static func count(_ edges: [UInt64], below value: UInt64) -> Int {
        var low = 0
        var high = edges.count
        while low < high {
            let middle = (low + high) / 2
            if edges[middle] < value { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// The upper bound of a classic bucket in base units.
    func upperBound(ofClassicBucket bucket: Int) -> Double {
        bucket < bounds.count ? Double(bounds[bucket]) / unitsPerBaseUnit : .infinity
    }

    /// The upper bounds of all cells but the last, which has none: in what somebody else has to count, so that his counts
    /// give the classic and the native buckets.
    public var cellBounds: [UInt64] {
        (0..<edges.count).map { edges[$0] }
    }

    /// How many cells there are.
    var cellCount: Int {
        classicBuckets.count
    }

    /// The cell of a value in stored units.
    ///
    /// The leading bits lead to within two or three cells, the rest is comparisons: no logarithm, whose rounding could
    /// miss an edge.
    @inline(__always)
    func cell(of value: UInt64) -> Int {
        var cell = Int(firstCells[Self.range(of: value)])
        while cell < edges.count, value > edges[cell] {
            cell += 1
        }
        return cell
    }

    /// The number of the values that share the position of the highest bit, and the three bits below it.
    @inline(__always)
    private static func range(of value: UInt64) -> Int {
        let zeros = (value | 1).leadingZeroBitCount
        let leading = Int(truncatingIfNeeded: (value << UInt64(truncatingIfNeeded: zeros)) >> 60) & 7
        return (UInt64.bitWidth - 1 - zeros) * 8 + leading
    }

    /// The least value of a range.
    private static func least(inRange range: Int) -> UInt64 {
        let highestBit = range / 8
        if highestBit == 0 { return 0 }
        let leading = UInt64(8 + range % 8)
        return highestBit >= 3 ? leading << UInt64(highestBit - 3) : leading >> UInt64(3 - highestBit)
    }
}
