// Wingmirror · Apache-2.0
// io.prometheus.client.MetricFamily of Prometheus's client model, delimited.

import OctetText
internal import TrafficModel

/// Writes a snapshot as protocol buffers: each family a message, preceded by its length.
///
/// The one format that carries native histograms. The schema is proto2, whose readers tell a field that is zero from one
/// that is missing, so zeros are written. A message's length stands before it and is known after it, so each level is
/// written to a buffer of its own and copied into the one above; the buffers are kept from one message to the next.
struct ProtobufExposition: Sendable {
    /// Numbers of the enumeration `MetricType`.
    private enum TypeNumber {
        static let counter: UInt64 = 0
        static let gauge: UInt64 = 1
        static let histogram: UInt64 = 4
    }

    /// The buffers of the levels below the body.
    private struct Buffers {
        var family: [UInt8] = []
        var metric: [UInt8] = []
        var value: [UInt8] = []
        var part: [UInt8] = []
        var exemplar: [UInt8] = []
    }

    /// Replaces what is in `body` by the whole exposition, keeping the storage.
    func write(_ snapshot: MetricsSnapshot, into body: inout [UInt8]) {
        body.removeAll(keepingCapacity: true)
        var buffers = Buffers()
        for family in snapshot.families {
            buffers.family.removeAll(keepingCapacity: true)
            writeMetadata(of: family.family, into: &buffers.family)
            for series in family.series {
                writeMetric(series, of: family.family, showsNative: snapshot.showsNativeHistograms, &buffers)
                buffers.family.appendField(4, octets: buffers.metric)
            }
            if family.family.unit != .none {
                buffers.family.appendField(5, octets: family.family.unit.rawValue.utf8)
            }
            body.appendVarint(UInt64(buffers.family.count))
            body.append(contentsOf: buffers.family)
        }
    }

    /// The name of a counter includes `_total` here, as in text 0.0.4.
    private func writeMetadata(of family: MetricFamily, into message: inout [UInt8]) {
        message.appendField(1, octets: family.name.utf8)
        message.appendField(2, octets: family.help.utf8)
        let type =
            switch family.type {
            case .counter: TypeNumber.counter
            case .gauge, .info: TypeNumber.gauge
            case .histogram: TypeNumber.histogram
            }
        message.appendField(3, varint: type)
    }

    // MARK: - Metrics

    private func writeMetric(
        _ series: MetricsSnapshot.Series,
        of family: MetricFamily,
        showsNative: Bool,
        _ buffers: inout Buffers
    ) {
        buffers.metric.removeAll(keepingCapacity: true)
        buffers.metric.append(contentsOf: series.shared.pairs)
        buffers.metric.append(contentsOf: series.own.pairs)
        buffers.value.removeAll(keepingCapacity: true)
        switch series.value {
        case .count(let count):
            writeNumber(Double(count), family.type, beganAt: series.beganAt, &buffers)
        case .number(let number):
            writeNumber(number, family.type, beganAt: series.beganAt, &buffers)
        case .histogram(let histogram):
            writeHistogram(histogram, showsNative: showsNative, &buffers)
            if let beganAt = series.beganAt { buffers.value.appendTimestamp(15, beganAt) }
            if showsNative { writeExemplars(of: histogram, &buffers) }
            buffers.metric.appendField(7, octets: buffers.value)
        }
    }

    private func writeNumber(_ number: Double, _ type: MetricType, beganAt: Int64?, _ buffers: inout Buffers) {
        buffers.value.appendField(1, double: number)
        if type == .counter {
            if let beganAt { buffers.value.appendTimestamp(3, beganAt) }
            buffers.metric.appendField(3, octets: buffers.value)
        } else {
            buffers.metric.appendField(2, octets: buffers.value)
        }
    }

    // MARK: - Histograms

