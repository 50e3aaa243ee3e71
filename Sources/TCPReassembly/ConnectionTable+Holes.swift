// Wingmirror · Apache-2.0

import PacketDecoding

/// How what waits is released, and when a hole is final.
extension ConnectionTable {
    /// Octets of a stream that have not come, though something shows that they were sent.
    private struct Hole {
        /// How far the hole reaches, as far as is shown.
        let end: Int64
        /// Whether the other side acknowledged some of it.
        let isAcknowledged: Bool
        /// Whether octets are held that fill it, whose checksum is wrong.
        var isDoubtful = false
        /// Whether those are let through as soon as they are acknowledged.
        var isFilledOnceAcknowledged = false
        /// Whether an acknowledgement alone shows it, and what it shows is a single octet.
        let mayBeFinish: Bool
        /// The clock's time from which waiting counts.
        let since: Int64
        /// The connection's `arrivals` at that moment.
        let sinceArrivals: Int
        /// When the evidence was captured, in nanoseconds since the epoch.
        let time: Int64
        /// The interface that showed it.
        let interface: Int
        /// Whether octets or a FIN wait until it is filled or final.
        var delays = true
        /// Whether more shows it than a segment of which nothing says that its receiver took it.
        var isConfirmed = true
    }

    /// Delivers what can be delivered, gives up what is overdue, and ends what has ended.
    mutating func settle<Sink: StreamSink & ~Copyable>(_ slot: Int, at time: PacketTime, into sink: inout Sink) {
        if entries[slot].connection.wait != ConnectionWait.none {
            let wait = Int(entries[slot].connection.wait)
            deliverHeld(slot, at: time, into: &sink)
            while waits[wait].blocks > blocksPerConnection {
                counters.limitsMet[.connectionOctets] += 1
                guard giveUpHole(of: slot, .limit, at: time, into: &sink) else {
                    break
                }
            }
            while giveUpHole(of: slot, nil, at: time, into: &sink) {}
            if let (direction, reset) = believedReset(of: slot, isFinal: false) {
                close(slot, .reset, by: direction, at: reset.packetTime, lingers: true, into: &sink)
                return
            }
            if isSettled(wait) {
                dropWait(of: slot)
            }
        }
        if isFinished(slot) {
            close(slot, .finished, at: time, lingers: true, into: &sink)
        } else {
            refreshAttention(of: slot)
        }
    }

    /// Ends waiting for everything that is missing on a connection.
    ///
    /// `reason` is what to report of holes that nobody acknowledged, or of all if it is `.limit`.
    mutating func giveUpHoles<Sink: StreamSink & ~Copyable>(
        of slot: Int,
        _ reason: MissingReason,
        at time: PacketTime,
        into sink: inout Sink
    ) {
        guard entries[slot].connection.wait != ConnectionWait.none else {
            giveUpAcknowledged(slot, into: &sink)
            return
        }
        deliverHeld(slot, at: time, into: &sink)
        while giveUpHole(of: slot, reason, at: time, into: &sink) {}
    }

    /// Ends waiting for what was acknowledged and never came, and for which nothing waited.
    private mutating func giveUpAcknowledged<Sink: StreamSink & ~Copyable>(
        _ slot: Int,
        into sink: inout Sink
    ) {
        for direction in StreamDirection.allCases {
            let stream = StreamID(slot: slot, direction)
            let state = entries[stream]
            let count = Int(state.acknowledged - state.next)
            guard count > 0, state.isSeen, !state.isEnded, !state.endIsPresumed else { continue }
            if count == 1 {
                entries[stream].endIsPresumed = true
            } else {
                reportMissing(count, .captureLoss, time: state.time, of: stream, into: &sink)
            }
        }
    }

    /// Whether a connection needs more than the common path.
    mutating func refreshAttention(of slot: Int) {
        let connection = entries[slot].connection
        let originator = entries[slot].fromOriginator
        let responder = entries[slot].fromResponder
        entries[slot].connection.needsAttention =
            connection.phase != .open || connection.wait != ConnectionWait.none || !Self.isPlain(originator)
            || !Self.isPlain(responder) || clocks.awaitsAcknowledgement(slot)
    }

    @inline(__always)
    private static func isPlain(_ state: StreamState) -> Bool {
        state.isSeen && state.origin == .certain && !state.isEnded && !state.endIsPresumed
            && state.acknowledged <= state.next
    }

