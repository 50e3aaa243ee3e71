// Wingmirror · Apache-2.0
// Checksums: RFC 9293 §3.1; what a receiver does with a wrong one: RFC 1122 §4.2.2.7.

import PacketDecoding

/// What becomes of segments whose checksum is wrong.
///
/// Their receiver drops them, so they change nothing here either. Only their octets are kept, for the case that the receiver
/// acknowledges them though no other copy was captured.
extension ConnectionTable {
    /// The payload of the largest frame that networks carry, with an MTU of 9,216.
    ///
    /// Longer ones are not verified: whoever joined several segments to one had verified them.
    private static let verifiedOctets = 9216

    /// Whether nothing speaks against a segment that may take the common path.
    @inline(__always)
    mutating func isIntact(_ segment: borrowing TCPSegment, _ octets: Span<UInt8>, of stream: StreamID) -> Bool {
        guard entries[stream].verifiesChecksums, !segment.payload.isEmpty,
            segment.payload.count <= Self.verifiedOctets
        else {
            return true
        }
        return hasNoWrongChecksum(copy segment, octets)
    }

    @inline(never)
    private mutating func hasNoWrongChecksum(_ segment: TCPSegment, _ octets: Span<UInt8>) -> Bool {
        guard segment.hasRightChecksum(in: octets) else { return segment.checksum(in: octets) != .wrong }
        checksums.noteRight(segment, at: checksums.place(of: segment, on: clock.current))
        return true
    }

    /// What speaks against a segment; `nil` for one that is to be taken as it is.
    ///
    /// Learns from it what checksums of its sender are worth.
    mutating func doubt(about segment: TCPSegment, _ octets: Span<UInt8>, of stream: StreamID) -> Doubt? {
        guard segment.payload.count <= Self.verifiedOctets else {
            return nil
        }
        let checksum = segment.checksum(in: octets)
        guard checksum != .absent else {
            return nil
        }
        let sender = checksums.place(of: segment, on: clock.current)
        if checksum == .wrong {
            if checksums[sender].isTrusted {
                let isSure = checksums[sender].isSure(ofLength: segment.payload.count)
                return Doubt(sender: Int16(truncatingIfNeeded: sender), isSure: isSure)
            }
            checksums.noteWrong(at: sender)
        } else {
            checksums.noteRight(segment, at: sender)
        }
        entries[stream].verifiesChecksums = checksums[sender].isTrusted
        return nil
    }

    /// Holds the octets of a segment whose checksum is wrong, and believes nothing else of it.
    mutating func doubtfulSegmentArrived<Sink: StreamSink & ~Copyable>(
        _ segment: TCPSegment,
        _ doubt: Doubt,
        octets: Span<UInt8>,
        at time: PacketTime,
        of stream: StreamID,
        hash: UInt64,
        into sink: inout Sink
    ) {
        // A right copy of it may bear the same numbers.
        recent.forget(segment, hash: hash)
        let state = entries[stream]
        let offset = state.offset(of: segment.sequenceNumber)
        var arrived = SegmentOctets(
            segment,
            offset: offset,
            acknowledged: deliveredAcknowledgement(segment, of: stream),
            time: time
        )
        guard !segment.payload.isEmpty, !segment.flags.contains(.syn), !segment.flags.contains(.rst),
            state.origin != .unknown, !state.isEnded, arrived.end > state.next,
            offset <= state.frontier + Int64(limits.receiveWindowOctets)
        else {
            counters.droppedChecksumErrors += 1
            return
        }
        // Where checksums are hardly known yet, both sides may wait for each other's acknowledgement.
        if !doubt.isSure { _ = acknowledgementArrived(segment, of: stream) }
        arrived.doubt = doubt
        arrived.removeFirst(Int(max(0, state.next - offset)))
        hold(arrived, from: octets, of: stream)
        settle(stream.slot, at: time, into: &sink)
    }

    /// What a segment acknowledges in the other stream, as far as that was delivered.
    @inline(__always)
    private func deliveredAcknowledgement(_ segment: TCPSegment, of stream: StreamID) -> Int64? {
        let other = entries[stream.reversed]
        guard segment.flags.contains(.ack), other.origin == .certain else {
            return nil
        }
        let offset = other.offset(of: segment.acknowledgementNumber)
        return (0...other.next).contains(offset) ? offset : nil
    }

    /// Forgets held octets whose checksum is wrong, because a copy of them has come.
    mutating func discardDoubtful(in range: Range<Int64>, of stream: StreamID) {
        guard let streamWait = streamWait(of: stream), streamWait.doubtful > 0 else {
            return
        }
        let wait = Int(entries[stream.slot].connection.wait)
        let index = streamWaitIndex(wait, stream)
        var previous = HeldSegment.none
        var number = streamWait.head
        while number != HeldSegment.none, held[number].offset < range.upperBound {
            let segment = held[number]
            if segment.doubt.exists, segment.end > range.lowerBound {
                counters.replacedChecksumErrors += segment.startsSegment ? 1 : 0
                unlink(number, after: previous, wait, index)
            } else {
                previous = number
            }
            number = segment.next
        }
    }

    /// Decides what becomes of the octets with a wrong checksum that are next in a stream, now that no other copy will come.
    ///
    /// They are let through where the sender's checksums were hardly ever right: its wrong ones mean nothing then. Else
    /// another copy was taken that was not captured, and what is held is forgotten.
    mutating func isDoubtfulAccepted(of stream: StreamID) -> Bool {
        let wait = Int(entries[stream.slot].connection.wait)
        let index = streamWaitIndex(wait, stream)
        let number = streamWaits[index].head
        var segment = held[number]
        guard !segment.doubt.isSure else {
            counters.droppedChecksumErrors += segment.startsSegment ? 1 : 0
            unlink(number, after: HeldSegment.none, wait, index)
            return false
        }
        counters.acceptedChecksumErrors += segment.startsSegment ? 1 : 0
        let sender = Int(segment.doubt.sender)
        checksums.noteWrong(at: sender)
        entries[stream].verifiesChecksums = checksums[sender].isTrusted
        segment.doubt = .none
        held.replace(number, by: segment)
        streamWaits[index].doubtful -= 1
        return true
    }

    /// Forgets a held segment whose checksum is wrong.
    private mutating func unlink(_ number: UInt32, after previous: UInt32, _ wait: Int, _ index: Int) {
        let next = held[number].next
        if previous == HeldSegment.none {
            streamWaits[index].head = next
        } else {
            held.link(previous, to: next)
        }
        if next == HeldSegment.none { streamWaits[index].tail = previous }
        streamWaits[index].doubtful -= 1
        waits[wait].blocks -= 1
        held.remove(number)
    }
}
