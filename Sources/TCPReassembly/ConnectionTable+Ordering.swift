// Wingmirror · Apache-2.0

import PacketDecoding

/// How segments that are not plainly in order find their place.
extension ConnectionTable {
    // MARK: - Segments of known connections

    mutating func knownSegmentArrived<Sink: StreamSink & ~Copyable>(
        _ segment: TCPSegment,
        octets: Span<UInt8>,
        at time: PacketTime,
        of stream: StreamID,
        hash: UInt64,
        into sink: inout Sink
    ) {
        makeRoom(for: segment, at: time, into: &sink)
        switch entries[stream.slot].connection.phase {
        case .embryonic:
            embryonicSegmentArrived(segment, octets: octets, at: time, of: stream, hash: hash, into: &sink)
        case .lingering:
            lateSegmentArrived(segment, octets: octets, at: time, of: stream, hash: hash, into: &sink)
        case .open:
            if let doubt = doubt(about: segment, octets, of: stream) {
                doubtfulSegmentArrived(segment, doubt, octets: octets, at: time, of: stream, hash: hash, into: &sink)
            } else if let candidate = candidateArrived(segment, of: stream) {
                supersede(stream, by: candidate, segment, octets: octets, at: time, hash: hash, into: &sink)
            } else if segment.flags.contains(.rst) {
                resetArrived(segment, at: time, of: stream, into: &sink)
            } else if segment.flags.contains(.syn) {
                if synchronizeBelongs(segment, at: time, to: stream) {
                    if stream.direction == .fromResponder,
                        clocks.lateAnswerArrived(stream.slot, at: time.nanoseconds, on: clock.current)
                    {
                        sink.clocksDiffer(slot: stream.slot)
                    }
                    openSegmentArrived(segment, octets: octets, at: time, of: stream, into: &sink)
                }
            } else if segment.flags.contains(.ack) {
                if isOutOfPlace(segment, of: stream) {
                    outOfPlaceSegmentArrived(segment, octets: octets, at: time, of: stream, hash: hash, into: &sink)
                    return
                }
                if stream.direction == .fromOriginator, clocks.awaitsAcknowledgement(stream.slot),
                    clocks.acknowledgementArrived(stream.slot, at: time.nanoseconds, on: clock.current)
                {
                    sink.clocksDiffer(slot: stream.slot)
                }
                segmentIsInPlace(segment, of: stream)
                openSegmentArrived(segment, octets: octets, at: time, of: stream, into: &sink)
            } else {
                counters.unacceptableSegments += 1
            }
        }
    }

    /// Counts a segment of a waiting connection, and gives the candidate that it confirms.
    private mutating func candidateArrived(_ segment: TCPSegment, of stream: StreamID) -> Candidate? {
        guard entries[stream.slot].connection.wait != ConnectionWait.none else {
            return nil
        }
        let wait = Int(entries[stream.slot].connection.wait)
        waits[wait].arrivals += 1
        let candidate = waits[wait].candidate
        guard candidate.exists else {
            return nil
        }
        if confirms(segment, of: stream, candidate) {
            return candidate
        }
        if waits[wait].arrivals - candidate.arrivals > limits.candidateSegments {
            waits[wait].candidate = .none
        }
        return nil
    }

    /// Forgets what is contradicted by a segment whose numbers continue those of its connection.
    private mutating func segmentIsInPlace(_ segment: TCPSegment, of stream: StreamID) {
        guard entries[stream.slot].connection.wait != ConnectionWait.none else {
            return
        }
        segmentFollowsReset(segment, of: stream)
        segmentContinues(segment, stream)
        let wait = Int(entries[stream.slot].connection.wait)
        guard waits[wait].jump.exists else {
            return
        }
        let end = entries[stream].offset(of: segment.sequenceNumber) + Int64(segment.payload.count)
        let acknowledged = entries[stream.reversed].offset(of: segment.acknowledgementNumber)
        if end > entries[stream].frontier || acknowledged > entries[stream.reversed].acknowledged {
            dropJump(wait)
        }
    }

