// Wingmirror · Apache-2.0

/// Gathers series by family, and puts the families into the order of the catalogue.
struct SnapshotBuilder {
    private var series: [[MetricsSnapshot.Series]] = Array(repeating: [], count: MetricCatalogue.all.count)

    /// How many series a family has so far.
    func seriesCount(of family: MetricFamily) -> Int {
        series[Self.position(of: family)].count
    }

    /// Adds all series of a route.
    mutating func add(_ reading: RouteReading, of route: LabelBlock, blocks: inout OwnLabelBlocks) {
        for (combination, count) in reading.requests {
            add(MetricCatalogue.httpRequests, route, blocks.block(of: combination), .count(count))
        }
        for (codeClass, histogram) in reading.durations {
            let own = blocks.codeClasses[Int(codeClass.rawValue)]
            add(MetricCatalogue.httpRequestDuration, route, own, .histogram(histogram))
        }
        for (status, count) in reading.gRPCResponses {
            add(MetricCatalogue.grpcResponses, route, blocks.gRPCStatuses[status.index], .count(count))
        }
        add(MetricCatalogue.httpResponseFirstByte, route, reading.firstByte)
        add(MetricCatalogue.httpRequestBodySize, route, reading.requestBody)
        add(MetricCatalogue.httpResponseBodySize, route, reading.responseBody)
        if reading.websocketUpgrades > 0 {
            add(MetricCatalogue.websocketUpgrades, route, .empty, .count(reading.websocketUpgrades))
        }
    }

    /// Adds what collectors supplied, ordered by label values.
    mutating func add(_ samples: SampleCollection) {
        for (family, values) in samples.samples {
            for (labelValues, value) in values.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
                add(family, .empty, LabelBlock(names: family.labelNames, values: labelValues), value)
            }
        }
    }

    /// The snapshot of what was added.
    func snapshot() -> MetricsSnapshot {
        let families = zip(MetricCatalogue.all, series).filter { !$0.1.isEmpty }
        return MetricsSnapshot(families: families.map { MetricsSnapshot.Family(family: $0.0, series: $0.1) })
    }

    private mutating func add(_ family: MetricFamily, _ route: LabelBlock, _ histogram: HistogramSnapshot?) {
        guard let histogram else { return }
        add(family, route, .empty, .histogram(histogram))
    }

    private mutating func add(
        _ family: MetricFamily,
        _ shared: LabelBlock,
        _ own: LabelBlock,
        _ value: MetricsSnapshot.Value
    ) {
        series[Self.position(of: family)].append(MetricsSnapshot.Series(shared: shared, own: own, value: value))
    }

    private static func position(of family: MetricFamily) -> Int {
        guard let position = MetricCatalogue.positions[family] else {
            preconditionFailure("SnapshotBuilder: \(family.name) is not in the catalogue")
        }
        return position
    }
}
