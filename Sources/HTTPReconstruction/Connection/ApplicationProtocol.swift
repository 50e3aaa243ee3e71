// Wingmirror · Apache-2.0

internal import TCPReassembly
public import TrafficModel

extension OpaqueReason {
    /// Why a connection that is encrypted is not read.
    init(_ reason: EncryptionReason) {
        self =
            switch reason {
            case .off: .tls
            case .noKey: .tlsNoKey
            case .wrongKeys: .tlsWrongKeys
            case .midstream: .tlsMidstream
            case .unsupportedCipher: .tlsUnsupportedCipher
            case .lost: .tlsLost
            case .handshake: .tlsHandshake
            case .memory: .tlsMemory
            }
    }
}

/// What a connection was found to carry.
public enum ApplicationProtocol: Sendable, Hashable {
    case http1
    /// HTTP/2 without TLS, by prior knowledge or by Upgrade.
    case http2
    /// A WebSocket that an upgrade of HTTP/1.1 has opened.
    case webSocket
    case opaque(OpaqueReason)
}
