// Wingmirror · Apache-2.0
// TCP: RFC 9293. Blind attacks on live connections: RFC 5961.

public import PacketDecoding

/// Rebuilds the streams of TCP connections from captured segments.
///
/// The table takes segments in the order of capture and gives a `StreamSink` the octets of each direction in the order
/// of the stream. It stands beside the traffic: it cannot ask for what it missed, and it must not believe everything
/// that it sees.
///
/// ## The common path
///
/// A segment that is in order, on an open connection on which nothing waits, goes to the sink straight from the frame:
/// one search, a few comparisons, no copy and no allocation. `Connection.needsAttention` sums up everything that could
/// be unusual about a connection, so that one test chooses the path.
///
/// What only asks is inlined, off that path too, with all that it calls: to lend a table to a call is to copy it, which is more
/// than a thousand octets, and more work than the answer.
///
/// ## Waiting
///
/// A segment waits, as a copy, in two cases. There is a *hole*: octets in front of it have not come. Or it acknowledges
/// octets of the other direction that have not come: captures that join two queues or interfaces show an answer before
/// its request, and the sink is promised cause before effect. Either way what is missing may be late, retransmitted, or
/// never captured. A hole becomes final, and is reported with its exact size, when
///
/// - the other side acknowledged octets in it, something waits for them, and `graceNanoseconds` are over, in packet time or in
///   further segments: an acknowledgement alone may be false, as shows when its sender acknowledges less with new octets,
///   or when the receiver of what waits does not acknowledge that within `oneSidedTimeoutNanoseconds`;
/// - nobody acknowledged it within `retransmissionTimeoutNanoseconds`, or `oneSidedTimeoutNanoseconds` where only one direction is
///   seen;
/// - a bound on octets is met, or the connection ends.
///
/// One acknowledged octet after which nothing follows is not a hole: it is the FIN, which was not captured.
/// A direction of which nothing was seen is waited for once: when `graceNanoseconds` are over, the capture is taken to show one
/// direction only, and nothing waits any more until the other is seen.
///
/// ## The first copy wins
///
/// Octets that come again are dropped and counted. They are compared only while the first copy is held: what was
/// delivered is gone. Where they differ, a segment that begins before the first copy wins, as with Linux. A copy whose
/// checksum is wrong, or that of its IPv4 header, is none, where the sender's checksums are usually right: it waits like octets behind a hole until a
/// right copy takes its place, or the receiver shows that it took the octets.
///
/// ## Who may open and who may end
///
/// A connection is numbered by its first packet, but announced to the sink only once the handshake is answered or
/// octets come, so a flood of SYNs costs the sink nothing. Such half-open entries have a bounded class of their own,
/// and a flood evicts only its like. A SYN never ends a live connection by itself: it is remembered, and when a segment
/// follows that fits it and not the old connection, that is superseded; where its numbers lie in the window it is only
/// counted, as its receiver challenges it (RFC 5961 §4). After both FINs, or an accepted RST, an entry
/// lingers, so that late segments do not look like a new connection; a SYN with another number opens one at once.
///
/// Not handled: a jump of 2 GiB or more in a stream, over which sequence numbers say nothing; urgent data of a segment
/// that has to wait, which stays in line; data on a SYN that supersedes a live connection, which becomes a hole unless it
/// is sent again.
public struct ConnectionTable: ~Copyable {
    let limits: ReassemblyLimits
    var counters = ReassemblyStatistics()
    var clock = PacketClock()
    /// The clock's time at which timers have to be looked at.
    var nextTimer: Int64 = 0
    var numbering: ConnectionNumbering

    var index: ConnectionIndex
    var slots: SlotPool
    var entries: FixedBuffer<ConnectionEntry>
    var expiry: TimerWheel
    /// Entries in each phase.
    var entryCounts = (embryonic: 0, open: 0, lingering: 0)

    var waitSlots: SlotPool
    var waits: FixedBuffer<ConnectionWait>
    var streamWaits: FixedBuffer<StreamWait>
    var longestWaiting = ConnectionWait.none
    var latestWaiting = ConnectionWait.none
    var held: HeldSegments
    var holeDeadlines: TimerWheel

