// Wingmirror · Apache-2.0
// io.prometheus.client.MetricFamily of Prometheus's client model, delimited; Protocol Buffers encoding.

import Testing
import TrafficModel

@testable import TrafficMetrics

/// The octets of protobuf; what they mean is compared with the text formats in `FormatAgreementTests`.
@Suite struct ProtobufExpositionTests {
    private func encode(_ snapshot: MetricsSnapshot) -> [UInt8] {
        var body = Array("left over".utf8)
        ExpositionWriter(.protobuf).write(snapshot, into: &body)
        return body
    }

    /// A field of a message: its tag, length and content.
    private func field(_ number: UInt8, _ content: [UInt8]) -> [UInt8] {
        [number << 3 | 2, UInt8(content.count)] + content
    }

    private func text(_ number: UInt8, _ content: String) -> [UInt8] {
        let length = content.utf8.count
        let head: [UInt8] = length < 128 ? [UInt8(length)] : [UInt8(length & 0x7F | 0x80), UInt8(length >> 7)]
        return [number << 3 | 2] + head + Array(content.utf8)
    }

    private func double(_ number: UInt8, _ value: Double) -> [UInt8] {
        [number << 3 | 1] + (0..<8).map { UInt8(truncatingIfNeeded: value.bitPattern >> UInt64($0 * 8)) }
    }

    @Test(
        arguments: [
            (0, [0]), (1, [1]), (127, [127]), (128, [0x80, 1]), (300, [0xAC, 2]),
            (.max, [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1]),
        ] as [(UInt64, [UInt8])]
    )
    func `a varint has as few octets as it can`(_ value: UInt64, _ expected: [UInt8]) {
        var octets: [UInt8] = []
        octets.appendVarint(value)
        #expect(octets == expected)
    }

    @Test(arguments: [(0, 0), (-1, 1), (1, 2), (-2, 3), (.max, .max - 1), (.min, .max)] as [(Int64, UInt64)])
    func `a signed number alternates between the signs`(_ value: Int64, _ encoded: UInt64) {
        var octets: [UInt8] = []
        octets.appendField(1, zigzag: value)
        var expected: [UInt8] = [1 << 3]
        expected.appendVarint(encoded)
        #expect(octets == expected)
    }

    @Test func `a counter of zero is written as one`() {
        let labels = LabelBlock(names: ["interface"], values: [#"e"0"#])
        let family = MetricCatalogue.captureBytes
        let beganAt: Int64 = 5_000_000_300
        let page = encode(
            MetricsSnapshot(families: [
                .init(
                    family: family,
                    series: [.init(shared: .empty, own: labels, value: .count(0), beganAt: beganAt)]
                )
            ])
        )
        let label = field(1, text(1, "interface") + text(2, #"e"0"#))
        let start = field(3, [1 << 3, 5, 2 << 3, 0xAC, 2])
        let metric = label + field(3, double(1, 0) + start)
        let message = text(1, family.name) + text(2, family.help) + [3 << 3, 0] + field(4, metric) + text(5, "bytes")
        #expect(page == [UInt8(message.count)] + message)
    }

    @Test func `a classic histogram has its buckets, and a gauge its type`() {
        let layout = HistogramLayout.milliseconds(bounds: [10_000_000])
        var histogram = HistogramSnapshot(layout: layout)
        histogram.observe(10_000_000)
        histogram.observe(11_000_000)
        let page = encode(
            MetricsSnapshot(families: [
                .init(
                    family: MetricCatalogue.httpRequestBodySize,
                    series: [.init(shared: .empty, own: .empty, value: .histogram(histogram))]
                ),
                .init(
                    family: MetricCatalogue.pipelineLag,
                    series: [.init(shared: .empty, own: .empty, value: .number(-0.5))]
                ),
            ])
        )
        let buckets =
            field(3, [1 << 3, 1] + double(2, 10)) + field(3, [1 << 3, 2] + double(2, .infinity))
        let value = [1 << 3, 2] + double(2, 21) + buckets
        let size = MetricCatalogue.httpRequestBodySize
        let first =
            text(1, size.name) + text(2, size.help) + [3 << 3, 4] + field(4, field(7, value)) + text(5, "bytes")
        let lag = MetricCatalogue.pipelineLag
        let second =
            text(1, lag.name) + text(2, lag.help) + [3 << 3, 1] + field(4, field(2, double(1, -0.5)))
            + text(5, "seconds")
        var expected: [UInt8] = []
        for message in [first, second] {
            expected.appendVarint(UInt64(message.count))
            expected += message
        }
        #expect(page == expected)
    }

    @Test func `an exemplar has ids of fixed length, a value and a time`() throws {
        let layout = HistogramLayout.milliseconds(bounds: [1_000_000])
        var histogram = HistogramSnapshot(layout: layout)
        histogram.observe(500_000)
        histogram.add(
            Exemplar(
                trace: try #require(TraceContext(traceHigh: 0, traceLow: 0xAB, span: 1, isSampled: true)),
                observedAt: -1,
                storedValue: 500_000
            )
        )
        let page = encode(
            MetricsSnapshot(families: [
                .init(
                    family: IstioCatalogue.requestDuration,
                    series: [.init(shared: .empty, own: .empty, value: .histogram(histogram))]
                )
            ])
        )
        // A nanosecond before the epoch: second -1 and 999,999,999 nanoseconds.
        let second: [UInt8] = [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1]
        let nanoseconds: [UInt8] = [0xFF, 0x93, 0xEB, 0xDC, 3]
        let exemplar =
            field(1, text(1, "trace_id") + text(2, "000000000000000000000000000000ab"))
            + field(1, text(1, "span_id") + text(2, "0000000000000001"))
            + double(2, 0.5) + field(3, [1 << 3] + second + [2 << 3] + nanoseconds)
        let bucket = [1 << 3, 1] + double(2, 1) + field(3, exemplar)
        #expect(page.contains(field(3, bucket)))
        // Without native buckets there is no list of exemplars: field 16 has a tag of two octets.
        #expect(!page.contains([0x82, 0x01] + exemplar))
    }

    @Test func `an empty snapshot is an empty page`() {
        #expect(encode(MetricsSnapshot(families: [])).isEmpty)
    }
}
