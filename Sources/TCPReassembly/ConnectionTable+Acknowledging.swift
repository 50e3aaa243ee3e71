// Wingmirror · Apache-2.0
// What acknowledgements say, and which of them a receiver believes: RFC 9293 §3.10.7.4, RFC 5961 §5.

import PacketDecoding

/// What segments acknowledge, and what waits for what they acknowledge.
extension ConnectionTable {
    // MARK: - Acknowledgements

    /// Notes what a segment acknowledges in the other stream, as an offset there; `nil` when it says nothing to
    /// believe.
    mutating func acknowledgementArrived(_ segment: TCPSegment, of stream: StreamID) -> Int64? {
        guard segment.flags.contains(.ack) else {
            return nil
        }
        let other = stream.reversed
        let state = entries[other]
        guard state.origin != .unknown else {
            entries[other].setOrigin(segment.acknowledgementNumber, .assumed)
            return 0
        }
        var acknowledged = state.offset(of: segment.acknowledgementNumber)
        if acknowledged < 0, mayBeginEarlier(other), fits(segment, stream) {
            // Segments were captured out of order, and this one knows better where the other stream begins.
            moveOrigin(of: other, back: -acknowledged)
            return 0
        }
        if state.isEnded || state.endIsPresumed && acknowledged == state.next + 1 {
            // The FIN takes a sequence number too.
            acknowledged = min(acknowledged, state.next)
        } else if let end = waitingEnd(of: other), acknowledged > end {
            streamWaits[streamWaitIndex(Int(entries[stream.slot].connection.wait), other)].isEndAcknowledged = true
            acknowledged = end
        }
        if Self.isTooOld(acknowledged, state) {
            counters.outOfWindowSegments += 1
            return nil
        }
        if acknowledged > state.next {
            // Octets that were not seen are believed only of a segment that fits itself; and very many, as after a long
            // loss, of one that fits closely.
            let own = entries[stream]
            let distance = abs(own.offset(of: segment.sequenceNumber) - own.frontier)
            let isFar = acknowledged > state.frontier + Int64(limits.receiveWindowOctets)
            guard acknowledged - state.frontier < Self.largestWindow,
                distance <= Int64(isFar ? limits.resetWindowOctets : limits.receiveWindowOctets)
            else {
                counters.outOfWindowSegments += 1
                return nil
            }
        }
        let offset = entries[stream].offset(of: segment.sequenceNumber)
        if acknowledged < state.acknowledged, state.acknowledged > state.next {
            if contradictsAcknowledgement(segment, at: offset, of: stream) {
                acknowledgementContradicted(by: segment, at: offset, of: stream)
                entries[other].acknowledged = acknowledged
            }
        } else if acknowledged > state.acknowledged || entries[stream.slot].connection.wait == ConnectionWait.none {
            entries[other].acknowledged = max(state.acknowledged, acknowledged)
            if acknowledged > state.next, state.isSeen {
                let isFirst =
                    state.acknowledged <= state.next || entries[stream.slot].connection.wait == ConnectionWait.none
                if isFirst { evidenceArrived(that: other, acknowledgedAt: offset) }
                noteEvidence(at: offset, of: stream)
            } else if acknowledged > state.next, !state.isAbsent, segment.payload.count > 0 {
                // These octets will be held: what its sender sent before, and is captured behind it, does not contradict it.
                noteEvidence(at: offset, of: stream)
            }
        }
        return acknowledged
    }

    /// Notes where in its stream a segment stands that acknowledges what was not delivered of the other.
    private mutating func noteEvidence(at offset: Int64, of stream: StreamID) {
        let index = streamWaitIndex(makeWait(for: stream.slot), stream.reversed)
        streamWaits[index].evidenceOffset = max(streamWaits[index].evidenceOffset, offset)
    }

    /// The largest receive window there is (RFC 7323 §2.3): nothing that is acknowledged lies further off.
    static var largestWindow: Int64 { 65_535 << 14 }

    /// Whether an acknowledgement is of before the stream began, or of so long ago that a receiver drops the segment
    /// (RFC 5961 §5).
    private static func isTooOld(_ acknowledged: Int64, _ state: StreamState) -> Bool {
        state.isSynchronized && acknowledged < 0 || acknowledged < state.next - Self.largestWindow
    }

    /// Whether a segment shows that its sender has not received what a segment before it acknowledged.
    ///
    /// It brings what had not been sent when that was acknowledged, and acknowledges less: what TCP acknowledges never
    /// goes back.
    @inline(__always)
    private func contradictsAcknowledgement(_ segment: TCPSegment, at offset: Int64, of stream: StreamID) -> Bool {
        let bringsMore = segment.payload.count + segment.truncatedOctets > 0 || segment.flags.contains(.fin)
        let evidence = streamWait(of: stream.reversed)?.evidenceOffset ?? 0
        return bringsMore && offset >= max(entries[stream].next, evidence)
    }

