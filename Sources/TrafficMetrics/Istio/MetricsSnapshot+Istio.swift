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
        var counts: [IstioDestination: (count: UInt64, beganAt: Int64?)] = [:]
        for series in family.series {
            guard case .count(let count) = series.value else { continue }
            let destination = IstioDestination(
                service: series.label("destination_service"),
                requestProtocol: series.label("request_protocol"),
                responseCode: series.label("response_code")
            )
            let present = counts[destination] ?? (0, nil)
            let beganAt = [present.beganAt, series.beganAt].compactMap(\.self).min()
            // 2^64 requests are out of reach.
            counts[destination] = (present.count &+ count, beganAt)
        }
        let series = counts.map { destination, counted in
            Series(
                shared: IstioCatalogue.peers,
                own: destination.block,
                value: .count(counted.count),
                beganAt: counted.beganAt
            )
        }
        return Family(family: IstioCatalogue.requests, series: series.sorted())
    }

    private static func durations(_ family: Family) -> Family {
        var histograms: [IstioDestination: HistogramSnapshot] = [:]
        var layout: HistogramLayout?
        for series in family.series {
            guard case .histogram(let histogram) = series.value else { continue }
            let milliseconds = layout ?? .milliseconds(bounds: histogram.layout.bounds)
            layout = milliseconds
            let destination = IstioDestination(service: series.label("destination_service"))
            histograms[destination, default: HistogramSnapshot(layout: milliseconds)].add(
                HistogramSnapshot(histogram, in: milliseconds)
            )
        }
        let series = histograms.map { destination, found in
            Series(
                shared: IstioCatalogue.peers,
                own: destination.block,
                value: .histogram(found),
                beganAt: found.beganAt
            )
        }
        return Family(family: IstioCatalogue.requestDuration, series: series.sorted())
    }
}

extension [MetricsSnapshot.Series] {
    /// The series in the order of their labels.
    fileprivate func sorted() -> [MetricsSnapshot.Series] {
        sorted { $0.own.text.lexicographicallyPrecedes($1.own.text) }
    }
}

/// What the wire tells of the labels of Istio's families.
private struct IstioDestination: Hashable {
    /// The destination, fully qualified; empty where the wire does not tell which of several it was.
    let service: String?
    /// `nil` where the family does not tell.
    var requestProtocol: String?
    /// The status, `0` without a response; `nil` where the family does not tell.
    var responseCode: String?

    /// The labels that differ from one destination to another.
    ///
    /// Of calls of gRPC the status is not known, other requests have none.
    var block: LabelBlock {
        let unknown = IstioCatalogue.unknown
        let isKnown = service.map { !$0.isEmpty && $0 != LabelValue.overflow } ?? false
        let host = isKnown ? service ?? unknown : unknown
        let parts = host.split(separator: ".", maxSplits: 2, omittingEmptySubsequences: false)
        // A service of the mesh is name.namespace.svc and so on; any other host is its own name, without a namespace.
        let isOfMesh = parts.count == 3 && (parts[2] == "svc" || parts[2].hasPrefix("svc."))
        let known = [
            "destination_service": host,
            "destination_service_name": isOfMesh ? String(parts[0]) : host,
            "destination_service_namespace": isOfMesh ? String(parts[1]) : unknown,
            "request_protocol": requestProtocol ?? unknown,
            "response_code": responseCode ?? unknown,
            "grpc_response_status": requestProtocol == RequestProtocolLabel.http.text ? "" : unknown,
        ]
        let names = IstioCatalogue.destinationLabels
        return LabelBlock(names: names, values: names.map { known[$0] ?? unknown })
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