    var recent: RecentSegments
    var checksums = SenderChecksums()
    var forgotten = ForgottenConnections()
    var clocks = ClockComparison()
    var late: LateOctets
    var openings = RepeatedOpenings()

    /// Makes an empty table.
    ///
    /// Memory is reserved for the limits, and becomes resident as it is used.
    ///
    /// - Parameters:
    ///   - limits: What it may hold, and for how long.
    ///   - numbering: The numbers of its connections, where other tables take part of the same capture.
    public init(
        limits: ReassemblyLimits = ReassemblyLimits(),
        numbering: ConnectionNumbering = ConnectionNumbering()
    ) {
        self.numbering = numbering
        var limits = limits
        limits.connections = max(limits.connections, 1)
        limits.halfOpenConnections = max(limits.halfOpenConnections, 1)
        limits.lingeringConnections = max(limits.lingeringConnections, 1)
        limits.waitingConnections = max(limits.waitingConnections, 1)
        self.limits = limits
        late = LateOctets(learns: limits.learnsLateness)
        let capacity = limits.connections + limits.halfOpenConnections + limits.lingeringConnections
        index = ConnectionIndex(seed: limits.hashSeed ?? .random(in: .min ... .max))
        slots = SlotPool(capacity: capacity)
        entries = FixedBuffer(capacity: capacity)
        expiry = TimerWheel(capacity: capacity, lanes: 4, tickShift: 30, bucketCount: 512)
        waitSlots = SlotPool(capacity: limits.waitingConnections)
        waits = FixedBuffer(capacity: limits.waitingConnections)
        streamWaits = FixedBuffer(capacity: limits.waitingConnections * 2)
        held = HeldSegments(blocks: max(limits.bufferedOctets / HeldSegments.blockOctets, 1))
        holeDeadlines = TimerWheel(
            capacity: limits.waitingConnections * 2,
            lanes: 1,
            tickShift: 22,
            bucketCount: 1024
        )
        recent = RecentSegments(window: limits.duplicateWindowNanoseconds)
    }

    /// What has happened so far.
    public var statistics: ReassemblyStatistics {
        var statistics = counters
        statistics.entries = slots.count
        statistics.open = entryCounts.open
        statistics.halfOpen = entryCounts.embryonic
        statistics.waiting = waitSlots.count
        statistics.bufferedOctets = held.octetCount
        statistics.clockOffsets = clocks.offsets
        statistics.lateness = late.lateness
        return statistics
    }

    /// Takes in the next segment of the capture and gives `sink` what it makes known.
    ///
    /// - Parameters:
    ///   - segment: The decoded headers.
    ///   - octets: The frame or datagram that `segment.payload` is a range of; borrowed for the call only.
    ///   - time: When it was captured. Times may be a little out of order.
    ///   - interface: The interface it was captured on.
    ///   - sink: What takes the streams.
    public mutating func segmentArrived<Sink: StreamSink & ~Copyable>(
        _ segment: TCPSegment,
        octets: Span<UInt8>,
        at time: PacketTime,
        interface: Int,
        into sink: inout Sink
    ) {
        counters.segments += 1
        clock.advance(to: time, on: interface)
        if clock.now >= nextTimer {
            timersReached(at: time, into: &sink)
        }
        let hash = index.hash(segment.source, segment.destination)
        if recent.wasSeenBefore(segment, hash: hash, interface: interface, now: clock.now) {
            counters.duplicateArrived(on: interface)
            return
        }
        guard let stream = stream(of: segment, hash: hash) else {
            if let stream = otherwiseTaggedStream(of: segment, hash: hash) {
                entries[stream.slot].connection.lastActive = Self.activityTime(clock.now)
                knownSegmentArrived(segment, octets: octets, at: time, of: stream, hash: hash, into: &sink)
            } else {
                unknownSegmentArrived(segment, octets: octets, at: time, hash: hash, into: &sink)
            }
            return
        }
        let slot = stream.slot
        entries[slot].connection.lastActive = Self.activityTime(clock.now)
        if isIntact(segment, octets, of: stream) {
            switch entries[slot].commonSegmentArrived(segment, in: stream.direction, at: time) {
            case .acknowledgement:
                return
            case .octets(let position):
                counters.deliveredOctets += segment.payload.count
                sink.octetsArrived(octets.extracting(segment.payload), at: position, slot: slot)
                return
            case .uncommon:
                break
            }
        }
        knownSegmentArrived(segment, octets: octets, at: time, of: stream, hash: hash, into: &sink)
    }

