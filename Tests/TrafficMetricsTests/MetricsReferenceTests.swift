// Wingmirror · Apache-2.0

import Foundation
import Testing
import TrafficMetrics

/// The documentation's page of metrics against the catalogue.
@Suite struct MetricsReferenceTests {
    private let page: String
    private let formats: String

    init() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardizedFileURL
        let documentation = root.appending(path: "Sources/AgentCommands/Documentation.docc")
        page = try String(contentsOf: documentation.appending(path: "Metrics.md"), encoding: .utf8)
        formats = try String(contentsOf: documentation.appending(path: "Guides/Formats.md"), encoding: .utf8)
    }

    @Test(arguments: MetricCatalogue.all.map(\.name))
    func `each family has a row with its type, labels and help`(name: String) throws {
        let family = try #require(MetricCatalogue.all.first { $0.name == name })
        let row = "| `\(name)` | \(family.type) | \(labels(of: family)) | \(family.help) |"
        #expect(page.contains(row), "the row should be: \(row)")
    }

    @Test(arguments: IstioCatalogue.all.map(\.name))
    func `each family of Istio has a row among the formats`(name: String) throws {
        let family = try #require(IstioCatalogue.all.first { $0.name == name })
        let row = "| `\(name)` | \(family.type) | \(family.help) |"
        #expect(formats.contains(row), "the row should be: \(row)")
        #expect(formats.contains("all \(family.labelNames.count) labels"))
    }

    @Test func `the page names no metric that does not exist`() {
        let known = Set(MetricCatalogue.all.map(\.name))
        for name in page.matches(of: /wingmirror_[a-z0-9_]+/).map({ String($0.output) }) {
            let family = name.hasSuffix("_bucket") ? String(name.dropLast("_bucket".count)) : name
            #expect(known.contains(family))
        }
    }

    /// The labels as the page has them: the six of a route in one word.
    private func labels(of family: MetricFamily) -> String {
        let routeLabels = MetricCatalogue.httpRequestBodySize.labelNames
        guard !family.labelNames.isEmpty else { return "–" }
        let namesRoute = family.labelNames.starts(with: routeLabels)
        let own = family.labelNames.dropFirst(namesRoute ? routeLabels.count : 0).map { "`\($0)`" }
        return ((namesRoute ? ["*route*"] : []) + own).joined(separator: ", ")
    }
}