    /// Whether both streams have ended, as far as is known.
    @inline(__always)
    func isFinished(_ slot: Int) -> Bool {
        let originator = entries[slot].fromOriginator
        let responder = entries[slot].fromResponder
        return (originator.isEnded || originator.endIsPresumed) && (responder.isEnded || responder.endIsPresumed)
    }

    @inline(__always)
    private func isSettled(_ wait: Int) -> Bool {
        !waits[wait].candidate.exists && !waits[wait].jump.exists && isSettled(streamWaits[wait * 2])
            && isSettled(streamWaits[wait * 2 + 1])
    }

    @inline(__always)
    private func isSettled(_ wait: StreamWait) -> Bool {
        wait.head == HeldSegment.none && wait.end == nil && wait.reset == nil && wait.deadline == nil
    }

    // MARK: - Delivery

    /// Delivers held octets of both streams as far as they are next and follow their cause, then ends what has ended.
    private mutating func deliverHeld<Sink: StreamSink & ~Copyable>(
        _ slot: Int,
        at time: PacketTime,
        into sink: inout Sink
    ) {
        var progressed = true
        while progressed {
            progressed = false
            for direction in StreamDirection.allCases {
                let stream = StreamID(slot: slot, direction)
                while let number = deliverableSegment(of: stream) {
                    deliver(number, of: stream, into: &sink)
                    progressed = true
                }
            }
            let first = StreamID(slot: slot, firstToEnd(of: slot))
            if endIfReached(first, at: time, into: &sink) { progressed = true }
            if endIfReached(first.reversed, at: time, into: &sink) { progressed = true }
        }
    }

    /// The direction whose FIN came first: who ends first says what was answered.
    @inline(__always)
    private func firstToEnd(of slot: Int) -> StreamDirection {
        guard let originator = streamWait(of: StreamID(slot: slot, .fromOriginator)), originator.end != nil,
            let responder = streamWait(of: StreamID(slot: slot, .fromResponder)), responder.end != nil
        else { return .fromOriginator }
        return responder.endArrivals < originator.endArrivals ? .fromResponder : .fromOriginator
    }

    /// The held segment that may be delivered now.
    @inline(__always)
    private func deliverableSegment(of stream: StreamID) -> UInt32? {
        guard let number = streamWait(of: stream)?.head, number != HeldSegment.none else {
            return nil
        }
        let segment = held[number]
        guard segment.offset <= entries[stream].next, !segment.doubt.exists else {
            return nil
        }
        if isCaused(segment.acknowledged, of: stream) {
            return number
        }
        guard isWaitingForCause(stream.reversed), let other = streamWait(of: stream.reversed)?.head else {
            return nil
        }
        // Each acknowledges the other, so one was sent again: the later one, whose octets must have come first.
        return segment.arrivals >= held[other].arrivals ? number : nil
    }

    private mutating func deliver<Sink: StreamSink & ~Copyable>(
        _ number: UInt32,
        of stream: StreamID,
        into sink: inout Sink
    ) {
        let wait = Int(entries[stream.slot].connection.wait)
        let index = streamWaitIndex(wait, stream)
        let segment = held[number]
        streamWaits[index].head = segment.next
        if segment.next == HeldSegment.none {
            streamWaits[index].tail = HeldSegment.none
        }
        waits[wait].blocks -= 1
        // What was acknowledged while these waited may still come: its patience begins now.
        streamWaits[index].progressTime = clock.now
        streamWaits[index].progressArrivals = waits[wait].arrivals
        if segment.isTruncated {
            reportMissing(segment.count, .truncated, time: segment.time, of: stream, into: &sink)
        } else {
            let position = positionReached(
                by: segment.count,
                of: stream,
                time: segment.time,
                acknowledged: segment.acknowledged,
                startsSegment: segment.startsSegment,
                hasWaited: true
            )
            held.deliver(number, at: position, slot: stream.slot, into: &sink)
        }
        held.remove(number)
    }