    /// Lets time pass without a segment, so that what is overdue is given up.
    public mutating func timeAdvanced<Sink: StreamSink & ~Copyable>(to time: PacketTime, into sink: inout Sink) {
        clock.timePassed(until: time)
        timersReached(at: time, into: &sink)
    }

    /// Ends every connection, in the order of their numbers.
    ///
    /// The table is empty afterwards and may be used again.
    public mutating func captureEnded<Sink: StreamSink & ~Copyable>(at time: PacketTime, into sink: inout Sink) {
        // A last look at jumps first: they may end connections and begin others.
        for slot in liveSlots() where entries[slot].connection.phase == .open && isJumpPlausible(slot) {
            let addresses = entries[slot].connection.addresses
            let hash = index.hash(addresses.originator, addresses.responder)
            jump(slot, hash: hash, at: time, into: &sink)
        }
        for slot in liveSlots() {
            if entries[slot].connection.phase == .open {
                close(slot, .captureEnded, at: time, lingers: false, into: &sink)
            } else {
                forget(slot)
            }
        }
    }

    /// The slots of all entries, in the order of the numbers of their connections.
    ///
    /// With every entry in memory there is little room for a list of them: it has four octets for each. Where no slot was
    /// used twice the slots are in that order already, and the sort passes over them once, without memory of its own.
    private func liveSlots() -> some Sequence<Int> {
        var isLive = [Bool](repeating: false, count: slots.highWater)
        for position in 0..<index.capacity {
            if let slot = index.slot(at: position) { isLive[slot] = true }
        }
        var live: [UInt32] = []
        live.reserveCapacity(slots.count)
        for slot in isLive.indices where isLive[slot] { live.append(UInt32(slot)) }
        live.sort { entries[Int($0)].connection.number < entries[Int($1)].connection.number }
        return live.lazy.map { Int($0) }
    }

    /// The stream that a segment belongs to.
    @inline(__always)
    private func stream(of segment: borrowing TCPSegment, hash: UInt64) -> StreamID? {
        var position = index.start(of: hash)
        while !index.isEmpty(at: position) {
            if let slot = index.slot(at: position, for: hash),
                let direction = entries[slot].connection.addresses.direction(of: segment)
            {
                return StreamID(slot: slot, direction)
            }
            position = index.position(after: position)
        }
        return nil
    }

    /// The stream that a segment belongs to though it bears other tags than those before it.
    ///
    /// It does where its numbers continue that stream's, or answer it: see `NetworkTags`.
    private mutating func otherwiseTaggedStream(of segment: TCPSegment, hash: UInt64) -> StreamID? {
        guard let stream = streamInAnyNetwork(of: segment, hash: hash) else { return nil }
        entries[stream.slot].connection.addresses.setNetwork(segment.network, of: stream.direction)
        return stream
    }

    @inline(__always)
    private func streamInAnyNetwork(of segment: TCPSegment, hash: UInt64) -> StreamID? {
        guard limits.networkTags != .separate else {
            return nil
        }
        var position = index.start(of: hash)
        while !index.isEmpty(at: position) {
            if let slot = index.slot(at: position, for: hash),
                let direction = entries[slot].connection.addresses.directionInAnyNetwork(of: segment)
            {
                let stream = StreamID(slot: slot, direction)
                if limits.networkTags == .ignore || continues(segment, stream) {
                    return stream
                }
            }
            position = index.position(after: position)
        }
        return nil
    }

    /// The number of the connection that a segment belongs to; `nil` where the table knows none.
    ///
    /// Changes nothing. Asked after the segment has arrived, the answer is the connection that took it: a SYN's is the one
    /// that it opens.
    public func connectionNumber(of segment: TCPSegment) -> Int? {
        let hash = index.hash(segment.source, segment.destination)
        guard let stream = stream(of: segment, hash: hash) ?? streamInAnyNetwork(of: segment, hash: hash) else {
            return nil
        }
        return entries[stream.slot].connection.number
    }

