// Wingmirror · Apache-2.0

/// Gathers series by family, and puts the families into the order of the catalogue.
struct SnapshotBuilder {
    private var series: [[MetricsSnapshot.Series]] = Array(repeating: [], count: MetricCatalogue.all.count)
    private let now: Int64
    /// Whether the snapshot is for someone who reads native buckets.
    private let mayReset: Bool
    /// Which histograms were reset; taken by the next snapshot's builder.
    private(set) var resets: NativeHistogramResets

    /// Makes a builder without series.
    init(at now: Int64, resets: NativeHistogramResets, mayReset: Bool) {
        self.now = now
        self.resets = resets
        self.mayReset = mayReset
    }

    /// How many series a family has so far.
    func seriesCount(of family: MetricFamily) -> Int {
        series[Self.position(of: family)].count
    }

    /// Adds all series of a route.
    mutating func add(_ reading: RouteReading, of route: LabelBlock, blocks: inout OwnLabelBlocks) {
        for request in reading.requests {
            let own = blocks.block(of: request.combination)
            add(MetricCatalogue.httpRequests, route, own, .count(request.count), beganAt: request.beganAt)
        }
        for (codeClass, histogram) in reading.durations {
            let own = blocks.codeClasses[Int(codeClass.rawValue)]
            add(MetricCatalogue.httpRequestDuration, route, own, histogram)
        }
        for (counter, counted) in reading.codes {
            add(counter.family.limited.family, route, blocks.block(of: counter), counted)
        }
        add(MetricCatalogue.httpServerWait, route, .empty, reading.serverWait)
        add(MetricCatalogue.httpRequestBodySize, route, .empty, reading.requestBody)
        add(MetricCatalogue.httpResponseBodySize, route, .empty, reading.responseBody)
        for (counter, counted) in reading.counters {
            add(counter.limited.family, route, blocks.block(of: counter), counted)
        }
        for (kind, histogram) in reading.streams {
            add(kind.limited.family, route, .empty, histogram)
        }
    }

    /// Adds what collectors supplied, ordered by label values.
    mutating func add(_ samples: SampleCollection, beginnings: inout SampleBeginnings) {
        beginnings.snapshotTaken(of: samples, at: now)
        for (family, values) in samples.samples {
            for (labelValues, value) in values.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
                let own = LabelBlock(names: family.labelNames, values: labelValues)
                let beganAt = beginnings.beganAt(family, labelValues)
                if case .histogram(var histogram) = value {
                    histogram.beganAt = histogram.beganAt ?? beganAt
                    add(family, .empty, own, histogram)
                } else {
                    add(family, .empty, own, value, beganAt: beganAt)
                }
            }
        }
    }

    /// The snapshot of what was added.
    mutating func snapshot(configuration: MetricsConfiguration) -> MetricsSnapshot {
        resets.snapshotEnded()
        let families = zip(MetricCatalogue.all, series).filter { !$0.1.isEmpty }
        return MetricsSnapshot(
            families: families.map { MetricsSnapshot.Family(family: $0.0, series: $0.1) },
            showsCreatedSeries: configuration.createdSeries,
            showsNativeHistograms: configuration.nativeHistograms
        )
    }

    private mutating func add(
        _ family: MetricFamily,
        _ shared: LabelBlock,
        _ own: LabelBlock,
        _ counted: BegunCount
    ) {
        add(family, shared, own, .count(counted.count), beganAt: counted.beganAt)
    }

    private mutating func add(
        _ family: MetricFamily,
        _ shared: LabelBlock,
        _ own: LabelBlock,
        _ histogram: HistogramSnapshot?
    ) {
        guard let histogram else { return }
        let shown = resets.shown(
            histogram,
            of: NativeHistogramResets.Series(family: family, labels: shared.text + own.text),
            mayReset: mayReset,
            at: now
        )
        add(family, shared, own, .histogram(shown), beganAt: shown.beganAt)
    }

    private mutating func add(
        _ family: MetricFamily,
        _ shared: LabelBlock,
        _ own: LabelBlock,
        _ value: MetricsSnapshot.Value,
        beganAt: Int64?
    ) {
        series[Self.position(of: family)].append(
            MetricsSnapshot.Series(shared: shared, own: own, value: value, beganAt: beganAt)
        )
    }

    private static func position(of family: MetricFamily) -> Int {
        guard let position = MetricCatalogue.positions[family] else {
            preconditionFailure("SnapshotBuilder: \(family.name) is not in the catalogue")
        }
        return position
    }
}
