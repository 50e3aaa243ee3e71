// Wingmirror · Apache-2.0

/// The values of the label `protocol` of `connections_opened_total`: what a connection turned out to carry.
public enum ConnectionProtocolLabel: UInt8, Sendable, Hashable, CaseIterable {
    case http1
    case http2
    case tls
    case unknown

    /// The label's value.
    public var text: String {
        switch self {
        case .http1: "http1"
        case .http2: "http2"
        case .tls: "tls"
        case .unknown: "unknown"
        }
    }
}

/// The values of the label `reason` of `connections_closed_total`: how a connection ended for us.
public enum ConnectionCloseReason: UInt8, Sendable, Hashable, CaseIterable {
    case fin
    case reset
    case idle
    case evicted

    /// The label's value.
    public var text: String {
        switch self {
        case .fin: "fin"
        case .reset: "reset"
        case .idle: "idle"
        case .evicted: "evicted"
        }
    }
}

/// The values of the label `kind` of `http_unpaired_messages_total`: which half of an exchange was seen.
public enum UnpairedMessageKind: UInt8, Sendable, Hashable, CaseIterable {
    case request
    case response

    /// The label's value.
    public var text: String {
        switch self {
        case .request: "request"
        case .response: "response"
        }
    }
}