    /// Writes the classic buckets and, where there are some, the native ones, which share count and sum with them.
    private func writeHistogram(_ histogram: HistogramSnapshot, showsNative: Bool, _ buffers: inout Buffers) {
        buffers.value.appendField(1, varint: histogram.count)
        buffers.value.appendField(2, double: histogram.sum)
        let layout = histogram.layout
        var exemplars = histogram.exemplars[...]
        var below: UInt64 = 0
        for (bucket, count) in histogram.classicCounts.enumerated() {
            // Part of the histogram's count, which fits.
            below &+= count
            buffers.part.removeAll(keepingCapacity: true)
            buffers.part.appendField(1, varint: below)
            buffers.part.appendField(2, double: layout.upperBound(ofClassicBucket: bucket))
            if let exemplar = exemplars.first, histogram.classicBucket(of: exemplar) == bucket {
                exemplars.removeFirst()
                write(exemplar, of: histogram, into: &buffers.exemplar)
                buffers.part.appendField(3, octets: buffers.exemplar)
            }
            buffers.value.appendField(3, octets: buffers.part)
        }
        if showsNative, !layout.nativeBuckets.isEmpty {
            writeNative(NativeHistogram(histogram), &buffers)
        }
    }

    private func writeNative(_ native: NativeHistogram, _ buffers: inout Buffers) {
        buffers.value.appendField(5, zigzag: Int64(native.schema))
        buffers.value.appendField(6, double: native.zeroThreshold)
        buffers.value.appendField(7, varint: native.zeroCount)
        native.visitSpans { writeSpan(offset: $0, length: $1, &buffers) }
        if native.buckets.isEmpty {
            // Without any bucket a span that means nothing tells it from a classic histogram.
            writeSpan(offset: 0, length: 0, &buffers)
        }
        native.visitDeltas { buffers.value.appendField(13, zigzag: $0) }
    }

    private func writeSpan(offset: Int, length: Int, _ buffers: inout Buffers) {
        buffers.part.removeAll(keepingCapacity: true)
        buffers.part.appendField(1, zigzag: Int64(offset))
        buffers.part.appendField(2, varint: UInt64(length))
        buffers.value.appendField(12, octets: buffers.part)
    }

    /// Writes the exemplars of the native buckets: the same, in the order of time that readers want them in.
    private func writeExemplars(of histogram: HistogramSnapshot, _ buffers: inout Buffers) {
        guard !histogram.layout.nativeBuckets.isEmpty, !histogram.exemplars.isEmpty else { return }
        for exemplar in histogram.exemplars.sorted(by: { $0.observedAt < $1.observedAt }) {
            write(exemplar, of: histogram, into: &buffers.exemplar)
            buffers.value.appendField(16, octets: buffers.exemplar)
        }
    }

    private func write(_ exemplar: Exemplar, of histogram: HistogramSnapshot, into message: inout [UInt8]) {
        message.removeAll(keepingCapacity: true)
        message.append(contentsOf: Self.traceLabel)
        message.append(hexadecimal: exemplar.trace.traceHigh)
        message.append(hexadecimal: exemplar.trace.traceLow)
        message.append(contentsOf: Self.spanLabel)
        message.append(hexadecimal: exemplar.trace.span)
        message.appendField(2, double: histogram.value(of: exemplar))
        message.appendTimestamp(3, exemplar.observedAt)
    }

    /// The fields `label` of an exemplar up to their values, whose lengths never change.
    private static let traceLabel = label(Exemplar.traceLabel, valueCount: 32)
    private static let spanLabel = label(Exemplar.spanLabel, valueCount: 16)

    private static func label(_ name: String, valueCount: Int) -> [UInt8] {
        var label: [UInt8] = []
        label.appendLabelPair(1, name, String(repeating: "0", count: valueCount))
        return label.dropLast(valueCount)
    }
}

extension [UInt8] {
    /// Appends a field of type `LabelPair`.
    mutating func appendLabelPair(_ number: UInt8, _ name: String, _ value: String) {
        var pair: [UInt8] = []
        pair.appendField(1, octets: name.utf8)
        pair.appendField(2, octets: value.utf8)
        appendField(number, octets: pair)
    }

    /// Appends a field of type `google.protobuf.Timestamp` for nanoseconds since the Unix epoch.
    fileprivate mutating func appendTimestamp(_ number: UInt8, _ nanoseconds: Int64) {
        let (seconds, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        // The nanoseconds count forward, also before the epoch.
        let isBefore = rest < 0
        let start = count
        // The length is known once the fields are written, and below 128, so that it takes one octet.
        appendField(number, octets: EmptyCollection())
        let first = count
        appendField(1, varint: UInt64(bitPattern: isBefore ? seconds - 1 : seconds))
        appendField(2, varint: UInt64(isBefore ? rest + 1_000_000_000 : rest))
        precondition(first == start + 2 && count - first < 128, "appendTimestamp: a short message")
        self[first - 1] = UInt8(count - first)
    }
}
