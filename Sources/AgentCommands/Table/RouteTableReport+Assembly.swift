// Wingmirror · Apache-2.0

import Agent
import AgentConfiguration
import HTTPReconstruction
import PacketDecoding
import RouteAttribution
import TCPReassembly
import TrafficMetrics
import TrafficModel
import TrafficPipeline

extension RouteTableReport {
    /// Puts together what was counted.
    ///
    /// - Parameters:
    ///   - routes: The routes in force; those without requests are shown too.
    ///   - registry: What was counted of the traffic.
    ///   - figures: What else the pipeline saw.
    init(routes: [CompiledRoute], registry: MetricsRegistry, figures: PipelineFigures) {
        let summaries = registry.routeSummaries()
        rows = Self.rows(routes, summaries)
        unmatched = Self.unmatched(registry.unmatchedSummaries())
        warnings = UnseenTraffic(registry).sentences
        if let first = figures.firstPacket, let latest = figures.latestPacket {
            seconds = Double(max(latest.nanoseconds(since: first), 0)) / 1_000_000_000
        }
        // Takes time, so one for all.
        let counted = registry.snapshot(at: 0)
        note = UnreadTLS(counted).sentence
        let unseen = summaries.reduce(registry.unmatchedAnswers.unseen) { $0 + $1.unseenCount }
        groups = [
            Self.capture(figures), Self.connections(figures, counted),
            Self.integrity(figures, counted, unseen: unseen),
        ]
    }

    // MARK: - Routes

    /// One row for each set of labels, in the order of the routes; what is no longer among them comes last.
    private static func rows(_ routes: [CompiledRoute], _ summaries: [RouteSummary]) -> [Row] {
        var byLabels = Dictionary(summaries.map { ($0.labels, $0) }) { first, _ in first }
        var rows: [Row] = []
        var seen: Set<RouteLabels> = []
        for route in routes where seen.insert(RouteLabels(route)).inserted {
            var row = Row(
                object: route.identity.object.reference,
                route: route.label,
                match: route.matchText
            )
            if let summary = byLabels.removeValue(forKey: RouteLabels(route)) {
                row.take(summary)
            }
            rows.append(row)
        }
        for summary in summaries where byLabels[summary.labels] != nil && summary.requestCount > 0 {
            let object = "\(summary.labels.virtualServiceNamespace)/\(summary.labels.virtualService)"
            var row = Row(object: object, route: summary.labels.route, match: "no longer in the table")
            row.take(summary)
            rows.append(row)
        }
        return rows
    }

    private static func unmatched(_ summaries: [UnmatchedSummary]) -> [Unmatched] {
        UnmatchedReason.allCases.compactMap { reason in
            let ours = summaries.filter { $0.reason == reason }
            let count = ours.reduce(0) { $0 + $1.requestCount }
            guard count > 0 else { return nil }
            let answers: [(codeClass: String, requests: UInt64)] = ResponseCodeClass.allCases.compactMap { codeClass in
                let requests = ours.reduce(0) { $0 + ($1.requestsByClass[codeClass] ?? 0) }
                return requests > 0 ? (codeClass.text, requests) : nil
            }
            return Unmatched(reason: reason.text, requests: count, isArrival: reason.isArrival, answers: answers)
        }
    }

    // MARK: - Figures

    private static func capture(_ figures: PipelineFigures) -> FigureGroup {
        let packets = figures.interfaces.reduce(0) { $0 + $1.packets }
        let truncated = figures.interfaces.reduce(0) { $0 + $1.truncatedPackets }
        let failures = figures.failures.values.reduce(0, +)
        return FigureGroup(
            title: "Capture",
            figures: [
                .count("packets", packets),
                .octets("captured", figures.interfaces.reduce(0) { $0 + $1.octets }),
                .count("without TCP", figures.ignored.reduce(0, +)),
                .concern("cut by the snapshot length", truncated),
                .concern("not decoded", failures),
            ] + figures.undecoded.sorted { $0.key < $1.key }.map { .concern("of them \($0.key.text)", $0.value) }
        )
    }

    private static func connections(_ figures: PipelineFigures, _ counted: MetricsSnapshot) -> FigureGroup {
        let opaque = counted.counts(MetricCatalogue.opaqueConnections, by: "reason")
        return FigureGroup(
            title: "Connections",
            figures: [
                .count("seen", figures.reassembly.connectionsOpened),
                .count("joined midstream", figures.reassembly.midstreamPickups),
            ] + opaque.map { .count("not read: \($0.key)", Int(clamping: $0.count)) }
        )
    }

    private static func integrity(
        _ figures: PipelineFigures,
        _ counted: MetricsSnapshot,
        unseen: UInt64
    ) -> FigureGroup {
        let unpaired = counted.counts(MetricCatalogue.httpUnpairedMessages, by: "kind")
        let urgent = figures.reassembly.urgentOctets
        return FigureGroup(
            title: "Integrity",
            figures: [
                .concern("gaps", figures.reassembly.gaps.total),
                .octetConcern("bytes in gaps", figures.reassembly.gapOctets.total),
                .octets("sent again", figures.reassembly.retransmittedOctets),
                .octetConcern("came too late", figures.reassembly.lateOctets),
                .count("segments out of order", figures.reassembly.outOfOrderSegments),
                .concern("bytes in conflict", figures.reassembly.conflictingOctets),
                .concern("streams not read on", figures.parseFailures.reduce(0, +)),
                .concern("connections evicted", figures.reassembly.evictions[.capacity]),
            ] + (urgent > 0 ? [.octets("urgent, left out", urgent)] : [])
                + unpaired.map { .count("\($0.key)s without a partner", Int(clamping: $0.count)) }
                + (unseen > 0 ? [.concern("answers not seen", Int(clamping: unseen))] : [])
        )
    }
}

extension RouteTableReport.Row {
    /// Adds what was counted of the route.
    fileprivate mutating func take(_ summary: RouteSummary) {
        requests = summary.requestCount
        errors = summary.failureCount
        refusals = summary.refusalCount
        unseen = summary.unseenCount
        requestOctets = summary.requestBodyBytes
        responseOctets = summary.responseBodyBytes
        latency = LatencyQuantiles(
            p50: summary.durations.quantile(0.5),
            p95: summary.durations.quantile(0.95),
            p99: summary.durations.quantile(0.99)
        )
    }
}

extension RouteTableReport.Figure {
    fileprivate static func count(_ name: String, _ count: Int) -> Self {
        Self(name: name, value: HumanUnits.count(UInt64(max(count, 0))))
    }

    fileprivate static func octets(_ name: String, _ octets: Int) -> Self {
        Self(name: name, value: HumanUnits.octets(UInt64(max(octets, 0))))
    }

    /// A count that is bad news unless it is zero.
    fileprivate static func concern(_ name: String, _ count: Int) -> Self {
        Self(name: name, value: HumanUnits.count(UInt64(max(count, 0))), isConcern: count > 0)
    }

    fileprivate static func octetConcern(_ name: String, _ octets: Int) -> Self {
        Self(name: name, value: HumanUnits.octets(UInt64(max(octets, 0))), isConcern: octets > 0)
    }
}

extension MetricsSnapshot {
    /// The counter of a family summed over all labels but one, without zeros, ordered by that label.
    func counts(_ family: MetricFamily, by label: String) -> [(key: String, count: UInt64)] {
        var counts: [String: UInt64] = [:]
        for series in self[family]?.series ?? [] {
            guard case .count(let count) = series.value, count > 0, let key = series.label(label) else { continue }
            counts[key, default: 0] += count
        }
        return counts.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }
}
