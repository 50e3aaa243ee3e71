// Wingmirror · Apache-2.0

import TrafficMetrics

/// What is exported, and on which address.
package struct ExpositionConfiguration: Sendable, Equatable {
    /// Where metrics and health are served, and everything else unless `admin.listen` names another place.
    package var listen = ListenAddress(host: "0.0.0.0", port: 9646)
    /// The upper bounds of the duration histograms, in seconds, in growing order; `nil` takes the catalogue's ladder.
    var durationBuckets: [Double]?
    /// The most label sets of one metric family, before routes are folded into `__overflow__`.
    package var seriesLimit = 20_000
    /// Whether scrapers that ask for protobuf get durations in native buckets beside the classic ones.
    package var nativeHistograms = true
    /// Whether durations lead to the traces of sampled requests.
    package var exemplars = true
    /// Whether OpenMetrics tells when each counter and histogram began.
    var createdSeries = false
    /// Final statuses of gRPC that count as errors of a route, and of a mirror target.
    package var grpcErrorStatuses = GRPCStatusSet.usualErrors.statuses
    /// Whether `/metrics/istio` shows requests in families of Istio's names.
    package var istioCompat = false

    /// The names of the statuses that count as errors.
    var grpcErrorNames: [String] { grpcErrorStatuses.map { GRPCStatusSet.names[$0] } }
}

extension ExpositionConfiguration {
    /// Reads the section `metrics`.
    init(_ section: ConfigurationSection) {
        self.init()
        section.read("listen", into: &listen, as: .listenAddress)
        section.read("durationBuckets", into: &durationBuckets, as: .durationBuckets)
        section.read("seriesLimit", into: &seriesLimit, as: .integer(in: 100...10_000_000))
        section.read("nativeHistograms", into: &nativeHistograms, as: .flag)
        section.read("exemplars", into: &exemplars, as: .flag)
        section.read("createdSeries", into: &createdSeries, as: .flag)
        section.read("grpcErrorStatuses", into: &grpcErrorStatuses, as: .list(of: .grpcErrorStatus))
        section.read("istioCompat", into: &istioCompat, as: .flag)
    }
}

extension ConfigurationValue where Value == Int {
    /// The name or the number of a status of gRPC other than OK.
    static var grpcErrorStatus: Self {
        Self(expectation: "a gRPC status other than OK, such as UNAVAILABLE or 14") { node in
            let status =
                GRPCStatusSet.names.firstIndex { $0 == node.text } ?? node.number.flatMap { Int($0) }
            guard let status, 1..<GRPCStatusSet.names.count ~= status else { return .failure([]) }
            return .success(status)
        }
    }
}

extension ConfigurationMisfits {
    /// What is wrong with a ladder of bounds: one of them, or how many there are.
    fileprivate init(_ error: MetricsConfigurationError, of bounds: [Double], _ node: ConfigurationNode) {
        self = []
        let index: Int?
        let expectation: String
        switch error {
        case .boundOutOfRange(let bound):
            index = bounds.firstIndex(of: bound)
            expectation = "a number of seconds from 1e-9 to \(1 << 20)"
        case .boundsNotAscending(let bound):
            index =
                bounds.indices.dropFirst().first { bounds[$0] == bound && bounds[$0 - 1] >= bound }
                ?? bounds.lastIndex(of: bound)
            expectation = "a larger number than the one before"
        case .boundCount:
            let limit = MetricsConfiguration.durationBoundLimit
            misfits = [Misfit(suffix: "", node: node, expectation: "from 1 to \(limit) numbers of seconds")]
            return
        case .seriesLimit: return
        }
        guard let index else { return }
        misfits = [Misfit(suffix: "[\(index)]", node: node.elements[index], expectation: expectation)]
    }
}

extension ConfigurationValue where Value == [Double]? {
    /// `default`, or upper bounds in growing order.
    static var durationBuckets: Self {
        Self(expectation: "default, or a growing list of seconds such as [0.01, 0.1, 1]") { node in
            if node.text == "default" {
                return .success(nil)
            }
            guard node.isSequence else { return .failure([]) }
            return ConfigurationValue<[Double]>.list(of: .positiveNumber).parse(node).flatMap { bounds in
                do throws(MetricsConfigurationError) {
                    _ = try MetricsConfiguration(durationBounds: bounds)
                    return .success(bounds)
                } catch {
                    return .failure(ConfigurationMisfits(error, of: bounds, node))
                }
            }
        }
    }
}
