// Wingmirror · Apache-2.0

/// What decryption may hold and try; each limit has a counter in ``TLSStatistics``.
public struct TLSLimits: Sendable, Hashable {
    /// How long a connection waits for its keys, by packet time.
    ///
    /// None for savefiles, whose keys are all there before the first packet.
    public var patienceNanoseconds: Int64 = 0
    /// Octets of ciphertext that all connections which wait for keys hold together; beyond it only the lengths of
    /// records are kept.
    public var heldOctets = 32 << 20
    /// Octets of ciphertext that one connection holds.
    public var heldOctetsPerConnection = 64 << 10
    /// Records, whole or by their length only, that one connection holds.
    var heldItemsPerConnection = 4_096
    /// Octets of memory that all connections take which are read or may become readable: hellos and records in progress, keys,
    /// searches behind holes, without the ciphertext that waits for keys.
    ///
    /// 64 MiB: some ten thousand connections in the middle of a record of the largest size. Beyond it the connection that was
    /// silent longest is read no further; counted in `TLSStatistics.forgottenConnections`.
    public var readerOctets = 64 << 20
    /// Octets of a handshake that are kept of each direction until the hello in it is whole.
    var handshakeOctets = 64 << 10
    /// Encrypted records that may precede the first of application data (RFC 8446 §4.4: certificates can be long).
    var handshakeRecords = 64
    /// Their octets.
    var handshakeRecordOctets = 256 << 10
    /// Records in a row that cannot be authentic before a direction is given up.
    var failures = 8
    /// Attempts per second of packet time, over all connections, to find the number of a record behind a hole.
    public var trialsPerSecond = 50_000
    /// Numbers tried for one record.
    var trialsPerRecord = 4_096
    /// Octets of records that wait because they acknowledge what lies in a hole of the other direction, while what lies behind
    /// it is searched for.
    var orderedOctets = 64 << 10
    /// How many such records wait.
    var orderedItems = 256
    /// Octets of a connection that are kept where its first were lost, until the other direction shows whether it is TLS.
    var earlyOctetsPerConnection = 16 << 10
    /// Those of all connections.
    var earlyOctets = 1 << 20
    /// Connections whose keys are tried where the client's hello, which names them, was not captured.
    var triedConnections = 64
    /// Records that such keys are tried on before the connection is given up.
    var triedRecords = 16
    /// The highest number under which one of those is tried.
    var triedNumber: UInt64 = 8
    /// How long at least such a connection waits for a record that its keys open, by packet time.
    var trialPatienceNanoseconds: Int64 = 3_000_000_000
    /// Plaintext of a record from which on it is not opened where nobody looks at it; to open a shorter one costs no more.
    var leastSkippedOctets = 1024
    /// Headers of frames, or lines of chunks, that are looked at within a record that is not opened; to look at more costs as much as
    /// opening it.
    var peekedHeaders = 4
    /// Octets that are searched for a record behind a hole before the connection is given up.
    var searchedOctets = 4 << 20

    /// Makes limits of the defaults.
    public init() {}
}
