// Wingmirror · Apache-2.0

/// What a histogram held at one moment.
///
/// The count of observations is the sum of the cells, so it always equals the `+Inf` bucket.
public struct HistogramSnapshot: Sendable {
    /// What the cells mean.
    public let layout: HistogramLayout
    /// The cells that are not zero, in order.
    var cells: [Cell]
    /// The sum of all observations in stored units, wrapping.
    var storedSum: UInt64
    /// When the first observation was made or a little before, in nanoseconds since the Unix epoch; `nil` if not known.
    public internal(set) var beganAt: Int64?
    /// Observations that lead to a trace, at most one for each classic bucket, in their order.
    public private(set) var exemplars: [Exemplar] = []

    /// One cell and how many observations fell into it.
    struct Cell: Sendable, Hashable {
        var index: Int
        var count: UInt64
    }

    /// Makes a snapshot without observations.
    init(layout: HistogramLayout) {
        self.layout = layout
        cells = []
        storedSum = 0
    }

    /// How many observations there were.
    public var count: UInt64 {
        cells.reduce(0) { $0 &+ $1.count }
    }

    /// The sum of all observations in base units.
    var sum: Double {
        Double(storedSum) / layout.unitsPerBaseUnit
    }

    /// How many observations fell into each classic bucket alone; the last has no upper bound.
    var classicCounts: [UInt64] {
        var counts = [UInt64](repeating: 0, count: layout.bounds.count + 1)
        for cell in cells {
            counts[Int(layout.classicBuckets[cell.index])] &+= cell.count
        }
        return counts
    }

    /// Adds the observations of another histogram with the same layout.
    mutating func add(_ other: HistogramSnapshot) {
        precondition(layout === other.layout, "HistogramSnapshot.add: the same layout")
        storedSum &+= other.storedSum
        beganAt = [beganAt, other.beganAt].compactMap(\.self).min()
        for exemplar in other.exemplars {
            add(exemplar)
        }
        var merged: [Cell] = []
        merged.reserveCapacity(cells.count + other.cells.count)
        var theirs = other.cells[...]
        for cell in cells {
            while let next = theirs.first, next.index < cell.index {
                merged.append(next)
                theirs.removeFirst()
            }
            if let next = theirs.first, next.index == cell.index {
                // Counts wrap where a counter would; 2^64 observations are out of reach.
                merged.append(Cell(index: cell.index, count: cell.count &+ next.count))
                theirs.removeFirst()
            } else {
                merged.append(cell)
            }
        }
        cells = merged + theirs
    }
}

// MARK: - Single observations

extension HistogramSnapshot {
    /// Counts one more value, in stored units.
    mutating func observe(_ value: UInt64) {
        let index = layout.cell(of: value)
        storedSum &+= value
        let place = cells.firstIndex { $0.index >= index } ?? cells.count
        if place < cells.count, cells[place].index == index {
            // 2^64 observations are out of reach.
            cells[place].count &+= 1
        } else {
            cells.insert(Cell(index: index, count: 1), at: place)
        }
    }

    /// Takes an exemplar, of those of one classic bucket the newest; it is of a value that was counted.
    mutating func add(_ exemplar: Exemplar) {
        let bucket = classicBucket(of: exemplar)
        let place = exemplars.firstIndex { classicBucket(of: $0) >= bucket } ?? exemplars.count
        if place < exemplars.count, classicBucket(of: exemplars[place]) == bucket {
            if exemplars[place].observedAt < exemplar.observedAt { exemplars[place] = exemplar }
        } else {
            exemplars.insert(exemplar, at: place)
        }
    }

    /// The classic bucket that an exemplar lies in.
    func classicBucket(of exemplar: Exemplar) -> Int {
        Int(layout.classicBuckets[layout.cell(of: exemplar.storedValue)])
    }

    /// What an exemplar observed, in base units.
    func value(of exemplar: Exemplar) -> Double {
        Double(exemplar.storedValue) / layout.unitsPerBaseUnit
    }

    /// What was counted since an older snapshot of the same histogram, with that one's beginning.
    ///
    /// Exemplars are kept where their bucket still counts something.
    func since(_ older: HistogramSnapshot) -> HistogramSnapshot {
        precondition(layout === older.layout, "HistogramSnapshot.since: the same layout")
        var rest = HistogramSnapshot(layout: layout)
        rest.storedSum = storedSum &- older.storedSum
        rest.beganAt = older.beganAt
        var before = older.cells[...]
        for cell in cells {
            let count = before.first?.index == cell.index ? before.removeFirst().count : 0
            if cell.count > count { rest.cells.append(Cell(index: cell.index, count: cell.count - count)) }
        }
        let counts = rest.classicCounts
        for exemplar in exemplars where counts[classicBucket(of: exemplar)] > 0 {
            rest.add(exemplar)
        }
        return rest
    }
}

// MARK: - Quantiles

extension HistogramSnapshot {
    /// The value in base units below which a share `quantile` of the observations lies; `nil` without observations.
    ///
    /// Found in the exponential buckets and interpolated within one, so it is off by less than the bucket is wide:
    /// 9 % at the very worst, and under 4.4 % where observations are spread. What lies in the zero bucket is given
    /// as half the zero threshold, what lies beyond the last bucket as that bucket's lower edge.
    /// - Parameter quantile: From 0 to 1; what is outside is taken for the nearer end.
    /// - Returns: The value; `nil` also where the layout has no exponential buckets.
    public func quantile(_ quantile: Double) -> Double? {
        let total = count
        guard total > 0, let range = layout.nativeRange else { return nil }
        let rank = max(1, Double(total) * min(1, max(0, quantile)))
        var below: UInt64 = 0
        for (bucket, count) in nativeCounts {
            if Double(below + count) >= rank {
                return Self.value(in: bucket, of: range, share: (rank - Double(below)) / Double(count))
            }
            below += count
        }
        return nil
    }

    /// The counts by native bucket at schema 3, ascending; `nil` is the zero bucket.
    var nativeCounts: [(bucket: Int?, count: UInt64)] {
        var counts: [(bucket: Int?, count: UInt64)] = []
        for cell in cells {
            let bucket = layout.nativeBuckets[cell.index]
            if let last = counts.last, last.bucket == bucket {
                // Part of the histogram's count, which fits.
                counts[counts.count - 1].count &+= cell.count
            } else {
                counts.append((bucket, cell.count))
            }
        }
        return counts
    }

    /// The value at a share of a bucket, from its lower edge.
    private static func value(in bucket: Int?, of range: NativeRange, share: Double) -> Double {
        guard let bucket else { return range.zeroThreshold / 2 }
        let lower = ExponentialBuckets.upperBound(of: bucket - 1)
        guard bucket < range.last else { return lower }
        return lower + (ExponentialBuckets.upperBound(of: bucket) - lower) * share
    }
}
