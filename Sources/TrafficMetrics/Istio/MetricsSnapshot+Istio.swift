// Wingmirror · Apache-2.0
// Istio's standard metrics.

extension MetricsSnapshot {
    /// The same moment in the families of Istio, `IstioCatalogue`: requests and their durations by destination.
    ///
    /// What our families tell apart and Istio's do not, such as routes, is added up. Requests that no route accounts for
    /// are not included. Durations carry no status and no protocol, since ours have none beside the class.
    public var istio: MetricsSnapshot {
        var families: [Family] = []
        if let requests = self[MetricCatalogue.httpRequests] {
            families.append(Self.requests(requests))
        }
        if let durations = self[MetricCatalogue.httpRequestDuration] {
            families.append(Self.durations(durations))
        }
        return MetricsSnapshot(
            families: families,
            showsCreatedSeries: showsCreatedSeries,
            showsNativeHistograms: showsNativeHistograms
        )
    }

    private static func requests(_ family: Family) -> Family {
        var counts: [IstioLabels: (count: UInt64, beganAt: Int64?)] = [:]
        for series in family.series {
            guard case .count(let count) = series.value else { continue }
            let labels = IstioLabels(
                service: series.label("destination_service"),
                requestProtocol: series.label("request_protocol"),
                responseCode: series.label("response_code")
            )
            let present = counts[labels] ?? (0, nil)
            counts[labels] = (present.count &+ count, [present.beganAt, series.beganAt].compactMap(\.self).min())
        }
        let series = counts.sorted { $0.key.values.lexicographicallyPrecedes($1.key.values) }.map { labels, counted in
            let own = LabelBlock(names: IstioCatalogue.requests.labelNames, values: labels.values)
            return Series(shared: .empty, own: own, value: .count(counted.count), beganAt: counted.beganAt)
        }
        return Family(family: IstioCatalogue.requests, series: series)
    }

    private static func durations(_ family: Family) -> Family {
        var histograms: [IstioLabels: HistogramSnapshot] = [:]
        var layout: HistogramLayout?
        for series in family.series {
            guard case .histogram(let histogram) = series.value else { continue }
            let milliseconds = layout ?? .milliseconds(bounds: histogram.layout.bounds)
            layout = milliseconds
            let labels = IstioLabels(service: series.label("destination_service"))
            histograms[labels, default: HistogramSnapshot(layout: milliseconds)].add(
                HistogramSnapshot(histogram, in: milliseconds)
            )
        }
        let series = histograms.sorted { $0.key.values.lexicographicallyPrecedes($1.key.values) }.map { labels, found in
            let own = LabelBlock(names: IstioCatalogue.requestDuration.labelNames, values: labels.values)
            return Series(shared: .empty, own: own, value: .histogram(found), beganAt: found.beganAt)
        }
        return Family(family: IstioCatalogue.requestDuration, series: series)
    }
}

/// The label values of Istio's families, of which the wire tells few.
private struct IstioLabels: Hashable {
    let values: [String]

    /// Makes values; `nil` for what is not known.
    /// - Parameters:
    ///   - service: The destination, fully qualified; empty where the wire does not tell which of several it was.
    ///   - requestProtocol: Of calls of gRPC the status is not known, others have none.
    ///   - responseCode: The status; `0` without a response.
    init(service: String?, requestProtocol: String? = nil, responseCode: String? = nil) {
        let unknown = IstioCatalogue.unknown
        let isKnown = service.map { !$0.isEmpty && $0 != LabelValue.overflow } ?? false
        let host = isKnown ? service ?? unknown : unknown
        let parts = host.split(separator: ".", maxSplits: 2, omittingEmptySubsequences: false)
        // A service of the mesh is name.namespace.svc and so on; any other host is its own name, without a namespace.
        let isOfMesh = parts.count == 3 && parts[2].hasPrefix("svc")
        let known = [
            "reporter": IstioCatalogue.reporter,
            "destination_service": host,
            "destination_service_name": isOfMesh ? String(parts[0]) : host,
            "destination_service_namespace": isOfMesh ? String(parts[1]) : unknown,
            "request_protocol": requestProtocol ?? unknown,
            "response_code": responseCode ?? unknown,
            "grpc_response_status": requestProtocol == RequestProtocolLabel.http.text ? "" : unknown,
        ]
        values = IstioCatalogue.requests.labelNames.map { known[$0] ?? unknown }
    }
}

extension HistogramSnapshot {
    /// The classic buckets of another histogram, with the same bounds in another unit.
    fileprivate init(_ other: HistogramSnapshot, in layout: HistogramLayout) {
        self.init(layout: layout)
        for (bucket, count) in other.classicCounts.enumerated() where count > 0 {
            cells.append(Cell(index: bucket, count: count))
        }
        storedSum = other.storedSum
        beganAt = other.beganAt
        for exemplar in other.exemplars {
            add(exemplar)
        }
    }
}
