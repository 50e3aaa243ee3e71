// Wingmirror · Apache-2.0
// Prometheus exposition format 0.0.4; OpenMetrics 1.0.

import Testing

@testable import TrafficMetrics

@Suite struct TextExpositionTests {
    /// One counter, one info, two gauges and one histogram, with what needs escaping.
    static let snapshot: MetricsSnapshot = {
        let layout = HistogramLayout.durations(bounds: [5_000_000, 1_000_000_000])
        var histogram = HistogramSnapshot(layout: layout)
        histogram.cells = [4_000_000, 5_000_000, 7_000_000_000].map { .init(index: layout.cell(of: $0), count: 1) }
        histogram.storedSum = 7_009_000_000
        let route = LabelBlock(names: ["route", "destination_subset"], values: [#"a"b\c"#, ""])
        let codeClass = LabelBlock(names: ["response_code_class"], values: ["2xx"])
        return MetricsSnapshot(families: [
            .init(
                family: MetricCatalogue.httpRequestDuration,
                series: [.init(shared: route, own: codeClass, value: .histogram(histogram))]
            ),
            .init(
                family: MetricCatalogue.websocketUpgrades,
                series: [.init(shared: route, own: .empty, value: .count(12))]
            ),
            .init(
                family: MetricCatalogue.configInfo,
                series: [
                    .init(shared: .empty, own: LabelBlock(names: ["sha256"], values: ["ab12"]), value: .count(1))
                ]
            ),
            .init(
                family: MetricCatalogue.memoryLimit,
                series: [.init(shared: .empty, own: .empty, value: .number(67_108_864))]
            ),
            .init(
                family: MetricCatalogue.processCPU,
                series: [.init(shared: .empty, own: .empty, value: .number(0.25))]
            ),
        ])
    }()

    @Test func `text 0.0.4 is written to the octet`() {
        #expect(
            Self.page(.text) == #"""
                # HELP wingmirror_http_request_duration_seconds Time from the first byte of a request to the last byte of its response, or until one side gave it up.
                # TYPE wingmirror_http_request_duration_seconds histogram
                wingmirror_http_request_duration_seconds_bucket{route="a\"b\\c",destination_subset="",response_code_class="2xx",le="0.005"} 2
                wingmirror_http_request_duration_seconds_bucket{route="a\"b\\c",destination_subset="",response_code_class="2xx",le="1.0"} 2
                wingmirror_http_request_duration_seconds_bucket{route="a\"b\\c",destination_subset="",response_code_class="2xx",le="+Inf"} 3
                wingmirror_http_request_duration_seconds_sum{route="a\"b\\c",destination_subset="",response_code_class="2xx"} 7.009
                wingmirror_http_request_duration_seconds_count{route="a\"b\\c",destination_subset="",response_code_class="2xx"} 3
                # HELP wingmirror_websocket_upgrades_total WebSockets that were accepted, on connections of their own or on streams of HTTP/2.
                # TYPE wingmirror_websocket_upgrades_total counter
                wingmirror_websocket_upgrades_total{route="a\"b\\c",destination_subset=""} 12
                # HELP wingmirror_config_info Hash of the configuration in force.
                # TYPE wingmirror_config_info gauge
                wingmirror_config_info{sha256="ab12"} 1
                # HELP wingmirror_memory_limit_bytes Memory limit that the agent steers by.
                # TYPE wingmirror_memory_limit_bytes gauge
                wingmirror_memory_limit_bytes 6.7108864e+07
                # HELP process_cpu_seconds_total Total user and system CPU time spent in seconds.
                # TYPE process_cpu_seconds_total counter
                process_cpu_seconds_total 0.25

                """#
        )
    }

    @Test func `OpenMetrics is written to the octet`() {
        #expect(
            Self.page(.openMetrics) == #"""
                # TYPE wingmirror_http_request_duration_seconds histogram
                # UNIT wingmirror_http_request_duration_seconds seconds
                # HELP wingmirror_http_request_duration_seconds Time from the first byte of a request to the last byte of its response, or until one side gave it up.
                wingmirror_http_request_duration_seconds_bucket{route="a\"b\\c",destination_subset="",response_code_class="2xx",le="0.005"} 2
                wingmirror_http_request_duration_seconds_bucket{route="a\"b\\c",destination_subset="",response_code_class="2xx",le="1.0"} 2
                wingmirror_http_request_duration_seconds_bucket{route="a\"b\\c",destination_subset="",response_code_class="2xx",le="+Inf"} 3
                wingmirror_http_request_duration_seconds_sum{route="a\"b\\c",destination_subset="",response_code_class="2xx"} 7.009
                wingmirror_http_request_duration_seconds_count{route="a\"b\\c",destination_subset="",response_code_class="2xx"} 3
                # TYPE wingmirror_websocket_upgrades counter
                # HELP wingmirror_websocket_upgrades WebSockets that were accepted, on connections of their own or on streams of HTTP/2.
                wingmirror_websocket_upgrades_total{route="a\"b\\c",destination_subset=""} 12
                # TYPE wingmirror_config info
                # HELP wingmirror_config Hash of the configuration in force.
                wingmirror_config_info{sha256="ab12"} 1
                # TYPE wingmirror_memory_limit_bytes gauge
                # UNIT wingmirror_memory_limit_bytes bytes
                # HELP wingmirror_memory_limit_bytes Memory limit that the agent steers by.
                wingmirror_memory_limit_bytes 6.7108864e+07
                # TYPE process_cpu_seconds counter
                # UNIT process_cpu_seconds seconds
                # HELP process_cpu_seconds Total user and system CPU time spent in seconds.
                process_cpu_seconds_total 0.25
                # EOF

                """#
        )
    }

    @Test func `both formats have the same samples`() throws {
        let text = try ExpositionReader(Array(Self.page(.text).utf8), .text)
        let openMetrics = try ExpositionReader(Array(Self.page(.openMetrics).utf8), .openMetrics)
        #expect(Set(text.samples.values.flatMap(\.keys)) == Set(openMetrics.samples.values.flatMap(\.keys)))
        #expect(text.types["wingmirror_websocket_upgrades_total"] == "counter")
        #expect(openMetrics.types["wingmirror_websocket_upgrades"] == "counter")
    }

    @Test func `an empty snapshot is an empty page, or its end alone`() {
        var body = Array("left over".utf8)
        ExpositionWriter(.text).write(MetricsSnapshot(families: []), into: &body)
        #expect(body.isEmpty)
        ExpositionWriter(.openMetrics).write(MetricsSnapshot(families: []), into: &body)
        #expect(String(decoding: body, as: UTF8.self) == "# EOF\n")
    }

    @Test func `the body's storage is kept from one scrape to the next`() {
        var body: [UInt8] = []
        ExpositionWriter(.text).write(Self.snapshot, into: &body)
        let capacity = body.capacity
        ExpositionWriter(.text).write(Self.snapshot, into: &body)
        #expect(body.capacity == capacity)
    }

    private static func page(_ format: ExpositionFormat) -> String {
        var body: [UInt8] = []
        ExpositionWriter(format).write(snapshot, into: &body)
        return String(decoding: body, as: UTF8.self)
    }
}
