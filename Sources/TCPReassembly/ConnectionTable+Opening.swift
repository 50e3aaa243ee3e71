// Wingmirror · Apache-2.0

import PacketDecoding

/// How connections begin: handshakes, streams joined midway, and SYNs on addresses that are in use.
extension ConnectionTable {
    // MARK: - Segments of unknown connections

    mutating func unknownSegmentArrived<Sink: StreamSink & ~Copyable>(
        _ segment: TCPSegment,
        octets: Span<UInt8>,
        at time: PacketTime,
        hash: UInt64,
        into sink: inout Sink
    ) {
        makeRoom(for: segment, at: time, into: &sink)
        let isSynchronize = segment.flags.contains(.syn)
        if segment.flags.contains(.rst) || segment.flags.contains(.fin) && segment.payload.isEmpty && !isSynchronize {
            // The tail of something that ended, or was never there: not worth an entry.
            counters.straySegments += 1
            return
        }
        let number = numbering.take()
        if !isSynchronize, let (memory, direction) = forgotten.take(continuedBy: segment, hash: hash) {
            let stream = StreamID(
                slot: makeEntry(memory.addresses, hash: hash, number: number, time: time.nanoseconds),
                direction
            )
            resume(stream.slot, memory)
            embryonicSegmentArrived(segment, octets: octets, at: time, of: stream, hash: hash, into: &sink)
            return
        }
        let originatedBySource = !(isSynchronize && segment.flags.contains(.ack))
        if isSynchronize, originatedBySource,
            openings.synchronizeArrived(segment.sequenceNumber, hash: hash, on: clock.current)
        {
            counters.repeatedConnections += 1
        }
        let slot = makeEntry(
            AddressPair(of: segment, originatedBySource: originatedBySource),
            hash: hash,
            number: number,
            time: time.nanoseconds
        )
        let stream = StreamID(slot: slot, originatedBySource ? .fromOriginator : .fromResponder)
        embryonicSegmentArrived(segment, octets: octets, at: time, of: stream, hash: hash, into: &sink)
    }

    /// Takes up a connection where it was forgotten: both its streams are known as well as after a handshake.
    private mutating func resume(_ slot: Int, _ memory: ForgottenConnections.Memory) {
        counters.resumptions += 1
        entries[slot].connection.sawHandshake = true
        entries[slot].fromOriginator.isSeen = true
        entries[slot].fromOriginator.synchronize(to: SequenceNumber(memory.originatorNumber))
        entries[slot].fromResponder.isSeen = true
        entries[slot].fromResponder.synchronize(to: SequenceNumber(memory.responderNumber))
    }

    /// Makes an embryonic entry, first seen at `time`, and gives its slot.
    mutating func makeEntry(_ addresses: AddressPair, hash: UInt64, number: Int, time: Int64) -> Int {
        if entryCounts.embryonic >= limits.halfOpenConnections,
            let oldest = expiry.first(in: Int(Connection.Phase.embryonic.rawValue))
        {
            counters.halfOpenEvictions += 1
            forget(oldest)
        }
        let slot = slots.acquire()
        entries[slot] = ConnectionEntry(
            Connection(
                addresses: addresses,
                phase: .embryonic,
                lastActive: Self.activityTime(clock.now),
                number: number
            ),
            time: time
        )
        index.insert(slot, hash: hash)
        entryCounts.embryonic += 1
        expiry.insert(
            slot,
            lane: Int(Connection.Phase.embryonic.rawValue),
            deadline: clock.now + limits.handshakeTimeoutNanoseconds
        )
        return slot
    }

    // MARK: - Before the connection is open