    /// Takes in a segment, other than a RST, of an open connection.
    mutating func openSegmentArrived<Sink: StreamSink & ~Copyable>(
        _ segment: TCPSegment,
        octets: Span<UInt8>,
        at time: PacketTime,
        of stream: StreamID,
        into sink: inout Sink
    ) {
        if !entries[stream].isSeen, !entries[stream.slot].connection.sawHandshake {
            directionJoined(stream, into: &sink)
        }
        segmentSighted(segment, of: stream)
        let acknowledged = acknowledgementArrived(segment, of: stream)
        if acknowledged == nil, segment.flags.contains(.ack) {
            // The acknowledgement is looked at before octets and FIN, and they fall with it (RFC 9293 §3.10.7.4).
            settle(stream.slot, at: time, into: &sink)
            return
        }
        let first = segment.sequenceNumber.advanced(by: segment.flags.contains(.syn) ? 1 : 0)
        let offset = entries[stream].offset(of: first)
        if segment.payload.count + segment.truncatedOctets > 0 {
            let arrived = SegmentOctets(segment, offset: offset, acknowledged: acknowledged, time: time)
            if let urgent = Self.urgentOctet(of: segment, in: octets) {
                var rest = arrived
                passUrgentOctet(at: offset + urgent, of: &rest, from: octets, of: stream, into: &sink)
                octetsArrived(rest, from: octets, of: stream, into: &sink)
            } else {
                octetsArrived(arrived, from: octets, of: stream, into: &sink)
            }
        }
        if segment.flags.contains(.fin) {
            let count = Int64(segment.payload.count + segment.truncatedOctets)
            finishArrived(
                endingAt: entries[stream].offset(of: first) + count,
                acknowledging: acknowledged,
                of: stream,
                at: time,
                into: &sink
            )
        }
        settle(stream.slot, at: time, into: &sink)
    }

    /// Where the urgent octet of a segment lies in its payload; `nil` where there is none, or it is not captured.
    ///
    /// The pointer leads to the octet behind it (RFC 9293 §3.8.5), and 0 is taken for 1, as Linux does.
    @inline(__always)
    private static func urgentOctet(of segment: TCPSegment, in octets: Span<UInt8>) -> Int64? {
        guard segment.flags.rawValue & 0x20 != 0, segment.headerLength >= 20 else { return nil }
        let field = segment.payload.lowerBound - Int(segment.headerLength) + 18
        guard field >= 0, field + 1 < octets.count else { return nil }
        let pointer = Int(octets[field]) << 8 | Int(octets[field + 1])
        let urgent = max(pointer, 1) - 1
        return urgent < segment.payload.count ? Int64(urgent) : nil
    }

    /// Delivers what is in front of an urgent octet, and takes that out of the stream: sockets hand it out apart (RFC 6093).
    private mutating func passUrgentOctet<Sink: StreamSink & ~Copyable>(
        at urgent: Int64,
        of arrived: inout SegmentOctets,
        from octets: Span<UInt8>,
        of stream: StreamID,
        into sink: inout Sink
    ) {
        guard !entries[stream].isEnded, arrived.offset <= entries[stream].next, entries[stream].next <= urgent else {
            return
        }
        if arrived.offset < urgent {
            guard canDeliver(arrived, of: stream) || arrived.offset < entries[stream].next else { return }
            octetsArrived(arrived.takeFirst(upTo: urgent), from: octets, of: stream, into: &sink)
        }
        guard entries[stream].next == urgent, arrived.offset == urgent else { return }
        counters.urgentOctets += 1
        let rest = SegmentOctets(followingUrgentOctetOf: arrived)
        // Offsets go on without it, so that the sequence number of offset 0 is one more.
        moveOrigin(of: stream, back: -1)
        entries[stream].origin = .certain
        arrived = rest
    }

    /// The first segment of a direction was seen, of a connection whose handshake was not: it says by which clock that direction
    /// is stamped.
    private mutating func directionJoined<Sink: StreamSink & ~Copyable>(_ stream: StreamID, into sink: inout Sink) {
        if !entries[stream.reversed].isSeen {
            clocks.directionJoined(stream.slot, on: clock.current)
        } else if clocks.otherDirectionJoined(stream.slot, on: clock.current) {
            sink.clocksDiffer(slot: stream.slot)
        }
    }

    /// Learns where a stream begins from a segment that is not its SYN.
    mutating func segmentSighted(_ segment: TCPSegment, of stream: StreamID) {
        let state = entries[stream]
        guard !state.isSeen || state.origin != .certain else {
            return
        }
        entries[stream].isSeen = true
        if !state.isSeen, state.isAbsent {
            let key = LateKey(connection: entries[stream.slot].connection.number, direction: stream.direction)
            let offset = state.offset(of: segment.sequenceNumber)
            late.directionArrived(key, at: offset, on: clock.current, now: clock.now)
        }
        if !state.isSeen, state.acknowledged > state.next {
            // What was acknowledged before this direction was seen is missing only from now on.
            evidenceArrived(that: stream, acknowledgedAt: streamWait(of: stream)?.evidenceOffset ?? 0)
        }
        let bringsOctets = segment.payload.count + segment.truncatedOctets > 0
        if !bringsOctets, !state.isSeen, state.origin != .unknown, !entries[stream.slot].connection.sawHandshake,
            state.next == 0, (1...Int64(limits.receiveWindowOctets)).contains(state.offset(of: segment.sequenceNumber))
        {
            // The sender had sent octets that the other side has not acknowledged: if they come now, they come again, and
            // belong to what was before the capture.
            entries[stream].next = state.offset(of: segment.sequenceNumber)
            entries[stream].origin = .certain
            return
        }
        guard state.origin != .certain, !segment.flags.contains(.syn) else {
            return
        }
        // Octets between what is acknowledged and the first that come are missing where the beginning was seen; else they
        // belong to what was before the capture, and nothing rests on the guess yet, so that the first octets decide.
        let startsAnywhere = bringsOctets && state.next == 0 && !entries[stream.slot].connection.sawHandshake
        if state.origin == .unknown || startsAnywhere || state.offset(of: segment.sequenceNumber) < 0 {
            entries[stream].setOrigin(segment.sequenceNumber, .assumed)
        }
    }

