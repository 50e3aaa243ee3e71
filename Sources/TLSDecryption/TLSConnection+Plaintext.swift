// Wingmirror · Apache-2.0
// Plaintext, given on as the streams of the connection.

internal import PacketDecoding
internal import TCPReassembly

extension TLSConnection {
    /// Gives plaintext on, in two parts where its first octets were captured earlier than its last.
    mutating func deliver<Sink: StreamSink & ~Copyable>(
        _ plaintext: Span<UInt8>,
        _ place: RecordPlace,
        _ direction: StreamDirection,
        _ explicitNonceLength: Int,
        _ sink: inout Sink
    ) {
        guard plaintext.count > 0 else { return }
        let acknowledged = place.acknowledged.flatMap { self[direction.reversed].plaintext(acknowledgedTo: $0) }
        let early = place.octetsAtFirst - RecordHeader.octetCount - explicitNonceLength
        let split = place.firstTime == place.lastTime ? 0 : max(0, min(early, plaintext.count - 1))
        var position = StreamPosition(
            direction: direction,
            offset: self[direction].plaintextOffset,
            time: split > 0 ? place.firstTime : place.lastTime,
            acknowledged: acknowledged,
            startsSegment: true
        )
        if split > 0 {
            sink.octetsArrived(plaintext.extracting(first: split), at: position, slot: handle)
            position = StreamPosition(
                direction: direction,
                offset: position.offset + Int64(split),
                time: place.lastTime,
                acknowledged: acknowledged,
                startsSegment: false
            )
        }
        sink.octetsArrived(plaintext.extracting(split...), at: position, slot: handle)
        self[direction].plaintextOffset += Int64(plaintext.count)
    }

    /// A record with known bounds will not be read: its plaintext is missing.
    mutating func loseRecord<Sink: StreamSink & ~Copyable>(
        _ header: RecordHeader,
        _ reason: MissingReason,
        _ place: RecordPlace,
        _ direction: StreamDirection,
        _ sink: inout Sink
    ) {
        guard !self[direction].isEnded else { return }
        guard let protection = self[direction].protections.first else {
            return keylessRecordArrived(header, place, direction, &sink)
        }
        // Before the first record was opened it may well have been one of the handshake: then it has no number.
        guard self[direction].hasOpened else {
            if protection.isTLS13 { self[direction].lostBeforeFirst += 1 } else { self[direction].sequence += 1 }
            return
        }
        guard hasExactLengths(direction) else { return becomeUnreadable(.lost, &sink) }
        self[direction].sequence += 1
        // It counted as the record's number does.
        if let explicit = self[direction].explicitNonce { self[direction].explicitNonce = explicit &+ 1 }
        let isData = protection.isTLS13 || header.type == ContentType.applicationData
        if isData { missPlaintext(header.length - protection.overhead, reason, place.lastTime, direction, &sink) }
        self[direction].offsets.recordEnded(at: place.end, plaintext: self[direction].plaintextOffset)
    }

    /// Whether the length of a record says how much plaintext it has.
    func hasExactLengths(_ direction: StreamDirection) -> Bool {
        !self[direction].pads && self[direction].protections.first?.hasExactOverhead ?? false
    }

    mutating func missPlaintext<Sink: StreamSink & ~Copyable>(
        _ count: Int,
        _ reason: MissingReason,
        _ time: PacketTime,
        _ direction: StreamDirection,
        _ sink: inout Sink
    ) {
        guard count > 0 else { return }
        let position = StreamPosition(
            direction: direction,
            offset: self[direction].plaintextOffset,
            time: time,
            acknowledged: nil,
            startsSegment: false
        )
        sink.octetsMissing(count, reason: reason, at: position, slot: handle)
        self[direction].plaintextOffset += Int64(count)
    }
}
