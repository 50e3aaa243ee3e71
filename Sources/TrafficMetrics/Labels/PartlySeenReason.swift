// Wingmirror · Apache-2.0

/// The values of the label `reason` of `http_requests_partly_seen_total`: why the observer does not know all of an exchange.
public enum PartlySeenReason: UInt8, Sendable, Hashable, CaseIterable {
    /// Packets are missing.
    case captureGap
    /// The snapshot length cut packets.
    case truncated
    /// A message could not be read.
    case parse
    /// The connection was forgotten: idle for too long, or evicted.
    case forgotten
    /// A limit of the agent was met.
    case limit
    /// The capture ended first.
    case interrupted

    /// The label's value.
    public var text: String {
        switch self {
        case .captureGap: "capture_gap"
        case .truncated: "truncated"
        case .parse: "parse"
        case .forgotten: "forgotten"
        case .limit: "limit"
        case .interrupted: "interrupted"
        }
    }
}
