// Wingmirror · Apache-2.0
// Text 0.0.4, OpenMetrics 1.0 and protobuf against each other.

import OctetText
import Testing
import TrafficModel

@testable import TrafficMetrics

/// One state in three formats, read back by readers that are not ours.
@Suite(.enabled(if: IndependentPage.isAvailable, IndependentPage.requirement), .timeLimit(.minutes(20)))
struct FormatAgreementTests {
    @Test func `three formats say the same, sample by sample`() throws {
        let state = try BusyState(createdSeries: true)
        state.pass(500)
        let snapshot = state.registry.snapshot(at: state.now, for: .protobuf)
        let text = try IndependentPage(snapshot, .text)
        let openMetrics = try IndependentPage(snapshot, .openMetrics)
        let protobuf = try IndependentPage(snapshot, .protobuf)
        let values = try text.values()
        #expect(values.count > 800)
        #expect(try protobuf.values() == values)
        let created = try openMetrics.values().filter { $0.key.name.hasSuffix("_created") }
        #expect(try openMetrics.values().filter { created[$0.key] == nil } == values)
        #expect(created == protobuf.starts)
        #expect(created.count > 100)
    }

    @Test func `every family of the catalogue is the same in three formats`() throws {
        let snapshot = EveryFamily.snapshot()
        #expect(snapshot.families.map(\.family) == MetricCatalogue.all)
        let values = try IndependentPage(snapshot, .text).values()
        #expect(try IndependentPage(snapshot, .openMetrics).values() == values)
        #expect(try IndependentPage(snapshot, .protobuf).values() == values)
    }

    @Test func `exemplars are the same in OpenMetrics, classic and native buckets`() throws {
        let state = try BusyState(createdSeries: false)
        state.pass(500)
        let snapshot = state.registry.snapshot(at: state.now)
        let openMetrics = try IndependentPage(snapshot, .openMetrics)
        let protobuf = try IndependentPage(snapshot, .protobuf)
        #expect(try IndependentPage(snapshot, .text).exemplars.isEmpty)
        #expect(openMetrics.exemplars.count > 20)
        #expect(Set(openMetrics.exemplars.keys) == Set(protobuf.exemplars.keys))
        for (key, exemplar) in openMetrics.exemplars {
            let other = try #require(protobuf.exemplars[key])
            #expect(exemplar.labels == other.labels)
            #expect(exemplar.value == other.value)
            #expect(abs(exemplar.time - other.time) < 1e-6)
            let bound = try #require(key.labels["le"].flatMap { Double($0) })
            #expect(exemplar.value <= bound)
            #expect(exemplar.labels["trace_id"]?.count == 32)
            #expect(exemplar.labels["span_id"]?.count == 16)
        }
        let natives = protobuf.natives(MetricCatalogue.httpRequestDuration)
        for (labels, native) in natives {
            let classic = protobuf.exemplars.filter { key, _ in labels.allSatisfy { key.labels[$0.key] == $0.value } }
            #expect(Set(native.exemplars) == Set(classic.values))
            #expect(native.exemplars.map(\.time) == native.exemplars.map(\.time).sorted())
        }
        #expect(natives.values.contains { $0.exemplars.count > 1 })
    }

    @Test func `metadata agrees in three formats`() throws {
        let state = try BusyState(createdSeries: false)
        state.pass(50)
        let snapshot = state.registry.snapshot(at: state.now)
        let pages = try ExpositionFormat.allCases.map { try IndependentPage(snapshot, $0) }
        for (index, family) in snapshot.families.enumerated() {
            let found = pages.map { $0.families[index] }
            for record in found {
                #expect([family.family.name, family.family.baseName].contains(record.name))
                #expect(record.help == family.family.help)
            }
            let types = Set(found.map(\.type))
            #expect(family.family.type == .info ? types == ["gauge", "info"] : types == ["\(family.family.type)"])
            #expect(found.dropFirst().allSatisfy { $0.unit == family.family.unit.rawValue })
        }
    }

    @Test func `native buckets are those of the observations, with exact bounds`() throws {
        let state = try BusyState(createdSeries: false)
        state.pass(700)
        let snapshot = state.registry.snapshot(at: state.now, for: .protobuf)
        let natives = try IndependentPage(snapshot, .protobuf).natives(MetricCatalogue.httpRequestDuration)
        var expected: [[String]: [Int: UInt64]] = [:]
        for observed in state.observed {
            let key = [observed.route, observed.codeClass]
            expected[key, default: [:]][Self.index(of: observed.seconds), default: 0] += 1
        }
        #expect(natives.count == expected.count)
        for (labels, native) in natives {
            #expect(native.schema == 3)
            #expect(native.zeroThreshold == 0x1p-20)
            let key = [labels["route"] ?? "", labels["response_code_class"] ?? ""]
            let buckets = Dictionary(uniqueKeysWithValues: native.buckets.map { (Int($0.key) ?? .min, $0.value) })
            #expect(buckets == expected[key])
        }
    }

