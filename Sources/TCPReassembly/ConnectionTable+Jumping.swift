// Wingmirror · Apache-2.0
// Sequence numbers far from the window: RFC 9293 §3.4, §3.10.7.4.

import PacketDecoding

/// How a connection is found again after the capture missed so much that its numbers lie out of reach.
extension ConnectionTable {
    // MARK: - Recognising

    /// Whether the numbers of a segment lie where no segment of its connection can be believed to lie by itself.
    @inline(__always)
    func isOutOfPlace(_ segment: TCPSegment, of stream: StreamID) -> Bool {
        let own = entries[stream]
        guard own.origin != .unknown else {
            return false
        }
        let window = Int64(limits.receiveWindowOctets)
        let other = entries[stream.reversed]
        let distance = own.offset(of: segment.sequenceNumber) - own.frontier
        let length = Int64(segment.payload.count + segment.truncatedOctets)
        // Where only one direction is seen nothing else can tell how far it has come.
        if distance > (other.isSeen ? window : 1 << 30) || distance + length < -window {
            return true
        }
        guard segment.flags.contains(.ack), other.origin != .unknown, abs(distance) > Int64(limits.resetWindowOctets)
        else {
            return false
        }
        return abs(other.offset(of: segment.acknowledgementNumber) - other.frontier) > window
    }

    /// Takes in a segment that is out of place, and lets the connection jump when enough of them agree.
    mutating func outOfPlaceSegmentArrived<Sink: StreamSink & ~Copyable>(
        _ segment: TCPSegment,
        octets: Span<UInt8>,
        at time: PacketTime,
        of stream: StreamID,
        hash: UInt64,
        into sink: inout Sink
    ) {
        counters.outOfWindowSegments += 1
        let wait = makeWait(for: stream.slot)
        if !follows(segment, of: stream, waits[wait].jump) {
            dropJump(wait)
            waits[wait].jump.time = time.nanoseconds
        }
        waits[wait].jump.note(segment, stream.direction)
        holdOutOfPlace(segment, octets: octets, at: time, of: stream, wait)
        if isConfirmed(waits[wait].jump, of: stream) {
            jump(stream.slot, hash: hash, at: time, into: &sink)
        }
    }

    /// Whether a segment lies near those that are out of place with it.
    private func follows(_ segment: TCPSegment, of stream: StreamID, _ jump: Jump) -> Bool {
        let tolerance = limits.receiveWindowOctets / 16
        let own = jump[stream.direction]
        let other = jump[stream.direction.reversed]
        guard !own.isKnown || abs(segment.sequenceNumber.distance(from: SequenceNumber(own.next))) <= tolerance else {
            return false
        }
        return !other.isKnown
            || abs(segment.acknowledgementNumber.distance(from: SequenceNumber(other.next))) <= tolerance
    }

    /// Keeps the octets of a segment until it is known where they belong; its numbers stand in place of offsets.
    private mutating func holdOutOfPlace(
        _ segment: TCPSegment,
        octets: Span<UInt8>,
        at time: PacketTime,
        of stream: StreamID,
        _ wait: Int
    ) {
        var rest = SegmentOctets(
            segment,
            offset: Int64(segment.sequenceNumber.rawValue),
            acknowledged: Int64(segment.acknowledgementNumber.rawValue),
            time: time
        )
        while rest.count > 0 {
            guard held.availableBlocks > 0, waits[wait].jump.blocks < limits.jumpBlocks else {
                counters.shedOctets += rest.captured.count
                return
            }
            let length =
                rest.captured.isEmpty ? rest.truncated : min(rest.captured.count, HeldSegments.blockOctets)
            let part = rest.takeFirst(upTo: rest.offset + Int64(length))
            let number = held.insert(
                HeldSegment(part, direction: stream.direction, arrival: clock, arrivals: waits[wait].arrivals),
                octets: octets.extracting(part.captured)
            )
            if waits[wait].jump.tail == HeldSegment.none {
                waits[wait].jump.head = number
            } else {
                held.link(waits[wait].jump.tail, to: number)
            }
            waits[wait].jump.tail = number
            waits[wait].jump.blocks += 1
            waits[wait].blocks += 1
        }
    }

