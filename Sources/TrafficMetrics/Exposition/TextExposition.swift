// Wingmirror · Apache-2.0
// Prometheus exposition format 0.0.4; OpenMetrics 1.0.

import OctetText
internal import TrafficModel

/// Writes a snapshot in one of the two text formats.
///
/// The formats differ in their metadata, in the names that metadata gives to counters and infos, and in the end. Samples are
/// the same to the octet, with bounds in the canonical form of OpenMetrics in both, so that `sum by (le)` never splits; only
/// OpenMetrics has exemplars behind them and, if asked for, a series that tells when the one before it began.
public struct TextExposition: Sendable {
    private let format: Format

    /// One of the two.
    public enum Format: Sendable, Hashable {
        /// The Prometheus text format 0.0.4.
        case text
        /// OpenMetrics 1.0.
        case openMetrics
    }

    /// Makes a writer of a format.
    public init(_ format: Format) {
        self.format = format
    }

    /// Replaces what is in `body` by the whole exposition, keeping the storage.
    public func write(_ snapshot: MetricsSnapshot, into body: inout [UInt8]) {
        body.removeAll(keepingCapacity: true)
        for family in snapshot.families {
            writeMetadata(of: family.family, into: &body)
            let showsCreated = format == .openMetrics && snapshot.showsCreatedSeries
            switch family.family.type {
            case .counter: writeSamples(of: family, showsCreated: showsCreated, into: &body)
            case .gauge, .info: writeSamples(of: family, showsCreated: false, into: &body)
            case .histogram: writeHistograms(of: family, showsCreated: showsCreated, into: &body)
            }
        }
        if format == .openMetrics {
            body.append(contentsOf: "# EOF\n".utf8)
        }
    }

    // MARK: - Metadata

    private func writeMetadata(of family: MetricFamily, into body: inout [UInt8]) {
        switch format {
        case .text:
            body.appendComment("HELP", family.name, help: family.help, escapesQuote: false)
            body.appendComment("TYPE", family.name, family.type.textName)
        case .openMetrics:
            body.appendComment("TYPE", family.baseName, family.type.openMetricsName)
            if family.unit != .none {
                body.appendComment("UNIT", family.baseName, family.unit.rawValue)
            }
            body.appendComment("HELP", family.baseName, help: family.help, escapesQuote: true)
        }
    }

    // MARK: - Samples

    private func writeSamples(of family: MetricsSnapshot.Family, showsCreated: Bool, into body: inout [UInt8]) {
        let name = Array(family.family.name.utf8)
        let createdName = Array("\(family.family.baseName)_created".utf8)
        for series in family.series {
            body.append(contentsOf: name)
            body.appendLabels(series.shared.text, series.own.text, [])
            body.append(UInt8(ascii: " "))
            switch series.value {
            case .count(let count): body.appendNumber(count)
            case .number(let number): body.appendNumber(number)
            case .histogram: preconditionFailure("TextExposition: \(family.family.name) is no histogram")
            }
            body.append(UInt8(ascii: "\n"))
            if showsCreated { writeCreated(createdName, of: series, into: &body) }
        }
    }

    /// Writes when a series began, for which Prometheus looks directly behind it.
    private func writeCreated(_ name: [UInt8], of series: MetricsSnapshot.Series, into body: inout [UInt8]) {
        guard let beganAt = series.beganAt else { return }
        body.append(contentsOf: name)
        body.appendLabels(series.shared.text, series.own.text, [])
        body.append(UInt8(ascii: " "))
        body.appendSeconds(nanoseconds: beganAt)
        body.append(UInt8(ascii: "\n"))
    }

