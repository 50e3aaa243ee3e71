// Wingmirror · Apache-2.0

/// Why a connection's octets are not read as HTTP; the values of the label `reason` of `opaque_connections_total`.
public enum OpaqueReason: UInt8, Sendable, Hashable, CaseIterable {
    /// TLS, while decryption is off.
    case tls
    /// TLS of which the key log has no keys, or had them too late.
    case tlsNoKey
    /// TLS that the keys of the key log do not open.
    case tlsWrongKeys
    /// TLS whose handshake was not captured from its beginning.
    case tlsMidstream
    /// TLS with a cipher suite that is not read.
    case tlsUnsupportedCipher
    /// TLS in which no record was found again behind a hole.
    case tlsLost
    /// TLS that ended before it carried any data.
    case tlsHandshake
    /// Was HTTP, and could not be read on.
    case unreadable
    /// Joined midstream, and no head was found.
    case midstream
    /// Neither side speaks a protocol that is known.
    case unknown
    /// Left HTTP by an upgrade.
    case upgraded
    /// Left HTTP by CONNECT.
    case tunnel
    /// TLS that was given up before anything of it was read, because that of all connections together took too much memory.
    case tlsMemory
    /// HTTP/2 or a WebSocket that was given up, because those of all connections together took too much memory.
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
        case .midstream: "midstream"
        case .unknown: "unknown"
        case .upgraded: "upgraded"
        case .tunnel: "tunnel"
        case .tlsMemory: "tls_memory"
        case .memory: "memory"
        }
    }

    /// Whether the connection carries TLS.
    public var isTLS: Bool {
        switch self {
        case .tls, .tlsNoKey, .tlsWrongKeys, .tlsMidstream, .tlsUnsupportedCipher, .tlsLost, .tlsHandshake, .tlsMemory:
            true
        case .unreadable, .unknown, .midstream, .upgraded, .tunnel, .memory: false
        }
    }
}