    private func isConfirmed(_ jump: Jump, of stream: StreamID) -> Bool {
        if jump.isMutual {
            return jump.segments >= limits.jumpSegments && jump.agreements >= 2
        }
        let onlyThisIsSeen = !entries[stream.reversed].isSeen
        return jump.agreements >= (onlyThisIsSeen ? limits.oneSidedJumpSegments / 4 : limits.oneSidedJumpSegments)
    }

    /// Whether two segments, one from each side, agree: enough where nothing will come that could say otherwise.
    func isJumpPlausible(_ slot: Int) -> Bool {
        guard entries[slot].connection.wait != ConnectionWait.none else {
            return false
        }
        let jump = waits[Int(entries[slot].connection.wait)].jump
        return jump.isMutual && jump.agreements >= 1
    }

    /// Forgets segments that were out of place, because others show that the connection goes on where it was.
    mutating func dropJump(_ wait: Int) {
        guard waits[wait].jump.exists else {
            return
        }
        var number = waits[wait].jump.head
        while number != HeldSegment.none {
            counters.shedOctets += held[number].isTruncated ? 0 : held[number].count
            let next = held[number].next
            held.remove(number)
            number = next
        }
        waits[wait].blocks -= waits[wait].jump.blocks
        waits[wait].jump = .none
    }

    // MARK: - Jumping

    /// Moves a connection to where its segments are now, or ends it and begins the one that they are of.
    ///
    /// It is the same one when both streams have moved forward by less than 1 GiB, and not beyond a FIN. What was missed
    /// between is then reported with its size.
    mutating func jump<Sink: StreamSink & ~Copyable>(
        _ slot: Int,
        hash: UInt64,
        at time: PacketTime,
        into sink: inout Sink
    ) {
        let wait = Int(entries[slot].connection.wait)
        let jump = waits[wait].jump
        waits[wait].jump = .none
        waits[wait].blocks -= jump.blocks
        giveUpHoles(of: slot, .captureLoss, at: time, into: &sink)
        guard reach(of: StreamID(slot: slot, .fromOriginator), to: jump),
            reach(of: StreamID(slot: slot, .fromResponder), to: jump)
        else {
            counters.unseenReplacements += 1
            succeed(slot, by: jump, hash: hash, at: time, into: &sink)
            return
        }
        counters.jumps += 1
        for direction in StreamDirection.allCases {
            moveOn(StreamID(slot: slot, direction), by: jump, into: &sink)
        }
        place(jump, on: slot, at: time, into: &sink)
    }

    private func reach(of stream: StreamID, to jump: Jump) -> Bool {
        let state = entries[stream]
        guard jump[stream.direction].isKnown, state.origin != .unknown else {
            return true
        }
        let first = SequenceNumber(jump[stream.direction].first)
        let distance = first.distance(from: SequenceNumber(state.expectedNumber))
        return distance >= -limits.receiveWindowOctets && distance < (state.isEnded ? 2 : 1 << 30)
    }

    private mutating func moveOn<Sink: StreamSink & ~Copyable>(
        _ stream: StreamID,
        by jump: Jump,
        into sink: inout Sink
    ) {
        let state = entries[stream]
        let known = jump[stream.direction]
        entries[stream].isSeen = state.isSeen || known.isSeen
        guard known.isKnown, !state.isEnded else {
            return
        }
        let first = SequenceNumber(known.first)
        guard state.origin != .unknown else {
            entries[stream].setOrigin(first, .certain)
            return
        }
        let distance = first.distance(from: SequenceNumber(state.expectedNumber))
        if distance > 0 {
            reportMissing(distance, .captureLoss, time: jump.time, of: stream, into: &sink)
        }
    }