    private func writeHistograms(of family: MetricsSnapshot.Family, showsCreated: Bool, into body: inout [UInt8]) {
        let bucketName = Array("\(family.family.name)_bucket".utf8)
        let sumName = Array("\(family.family.name)_sum".utf8)
        let countName = Array("\(family.family.name)_count".utf8)
        let createdName = Array("\(family.family.name)_created".utf8)
        for series in family.series {
            guard case .histogram(let histogram) = series.value else {
                preconditionFailure("TextExposition: \(family.family.name) is a histogram")
            }
            var below: UInt64 = 0
            var exemplars = format == .openMetrics ? histogram.exemplars[...] : []
            for (bucket, count) in histogram.classicCounts.enumerated() {
                // Part of the histogram's count, which fits.
                below &+= count
                body.append(contentsOf: bucketName)
                body.appendLabels(series.shared.text, series.own.text, histogram.layout.boundTexts[bucket])
                body.append(UInt8(ascii: " "))
                body.appendNumber(below)
                if let exemplar = exemplars.first, histogram.classicBucket(of: exemplar) == bucket {
                    exemplars.removeFirst()
                    body.appendExemplar(exemplar, of: histogram)
                }
                body.append(UInt8(ascii: "\n"))
            }
            body.append(contentsOf: sumName)
            body.appendLabels(series.shared.text, series.own.text, [])
            body.append(UInt8(ascii: " "))
            body.appendNumber(histogram.sum)
            body.append(UInt8(ascii: "\n"))
            body.append(contentsOf: countName)
            body.appendLabels(series.shared.text, series.own.text, [])
            body.append(UInt8(ascii: " "))
            body.appendNumber(below)
            body.append(UInt8(ascii: "\n"))
            if showsCreated { writeCreated(createdName, of: series, into: &body) }
        }
    }
}

extension MetricType {
    /// The type as text 0.0.4 names it, which has no infos.
    fileprivate var textName: String {
        switch self {
        case .counter: "counter"
        case .gauge, .info: "gauge"
        case .histogram: "histogram"
        }
    }

    /// The type as OpenMetrics names it.
    fileprivate var openMetricsName: String {
        switch self {
        case .counter: "counter"
        case .gauge: "gauge"
        case .histogram: "histogram"
        case .info: "info"
        }
    }
}

extension [UInt8] {
    fileprivate mutating func appendComment(_ keyword: String, _ name: String, _ value: String) {
        append(contentsOf: "# \(keyword) \(name) \(value)\n".utf8)
    }

    fileprivate mutating func appendComment(_ keyword: String, _ name: String, help: String, escapesQuote: Bool) {
        append(contentsOf: "# \(keyword) \(name) ".utf8)
        appendEscaped(help, escapesQuote: escapesQuote)
        append(UInt8(ascii: "\n"))
    }

    /// Appends an exemplar to the line of its bucket: its labels, value and time.
    fileprivate mutating func appendExemplar(_ exemplar: Exemplar, of histogram: HistogramSnapshot) {
        append(contentsOf: " # {".utf8)
        append(contentsOf: Exemplar.traceLabel.utf8)
        append(contentsOf: "=\"".utf8)
        append(hexadecimal: exemplar.trace.traceHigh)
        append(hexadecimal: exemplar.trace.traceLow)
        append(contentsOf: "\",".utf8)
        append(contentsOf: Exemplar.spanLabel.utf8)
        append(contentsOf: "=\"".utf8)
        append(hexadecimal: exemplar.trace.span)
        append(contentsOf: "\"} ".utf8)
        appendNumber(histogram.value(of: exemplar))
        append(UInt8(ascii: " "))
        appendSeconds(nanoseconds: exemplar.observedAt)
    }

    /// Appends the label set made of three texts, any of which may be empty.
    @inline(__always)
    fileprivate mutating func appendLabels(_ first: [UInt8], _ second: [UInt8], _ third: [UInt8]) {
        guard !(first.isEmpty && second.isEmpty && third.isEmpty) else { return }
        append(UInt8(ascii: "{"))
        append(contentsOf: first)
        if !first.isEmpty, !(second.isEmpty && third.isEmpty) { append(UInt8(ascii: ",")) }
        append(contentsOf: second)
        if !second.isEmpty, !third.isEmpty { append(UInt8(ascii: ",")) }
        append(contentsOf: third)
        append(UInt8(ascii: "}"))
    }
}