    private mutating func endIfReached<Sink: StreamSink & ~Copyable>(
        _ stream: StreamID,
        at time: PacketTime,
        into sink: inout Sink
    ) -> Bool {
        guard let wait = streamWait(of: stream), let end = wait.end, end <= entries[stream].next,
            isEndCaused(wait.endAcknowledged, of: stream)
        else { return false }
        let index = streamWaitIndex(Int(entries[stream.slot].connection.wait), stream)
        streamWaits[index].end = nil
        setDeadline(nil, at: index)
        discardHeld(of: stream)
        endStream(stream, .finished, at: time, into: &sink)
        return true
    }

    /// Forgets octets that were held behind what turned out to be the end of the stream.
    private mutating func discardHeld(of stream: StreamID) {
        let wait = Int(entries[stream.slot].connection.wait)
        let index = streamWaitIndex(wait, stream)
        while streamWaits[index].head != HeldSegment.none {
            let number = streamWaits[index].head
            streamWaits[index].head = held[number].next
            counters.segmentsAfterClose += held[number].startsSegment ? 1 : 0
            waits[wait].blocks -= 1
            held.remove(number)
        }
        streamWaits[index].tail = HeldSegment.none
    }

    // MARK: - Holes

    /// Makes a hole of the connection final, and delivers what it kept waiting.
    ///
    /// `forced` is the reason to give up any hole; `nil` gives up only what is overdue, and sets the deadlines of the
    /// others. The answer is whether there was one.
    private mutating func giveUpHole<Sink: StreamSink & ~Copyable>(
        of slot: Int,
        _ forced: MissingReason?,
        at time: PacketTime,
        into sink: inout Sink
    ) -> Bool {
        let wait = Int(entries[slot].connection.wait)
        for direction in StreamDirection.allCases {
            let stream = StreamID(slot: slot, direction)
            let index = streamWaitIndex(wait, stream)
            let resetDeadline = streamWaits[index].reset?.deadline
            guard let hole = hole(of: stream, wait: wait) else {
                setDeadline(resetDeadline, at: index)
                continue
            }
            let deadline = hole.since + patience(with: hole, of: stream)
            let isOverdue =
                clock.now >= deadline
                || hole.isAcknowledged && hole.isConfirmed
                    && waits[wait].arrivals - hole.sinceArrivals >= graceSegments
            guard forced != nil || isOverdue else {
                setDeadline(min(deadline, resetDeadline ?? .max), at: index)
                continue
            }
            guard hole.delays || forced != nil && forced != .limit else {
                // An acknowledgement may lie, and receivers drop one of what was never sent (RFC 9293 §3.10.7.4): as long as
                // nothing waits, what comes next says more.
                setDeadline(resetDeadline, at: index)
                continue
            }
            setDeadline(nil, at: index)
            if !hole.isConfirmed, forced == nil || forced == .limit {
                // What waits is let through, and nothing is taken for missing: octets that come are still the next.
                entries[stream].acknowledged = entries[stream].next
            } else if !entries[stream].isSeen {
                // Not a hole: the capture shows one direction only, as far as anybody can tell so far.
                entries[stream].isAbsent = true
                noteGivenUp(min(0, hole.end)..<hole.end, of: stream, hole)
            } else if hole.mayBeFinish {
                entries[stream].endIsPresumed = true
            } else if !hole.isDoubtful || !isDoubtfulAccepted(of: stream) {
                let reason = hole.isAcknowledged && forced != .limit ? .captureLoss : forced ?? .timeout
                let count = Int(hole.end - entries[stream].next)
                if hole.isAcknowledged {
                    noteGivenUp(entries[stream].next..<hole.end, of: stream, hole)
                }
                reportMissing(count, reason, time: hole.time, of: stream, into: &sink)
            }
            deliverHeld(slot, at: time, into: &sink)
            return true
        }
        return false
    }

    /// What is missing of a direction of which nothing was seen: all that octets of the other wait for.
    @inline(__always)
    private func unseenDirection(_ stream: StreamID) -> Hole? {
        guard isWaitingForCause(stream.reversed), let number = streamWait(of: stream.reversed)?.head else { return nil }
        let waiting = held[number]
        return Hole(
            end: entries[stream].acknowledged,
            isAcknowledged: true,
            mayBeFinish: false,
            since: waiting.arrivalTime,
            sinceArrivals: waiting.arrivals,
            time: waiting.time,
            interface: Int(waiting.interface)
        )
    }

    /// After how many further segments acknowledged octets are given up: more, where they are known to come late.
    private var graceSegments: Int {
        let factor = late.patience(limits.graceNanoseconds) / max(limits.graceNanoseconds, 1)
        return limits.graceSegments * max(1, Int(min(factor, 64)))
    }

