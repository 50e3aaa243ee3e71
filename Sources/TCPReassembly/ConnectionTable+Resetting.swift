// Wingmirror · Apache-2.0
// Resets: RFC 9293 §3.10.7.4, RFC 5961 §3.2.

import PacketDecoding

/// How a RST is believed, or not.
extension ConnectionTable {
    /// Takes in a RST on an open connection.
    ///
    /// Its receiver takes it only if its number is exactly the next; to one that merely lies in the window it answers with
    /// a challenge, and goes on. The capture may lag behind the receiver, so that here an inexact one may be exact there:
    /// such a RST waits for what follows.
    mutating func resetArrived<Sink: StreamSink & ~Copyable>(
        _ segment: TCPSegment,
        at time: PacketTime,
        of stream: StreamID,
        into sink: inout Sink
    ) {
        let state = entries[stream]
        guard state.origin != .unknown else {
            close(stream.slot, .reset, by: stream.direction, at: time, lingers: true, into: &sink)
            return
        }
        let tolerance = Int64(limits.resetWindowOctets)
        let offset = state.offset(of: segment.sequenceNumber)
        let lowest =
            entries[stream.reversed].isSeen ? min(state.next, state.acknowledged) - 1 : state.next - tolerance
        var highest = state.frontier
        if let tail = streamWait(of: stream)?.tail, tail != HeldSegment.none {
            highest = max(highest, held[tail].end)
        }
        guard (lowest...highest + tolerance).contains(offset) else {
            counters.ignoredResets += 1
            return
        }
        let hasFinish = state.isEnded || state.endIsPresumed || waitingEnd(of: stream) != nil
        let isExact = offset == highest || offset == state.frontier || hasFinish && offset == state.frontier + 1
        guard !isExact else {
            close(stream.slot, .reset, by: stream.direction, at: time, lingers: true, into: &sink)
            return
        }
        let index = streamWaitIndex(makeWait(for: stream.slot), stream)
        if streamWaits[index].reset == nil {
            streamWaits[index].reset = PendingReset(
                offset: offset,
                reached: state.next,
                time: time.nanoseconds,
                deadline: clock.now + limits.retransmissionTimeoutNanoseconds
            )
        }
        settle(stream.slot, at: time, into: &sink)
    }

    /// Looks at a segment that follows a RST which waits: whether it shows that the RST was not taken.
    ///
    /// That is shown by octets of its sender beyond it, by a challenge of its receiver, and by its receiver acknowledging
    /// octets that came after it.
    mutating func segmentFollowsReset(_ segment: TCPSegment, of stream: StreamID) {
        let own = streamWait(of: stream)?.reset
        let other = streamWait(of: stream.reversed)?.reset
        let count = segment.payload.count + segment.truncatedOctets
        if var reset = own, count > 0 {
            let end = entries[stream].offset(of: segment.sequenceNumber) + Int64(count)
            reset.hasFollowers = reset.hasFollowers || end > reset.reached
            reset.reached = max(reset.reached, end)
            streamWaits[streamWaitIndex(Int(entries[stream.slot].connection.wait), stream)].reset = reset
            if end > reset.offset {
                dismissReset(of: stream)
            }
        }
        guard let reset = other, segment.flags.contains(.ack) else {
            return
        }
        let sender = entries[stream.reversed]
        let acknowledged = sender.offset(of: segment.acknowledgementNumber)
        let isChallenge =
            count == 0 && !segment.flags.contains(.fin) && acknowledged == sender.acknowledged
            && acknowledged == sender.next && segment.sequenceNumber.rawValue == entries[stream].expectedNumber
        if isChallenge || reset.hasFollowers && acknowledged >= reset.reached {
            dismissReset(of: stream.reversed)
        }
    }

    private mutating func dismissReset(of stream: StreamID) {
        streamWaits[streamWaitIndex(Int(entries[stream.slot].connection.wait), stream)].reset = nil
        counters.ignoredResets += 1
    }

    /// The direction whose RST waits and is to be believed now, and the RST.
    ///
    /// `isFinal` says that nothing will come any more that could contradict it.
    @inline(__always)
    func believedReset(of slot: Int, isFinal: Bool) -> (direction: StreamDirection, reset: PendingReset)? {
        for direction in StreamDirection.allCases {
            let stream = StreamID(slot: slot, direction)
            if let reset = streamWait(of: stream)?.reset,
                isFinal || clock.now >= reset.deadline || entries[stream].next == reset.offset
            {
                return (direction, reset)
            }
        }
        return nil
    }
}

/// A RST that may have been taken or not.
struct PendingReset: BitwiseCopyable {
    /// Its number, as an offset of its sender's stream.
    let offset: Int64
    /// How far its sender's stream has come since, or had when it came.
    var reached: Int64
    /// When it was captured, in nanoseconds since the epoch.
    let time: Int64
    /// Until when it waits, on the clock.
    let deadline: Int64
    /// Whether its sender sent octets after it.
    var hasFollowers = false

    /// When it was captured.
    var packetTime: PacketTime {
        PacketTime(nanoseconds: time)
    }
}
