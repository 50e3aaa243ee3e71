// Wingmirror · Apache-2.0

/// Figures of TLS that no exchange carries; all but those of the present only grow.
public struct TLSStatistics: Sendable, Hashable {
    /// Connections that began a handshake.
    public internal(set) var connections = 0
    /// Connections of which application data was read.
    public internal(set) var decryptedConnections = 0
    /// Records that were opened.
    public internal(set) var openedRecords = 0
    /// Records of content that nobody looks at, which were not opened; blocks with headers of frames or lines of chunks were, and
    /// of TLS 1.3 the last one, for the type in it.
    public internal(set) var skippedRecords = 0
    /// Octets of application data in the records that were opened.
    public internal(set) var plaintextOctets = 0
    /// Records that were not authentic under the keys at hand.
    public internal(set) var failedRecords = 0
    /// Attempts to find the number of a record behind a hole.
    public internal(set) var trials = 0
    /// Attempts that were not made because there were too many.
    public internal(set) var refusedTrials = 0
    /// Holes behind which the next record was found again.
    public internal(set) var bridgedHoles = 0
    /// Octets of ciphertext that were given up while their keys were awaited; the lengths of their records were kept.
    public internal(set) var shedOctets = 0
    /// Connections given up because TLS of all connections together took too much memory.
    public internal(set) var forgottenConnections = 0
    /// Alerts sent in clear by their description, which is a handshake that failed (RFC 8446 §6).
    public internal(set) var alerts: [UInt8: Int] = [:]
    /// Connections that wait for keys at present.
    public internal(set) var waitingConnections = 0
    /// Octets of ciphertext they hold at present.
    public internal(set) var heldOctets = 0
    /// The longest that keys came after the first record they open, in nanoseconds.
    public internal(set) var longestKeyDelay: Int64 = 0

    /// Makes statistics of nothing.
    public init() {}

    /// Adds what another decryptor counted of other connections.
    public mutating func add(_ other: TLSStatistics) {
        connections += other.connections
        decryptedConnections += other.decryptedConnections
        openedRecords += other.openedRecords
        skippedRecords += other.skippedRecords
        plaintextOctets += other.plaintextOctets
        failedRecords += other.failedRecords
        trials += other.trials
        refusedTrials += other.refusedTrials
        bridgedHoles += other.bridgedHoles
        shedOctets += other.shedOctets
        forgottenConnections += other.forgottenConnections
        alerts.merge(other.alerts, uniquingKeysWith: +)
        waitingConnections += other.waitingConnections
        heldOctets += other.heldOctets
        longestKeyDelay = max(longestKeyDelay, other.longestKeyDelay)
    }
}