    /// Remembers that octets are given up, in case that they are only late.
    private mutating func noteGivenUp(_ octets: Range<Int64>, of stream: StreamID, _ hole: Hole) {
        let key = LateKey(connection: entries[stream.slot].connection.number, direction: stream.direction)
        late.givenUp(octets, of: key, since: hole.since, shownBy: hole.interface)
    }

    @inline(__always)
    private func patience(with hole: Hole, of stream: StreamID) -> Int64 {
        if hole.isAcknowledged {
            guard hole.isConfirmed else {
                return max(limits.oneSidedTimeoutNanoseconds, late.patience(limits.graceNanoseconds))
            }
            return hole.isFilledOnceAcknowledged ? 0 : late.patience(limits.graceNanoseconds)
        }
        return entries[stream.reversed].isSeen
            ? limits.retransmissionTimeoutNanoseconds : limits.oneSidedTimeoutNanoseconds
    }

    /// The hole at the point that a stream has reached.
    @inline(__always)
    private func hole(of stream: StreamID, wait: Int) -> Hole? {
        let state = entries[stream]
        let streamWait = streamWaits[streamWaitIndex(wait, stream)]
        guard !state.isEnded, !isNextHeld(of: stream) else {
            return nil
        }
        guard state.isSeen else { return unseenDirection(stream) }
        let isAcknowledged =
            state.isSeen && state.acknowledged > state.next
            && !(state.endIsPresumed && state.acknowledged == state.next + 1 && streamWait.head == HeldSegment.none)
        if streamWait.head != HeldSegment.none {
            let first = held[streamWait.head]
            let isDoubtful = first.doubt.exists && first.offset <= state.next
            let reach = isDoubtful ? first.end : first.offset
            let isShownByEvidence = isAcknowledged && streamWait.evidenceTime > first.arrivalTime
            return Hole(
                end: isAcknowledged && !isDoubtful ? min(reach, state.acknowledged) : reach,
                isAcknowledged: isAcknowledged,
                isDoubtful: isDoubtful,
                isFilledOnceAcknowledged: isDoubtful && !first.doubt.isSure,
                mayBeFinish: false,
                since: max(first.arrivalTime, isAcknowledged ? streamWait.evidenceTime : streamWait.progressTime),
                sinceArrivals: max(first.arrivals, streamWait.evidenceArrivals),
                time: first.time,
                interface: isShownByEvidence ? streamWait.evidenceInterface : Int(first.interface)
            )
        }
        guard isAcknowledged || (streamWait.end ?? 0) > state.next else {
            return nil
        }
        let mayBeFinish = isAcknowledged && state.acknowledged == state.next + 1 && streamWait.end == nil
        return Hole(
            end: isAcknowledged ? state.acknowledged : streamWait.end ?? state.next,
            isAcknowledged: isAcknowledged,
            mayBeFinish: mayBeFinish,
            // An acknowledgement that runs ahead of octets which still come is no sign of loss.
            since: max(streamWait.evidenceTime, streamWait.progressTime),
            sinceArrivals: max(streamWait.evidenceArrivals, streamWait.progressArrivals),
            time: state.time,
            interface: streamWait.evidenceInterface,
            delays: mayBeFinish || streamWait.end != nil || isWaitingForCause(stream.reversed)
                || isEndWaitingForCause(stream.reversed),
            isConfirmed: mayBeFinish || streamWait.end != nil || isTaken(stream.reversed)
        )
    }

    /// Whether what waits in a stream for octets of the other was taken by its receiver, as far as that can be seen.
    ///
    /// A receiver drops a segment that acknowledges what it has not sent (RFC 9293 §3.10.7.4), and acknowledges what it takes.
    /// Where each direction may have a clock of its own, its acknowledgement may come much later than what it answers.
    @inline(__always)
    private func isTaken(_ stream: StreamID) -> Bool {
        guard let wait = streamWait(of: stream), !(clock.hasSeveralSources && late.learns) else { return true }
        guard wait.head != HeldSegment.none, held[wait.head].offset <= entries[stream].next else {
            return wait.end == nil || wait.isEndAcknowledged
        }
        return entries[stream].acknowledged > held[wait.head].offset
    }
}