    /// Forgets what waits only because of an acknowledgement that was false, and whose place a segment takes.
    private mutating func acknowledgementContradicted(by segment: TCPSegment, at offset: Int64, of stream: StreamID) {
        counters.outOfWindowSegments += 1
        let end = offset + Int64(segment.payload.count + segment.truncatedOctets)
        if isWaitingForCause(stream) { discardUncaused(within: offset..<end, of: stream) }
        if isEndWaitingForCause(stream), end > entries[stream].next { forgetEnd(of: stream) }
    }

    /// Notes that something shows octets of a stream that have not come.
    mutating func evidenceArrived(that stream: StreamID, acknowledgedAt offset: Int64) {
        let wait = makeWait(for: stream.slot)
        let index = streamWaitIndex(wait, stream)
        streamWaits[index].evidenceTime = clock.now
        streamWaits[index].evidenceArrivals = waits[wait].arrivals
        streamWaits[index].evidenceInterface = clock.current
        streamWaits[index].evidenceOffset = offset
    }

    // MARK: - Causes

    /// Whether everything that an acknowledgement covers was delivered or given up, as far as it can come at all.
    ///
    /// A direction of which nothing was seen may only be late: two interfaces, or two taps, deliver one connection with
    /// different delays, and then the answers come first. It is waited for as a hole is, once for each connection.
    @inline(__always)
    func isCaused(_ acknowledged: Int64?, of stream: StreamID) -> Bool {
        let other = entries[stream.reversed]
        // What it says beyond what is believed now was taken back.
        guard let acknowledged, min(acknowledged, other.acknowledged) > other.next else {
            return true
        }
        guard other.isSeen else { return other.isAbsent }
        return other.isEnded || other.endIsPresumed && acknowledged == other.next + 1
    }

    /// Whether the next octets of a stream are held.
    @inline(__always)
    func isNextHeld(of stream: StreamID) -> Bool {
        guard let wait = streamWait(of: stream), wait.head != HeldSegment.none else {
            return false
        }
        return held[wait.head].offset <= entries[stream].next && !held[wait.head].doubt.exists
    }

    /// Whether the next octets of a stream are held only because they acknowledge octets of the other.
    ///
    /// Those octets must not wait in turn, whatever they acknowledge: one of the two was sent again, with a newer
    /// acknowledgement.
    @inline(__always)
    func isWaitingForCause(_ stream: StreamID) -> Bool {
        guard isNextHeld(of: stream), let head = streamWait(of: stream)?.head else {
            return false
        }
        return !isCaused(held[head].acknowledged, of: stream)
    }

    /// Whether only what a FIN acknowledges keeps it from ending its stream.
    @inline(__always)
    func isEndWaitingForCause(_ stream: StreamID) -> Bool {
        guard let wait = streamWait(of: stream), let end = wait.end else { return false }
        return end <= entries[stream].next && !isEndCaused(wait.endAcknowledged, of: stream)
    }

    /// Whether everything that a FIN acknowledges was delivered or given up; of a direction that is not seen nothing is waited for.
    @inline(__always)
    func isEndCaused(_ acknowledged: Int64?, of stream: StreamID) -> Bool {
        !entries[stream.reversed].isSeen || isCaused(acknowledged, of: stream)
    }

    mutating func forgetEnd(of stream: StreamID) {
        let index = streamWaitIndex(Int(entries[stream.slot].connection.wait), stream)
        streamWaits[index].end = nil
        streamWaits[index].endAcknowledged = nil
        streamWaits[index].isEndAcknowledged = false
    }

    /// Forgets a held segment that acknowledges what never came, where a copy that begins with it does not.
    ///
    /// A sender that sends again acknowledges no less than before, so that the first is not the sender's, or was dropped
    /// for what it acknowledged (RFC 9293 §3.10.7.4).
    mutating func discardUncaused(within copy: Range<Int64>, of stream: StreamID) {
        let wait = Int(entries[stream.slot].connection.wait)
        let index = streamWaitIndex(wait, stream)
        let first = held[streamWaits[index].head]
        guard copy.contains(first.offset) else { return }
        while streamWaits[index].head != HeldSegment.none {
            let number = streamWaits[index].head
            let segment = held[number]
            guard segment.arrivals == first.arrivals, segment.acknowledged == first.acknowledged else { return }
            streamWaits[index].head = segment.next
            if segment.next == HeldSegment.none { streamWaits[index].tail = HeldSegment.none }
            waits[wait].blocks -= 1
            counters.shedOctets += segment.isTruncated ? 0 : segment.count
            held.remove(number)
        }
    }
}
