// Wingmirror · Apache-2.0

/// What reassembly may keep and how long it may wait.
///
/// Each time a bound is met it is counted in `ReassemblyStatistics`.
///
/// Times are nanoseconds of packet time.
public struct ReassemblyLimits: Sendable, Hashable {
    /// Open connections.
    ///
    /// 1,000,000: what one gateway node holds at the very most, in about 150 MB. Beyond it the connection that was idle
    /// longest is evicted; counted in `evictions`.
    public var connections = 1_000_000
    /// Connections of which only a SYN or bare acknowledgements were seen.
    ///
    /// 8,192: twice what Linux lets a listener queue, in little more than 1 MB. They have a class of their own, so that a
    /// flood evicts only its like; counted in `halfOpenEvictions`.
    public var halfOpenConnections = 8_192
    /// Closed connections that are remembered.
    ///
    /// 8,192: ten thousand closed per second for as long as a lost last segment takes to be sent again, and few enough to
    /// stay in the processor's cache. Beyond it the oldest is forgotten; counted in `limitsMet`.
    public var lingeringConnections = 8_192
    /// Connections on which something waits at the same time.
    ///
    /// 65,536: every hundredth connection losing a packet at once, with room. Beyond it the one that waits longest
    /// stops waiting; counted in `limitsMet`.
    public var waitingConnections = 65_536
    /// Octets that wait on one connection.
    ///
    /// 1 MiB: a large window in flight. Counted in blocks of 2 KiB, of which every held segment takes at least one, so
    /// that it also bounds segments to 512. Beyond it holes become final, first to last; counted in `limitsMet`.
    public var bufferedOctetsPerConnection = 1 << 20
    /// Octets that wait on all connections, in blocks.
    ///
    /// 64 MiB: an eighth of a small node agent's memory limit. Beyond it the connection that waits longest stops
    /// waiting; counted in `limitsMet`.
    public var bufferedOctets = 64 << 20
    /// How long octets may still come that the other side has acknowledged.
    ///
    /// 100 ms: two capture queues differ by less than 10 ms, and a busy one by a few times that.
    public var graceNanoseconds: Int64 = 100_000_000
    /// After how many further segments of the connection such octets are given up as well.
    ///
    /// 256: what one capture queue may hold of a fast connection while another is served.
    public var graceSegments = 256
    /// Whether octets that come by another interface when they were given up teach patience, as recordings with two clocks need.
    public var learnsLateness = true
    /// How long octets may still come that the other side has not acknowledged.
    ///
    /// 15 s: it has not got them either, so that they will be sent again, and a sender's waits double from 200 ms.
    public var retransmissionTimeoutNanoseconds: Int64 = 15_000_000_000
    /// The same where only one direction of a connection is seen, so that nothing can be told from acknowledgements.
    ///
    /// 2 s: most retransmissions come within one.
    public var oneSidedTimeoutNanoseconds: Int64 = 2_000_000_000
    /// How long a connection may be silent before it is idle: the first to be forgotten when there is need of room.
    ///
    /// 5 min: beyond the idle timeout of most proxies. An idle connection is kept while no more than half of `connections`
    /// are open; beyond that it is forgotten, unless it is in the middle of something, as with a slow answer.
    public var idleTimeoutNanoseconds: Int64 = 300_000_000_000
    /// How long a connection may be silent before it is forgotten in any case.
    ///
    /// 24 h: nothing waits longer for an answer, and what lost its end to the capture does not stay for ever.
    public var longestIdleNanoseconds: Int64 = 86_400_000_000_000
    /// How long a handshake may take.
    ///
    /// 30 s: the fifth SYN of a patient client.
    public var handshakeTimeoutNanoseconds: Int64 = 30_000_000_000
    /// How long a closed connection is remembered.
    ///
    /// 30 s: half of the usual TIME-WAIT, by when the last retransmission has been sent.
    public var lingerNanoseconds: Int64 = 30_000_000_000
    /// Within which time the same segment is the same packet, seen on another interface or mirrored twice.
    ///
    /// 50 ms: below any retransmission timeout, above what queues differ by.
    public var duplicateWindowNanoseconds: Int64 = 50_000_000
    /// How far beyond the last octet delivered or acknowledged a segment is believed, in octets.
    ///
    /// 16 MiB: above the receive windows in use; counted in `outOfWindowSegments`.
    public var receiveWindowOctets = 16 << 20
    /// How far from the expected sequence number a RST is believed, in octets.
    ///
    /// 64 KiB: what a lossy capture may lag behind, while a blind RST hits it once in 32,768 times; counted in
    /// `ignoredResets`.
    public var resetWindowOctets = 64 << 10
    /// How many further segments a SYN on a live connection is remembered for.
    ///
    /// 64: its answer comes long before.
    public var candidateSegments = 64

    /// How many segments in a row from both sides, which continue and acknowledge each other, show that a connection has
    /// come to where it was not expected.
    ///
    /// 4: a request, an answer and their acknowledgements; who knows both numbers to within a sixteenth of the receive
    /// window is no blind attacker.
    public var jumpSegments = 4
    /// How many of one side alone show the same.
    ///
    /// 64: more than are ever late. A quarter of it suffices on a connection of which only that side is seen.
    public var oneSidedJumpSegments = 64
    /// Blocks of 2 KiB that are held of such segments until they are believed.
    ///
    /// 128: a receive window's first quarter; counted in `shedOctets` beyond it.
    public var jumpBlocks = 128
    /// What tags around segments say of their connection.
    public var networkTags = NetworkTags.join
    /// What varies the hashes of addresses, so that traffic cannot be made to collide; `nil` leaves it to chance.
    ///
    /// It decides which packets take each other's place among those that are remembered for `duplicateWindowNanoseconds`, and so
    /// which are found to be seen twice. Pcap files, which are to give the same each time, need one that is given.
    public var hashSeed: UInt64?

    /// Makes the default limits.
    public init() {}
}
