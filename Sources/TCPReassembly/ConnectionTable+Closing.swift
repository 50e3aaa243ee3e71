// Wingmirror · Apache-2.0

import PacketDecoding

/// How streams and connections end.
extension ConnectionTable {
    /// Reports the end of a stream.
    mutating func endStream<Sink: StreamSink & ~Copyable>(
        _ stream: StreamID,
        _ end: StreamEnd,
        at time: PacketTime,
        into sink: inout Sink
    ) {
        entries[stream].isEnded = true
        entries[stream].isFinished = end == .finished
        sink.streamEnded(stream.direction, end, at: time, slot: stream.slot)
    }

    /// Closes an open connection: gives up what is missing, reports the ends, and forgets it, or lets it linger.
    ///
    /// `resetter` sent the RST, when there was one.
    mutating func close<Sink: StreamSink & ~Copyable>(
        _ slot: Int,
        _ reason: ConnectionEnd,
        by resetter: StreamDirection? = nil,
        at time: PacketTime,
        lingers: Bool,
        into sink: inout Sink
    ) {
        giveUpHoles(of: slot, .captureLoss, at: time, into: &sink)
        let believed = resetter == nil && !isFinished(slot) ? believedReset(of: slot, isFinal: true) : nil
        dropWait(of: slot)
        // Both FINs may have stood behind holes.
        let reason = believed != nil ? .reset : resetter == nil && isFinished(slot) ? .finished : reason
        let resetter = resetter ?? believed?.direction
        let time = believed?.reset.packetTime ?? time
        for direction in StreamDirection.allCases {
            let stream = StreamID(slot: slot, direction)
            let state = entries[stream]
            guard !state.isEnded else {
                continue
            }
            if let resetter {
                endStream(stream, direction == resetter ? .resetBySender : .resetByReceiver, at: time, into: &sink)
            } else {
                endStream(stream, state.endIsPresumed ? .finished : .abandoned, at: time, into: &sink)
            }
        }
        counters.connectionsClosed[reason] += 1
        sink.connectionClosed(reason, at: time, slot: slot)
        if lingers {
            linger(slot)
        } else {
            forget(slot)
        }
    }

    /// Keeps a closed connection for a while, so that late segments do not look like a new one.
    private mutating func linger(_ slot: Int) {
        if entryCounts.lingering >= limits.lingeringConnections,
            let oldest = expiry.first(in: Int(Connection.Phase.lingering.rawValue))
        {
            counters.limitsMet[.lingeringConnections] += 1
            forget(oldest)
        }
        move(slot, to: .lingering, deadline: clock.now + limits.lingerNanoseconds)
        refreshAttention(of: slot)
    }

    /// Takes in a segment on the addresses of a connection that was closed a moment ago.
    mutating func lateSegmentArrived<Sink: StreamSink & ~Copyable>(
        _ segment: TCPSegment,
        octets: Span<UInt8>,
        at time: PacketTime,
        of stream: StreamID,
        hash: UInt64,
        into sink: inout Sink
    ) {
        if isOfAnotherConnection(segment, stream) {
            forget(stream.slot)
            unknownSegmentArrived(segment, octets: octets, at: time, hash: hash, into: &sink)
        } else {
            counters.segmentsAfterClose += 1
        }
    }

    /// Whether a segment is not of the connection that lingers: a SYN with another number, octets far from its end or behind
    /// its FIN, or one that acknowledges what the other side would have sent behind its own.
    @inline(__always)
    private func isOfAnotherConnection(_ segment: TCPSegment, _ stream: StreamID) -> Bool {
        let state = entries[stream]
        if segment.flags.contains(.syn) {
            return state.origin == .unknown
                || state.originNumber != segment.sequenceNumber.advanced(by: 1).rawValue
        }
        guard !segment.flags.contains(.rst), segment.payload.count + segment.truncatedOctets > 0 else {
            return false
        }
        let distance = state.offset(of: segment.sequenceNumber) - state.frontier
        guard state.origin != .unknown else {
            return false
        }
        if abs(distance) > Int64(limits.receiveWindowOctets) || state.isFinished && distance > 1 {
            return true
        }
        let other = entries[stream.reversed]
        guard segment.flags.contains(.ack), other.origin != .unknown, other.isFinished else {
            return false
        }
        return other.offset(of: segment.acknowledgementNumber) - other.frontier > 1
    }
}