    /// Ends a connection, and begins the one that a jump is of, with the same originator.
    private mutating func succeed<Sink: StreamSink & ~Copyable>(
        _ slot: Int,
        by jump: Jump,
        hash: UInt64,
        at time: PacketTime,
        into sink: inout Sink
    ) {
        let addresses = entries[slot].connection.addresses
        close(slot, .superseded, at: time, lingers: false, into: &sink)
        let next = makeEntry(addresses, hash: hash, number: numbering.take(), time: jump.time)
        for direction in StreamDirection.allCases where jump[direction].isKnown {
            let stream = StreamID(slot: next, direction)
            entries[stream].isSeen = jump[direction].isSeen
            entries[stream].setOrigin(SequenceNumber(jump[direction].first), .certain)
        }
        open(next, at: time, into: &sink)
        _ = makeWait(for: next)
        place(jump, on: next, at: time, into: &sink)
    }

    /// Puts what a jump holds into the streams of a connection, and goes on from there.
    private mutating func place<Sink: StreamSink & ~Copyable>(
        _ jump: Jump,
        on slot: Int,
        at time: PacketTime,
        into sink: inout Sink
    ) {
        let wait = makeWait(for: slot)
        var number = jump.head
        while number != HeldSegment.none {
            let next = held[number].next
            place(number, on: StreamID(slot: slot, held[number].direction), wait)
            number = next
        }
        for direction in StreamDirection.allCases {
            let stream = StreamID(slot: slot, direction)
            let known = jump[direction]
            let state = entries[stream]
            guard known.isKnown, !state.isEnded else {
                continue
            }
            var acknowledged = state.offset(of: SequenceNumber(known.acknowledged))
            if known.hasEnd {
                let end = state.offset(of: SequenceNumber(known.end))
                acknowledged = min(acknowledged, end)
                finishArrived(endingAt: end, of: stream, at: time, into: &sink)
            }
            if known.isAcknowledged, acknowledged > max(state.acknowledged, state.next) {
                let index = streamWaitIndex(makeWait(for: slot), stream)
                entries[stream].acknowledged = acknowledged
                streamWaits[index].evidenceTime = clock.now
                streamWaits[index].evidenceArrivals = waits[wait].arrivals
                streamWaits[index].evidenceInterface = clock.current
            }
        }
        settle(slot, at: time, into: &sink)
    }

    /// Puts a held segment, whose numbers stand in place of offsets, where it belongs; one that overlaps is dropped.
    private mutating func place(_ number: UInt32, on stream: StreamID, _ wait: Int) {
        var segment = held[number]
        let offset = entries[stream].offset(of: SequenceNumber(UInt32(truncatingIfNeeded: segment.offset)))
        segment.segmentOffset += offset - segment.offset
        segment.segmentEnd += offset - segment.offset
        segment.offset = offset
        if let acknowledged = segment.acknowledged {
            let number = SequenceNumber(UInt32(truncatingIfNeeded: acknowledged))
            segment.acknowledged = entries[stream.reversed].offset(of: number)
        }
        let index = streamWaitIndex(wait, stream)
        var previous = HeldSegment.none
        var next = streamWaits[index].head
        while next != HeldSegment.none, held[next].end <= segment.offset {
            previous = next
            next = held[next].next
        }
        let overlaps = next != HeldSegment.none && held[next].offset < segment.end
        guard !overlaps, segment.offset >= entries[stream].next, !entries[stream].isEnded else {
            counters.retransmittedOctets += segment.count
            held.remove(number)
            return
        }
        segment.next = next
        held.replace(number, by: segment)
        if previous == HeldSegment.none {
            streamWaits[index].head = number
        } else {
            held.link(previous, to: number)
        }
        if next == HeldSegment.none {
            streamWaits[index].tail = number
        }
        waits[wait].blocks += 1
    }
}
