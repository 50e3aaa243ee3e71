// Wingmirror · Apache-2.0

import PacketDecoding

/// How octets that must wait are kept: in stream order, each once.
extension ConnectionTable {
    /// Keeps copies of those octets that are not held yet.
    ///
    /// There must be room: see `makeRoom`.
    mutating func hold(_ arrived: SegmentOctets, from octets: Span<UInt8>, of stream: StreamID) {
        let wait = makeWait(for: stream.slot)
        let index = streamWaitIndex(wait, stream)
        // What is held rests on these offsets.
        entries[stream].origin = .certain
        if arrived.acknowledged != nil {
            entries[stream.reversed].origin = .certain
        }
        var arrived = arrived
        var previous = HeldSegment.none
        var next = streamWaits[index].head
        if streamWaits[index].tail != HeldSegment.none, held[streamWaits[index].tail].end <= arrived.offset {
            previous = streamWaits[index].tail
            next = HeldSegment.none
        }
        while arrived.count > 0 {
            guard held.availableBlocks > 0 else {
                // Only with limits that have no room for one segment: what is refused becomes a hole.
                counters.shedOctets += arrived.captured.count
                return
            }
            if next != HeldSegment.none, held[next].end <= arrived.offset {
                previous = next
                next = held[next].next
            } else if next != HeldSegment.none, held[next].offset <= arrived.offset {
                let again = arrived.takeFirst(upTo: min(arrived.end, held[next].end))
                counters.retransmittedOctets += again.count
                if !again.captured.isEmpty, !again.doubt.exists {
                    conflictArrived(again, octets.extracting(again.captured), with: next)
                }
            } else {
                let end = next == HeldSegment.none ? arrived.end : min(arrived.end, held[next].offset)
                previous = insert(arrived.takeFirst(upTo: end), from: octets, after: previous, wait, index)
            }
        }
    }

    /// Compares octets that came again with those held.
    ///
    /// Where they differ, Linux takes the segment that begins first; of two that begin together the longer one, and else the
    /// one that came first.
    private mutating func conflictArrived(_ again: SegmentOctets, _ octets: Span<UInt8>, with number: UInt32) {
        let differences = held.differences(number, from: again.offset, to: octets)
        counters.conflictingOctets += differences
        guard held[number].yields(to: again) else { return }
        if differences > 0 { held.overwrite(number, from: again.offset, with: octets) }
        held.joined(number, to: again)
    }

    /// Puts octets between two held segments, and gives the last segment made of them.
    private mutating func insert(
        _ piece: SegmentOctets,
        from octets: Span<UInt8>,
        after previous: UInt32,
        _ wait: Int,
        _ index: Int
    ) -> UInt32 {
        var piece = piece
        var previous = previous
        while piece.count > 0, held.availableBlocks > 0 {
            let length =
                piece.captured.isEmpty ? piece.truncated : min(piece.captured.count, HeldSegments.blockOctets)
            let part = piece.takeFirst(upTo: piece.offset + Int64(length))
            let following = previous == HeldSegment.none ? streamWaits[index].head : held[previous].next
            let number = held.insert(
                HeldSegment(
                    part,
                    direction: index & 1 == 0 ? .fromOriginator : .fromResponder,
                    arrival: clock,
                    arrivals: waits[wait].arrivals,
                    next: following
                ),
                octets: octets.extracting(part.captured)
            )
            if previous == HeldSegment.none {
                streamWaits[index].head = number
            } else {
                held.link(previous, to: number)
            }
            if following == HeldSegment.none {
                streamWaits[index].tail = number
            }
            waits[wait].blocks += 1
            streamWaits[index].doubtful += part.doubt.exists ? 1 : 0
            previous = number
        }
        return previous
    }
}