    mutating func embryonicSegmentArrived<Sink: StreamSink & ~Copyable>(
        _ segment: TCPSegment,
        octets: Span<UInt8>,
        at time: PacketTime,
        of stream: StreamID,
        hash: UInt64,
        into sink: inout Sink
    ) {
        let slot = stream.slot
        _ = doubt(about: segment, octets, of: stream)
        if segment.flags.contains(.rst) {
            handshakeRefused(by: segment, of: stream)
        } else if segment.flags.contains(.syn) {
            synchronizeArrived(segment, octets: octets, at: time, of: stream, hash: hash, into: &sink)
        } else if !fits(segment, stream) {
            // What made this entry was not of this connection: begin anew, as if it had not been.
            forget(slot)
            unknownSegmentArrived(segment, octets: octets, at: time, hash: hash, into: &sink)
        } else if entries[slot].connection.sawHandshake || segment.payload.count + segment.truncatedOctets > 0 {
            if stream.direction == .fromOriginator {
                clocks.acknowledgementCameFirst(slot, at: time.nanoseconds, on: clock.current)
            }
            open(slot, at: time, into: &sink)
            openSegmentArrived(segment, octets: octets, at: time, of: stream, into: &sink)
        } else {
            segmentSighted(segment, of: stream)
            _ = acknowledgementArrived(segment, of: stream)
        }
    }

    /// Takes in a SYN or SYN-ACK of a connection that is not open.
    private mutating func synchronizeArrived<Sink: StreamSink & ~Copyable>(
        _ segment: TCPSegment,
        octets: Span<UInt8>,
        at time: PacketTime,
        of stream: StreamID,
        hash: UInt64,
        into sink: inout Sink
    ) {
        let slot = stream.slot
        let first = segment.sequenceNumber.advanced(by: 1)
        let origins = (entries[stream].origin, entries[stream.reversed].origin)
        let isKnown = origins.0 == .certain
        let wasJoined = !entries[slot].connection.sawHandshake && origins != (.unknown, .unknown)
        if wasJoined || isKnown && entries[stream].originNumber != first.rawValue {
            // Another attempt on the same addresses, or bare acknowledgements went before: begin with this SYN.
            forget(slot)
            unknownSegmentArrived(segment, octets: octets, at: time, hash: hash, into: &sink)
            return
        }
        entries[slot].connection.sawHandshake = true
        entries[stream].isSeen = true
        entries[stream].synchronize(to: first)
        guard segment.flags.contains(.ack) else {
            clocks.synchronizeArrived(slot, at: time.nanoseconds, on: clock.current)
            if !isKnown {
                holdSynchronizeOctets(segment, octets: octets, at: time, of: stream)
            }
            return
        }
        clocks.answerArrived(slot, at: time.nanoseconds, on: clock.current)
        let other = stream.reversed
        if entries[other].origin != .certain
            || entries[other].offset(of: segment.acknowledgementNumber) < 0
            || entries[other].offset(of: segment.acknowledgementNumber) > Int64(limits.resetWindowOctets)
        {
            // The answer says which SYN was accepted; one that it does not fit was not.
            dropWait(of: slot)
            entries[other].synchronize(to: segment.acknowledgementNumber)
        }
        open(slot, at: time, into: &sink)
        openSegmentArrived(segment, octets: octets, at: time, of: stream, into: &sink)
    }

    /// Keeps the octets that came with a SYN (RFC 7413) until the handshake shows that it was meant.
    private mutating func holdSynchronizeOctets(
        _ segment: TCPSegment,
        octets: Span<UInt8>,
        at time: PacketTime,
        of stream: StreamID
    ) {
        guard segment.payload.count + segment.truncatedOctets > 0 else {
            return
        }
        // Only from the first half of what may be buffered: a flood must not take it from open connections.
        guard held.availableBlocks > held.capacity / 2, waitSlots.available > waitSlots.capacity / 2 else {
            counters.shedOctets += segment.payload.count
            return
        }
        hold(SegmentOctets(segment, offset: 0, acknowledged: nil, time: time), from: octets, of: stream)
    }

