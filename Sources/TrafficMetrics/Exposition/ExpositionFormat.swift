// Wingmirror · Apache-2.0
// Prometheus content negotiation; exposition format 0.0.4; OpenMetrics 1.0; io.prometheus.client.MetricFamily.

/// A format that a snapshot can be written in.
public enum ExpositionFormat: Sendable, Hashable, CaseIterable {
    /// The Prometheus text format 0.0.4, which everything reads.
    case text
    /// OpenMetrics 1.0.
    case openMetrics
    /// Delimited protocol buffers, which alone have native histograms.
    case protobuf

    /// The label `format` of `scrapes_total`.
    public var labelText: String {
        switch self {
        case .text: "text"
        case .openMetrics: "openmetrics"
        case .protobuf: "protobuf"
        }
    }
}

/// How a client asks for names to be escaped that not everyone can read; ours need none, so it is only said back.
public enum NameEscaping: String, Sendable, Hashable, CaseIterable {
    case allowUTF8 = "allow-utf-8"
    case underscores
    case dots
    case values
}

/// What a scrape is answered with, as its Accept field asks.
public struct NegotiatedExposition: Sendable, Hashable {
    /// The format of the body.
    public let format: ExpositionFormat
    /// The escaping that is said back.
    public let escaping: NameEscaping
    /// The version that OpenMetrics is labelled with, for clients that asked for the older one.
    private let openMetricsVersion: String

    /// Text 0.0.4, for those who ask for nothing in particular.
    public static let text = NegotiatedExposition(
        format: .text,
        escaping: .underscores,
        openMetricsVersion: "1.0.0"
    )

    /// The value of the Content-Type field, without which Prometheus 3 refuses a scrape.
    public var contentType: String {
        switch format {
        case .text:
            "text/plain; version=0.0.4; charset=utf-8; escaping=\(escaping.rawValue)"
        case .openMetrics:
            "application/openmetrics-text; version=\(openMetricsVersion); charset=utf-8; escaping=\(escaping.rawValue)"
        case .protobuf:
            "\(Self.protobufType); proto=\(Self.protobufMessage); encoding=delimited; escaping=\(escaping.rawValue)"
        }
    }

    private init(format: ExpositionFormat, escaping: NameEscaping, openMetricsVersion: String) {
        self.format = format
        self.escaping = escaping
        self.openMetricsVersion = openMetricsVersion
    }

    private static let protobufType = "application/vnd.google.protobuf"
    private static let protobufMessage = "io.prometheus.client.MetricFamily"

    /// The best that the Accept field allows: the highest quality, and where that is equal protobuf before OpenMetrics
    /// before text.
    ///
    /// What is malformed is passed over, and when nothing is left the answer is text: a scraper that cannot ask
    /// properly still gets its metrics.
    /// - Parameter accept: The field's value, all lines joined by commas; `nil` without the field.
    public init(accept: String?) {
        let ranges = AcceptedMediaRange.ranges(of: accept ?? "")
        var best: (exposition: NegotiatedExposition, quality: Int)?
        for range in ranges where range.quality > 0 {
            guard let exposition = NegotiatedExposition(range) else { continue }
            if let present = best, (present.quality, present.exposition.rank) >= (range.quality, exposition.rank) {
                continue
            }
            best = (exposition, range.quality)
        }
        self = best?.exposition ?? .text
    }

    /// What answers one media range; `nil` if nothing of ours does.
    private init?(_ range: AcceptedMediaRange) {
        let escaping = range.parameters["escaping"].flatMap(NameEscaping.init(rawValue:)) ?? .underscores
        let version = range.parameters["version"]
        if range.mediaType == Self.protobufType {
            guard range.parameters["proto"] == Self.protobufMessage,
                range.parameters["encoding"]?.lowercased() == "delimited"
            else { return nil }
            self.init(format: .protobuf, escaping: escaping, openMetricsVersion: "1.0.0")
            return
        }
        switch (range.mediaType, version) {
        case ("application/openmetrics-text", nil), ("application/openmetrics-text", "0.0.1"):
            self.init(format: .openMetrics, escaping: escaping, openMetricsVersion: "0.0.1")
        case ("application/openmetrics-text", "1.0.0"):
            self.init(format: .openMetrics, escaping: escaping, openMetricsVersion: "1.0.0")
        case ("text/plain", nil), ("text/plain", "0.0.4"), ("text/plain", "1.0.0"), ("text/*", _), ("*/*", _):
            self.init(format: .text, escaping: escaping, openMetricsVersion: "1.0.0")
        default:
            return nil
        }
    }

    /// Higher is preferred where the client has no preference.
    private var rank: Int {
        switch format {
        case .text: 0
        case .openMetrics: openMetricsVersion == "1.0.0" ? 2 : 1
        case .protobuf: 3
        }
    }
}
