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

/// The values of the label `reason` of `opaque_connections_total`: why a connection cannot be read.
public enum OpaqueReason: UInt8, Sendable, Hashable, CaseIterable {
    case tls
    case tlsNoKey
    case tlsWrongKeys
    case tlsMidstream
    case tlsUnsupportedCipher
    case tlsLost
    case tlsHandshake
    /// Was HTTP, and could not be read on.
    case unreadable
    case midstream
    case unknown
    /// Left HTTP by an upgrade, such as to WebSocket.
    case upgraded
    /// Left HTTP by CONNECT.
    case tunnel
    /// TLS given up to stay within the memory limits.
    case tlsMemory
    /// HTTP/2 or a WebSocket given up to stay within the memory limits.
    case memory

    /// The label's value.
    public var text: String {
        switch self {
        case .tls: "tls"
        case .tlsNoKey: "tls_no_key"
        case .tlsWrongKeys: "tls_wrong_keys"
        case .tlsMidstream: "tls_midstream"
        case .tlsUnsupportedCipher: "tls_unsupported_cipher"
        case .tlsLost: "tls_lost"
        case .tlsHandshake: "tls_handshake"
        case .unreadable: "unreadable"
        case .upgraded: "upgraded"
        case .tunnel: "tunnel"
        case .tlsMemory: "tls_memory"
        case .memory: "memory"
        case .midstream: "midstream"
        case .unknown: "unknown"
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