    private mutating func handshakeRefused(by segment: TCPSegment, of stream: StreamID) {
        let own = entries[stream]
        let other = entries[stream.reversed]
        let fitsOwn =
            own.origin != .unknown && abs(own.offset(of: segment.sequenceNumber)) <= Int64(limits.resetWindowOctets)
        let fitsOther =
            segment.flags.contains(.ack) && other.origin != .unknown
            && (0...Int64(limits.resetWindowOctets)).contains(other.offset(of: segment.acknowledgementNumber))
        guard fitsOwn || fitsOther else {
            counters.ignoredResets += 1
            return
        }
        counters.refusedHandshakes += 1
        forget(stream.slot)
    }

    /// Whether the numbers of a segment lie where those that are known of a connection let them.
    @inline(__always)
    func fits(_ segment: TCPSegment, _ stream: StreamID) -> Bool {
        let window = Int64(limits.receiveWindowOctets)
        let own = entries[stream]
        if own.origin != .unknown, !(-window...window).contains(own.offset(of: segment.sequenceNumber)) {
            return false
        }
        let other = entries[stream.reversed]
        return !segment.flags.contains(.ack) || other.origin == .unknown
            || (-window...window).contains(other.offset(of: segment.acknowledgementNumber))
    }

    // MARK: - Opening

    /// Announces a connection to the sink.
    mutating func open<Sink: StreamSink & ~Copyable>(_ slot: Int, at time: PacketTime, into sink: inout Sink) {
        if entryCounts.open >= limits.connections {
            evictIdlest(at: time, into: &sink)
        }
        move(slot, to: .open, deadline: clock.now + limits.idleTimeoutNanoseconds)
        let connection = entries[slot].connection
        counters.connectionsOpened += 1
        if !connection.sawHandshake {
            counters.midstreamPickups += 1
        }
        sink.connectionOpened(
            ConnectionIntroduction(
                slot: slot,
                number: connection.number,
                originator: connection.addresses.originator,
                responder: connection.addresses.responder,
                // Nothing was delivered yet, so that this still is the time of the first packet.
                time: PacketTime(nanoseconds: entries[slot].fromOriginator.time),
                sawHandshake: connection.sawHandshake
            )
        )
    }

    // MARK: - A SYN on addresses in use

    /// Takes in a SYN or SYN-ACK on an open connection, and says whether it is of that connection.
    mutating func synchronizeBelongs(_ segment: TCPSegment, at time: PacketTime, to stream: StreamID) -> Bool {
        let first = segment.sequenceNumber.advanced(by: 1)
        let own = entries[stream]
        if own.origin != .unknown, own.originNumber == first.rawValue {
            entries[stream].synchronize(to: first)
            return true
        }
        if own.origin != .certain, own.next == 0 {
            let window = Int64(limits.receiveWindowOctets)
            if own.origin == .unknown || (-window...0).contains(own.offset(of: first)) {
                // The handshake of a connection whose later segments were captured first.
                entries[stream].synchronize(to: first)
                return true
            }
        }
        guard !isChallenged(segment, by: stream) else {
            counters.challengedSynchronizes += 1
            return false
        }
        let wait = makeWait(for: stream.slot)
        guard !waits[wait].candidate.exists || waits[wait].candidate.sequence != segment.sequenceNumber.rawValue else {
            return false
        }
        counters.challengedSynchronizes += 1
        waits[wait].candidate = Candidate(
            direction: stream.direction,
            sequence: segment.sequenceNumber.rawValue,
            acknowledgement: segment.flags.contains(.ack) ? segment.acknowledgementNumber.rawValue : nil,
            number: numbering.take(),
            time: time.nanoseconds,
            arrivals: waits[wait].arrivals
        )
        return false
    }

    /// Whether a SYN's numbers lie so near to where the streams of a connection stand that it can only be of this one.
    ///
    /// Its receiver answers with an acknowledgement and goes on (RFC 5961 §4), and whoever opens another connection on the
    /// same addresses chooses another number (RFC 6528 §3). Behind a FIN that number may lie close.
    @inline(__always)
    private func isChallenged(_ segment: TCPSegment, by stream: StreamID) -> Bool {
        let window = Int64(limits.resetWindowOctets)
        let own = entries[stream]
        guard own.origin == .certain, own.isSeen, !own.isEnded, !own.endIsPresumed,
            abs(own.offset(of: segment.sequenceNumber) - own.frontier) <= window
        else { return false }
        guard segment.flags.contains(.ack) else { return true }
        let other = entries[stream.reversed]
        return other.origin == .certain
            && abs(other.offset(of: segment.acknowledgementNumber) - other.frontier) <= window
    }

