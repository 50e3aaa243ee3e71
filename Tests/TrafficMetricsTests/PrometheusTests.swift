// Wingmirror · Apache-2.0

import Foundation
import TestSupport
import Testing
import TrafficModel

@testable import TrafficMetrics

/// Pages of ours in a real Prometheus.
@Suite(
    .enabled(if: RealPrometheus.isAvailable, "no Prometheus: apt-get install prometheus, and a python3"),
    .timeLimit(.minutes(20))
)
struct PrometheusTests {
    private static let duration = MetricCatalogue.httpRequestDuration.name
    private static let quantiles = [0.1, 0.5, 0.9, 0.99]
    /// The series that quantiles are asked of.
    private static let selector = #"route="plain",response_code_class="2xx""#

    @Test func `native and classic quantiles agree within a bucket, and exemplars come back`() async throws {
        // Exemplars that lie far in the past would be refused.
        let state = try BusyState(createdSeries: true, now: Int64(Date.now.timeIntervalSince1970 * 1e9))
        state.pass(800)
        let snapshot = state.registry.snapshot(at: state.now, for: .protobuf)
        let answers = try await Self.ask(of: snapshot)
        let values = try answers.queries.map { samples in
            try #require(samples.count == 1 ? samples.first.flatMap { Double($0.value) } : nil)
        }
        let count = Self.quantiles.count
        let durations = state.observed.filter { $0.route == "plain" && $0.codeClass == "2xx" }.map(\.seconds).sorted()
        for (number, quantile) in Self.quantiles.enumerated() {
            let truth = durations[Int((quantile * Double(durations.count)).rounded(.up)) - 1]
            let (native, classic) = (values[number], values[count + number])
            // A native bucket is 9 % wide.
            #expect(abs(native / truth - 1) < 0.0906, "quantile \(quantile) is \(truth)")
            #expect(Self.classicBucket(of: truth).contains(classic), "quantile \(quantile) is \(truth)")
        }
        #expect(values[(2 * count)...].prefix(2).allSatisfy { $0 == Double(durations.count) })
        #expect(values[(2 * count)...].suffix(2).allSatisfy { $0 == Double(state.requestCount) })
        let known = Self.traces(of: snapshot)
        for found in answers.exemplars {
            let traces = Set(found.compactMap { $0.labels["trace_id"] })
            #expect(traces.count > 10)
            #expect(traces.isSubset(of: known))
        }
        #expect(Set(answers.exemplars[1].compactMap { $0.labels["trace_id"] }) == known)
    }

    /// Has a snapshot scraped in three formats, and asks for quantiles, counts and exemplars.
    private static func ask(of snapshot: MetricsSnapshot) async throws -> RealPrometheus.Answers {
        let native = #"\#(duration){job="native",\#(selector)}"#
        return try await RealPrometheus.ask(
            [
                .init("native", snapshot, .protobuf, accept: ContentNegotiationTests.askedProtobuf),
                .init("classic", snapshot, .openMetrics, accept: "application/openmetrics-text;version=1.0.0"),
                .init("text", snapshot, .text, accept: "text/plain;version=0.0.4"),
                .init("istio", snapshot.istio, .protobuf, accept: ContentNegotiationTests.askedProtobuf),
            ],
            queries: quantiles.map { "histogram_quantile(\($0), \(native))" }
                + quantiles.map { #"histogram_quantile(\#($0), \#(duration)_bucket{job="classic",\#(selector)})"# }
                + [
                    "histogram_count(\(native))", #"\#(duration)_count{job="classic",\#(selector)}"#,
                    #"sum(wingmirror_http_requests_total{job="text"})"#, #"sum(istio_requests_total{job="istio"})"#,
                ],
            exemplars: [#"\#(duration){job="native"}"#, #"\#(duration)_bucket{job="classic"}"#]
        )
    }

    /// Where a quantile may lie that is found with the classic bounds; beyond the last it is that one.
    private static func classicBucket(of seconds: Double) -> ClosedRange<Double> {
        let bounds = [0] + MetricsConfiguration.defaultDurationBounds
        let lower = bounds.last { $0 < seconds } ?? 0
        return lower...(bounds.first { seconds <= $0 } ?? lower)
    }

    /// The traces that the durations of a snapshot lead to.
    private static func traces(of snapshot: MetricsSnapshot) -> Set<String> {
        let series = snapshot[MetricCatalogue.httpRequestDuration]?.series ?? []
        return Set(
            series.flatMap { series -> [String] in
                guard case .histogram(let histogram) = series.value else { return [] }
                return histogram.exemplars.map(\.trace.traceID)
            }
        )
    }
}

/// Pages of ours under Prometheus's linter.
@Suite(
    .enabled(if: ExternalProgram("promtool").exists, "no promtool: apt-get install prometheus"),
    .timeLimit(.minutes(20))
)
struct LinterTests {
    private func check(_ snapshot: MetricsSnapshot) throws -> (status: Int32, found: [Substring]) {
        var body: [UInt8] = []
        ExpositionWriter(.text).write(snapshot, into: &body)
        let result = try ExternalProgram("promtool").blockingRun(["check", "metrics"], input: body)
        return (result.status, (String(decoding: result.output, as: UTF8.self) + result.errors).split(separator: "\n"))
    }

    @Test func `promtool finds nothing to say about a page with every family`() throws {
        let result = try check(EveryFamily.snapshot())
        #expect(result.status == 0)
        #expect(result.found.isEmpty)
    }

    @Test func `promtool finds fault with the unit of Istio's durations, and with nothing else there`() throws {
        let state = try BusyState(createdSeries: false)
        state.pass(100)
        let result = try check(state.registry.snapshot(at: state.now).istio)
        #expect(result.status == 3)
        #expect(!result.found.isEmpty)
        #expect(result.found.allSatisfy { $0.hasPrefix("istio_request_duration_milliseconds ") })
    }
}