    /// Whether the beginning of a stream is only what an acknowledgement said, and nothing that was delivered rests on it.
    @inline(__always)
    func mayBeginEarlier(_ stream: StreamID) -> Bool {
        let state = entries[stream]
        return !state.isSynchronized && state.next == 0 && entries[stream.reversed].next == 0
            && (!state.isSeen || entries[stream.slot].connection.sawHandshake)
    }

    /// Moves the beginning of a stream to so many octets before it, with what waits on either side.
    mutating func moveOrigin(of stream: StreamID, back count: Int64) {
        let origin = entries[stream].originNumber &- UInt32(truncatingIfNeeded: count)
        entries[stream].setOrigin(SequenceNumber(origin), entries[stream].origin)
        guard entries[stream.slot].connection.wait != ConnectionWait.none else { return }
        let wait = Int(entries[stream.slot].connection.wait)
        let (own, other) = (streamWaitIndex(wait, stream), streamWaitIndex(wait, stream.reversed))
        streamWaits[own].end = streamWaits[own].end.map { $0 + count }
        var number = streamWaits[own].head
        while number != HeldSegment.none {
            held.moved(number, by: count)
            number = held[number].next
        }
        number = streamWaits[other].head
        while number != HeldSegment.none {
            held.acknowledgementMoved(of: number, by: count)
            number = held[number].next
        }
    }

    // MARK: - Octets

    /// Delivers the octets of a segment, or holds them.
    private mutating func octetsArrived<Sink: StreamSink & ~Copyable>(
        _ arrived: SegmentOctets,
        from octets: Span<UInt8>,
        of stream: StreamID,
        into sink: inout Sink
    ) {
        var arrived = arrived
        let state = entries[stream]
        guard !state.isEnded else {
            if arrived.end > state.next {
                counters.segmentsAfterClose += 1
            } else {
                counters.retransmittedOctets += arrived.count
            }
            return
        }
        if let end = waitingEnd(of: stream), arrived.end > end, isEndWaitingForCause(stream),
            isCaused(arrived.acknowledged, of: stream)
        {
            // What the FIN acknowledged was never sent, so that it was not taken: its sender goes on.
            counters.outOfWindowSegments += 1
            forgetEnd(of: stream)
        }
        if let end = waitingEnd(of: stream), arrived.end > end {
            counters.segmentsAfterClose += 1
            guard arrived.offset < end else {
                return
            }
            arrived.removeLast(Int(arrived.end - end))
        }
        if arrived.end <= state.next {
            let key = LateKey(connection: entries[stream.slot].connection.number, direction: stream.direction)
            if late.arrived(arrived.offset..<arrived.end, of: key, on: clock.current, now: clock.now) {
                counters.lateOctets += arrived.count
            } else if arrived.count == 1, arrived.end == state.next {
                counters.keepAliveProbes += 1
            } else {
                counters.retransmittedOctets += arrived.count
            }
            return
        }
        let window = entries[stream.reversed].isSeen ? Int64(limits.receiveWindowOctets) : 1 << 30
        guard arrived.offset <= state.frontier + window else {
            counters.outOfWindowSegments += 1
            return
        }
        if arrived.offset < state.next {
            counters.retransmittedOctets += Int(state.next - arrived.offset)
            arrived.removeFirst(Int(state.next - arrived.offset))
        }
        discardDoubtful(in: arrived.offset..<arrived.end, of: stream)
        if isWaitingForCause(stream), isCaused(arrived.acknowledged, of: stream) {
            counters.outOfWindowSegments += 1
            discardUncaused(within: arrived.offset..<arrived.end, of: stream)
        }
        if canDeliver(arrived, of: stream) {
            deliver(arrived, from: octets, of: stream, into: &sink)
        } else {
            counters.outOfOrderSegments += 1
            hold(arrived, from: octets, of: stream)
        }
    }