    /// Forgets a SYN behind which a segment continues the connection, as the answer to its challenge does.
    mutating func segmentContinues(_ segment: TCPSegment, _ stream: StreamID) {
        let wait = entries[stream.slot].connection.wait
        guard wait != ConnectionWait.none, waits[Int(wait)].candidate.exists else { return }
        let (own, other) = (entries[stream], entries[stream.reversed])
        guard own.origin == .certain, other.origin == .certain,
            segment.sequenceNumber.rawValue == own.expectedNumber,
            segment.acknowledgementNumber.rawValue == other.expectedNumber
        else { return }
        waits[Int(wait)].candidate = .none
    }

    /// Whether a segment belongs to the connection that a candidate would open, and not to the one that is open.
    func confirms(_ segment: TCPSegment, of stream: StreamID, _ candidate: Candidate) -> Bool {
        let first = candidate.sequence &+ 1
        if stream.direction == candidate.direction {
            return segment.sequenceNumber.rawValue == first && !segment.flags.contains(.syn)
                && segment.sequenceNumber.rawValue != entries[stream].expectedNumber
        }
        guard segment.flags.contains(.ack) else {
            return false
        }
        // Sequence numbers count modulo 2^32 (RFC 9293 §3.4).
        let beyond = segment.acknowledgementNumber.rawValue &- first
        if segment.flags.contains(.syn) {
            return beyond <= UInt32(clamping: limits.resetWindowOctets)
        }
        if let acknowledgement = candidate.acknowledgement {
            return segment.sequenceNumber.rawValue == acknowledgement && beyond == 0
        }
        let old = entries[stream.reversed]
        return beyond <= UInt32(clamping: limits.resetWindowOctets)
            && old.offset(of: segment.acknowledgementNumber) > finishedFrontier(of: stream.reversed)
    }

    /// As far as a stream is known to reach, with its FIN, which takes a sequence number too.
    private func finishedFrontier(of stream: StreamID) -> Int64 {
        let state = entries[stream]
        let end = waitingEnd(of: stream).map { $0 + 1 } ?? state.next
        return max(state.frontier + (state.isFinished ? 1 : 0), end)
    }

    /// Ends a connection and opens the one that `candidate` stands for, to which `segment` belongs.
    mutating func supersede<Sink: StreamSink & ~Copyable>(
        _ stream: StreamID,
        by candidate: Candidate,
        _ segment: TCPSegment,
        octets: Span<UInt8>,
        at time: PacketTime,
        hash: UInt64,
        into sink: inout Sink
    ) {
        close(stream.slot, .superseded, at: time, lingers: false, into: &sink)
        let isFromCandidate = stream.direction == candidate.direction
        let candidateIsOriginator = candidate.acknowledgement == nil
        let originatedBySource = isFromCandidate == candidateIsOriginator
        let slot = makeEntry(
            AddressPair(of: segment, originatedBySource: originatedBySource),
            hash: hash,
            number: candidate.number,
            time: candidate.time
        )
        let next = StreamID(slot: slot, originatedBySource ? .fromOriginator : .fromResponder)
        let candidateStream = isFromCandidate ? next : next.reversed
        entries[next.slot].connection.sawHandshake = true
        entries[candidateStream].isSeen = true
        // The SYN takes one number, modulo 2^32 (RFC 9293 §3.4).
        entries[candidateStream].synchronize(to: SequenceNumber(candidate.sequence &+ 1))
        if let acknowledgement = candidate.acknowledgement {
            entries[candidateStream.reversed].synchronize(to: SequenceNumber(acknowledgement))
        }
        embryonicSegmentArrived(segment, octets: octets, at: time, of: next, hash: hash, into: &sink)
    }
}
