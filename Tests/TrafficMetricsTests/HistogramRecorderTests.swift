// Wingmirror · Apache-2.0

import Testing

@testable import TrafficMetrics

@Suite struct HistogramRecorderTests {
    private static let wait = MetricCatalogue.mirrorQueueWait
    private static let size = MetricCatalogue.mirrorBodySize

    private func page(_ recorders: HistogramRecorder...) throws -> ExpositionReader {
        let registry = MetricsRegistry()
        for recorder in recorders { registry.add(recorder) }
        var body: [UInt8] = []
        ExpositionWriter(.text).write(registry.snapshot(at: 0), into: &body)
        return try ExpositionReader(body, .text)
    }

    @Test func `durations fall into the usual bounds`() throws {
        let recorder = HistogramRecorder(Self.wait, layout: .usualDurations)
        for duration in [.milliseconds(5), .seconds(1), .seconds(-3), .nanoseconds(5_000_001)] as [Duration] {
            recorder.observe(duration, ["staging"])
        }
        let page = try page(recorder)
        #expect(page.sum("wingmirror_mirror_queue_wait_seconds_bucket", where: ["le": "0.005"]) == 2)
        #expect(page.sum("wingmirror_mirror_queue_wait_seconds_bucket", where: ["le": "0.01"]) == 3)
        #expect(page.sum("wingmirror_mirror_queue_wait_seconds_sum") == 1.010000001)
    }

    @Test func `the longest duration there is has a bucket`() throws {
        let recorder = HistogramRecorder(Self.wait, layout: .usualDurations)
        recorder.observe(.seconds(Int64.max), [""])
        #expect(try page(recorder).sum("wingmirror_mirror_queue_wait_seconds_count") == 1)
    }

    @Test func `sizes fall into their bounds`() throws {
        let recorder = HistogramRecorder(Self.size, layout: .usualSizes)
        for octets in [-1, 0, 1024, 1025, Int.max] { recorder.observe(octets: octets, ["staging", "sent"]) }
        let page = try page(recorder)
        #expect(page.sum("wingmirror_mirror_request_body_size_bytes_bucket", where: ["le": "1024.0"]) == 3)
        #expect(page.sum("wingmirror_mirror_request_body_size_bytes_count") == 5)
    }

    @Test func `a series can exist before its first observation`() throws {
        let recorder = HistogramRecorder(Self.wait, layout: .usualDurations)
        recorder.begin(["staging"])
        recorder.begin(["staging"])
        let page = try page(recorder)
        #expect(page.samples[Self.wait.name]?.count == 15)
        #expect(page.sum(Self.wait.name + "_count") == 0)
    }

    @Test func `two recorders of a family add up`() throws {
        let recorders = (0..<2).map { _ in HistogramRecorder(Self.wait, layout: .usualDurations) }
        recorders[0].observe(.milliseconds(3), ["a"])
        recorders[1].observe(.milliseconds(4), ["a"])
        recorders[1].observe(.milliseconds(4), ["b"])
        let page = try page(recorders[0], recorders[1])
        #expect(page.sum(Self.wait.name + "_count", where: ["target": "a"]) == 2)
        #expect(page.sum(Self.wait.name + "_count", where: ["target": "b"]) == 1)
    }

    @Test func `beyond the limit only the labels are lost`() throws {
        let recorder = HistogramRecorder(Self.size, layout: .usualSizes, seriesLimit: 2)
        for target in ["a", "b", "c", "d", "a"] { recorder.observe(octets: 1, [target, "sent"]) }
        let page = try page(recorder)
        let counts = page.samples[Self.size.name]?.filter { $0.key.name.hasSuffix("_count") } ?? [:]
        #expect(counts.count == 3)
        #expect(page.sum(Self.size.name + "_count", where: ["target": "a"]) == 2)
        #expect(page.sum(Self.size.name + "_count", where: ["target": "__overflow__", "fate": "__overflow__"]) == 2)
    }

    @Test func `series that are no longer wanted go at once`() throws {
        let recorder = HistogramRecorder(Self.wait, layout: .usualDurations)
        for target in ["a", "b"] { recorder.observe(.seconds(1), [target]) }
        recorder.removeSeries { $0 == ["a"] }
        let page = try page(recorder)
        #expect(page.samples[Self.wait.name]?.keys.allSatisfy { $0.labels["target"] == "b" } == true)
    }

    @Test func `observations from many tasks are all counted`() async throws {
        let recorder = HistogramRecorder(Self.wait, layout: .usualDurations)
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<4 {
                group.addTask {
                    for number in 0..<2000 {
                        recorder.observe(.microseconds(number), ["\(task % 2)"])
                    }
                }
            }
        }
        let page = try page(recorder)
        #expect(page.sum(Self.wait.name + "_count") == 8000)
        #expect(abs(page.sum(Self.wait.name + "_sum") - 4 * 1.999) < 1e-9)
    }
}