    /// Whether octets are in order, behind their cause, and do not reach into octets that came before them.
    @inline(__always)
    private func canDeliver(_ arrived: SegmentOctets, of stream: StreamID) -> Bool {
        guard arrived.offset == entries[stream].next else {
            return false
        }
        if let wait = streamWait(of: stream), wait.head != HeldSegment.none, held[wait.head].offset < arrived.end {
            return false
        }
        return isCaused(arrived.acknowledged, of: stream) || isWaitingForCause(stream.reversed)
    }

    /// Gives octets that are next in their stream to the sink.
    private mutating func deliver<Sink: StreamSink & ~Copyable>(
        _ arrived: SegmentOctets,
        from octets: Span<UInt8>,
        of stream: StreamID,
        into sink: inout Sink
    ) {
        if entries[stream.slot].connection.wait != ConnectionWait.none {
            let wait = Int(entries[stream.slot].connection.wait)
            streamWaits[streamWaitIndex(wait, stream)].progressTime = clock.now
            streamWaits[streamWaitIndex(wait, stream)].progressArrivals = waits[wait].arrivals
        }
        if !arrived.captured.isEmpty {
            let position = positionReached(
                by: arrived.captured.count,
                of: stream,
                time: arrived.time.nanoseconds,
                acknowledged: arrived.acknowledged,
                startsSegment: arrived.startsSegment
            )
            sink.octetsArrived(octets.extracting(arrived.captured), at: position, slot: stream.slot)
        }
        if arrived.truncated > 0 {
            reportMissing(arrived.truncated, .truncated, time: arrived.time.nanoseconds, of: stream, into: &sink)
        }
    }

    /// Moves a stream on by octets that are about to be delivered, and says where they stand.
    mutating func positionReached(
        by count: Int,
        of stream: StreamID,
        time: Int64,
        acknowledged: Int64?,
        startsSegment: Bool,
        hasWaited: Bool = false
    ) -> StreamPosition {
        let offset = entries[stream].next
        // What waited for octets in front of it was captured before those.
        let tolerance = hasWaited ? PacketClock.longestStep : PacketClock.disorder
        let latest = entries[stream].timeReached(by: time, tolerating: tolerance)
        entries[stream].next = offset + Int64(count)
        // From here on the sink knows these offsets: they must not move any more.
        entries[stream].origin = .certain
        entries[stream].endIsPresumed = false
        if acknowledged != nil {
            entries[stream.reversed].origin = .certain
        }
        counters.deliveredOctets += count
        return StreamPosition(
            direction: stream.direction,
            offset: offset,
            time: PacketTime(nanoseconds: latest),
            acknowledged: acknowledged,
            startsSegment: startsSegment
        )
    }

    /// Reports that the next `count` octets of a stream will not come.
    mutating func reportMissing<Sink: StreamSink & ~Copyable>(
        _ count: Int,
        _ reason: MissingReason,
        time: Int64,
        of stream: StreamID,
        into sink: inout Sink
    ) {
        counters.gaps[reason] += 1
        counters.gapOctets[reason] += count
        counters.deliveredOctets -= count
        let position = positionReached(
            by: count,
            of: stream,
            time: time,
            acknowledged: nil,
            startsSegment: false,
            hasWaited: true
        )
        sink.octetsMissing(count, reason: reason, at: position, slot: stream.slot)
    }

    // MARK: - The end of a stream

    /// Notes where a FIN ends its stream, and ends it when nothing is missing in front.
    mutating func finishArrived<Sink: StreamSink & ~Copyable>(
        endingAt end: Int64,
        acknowledging acknowledged: Int64? = nil,
        of stream: StreamID,
        at time: PacketTime,
        into sink: inout Sink
    ) {
        let state = entries[stream]
        guard !state.isEnded, end >= state.next - 1, end <= state.frontier + Int64(limits.receiveWindowOctets) else {
            return
        }
        guard
            end > state.next || entries[stream.slot].connection.wait != ConnectionWait.none
                || !isEndCaused(acknowledged, of: stream)
        else {
            entries[stream].acknowledged = min(state.acknowledged, state.next)
            endStream(stream, .finished, at: time, into: &sink)
            return
        }
        let wait = makeWait(for: stream.slot)
        let index = streamWaitIndex(wait, stream)
        guard streamWaits[index].end == nil else {
            if isEndCaused(acknowledged, of: stream) { streamWaits[index].endAcknowledged = acknowledged }
            return
        }
        // One octet too many was given up where the FIN's own number had been taken for an octet.
        streamWaits[index].end = max(end, state.next)
        streamWaits[index].endAcknowledged = acknowledged
        streamWaits[index].isEndAcknowledged = state.acknowledged > end
        streamWaits[index].endArrivals = waits[wait].arrivals
        entries[stream].acknowledged = min(state.acknowledged, max(end, state.next))
        streamWaits[index].evidenceTime = clock.now
        streamWaits[index].evidenceArrivals = waits[wait].arrivals
        streamWaits[index].evidenceInterface = clock.current
    }
}
