// Wingmirror · Apache-2.0

/// Why a connection's octets are not read as HTTP; a label value of `opaque_connections_total`.
public enum OpaqueReason: UInt8, Sendable, Hashable, CaseIterable {
    case tls
    /// Was HTTP, and could not be read on.
    case unreadable
    /// Neither side speaks a protocol that is known.
    case unknown
    /// Joined midstream, and no head was found.
    case midstream
    /// Left HTTP by an upgrade.
    case upgraded
    /// Left HTTP by CONNECT.
    case tunnel

    /// The value of the label `reason`.
    public var label: String {
        switch self {
        case .tls: "tls"
        case .unreadable: "unreadable"
        case .unknown: "unknown"
        case .midstream: "midstream"
        case .upgraded: "upgraded"
        case .tunnel: "tunnel"
        }
    }
}

/// What a connection was found to carry.
public enum ApplicationProtocol: Sendable, Hashable {
    case http1
    /// HTTP/2 without TLS, by prior knowledge or by Upgrade.
    case http2
    case opaque(OpaqueReason)
}
