// Wingmirror · Apache-2.0

/// How a request that was sent ended without an answer; the label `outcome` of `mirror_requests_total`, beside `ok`.
public enum ShadowFailure: String, Sendable, Hashable, CaseIterable, Error {
    /// No connection could be made: refused, unreachable, or not in time.
    case connect
    /// No answer in time.
    case timeout
    /// The connection was reset or closed before the answer was whole.
    case reset
    /// TLS failed.
    case tls
    /// The answer was no HTTP.
    case malformed
    /// Given up by the agent: it ended, mirroring was paused, it had no file descriptor, port or memory left, it stood still while
    /// the connection was made, or a gRPC call's answer was too long to be read to its status.
    case cancelled
}
