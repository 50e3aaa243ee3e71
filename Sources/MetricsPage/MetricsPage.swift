// Wingmirror · Apache-2.0

import TrafficMetrics

/// The generated parts of the documentation's page of metrics.
///
/// A part stands between a comment that names it and one that ends it; everything else on the page is written by hand and
/// left as it is.
enum MetricsPage {
    /// What is wrong with a page.
    struct Problem: Error, CustomStringConvertible {
        let description: String
    }

    /// Ends every generated part.
    private static let end = "<!-- end of what is generated -->"

    /// The page with its generated parts as they should be.
    ///
    /// - Parameter page: The page.
    /// - Returns: The page; the same where nothing has drifted.
    /// - Throws: `Problem` when a part has no place on the page.
    static func updated(_ page: String) throws(Problem) -> String {
        var page = page
        for (name, lines) in parts {
            page = try replaced(name, by: lines, in: page)
        }
        return page
    }

    private static func replaced(_ name: String, by lines: [String], in page: String) throws(Problem) -> String {
        let begin = "<!-- generated: \(name) -->"
        guard let start = page.firstRange(of: begin), let stop = page[start.upperBound...].firstRange(of: end) else {
            throw Problem(description: "the page has no place for \(name): \(begin) and \(end)")
        }
        return page[..<start.upperBound] + "\n" + lines.joined(separator: "\n") + "\n" + page[stop.lowerBound...]
    }

    // MARK: - Parts

    /// All parts by name.
    private static var parts: [(name: String, lines: [String])] {
        let bounds = sections.compactMap { section in MetricCatalogue.all.firstIndex(of: section.first) }
        let ends = bounds.dropFirst() + [MetricCatalogue.all.count]
        let families = zip(sections, zip(bounds, ends)).map { section, range in
            (section.name, familyTable(Array(MetricCatalogue.all[range.0..<range.1])))
        }
        return families + [("values of labels", valueTable)]
    }

    /// Where the catalogue goes from one subject to the next.
    private static let sections: [(name: String, first: MetricFamily)] = [
        ("traffic", MetricCatalogue.httpRequests),
        ("routes", MetricCatalogue.routeInfo),
        ("capture and decoding", MetricCatalogue.capturePacketsReceived),
        ("connections and streams", MetricCatalogue.flowTableEntries),
        ("TLS", MetricCatalogue.tlsConnections),
        ("pipeline", MetricCatalogue.pipelineQueueLength),
        ("mirroring", MetricCatalogue.mirrorConsidered),
        ("verdicts", MetricCatalogue.mirrorVerdict),
        ("the API server", MetricCatalogue.kubeObjects),
        ("the agent itself", MetricCatalogue.configReloads),
        ("process", MetricCatalogue.processCPU),
    ]

    private static func familyTable(_ families: [MetricFamily]) -> [String] {
        let rows = families.map { "| `\($0.name)` | \($0.type) | \(labels(of: $0)) | \($0.help) |" }
        return ["| family | type | labels | says |", "| --- | --- | --- | --- |"] + rows
    }

    /// The labels of a family, the six of a route in one word.
    private static func labels(of family: MetricFamily) -> String {
        let routeLabels = MetricCatalogue.httpRequestBodySize.labelNames
        guard !family.labelNames.isEmpty else { return "–" }
        let namesRoute = family.labelNames.starts(with: routeLabels)
        let own = family.labelNames.dropFirst(namesRoute ? routeLabels.count : 0).map { "`\($0)`" }
        return ((namesRoute ? ["*route*"] : []) + own).joined(separator: ", ")
    }

    private static var valueTable: [String] {
        let rows = LabelValues.all.map { entry in
            "| `\(entry.label)`\(entry.place.isEmpty ? "" : " of \(entry.place)") | \(entry.text) |"
        }
        return ["| label | values |", "| --- | --- |"] + rows
    }
}