    /// The slot of the connection that a segment belongs to, where the sink knows that connection.
    ///
    /// Changes nothing.
    public func openSlot(of segment: TCPSegment) -> Int? {
        let hash = index.hash(segment.source, segment.destination)
        guard let stream = stream(of: segment, hash: hash), entries[stream.slot].connection.phase == .open else {
            return nil
        }
        return stream.slot
    }

    /// Whether the numbers of a segment are those of a stream, and not another connection's on the same addresses.
    @inline(__always)
    private func continues(_ segment: TCPSegment, _ stream: StreamID) -> Bool {
        let own = entries[stream]
        let other = entries[stream.reversed]
        let window = Int64(limits.receiveWindowOctets)
        if segment.flags.contains(.syn), own.origin != .unknown {
            return own.originNumber == segment.sequenceNumber.advanced(by: 1).rawValue
        }
        if own.origin != .unknown, abs(own.offset(of: segment.sequenceNumber) - own.frontier) > window {
            return false
        }
        guard segment.flags.contains(.ack), other.origin != .unknown else {
            return own.origin != .unknown
        }
        return abs(other.offset(of: segment.acknowledgementNumber) - other.frontier) <= window
    }

    /// The unit in which activity is remembered, 2^20 ns.
    @inline(__always)
    static func activityTime(_ now: Int64) -> UInt32 {
        UInt32(truncatingIfNeeded: now >> 20)
    }
}

/// What became of a segment on the common path.
private enum CommonArrival {
    /// It acknowledges what was delivered, and brings nothing.
    case acknowledgement
    /// Its octets are the next of their stream.
    case octets(StreamPosition)
    /// It is not of the common path, and nothing was changed.
    case uncommon
}

extension ConnectionEntry {
    /// Takes in a segment that acknowledges only what was delivered, and continues its stream if it brings octets.
    @inline(__always)
    fileprivate mutating func commonSegmentArrived(
        _ segment: borrowing TCPSegment,
        in direction: StreamDirection,
        at time: PacketTime
    ) -> CommonArrival {
        guard !connection.needsAttention, segment.flags.isPlainAcknowledgement, segment.truncatedOctets == 0 else {
            return .uncommon
        }
        return switch direction {
        case .fromOriginator: Self.arrival(of: segment, direction, &fromOriginator, answering: &fromResponder, at: time)
        case .fromResponder: Self.arrival(of: segment, direction, &fromResponder, answering: &fromOriginator, at: time)
        }
    }

    @inline(__always)
    private static func arrival(
        of segment: borrowing TCPSegment,
        _ direction: StreamDirection,
        _ own: inout StreamState,
        answering other: inout StreamState,
        at time: PacketTime
    ) -> CommonArrival {
        // Compared modulo 2³², as sequence numbers are: how far behind what was delivered the acknowledgement is.
        let distance = Int64(other.expectedNumber &- segment.acknowledgementNumber.rawValue)
        let isInOrder = segment.sequenceNumber.rawValue == own.expectedNumber
        let bringsOctets = !segment.payload.isEmpty
        // One that is ahead counts as too far behind.
        guard distance <= min(other.next, ConnectionTable.largestWindow), isInOrder || !bringsOctets else {
            return .uncommon
        }
        let acknowledged = other.next - distance
        other.acknowledged = max(other.acknowledged, acknowledged)
        guard bringsOctets else { return .acknowledgement }
        let latest = own.timeReached(by: time.nanoseconds, tolerating: PacketClock.disorder)
        let offset = own.next
        own.next = offset + Int64(segment.payload.count)
        return .octets(
            StreamPosition(
                direction: direction,
                offset: offset,
                time: PacketTime(nanoseconds: latest),
                acknowledged: acknowledged,
                startsSegment: true
            )
        )
    }
}

extension TCPFlags {
    /// Whether ACK is set, and none of SYN, FIN, RST and URG.
    ///
    /// One test of the octet, because the named flags are globals of another module, whose addresses must be asked for.
    @inline(__always)
    fileprivate var isPlainAcknowledgement: Bool {
        rawValue & 0x37 == 0x10
    }
}
