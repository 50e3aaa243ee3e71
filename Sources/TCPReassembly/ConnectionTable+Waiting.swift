// Wingmirror · Apache-2.0

import PacketDecoding

/// The records of connections on which something waits.
extension ConnectionTable {
    /// Where the part of a wait record for one stream lies.
    @inline(__always)
    func streamWaitIndex(_ wait: Int, _ stream: StreamID) -> Int {
        wait << 1 | stream.rawValue & 1
    }

    /// What waits on a stream, if anything waits on its connection.
    @inline(__always)
    func streamWait(of stream: StreamID) -> StreamWait? {
        let wait = entries[stream.slot].connection.wait
        return wait == ConnectionWait.none ? nil : streamWaits[streamWaitIndex(Int(wait), stream)]
    }

    /// Where a stream ends, if a FIN waits for what is in front of it.
    ///
    /// Asked for most segments, for which `streamWait(of:)` would be copied.
    @inline(__always)
    func waitingEnd(of stream: StreamID) -> Int64? {
        let wait = entries[stream.slot].connection.wait
        return wait == ConnectionWait.none ? nil : streamWaits[streamWaitIndex(Int(wait), stream)].end
    }

    /// The wait record of a connection, made when there is none.
    ///
    /// There must be room: see `makeRoom`.
    mutating func makeWait(for slot: Int) -> Int {
        guard entries[slot].connection.wait == ConnectionWait.none else {
            return Int(entries[slot].connection.wait)
        }
        let wait = waitSlots.acquire()
        waits[wait] = ConnectionWait(slot: slot, previous: latestWaiting)
        streamWaits[wait * 2] = StreamWait()
        streamWaits[wait * 2 + 1] = StreamWait()
        if latestWaiting == ConnectionWait.none {
            longestWaiting = UInt32(wait)
        } else {
            waits[Int(latestWaiting)].next = UInt32(wait)
        }
        latestWaiting = UInt32(wait)
        entries[slot].connection.wait = UInt32(wait)
        entries[slot].connection.needsAttention = true
        return wait
    }

    /// Drops the wait record of a connection, with everything that is held.
    mutating func dropWait(of slot: Int) {
        guard entries[slot].connection.wait != ConnectionWait.none else {
            return
        }
        let wait = Int(entries[slot].connection.wait)
        for direction in StreamDirection.allCases {
            let index = streamWaitIndex(wait, StreamID(slot: slot, direction))
            var number = streamWaits[index].head
            while number != HeldSegment.none {
                counters.shedOctets += held[number].isTruncated ? 0 : held[number].count
                let next = held[number].next
                held.remove(number)
                number = next
            }
            setDeadline(nil, at: index)
        }
        dropJump(wait)
        let (previous, next) = (waits[wait].previous, waits[wait].next)
        if previous == ConnectionWait.none {
            longestWaiting = next
        } else {
            waits[Int(previous)].next = next
        }
        if next == ConnectionWait.none {
            latestWaiting = previous
        } else {
            waits[Int(next)].previous = previous
        }
        waitSlots.release(wait)
        entries[slot].connection.wait = ConnectionWait.none
    }

    /// Sets when the hole of a stream becomes final.
    mutating func setDeadline(_ deadline: Int64?, at index: Int) {
        guard streamWaits[index].deadline != deadline else {
            return
        }
        if streamWaits[index].deadline != nil {
            holeDeadlines.remove(index)
        }
        if let deadline {
            holeDeadlines.insert(index, lane: 0, deadline: deadline)
        }
        streamWaits[index].deadline = deadline
    }

    /// Sees to it that whatever `segment` brings can be held: where it is short, what waits longest stops waiting.
    @inline(__always)
    mutating func makeRoom<Sink: StreamSink & ~Copyable>(
        for segment: borrowing TCPSegment,
        at time: PacketTime,
        into sink: inout Sink
    ) {
        // There is room for a block for each octet, nearly always.
        let pieces = blocksPerConnection &+ segment.payload.count &+ 3
        if _slowPath(waitSlots.available == 0 || held.availableBlocks < pieces) {
            makeNeededRoom(for: copy segment, at: time, into: &sink)
        }
    }

    @inline(never)
    private mutating func makeNeededRoom<Sink: StreamSink & ~Copyable>(
        for segment: TCPSegment,
        at time: PacketTime,
        into sink: inout Sink
    ) {
        while waitSlots.available == 0 {
            counters.limitsMet[.waitingConnections] += 1
            stopLongestWait(at: time, into: &sink)
        }
        // Every gap between held segments may take a piece, every block of octets and a truncated end one more.
        let pieces =
            blocksPerConnection + (segment.payload.count + HeldSegments.blockOctets) / HeldSegments.blockOctets + 2
        while held.availableBlocks < pieces, longestWaiting != ConnectionWait.none {
            counters.limitsMet[.totalOctets] += 1
            stopLongestWait(at: time, into: &sink)
        }
    }

    /// The bound on the octets of one connection, in blocks.
    var blocksPerConnection: Int {
        limits.bufferedOctetsPerConnection / HeldSegments.blockOctets
    }

    private mutating func stopLongestWait<Sink: StreamSink & ~Copyable>(at time: PacketTime, into sink: inout Sink) {
        let wait = Int(longestWaiting)
        let slot = waits[wait].slot
        guard entries[slot].connection.phase == .open else {
            dropWait(of: slot)
            return
        }
        giveUpHoles(of: slot, .limit, at: time, into: &sink)
        waits[wait].candidate = .none
        dropJump(wait)
        if let (direction, reset) = believedReset(of: slot, isFinal: true) {
            close(slot, .reset, by: direction, at: reset.packetTime, lingers: true, into: &sink)
            return
        }
        settle(slot, at: time, into: &sink)
        // A reset that is not believed yet may be left. It must not keep the room: each call makes some.
        if entries[slot].connection.wait == UInt32(wait) {
            dropWait(of: slot)
            refreshAttention(of: slot)
        }
    }
}
