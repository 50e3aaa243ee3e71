// Wingmirror · Apache-2.0

/// What a user may choose of the metrics.
public struct MetricsConfiguration: Sendable, Hashable {
    /// Upper bounds of the duration histograms in nanoseconds, ascending, without `+Inf`.
    public let durationBounds: [UInt64]
    /// Upper bounds of the server wait histograms in nanoseconds: 1 ms to 10 s in steps of four to five.
    public let serverWaitBounds: [UInt64] = [1, 5, 25, 100, 500, 2500, 10_000].map { $0 * 1_000_000 }
    /// Upper bounds of how long streams last, in nanoseconds: a second to four hours.
    public let lifetimeBounds: [UInt64] = [1, 10, 60, 300, 1800, 14_400].map { $0 * 1_000_000_000 }
    /// Upper bounds of the body sizes: 1 KiB, 16 KiB, 256 KiB, 4 MiB.
    public let bodySizeBounds: [UInt64] = [1 << 10, 1 << 14, 1 << 18, 1 << 22]
    /// How many label sets a family with route labels may have.
    public let seriesLimit: Int
    /// Whether durations keep exemplars, which lead to the traces of sampled requests.
    public let exemplars: Bool
    /// Whether protobuf shows durations in native buckets beside the classic ones.
    public let nativeHistograms: Bool
    /// Whether OpenMetrics tells when each counter and histogram began, which doubles the number of counters' series.
    public let createdSeries: Bool
    /// Final statuses of gRPC that count as errors of a route.
    public let grpcErrorStatuses: GRPCStatusSet

    /// The usual bounds of durations in seconds: those of OpenTelemetry without the steps of 75, 1 and 2.5 ms for
    /// fast answers, and 30 for slow ones.
    public static let defaultDurationBounds = [
        0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
    ]
    /// The usual limit of label sets: for about 800 routes with 24 combinations each, and at most
    /// 1,428 routes.
    public static let defaultSeriesLimit = 20_000
    /// How many label sets of `http_requests_total` every route with series of its own has room for at least: its outcomes.
    ///
    /// A limit gives series to as many routes as it has room for.
    public static let leastLabelSetsPerRoute = RequestCombination.outcomeCount
    /// The most bounds that a ladder may have; each is a line of each histogram.
    public static let durationBoundLimit = 64

    /// Checks and makes a configuration.
    /// - Parameters:
    ///   - durationBounds: Upper bounds in seconds, kept to the nanosecond.
    ///   - seriesLimit: Label sets of a family.
    ///   - exemplars: Whether durations keep exemplars.
    ///   - nativeHistograms: Whether protobuf has native buckets.
    ///   - createdSeries: Whether OpenMetrics has the series `_created`.
    ///   - grpcErrorStatuses: Final statuses of gRPC that count as errors.
    /// - Throws: What is wrong with the values.
    public init(
        durationBounds: [Double] = Self.defaultDurationBounds,
        seriesLimit: Int = Self.defaultSeriesLimit,
        exemplars: Bool = true,
        nativeHistograms: Bool = true,
        createdSeries: Bool = false,
        grpcErrorStatuses: GRPCStatusSet = .usualErrors
    ) throws(MetricsConfigurationError) {
        guard 1...Self.durationBoundLimit ~= durationBounds.count else { throw .boundCount(durationBounds.count) }
        guard 1...10_000_000 ~= seriesLimit else { throw .seriesLimit(seriesLimit) }
        var bounds: [UInt64] = []
        for bound in durationBounds {
            // At least a nanosecond, and at most 2^20 seconds, beyond which durations are not told apart.
            guard bound >= 1e-9, bound <= 0x1p20 else { throw .boundOutOfRange(bound) }
            let nanoseconds = UInt64((bound * 1e9).rounded())
            guard nanoseconds > bounds.last ?? 0 else { throw .boundsNotAscending(bound) }
            bounds.append(nanoseconds)
        }
        self.durationBounds = bounds
        self.seriesLimit = seriesLimit
        self.exemplars = exemplars
        self.nativeHistograms = nativeHistograms
        self.createdSeries = createdSeries
        self.grpcErrorStatuses = grpcErrorStatuses
    }

    private init() {
        durationBounds = Self.defaultDurationBounds.map { UInt64(($0 * 1e9).rounded()) }
        seriesLimit = Self.defaultSeriesLimit
        exemplars = true
        nativeHistograms = true
        createdSeries = false
        grpcErrorStatuses = .usualErrors
    }

    /// What holds when the user chooses nothing.
    public static let standard = MetricsConfiguration()
}

/// What is wrong with a metrics configuration.
public enum MetricsConfigurationError: Error, Hashable {
    /// There are no bounds, or too many.
    case boundCount(Int)
    /// A bound is no duration between a nanosecond and twelve days.
    case boundOutOfRange(Double)
    /// A bound is not above the one before it.
    case boundsNotAscending(Double)
    /// The limit is not between one and ten million.
    case seriesLimit(Int)
}
