// Wingmirror · Apache-2.0

/// Which histograms began again, so that their native buckets are fine once more.
///
/// A histogram that met the bucket limit and is older than an hour is reset before anything else is given up. What was
/// counted up to a scrape is subtracted from the scrape after it on, with that scrape as the new start: nothing that was
/// counted goes unseen, as it would if counters were set to zero between two scrapes. Classic buckets, sum and count
/// share the fate of the native ones, in every format, because all are one histogram to the reader.
struct NativeHistogramResets: Sendable {
    /// What is subtracted from each histogram that was reset.
    private var bases: [Series: HistogramSnapshot] = [:]
    /// The bases of the series that this snapshot has shown so far.
    private var seen: [Series: HistogramSnapshot] = [:]

    /// How old a histogram must be to be reset.
    static let minimumAge: Int64 = 60 * 60 * 1_000_000_000

    /// Names a series of a family by its labels.
    struct Series: Sendable, Hashable {
        let family: MetricFamily
        let labels: [UInt8]
    }

    /// What a snapshot shows of a histogram.
    ///
    /// - Parameters:
    ///   - histogram: All that it ever counted, and when it began.
    ///   - series: Its name; asked for only where it matters.
    ///   - mayReset: Whether the snapshot is for someone who reads native buckets.
    ///   - now: Nanoseconds since the Unix epoch.
    /// - Returns: What it counted since it was reset, or all.
    mutating func shown(
        _ histogram: HistogramSnapshot,
        of series: @autoclosure () -> Series,
        mayReset: Bool,
        at now: Int64
    ) -> HistogramSnapshot {
        // A native bucket has at least one cell, so few cells are few buckets.
        let mayExceed = mayReset && histogram.cells.count > NativeHistogram.bucketLimit
        guard !histogram.layout.nativeBuckets.isEmpty, mayExceed || !bases.isEmpty else { return histogram }
        let series = series()
        var shown = histogram
        if let base = bases[series] {
            shown = histogram.since(base)
            seen[series] = base
        }
        // A clock that was set back makes the age negative, and one at the ends of the range wraps.
        if mayExceed, let beganAt = shown.beganAt, now &- beganAt >= Self.minimumAge,
            NativeHistogram(shown).isReduced
        {
            var base = histogram
            base.beganAt = now
            seen[series] = base
        }
        return shown
    }

    /// Forgets what was not shown since the last time: those series are gone.
    mutating func snapshotEnded() {
        if bases.isEmpty, seen.isEmpty { return }
        bases = seen
        seen = [:]
    }
}
