// Wingmirror · Apache-2.0
// Rules N1 to N9 of the Prometheus naming practices, as far as a name shows them.

import Testing

@testable import TrafficMetrics

@Suite struct MetricCatalogueTests {
    static let ours = MetricCatalogue.all.filter { !$0.name.hasPrefix("process_") }

    @Test func `names are unique, also between the samples of one family and those of another`() {
        let sampleNames = MetricCatalogue.all.flatMap { family in
            switch family.type {
            case .histogram: ["_bucket", "_sum", "_count", "_created"].map { family.name + $0 }
            case .counter: [family.name, family.baseName + "_created"]
            case .gauge, .info: [family.name]
            }
        }
        #expect(Set(sampleNames).count == sampleNames.count)
        #expect(Set(MetricCatalogue.all.map(\.baseName)).count == MetricCatalogue.all.count)
    }

    @Test(arguments: ours)
    func `a name has our prefix and is lower snake case`(_ family: MetricFamily) {
        #expect(family.name.hasPrefix(MetricCatalogue.prefix))
        #expect(family.name.utf8.allSatisfy { ($0 >= 0x61 && $0 <= 0x7A) || ($0 >= 0x30 && $0 <= 0x39) || $0 == 0x5F })
        #expect(!family.name.contains("__"))
    }

    @Test(arguments: MetricCatalogue.all + IstioCatalogue.all)
    func `counters and nothing else end in total, infos and nothing else in info`(_ family: MetricFamily) {
        #expect(family.name.hasSuffix("_total") == (family.type == .counter))
        #expect(family.name.hasSuffix("_info") == (family.type == .info))
    }

    @Test(arguments: MetricCatalogue.all + IstioCatalogue.all)
    func `a unit is the last word of the name`(_ family: MetricFamily) {
        switch family.unit {
        case .none:
            #expect(!["_seconds", "_bytes", "_ratio"].contains { family.baseName.hasSuffix($0) })
        case .seconds, .milliseconds, .bytes, .ratio:
            #expect(family.baseName.hasSuffix("_" + family.unit.rawValue))
        }
    }

    @Test(arguments: ours)
    func `a name has neither abbreviated units nor names of types`(_ family: MetricFamily) {
        let refused: Set = [
            "ms", "us", "ns", "sec", "secs", "s", "kb", "mb", "gb", "b", "pct", "milliseconds", "counter", "gauge",
            "histogram", "summary",
        ]
        #expect(refused.isDisjoint(with: family.name.split(separator: "_").map(String.init)))
    }

    @Test(arguments: MetricCatalogue.all + IstioCatalogue.all)
    func `no label is one that service discovery attaches to a target, or that a histogram needs`(
        _ family: MetricFamily
    ) {
        let refused: Set = [
            "namespace", "pod", "service", "instance", "job", "node", "container", "cluster", "zone", "le", "quantile",
        ]
        #expect(refused.isDisjoint(with: family.labelNames))
        #expect(Set(family.labelNames).count == family.labelNames.count)
        for name in family.labelNames {
            #expect(!name.hasPrefix("__"))
            #expect(name.utf8.allSatisfy { ($0 >= 0x61 && $0 <= 0x7A) || ($0 >= 0x30 && $0 <= 0x39) || $0 == 0x5F })
        }
    }

    @Test(arguments: MetricCatalogue.all + IstioCatalogue.all)
    func `a help text is one sentence without what needs escaping`(_ family: MetricFamily) {
        #expect(family.help.hasSuffix("."))
        #expect(!family.help.contains { $0 == "\n" || $0 == "\\" || $0 == "\"" })
    }
}
