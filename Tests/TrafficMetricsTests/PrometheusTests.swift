// Wingmirror · Apache-2.0

import Foundation
import HTTPMessages
import Testing

@testable import TrafficMetrics

/// Pages of ours in a real Prometheus, and under its linter.
@Suite struct PrometheusTests {
    private static let duration = MetricCatalogue.httpRequestDuration.name

    @Test(.enabled(if: RealPrometheus.isAvailable, "no Prometheus: apt-get install prometheus, and a python3"))
    func `native and classic quantiles agree within a bucket, and exemplars come back`() throws {
        // Exemplars that lie far in the past would be refused.
        let state = try BusyState(createdSeries: true, now: Int64(Date.now.timeIntervalSince1970 * 1e9))
        state.pass(800)
        let snapshot = state.registry.snapshot(at: state.now, for: .protobuf)
        let quantiles = [0.1, 0.5, 0.9, 0.99]
        let selector = #"route="plain",response_code_class="2xx""#
        let answers = try RealPrometheus.ask(
            [
                .init("native", snapshot, .protobuf, accept: ContentNegotiationTests.askedProtobuf),
                .init("classic", snapshot, .openMetrics, accept: "application/openmetrics-text;version=1.0.0"),
                .init("text", snapshot, .text, accept: "text/plain;version=0.0.4"),
                .init("istio", snapshot.istio, .protobuf, accept: ContentNegotiationTests.askedProtobuf),
            ],
            queries: quantiles.flatMap { quantile in
                [
                    #"histogram_quantile(\#(quantile), \#(Self.duration){job="native",\#(selector)})"#,
                    #"histogram_quantile(\#(quantile), \#(Self.duration)_bucket{job="classic",\#(selector)})"#,
                ]
            } + [
                #"sum(histogram_count(\#(Self.duration){job="native"}))"#,
                #"sum(\#(Self.duration)_count{job="classic"})"#,
                #"sum(wingmirror_http_requests_total{job="text"})"#,
                #"sum(istio_requests_total{reporter="passive"})"#,
            ],
            exemplars: [
                #"\#(Self.duration){job="native"}"#, #"\#(Self.duration)_bucket{job="classic"}"#,
            ]
        )
        let values = try answers.queries.map { samples in
            try #require(samples.count == 1 ? samples.first.flatMap { Double($0.value) } : nil)
        }
        for (number, quantile) in quantiles.enumerated() {
            let observed = state.observed.filter { $0.route == "plain" && $0.codeClass == "2xx" }.map(\.seconds)
                .sorted()
            let truth = observed[Int((quantile * Double(observed.count)).rounded(.up)) - 1]
            let (native, classic) = (values[number * 2], values[number * 2 + 1])
            #expect(abs(native / truth - 1) < 0.0906, "quantile \(quantile) is \(truth)")
            // The last bucket has no upper bound; there Prometheus gives the one before it.
            let bounds = [0] + MetricsConfiguration.defaultDurationBounds
            let bucket = (lower: bounds.last { $0 < truth } ?? 0, upper: bounds.first { truth <= $0 } ?? 30)
            #expect(classic >= min(bucket.lower, bucket.upper) && classic <= bucket.upper)
            #expect(native >= bucket.lower / 1.0906 && (bucket.upper == 30 || native <= bucket.upper * 1.0906))
        }
        let counts = values.suffix(4)
        #expect(counts.prefix(2).allSatisfy { $0 == Double(state.observed.count) })
        #expect(counts.suffix(2).allSatisfy { $0 == Double(state.requestCount) })
        let known = Set(
            snapshot[MetricCatalogue.httpRequestDuration]?.series.flatMap { series -> [String] in
                guard case .histogram(let histogram) = series.value else { return [] }
                return histogram.exemplars.map(\.trace.traceID)
            } ?? []
        )
        for found in answers.exemplars {
            let traces = Set(found.compactMap { $0.labels["trace_id"] })
            #expect(traces.count > 10)
            #expect(traces.isSubset(of: known))
        }
        #expect(Set(answers.exemplars[1].compactMap { $0.labels["trace_id"] }) == known)
    }

    @Test(
        .enabled(
            if: HelperProgram(tool: ["promtool"]).isAvailable(["--version"]),
            "no promtool: apt-get install prometheus"
        )
    )
    func `promtool finds nothing to say about a page with every family`() throws {
        let registry = MetricsRegistry()
        registry.add(EveryFamily())
        let snapshot = registry.snapshot(at: 0)
        #expect(snapshot.families.count == MetricCatalogue.all.count)
        var body: [UInt8] = []
        ExpositionWriter(.text).write(snapshot, into: &body)
        let result = try HelperProgram(tool: ["promtool", "check", "metrics"]).run(input: body)
        #expect(result.status == 0)
        #expect(result.error.isEmpty)
        #expect(result.output.isEmpty)
    }

    /// Supplies a series of each family of the catalogue.
    private struct EveryFamily: MetricCollector {
        func collect(into samples: inout SampleCollection) {
            for family in MetricCatalogue.all {
                let values = family.labelNames.map { "some \($0)" }
                switch family.type {
                case .counter: samples.count(family, values, 3)
                case .gauge: samples.set(family, values, 0.5)
                case .info: samples.info(family, values)
                case .histogram:
                    let layout: HistogramLayout = family.unit == .bytes ? .usualSizes : .usualDurations
                    samples.histogram(family, values, HistogramSnapshot(layout: layout))
                }
            }
        }
    }
}
