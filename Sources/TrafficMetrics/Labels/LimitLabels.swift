// Wingmirror · Apache-2.0

/// The values of the label `reason` of `reassembly_ignored_segments_total`: why a segment changed nothing.
public enum IgnoredSegmentLabel: UInt8, Sendable, Hashable, CaseIterable {
    /// A RST that does not fit its connection.
    case reset
    /// Numbers far outside of what the connection has reached.
    case outOfWindow
    /// A SYN with another number on a live connection.
    case challengedSynchronize
    /// No ACK on an open connection, which every receiver drops (RFC 9293 §3.10.7.4).
    case unacceptable
    /// A RST or bare FIN of a connection that is not known.
    case stray
    /// Came after the end of its connection or stream.
    case afterClose
    /// Asks whether the other side is alive.
    case keepAlive

    /// The label's value.
    public var text: String {
        switch self {
        case .reset: "reset"
        case .outOfWindow: "out_of_window"
        case .challengedSynchronize: "challenged_syn"
        case .unacceptable: "unacceptable"
        case .stray: "stray"
        case .afterClose: "after_close"
        case .keepAlive: "keep_alive"
        }
    }
}

/// The values of the label `reason` of `half_open_connections_ended_total`: why a handshake came to nothing.
public enum HalfOpenEndLabel: UInt8, Sendable, Hashable, CaseIterable {
    /// There were too many half-open connections.
    case evicted
    /// Nothing followed.
    case expired
    /// The server refused.
    case refused

    /// The label's value.
    public var text: String {
        switch self {
        case .evicted: "evicted"
        case .expired: "expired"
        case .refused: "refused"
        }
    }
}

/// The values of the label `outcome` of `fragmented_datagrams_total`.
public enum FragmentOutcomeLabel: UInt8, Sendable, Hashable, CaseIterable {
    /// Every fragment came.
    case reassembled
    /// A fragment did not come in time.
    case timedOut
    /// Gave way to others because of a limit.
    case evicted

    /// The label's value.
    public var text: String {
        switch self {
        case .reassembled: "reassembled"
        case .timedOut: "timed_out"
        case .evicted: "evicted"
        }
    }
}

/// The values of the label `kind` of `reassembly_recoveries_total`: how a connection was recognized.
public enum RecoveryLabel: UInt8, Sendable, Hashable, CaseIterable {
    /// Found again beyond a loss so large that its numbers lay out of reach.
    case jump
    /// Took the place of another on the same addresses, without a SYN that was captured.
    case unseenReplacement
    /// Went on where it stood when it was forgotten.
    case resumption

    /// The label's value.
    public var text: String {
        switch self {
        case .jump: "jump"
        case .unseenReplacement: "unseen_replacement"
        case .resumption: "resumption"
        }
    }
}

/// The values of the label `outcome` of `proxy_headers_total`.
public enum ProxyHeaderLabel: UInt8, Sendable, Hashable, CaseIterable {
    /// It names the client, or says that there is none.
    case read
    /// It breaks the rules of the PROXY protocol.
    case malformed

    /// The label's value.
    public var text: String {
        switch self {
        case .read: "read"
        case .malformed: "malformed"
        }
    }
}

/// The values of the label `outcome` of `reassembly_checksum_errors_total`: what became of octets whose checksum is wrong.
public enum ChecksumErrorLabel: UInt8, Sendable, Hashable, CaseIterable {
    /// A copy with a right checksum took their place.
    case replaced
    /// The receiver acknowledged them as they are.
    case accepted
    /// No other copy came: they are a gap.
    case dropped

    /// The label's value.
    public var text: String {
        switch self {
        case .replaced: "replaced"
        case .accepted: "accepted"
        case .dropped: "dropped"
        }
    }
}