    @Test func `a histogram without observations is known as native by a span that means nothing`() throws {
        let registry = MetricsRegistry()
        let waits = ObservedHistograms(MetricCatalogue.mirrorQueueWait, layout: .usualDurations)
        waits.observe(of: ["staging"])
        registry.add(waits)
        let page = try IndependentPage(registry.snapshot(at: 0), .protobuf)
        let native = try #require(page.natives(MetricCatalogue.mirrorQueueWait)[["target": "staging"]])
        #expect(native.spans == [[0, 0]])
        #expect(native.buckets.isEmpty)
        #expect(
            try page.values()[.init(name: "wingmirror_mirror_queue_wait_seconds_count", labels: ["target": "staging"])]
                == 0
        )
    }

    @Test func `native histograms can be switched off`() throws {
        let state = try BusyState(createdSeries: false, nativeHistograms: false)
        state.pass(50)
        let page = try IndependentPage(state.registry.snapshot(at: state.now, for: .protobuf), .protobuf)
        #expect(page.natives(MetricCatalogue.httpRequestDuration).isEmpty)
        #expect(!page.exemplars.isEmpty)
    }

    @Test(arguments: ExpositionFormat.allCases)
    func `between two scrapes no series goes and no counter falls`(_ format: ExpositionFormat) throws {
        let state = try BusyState(createdSeries: true)
        var before: [IndependentPage.Key: Double] = [:]
        for _ in 0..<3 {
            state.pass(150)
            let page = try IndependentPage(state.registry.snapshot(at: state.now, for: format), format)
            let values = try page.values().filter { key, _ in
                ["_total", "_count", "_sum", "_bucket", "_created"].contains { key.name.hasSuffix($0) }
            }
            for (key, value) in before {
                let next = try #require(values[key], "\(key)")
                #expect(key.name.hasSuffix("_created") ? next == value : next >= value)
            }
            before = values
        }
        #expect(before.count > 800)
    }

    @Test(arguments: ExpositionFormat.allCases)
    func `label values of any octets come back clean`(_ format: ExpositionFormat) throws {
        var generator = SeededGenerator(seed: 77)
        let alphabet: [UInt8] = Array(#"a"\{},= #"#.utf8) + [0, 10, 13, 0x7F, 0xC3, 0xA9, 0xFF, 0xE2, 0x80, 0xA8, 0xF0]
        let hostile = (0..<60).map { number in
            let octets = (0..<Int.random(in: 0..<40, using: &generator)).map { _ in
                alphabet.randomElement(using: &generator) ?? 0
            }
            return "\(number)" + String(decoding: octets, as: UTF8.self)
        }
        let registry = MetricsRegistry()
        let labels = hostile.map { name in
            RouteLabels(
                gateway: name,
                virtualServiceNamespace: name,
                virtualService: name,
                route: name,
                destinationService: name,
                destinationSubset: name
            )
        }
        let sizes = ObservedHistograms(MetricCatalogue.mirrorBodySize, layout: .usualSizes)
        for name in hostile { sizes.observe(5000, of: [name, "sent"]) }
        registry.add(sizes)
        _ = registry.routesPublished(RouteTableDescription(generation: 1, series: labels, gateways: hostile), at: 0)
        let values = try IndependentPage(registry.snapshot(at: 0), format).values()
        let expected = Set(hostile.map { LabelValue.clean($0) })
        let requests = values.keys.filter { $0.name == "wingmirror_http_requests_total" }
        for name in MetricCatalogue.routeLabels {
            #expect(Set(requests.compactMap { $0.labels[name] }) == expected)
        }
        let counts = values.keys.filter { $0.name == "wingmirror_mirror_request_body_size_bytes_count" }
        #expect(Set(counts.compactMap { $0.labels["target"] }) == expected)
    }

    @Test func `the families of Istio agree in three formats`() throws {
        let state = try BusyState(createdSeries: true)
        state.pass(300)
        let snapshot = state.registry.snapshot(at: state.now).istio
        let values = try IndependentPage(snapshot, .text).values()
        #expect(try IndependentPage(snapshot, .protobuf).values() == values)
        let openMetrics = try IndependentPage(snapshot, .openMetrics).values()
        #expect(openMetrics.filter { !$0.key.name.hasSuffix("_created") } == values)
        let requests = values.filter { $0.key.name == "istio_requests_total" }
        #expect(requests.values.reduce(0, +) == Double(state.requestCount))
    }

    /// The bucket of a duration at schema 3, found with the bounds alone.
    private static func index(of seconds: Double) -> Int {
        // The first bound that is not below the value.
        (ExponentialBuckets.first...ExponentialBuckets.last).first {
            seconds <= ExponentialBuckets.upperBound(of: $0)
        } ?? .max
    }
}
