// Wingmirror · Apache-2.0

public import TrafficModel

/// How many connections could not be read, for one reason, whatever their Gateway.
public struct OpaqueSummary: Sendable, Hashable {
    /// Why they could not be read.
    public let reason: OpaqueReason
    /// How many there are.
    public let connectionCount: UInt64
    /// Their octets that were passed over.
    public let octetCount: UInt64
}

extension MetricsRegistry {
    /// How many connections could not be read, where there are any; does not count as a scrape.
    public func opaqueSummaries() -> [OpaqueSummary] {
        let gateways = withState { $0.gateways.records }.compactMap { $0?.cells }
        let cells = gateways.flatMap { $0 } + shards.map(\.overflowGateway)
        return OpaqueReason.allCases.compactMap { reason in
            // Like those of octets below, sums of counters, which wrap as these do.
            let connections = cells.reduce(0) { $0 &+ $1.opaqueConnections(reason) }
            guard connections > 0 else { return nil }
            let octets = cells.reduce(0) { $0 &+ $1.opaqueBytes(reason) }
            return OpaqueSummary(reason: reason, connectionCount: connections, octetCount: octets)
        }
    }
}
