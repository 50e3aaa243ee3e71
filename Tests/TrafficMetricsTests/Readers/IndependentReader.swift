// Wingmirror · Apache-2.0

import Foundation
import TestSupport
import Testing

@testable import TrafficMetrics

/// What readers that are not ours find in a page.
struct IndependentPage: Decodable {
    let families: [Family]

    struct Family: Decodable {
        let name: String
        let type: String
        let help: String
        let unit: String
        let samples: [Sample]
        let natives: [Native]
        let starts: [Start]
    }

    struct Sample: Decodable {
        let name: String
        let labels: [String: String]
        let value: String
        let exemplar: Exemplar?
    }

    struct Exemplar: Decodable, Hashable {
        let labels: [String: String]
        let value: Double
        let time: Double
    }

    /// A native histogram, by bucket index.
    struct Native: Decodable {
        let labels: [String: String]
        let schema: Int
        let zeroThreshold: Double
        let zeroCount: UInt64
        let buckets: [String: UInt64]
        let spans: [[Int]]
        let exemplars: [Exemplar]
    }

    /// When a series began.
    struct Start: Decodable {
        let labels: [String: String]
        let time: Double
    }

    struct Key: Hashable {
        let name: String
        let labels: [String: String]
    }

    private static let helper = ExternalProgram(fixture: "read_exposition.py")

    /// Whether there is a Python with the readers.
    static let isAvailable = helper.succeeds(["--check"])

    /// Why tests are skipped.
    static let requirement: Comment = "no independent readers: pip install prometheus_client protobuf"

    /// Has a page read; fails where its reader refuses it.
    init(_ body: [UInt8], _ format: ExpositionFormat) throws {
        let result = try Self.helper.blockingRun([format.labelText], input: body)
        try #require(result.status == 0, "\(result.errors)")
        families = try JSONDecoder().decode([Family].self, from: Data(result.output))
    }

    /// Renders a snapshot and has it read.
    init(_ snapshot: MetricsSnapshot, _ format: ExpositionFormat) throws {
        var body: [UInt8] = []
        ExpositionWriter(format).write(snapshot, into: &body)
        try self.init(body, format)
    }

    /// All values, each number as the number it is; a label set that occurs twice is refused.
    func values() throws -> [Key: Double] {
        var values: [Key: Double] = [:]
        for sample in families.flatMap(\.samples) {
            let value = try #require(Self.number(sample.value), "\(sample)")
            let isNew = values.updateValue(value, forKey: Self.key(sample)) == nil
            try #require(isNew, "\(sample)")
        }
        return values
    }

    /// The exemplars by the sample that they stand at.
    var exemplars: [Key: Exemplar] {
        let found = families.flatMap(\.samples).compactMap { sample in
            sample.exemplar.map { (Self.key(sample), $0) }
        }
        return Dictionary(found) { first, _ in first }
    }

    /// The native histograms of a family by their labels.
    func natives(_ family: MetricFamily) -> [[String: String]: Native] {
        let found = families.first { $0.name == family.name }?.natives ?? []
        return Dictionary(found.map { ($0.labels, $0) }) { first, _ in first }
    }

    /// When the series of protobuf began, as OpenMetrics names the series that say so.
    var starts: [Key: Double] {
        var starts: [Key: Double] = [:]
        for family in families {
            let base = family.type == "counter" ? String(family.name.dropLast("_total".count)) : family.name
            for start in family.starts {
                starts[Key(name: base + "_created", labels: start.labels)] = start.time
            }
        }
        return starts
    }

    private static func key(_ sample: Sample) -> Key {
        var labels = sample.labels
        // The same bound, however it is spelled.
        if let bound = labels["le"] { labels["le"] = number(bound)?.description }
        return Key(name: sample.name, labels: labels)
    }

    private static func number(_ text: String) -> Double? {
        switch text {
        case "+Inf": .infinity
        case "-Inf": -.infinity
        case "NaN": .nan
        default: Double(text)
        }
    }
}
