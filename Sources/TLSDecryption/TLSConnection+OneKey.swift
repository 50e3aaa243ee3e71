// Wingmirror · Apache-2.0
// TLS 1.3 with the secret of one direction: RFC 9850 writes a line for each, and either may be lost or torn.

internal import PacketDecoding
internal import TCPReassembly

/// What comes in a direction without keys is missing from its stream as soon as it is certain that it is data, so that a
/// request whose answer cannot be read is none that was left without one.
///
/// Certain it is of what a server sends to a client that has sent data: by then the handshake is behind both. What a client
/// sends before the server's first data ends with its requests.
extension TLSConnection {
    /// Whether the key log has keys of the other direction and not of this one.
    func isKeyless(_ direction: StreamDirection) -> Bool {
        if case .open = state { self[direction].protections.isEmpty } else { false }
    }

    /// A record came, or was lost, that no key opens.
    mutating func keylessRecordArrived<Sink: StreamSink & ~Copyable>(
        _ header: RecordHeader,
        _ place: RecordPlace,
        _ direction: StreamDirection,
        _ sink: inout Sink
    ) {
        guard header.type == ContentType.applicationData else { return }
        self[direction].unopened.records += 1
        self[direction].unopened.octets += header.length
        guard let protection = openedProtection(of: direction.reversed), isBehindHandshake(place, direction)
        else { return }
        missKeyless(max(1, header.length - protection.overhead), header.length, at: place.lastTime, direction, &sink)
        self[direction].offsets.recordEnded(at: place.end, plaintext: self[direction].plaintextOffset)
    }

    /// Octets came behind a hole, where it is not known where a record begins.
    mutating func keylessOctetsArrived<Sink: StreamSink & ~Copyable>(
        _ count: Int,
        at time: PacketTime,
        _ direction: StreamDirection,
        _ sink: inout Sink
    ) {
        self[direction].unopened.octets += count
        guard self[direction.reversed].hasOpened else { return }
        missKeyless(count, count, at: time, direction, &sink)
    }

    /// Octets were not captured of a direction that could not have been read.
    mutating func keylessOctetsMissing<Sink: StreamSink & ~Copyable>(
        _ count: Int,
        _ reason: MissingReason,
        at time: PacketTime,
        _ direction: StreamDirection,
        _ sink: inout Sink
    ) {
        self[direction].unopened.octets += count
        guard self[direction.reversed].hasOpened else { return }
        missPlaintext(count, reason, time, direction, &sink)
    }

    /// The server's first data was opened, and nothing of the client: what that sent before ends with its requests.
    mutating func missKeylessRequests<Sink: StreamSink & ~Copyable>(
        at place: RecordPlace,
        _ direction: StreamDirection,
        _ sink: inout Sink
    ) {
        let unopened = self[direction].unopened
        guard direction == clientDirection, unopened.octets > 0 else { return }
        let overhead = openedProtection(of: direction.reversed)?.overhead ?? 0
        let plaintext = max(1, unopened.octets - unopened.records * overhead)
        missKeyless(plaintext, unopened.octets, at: place.firstTime, direction, &sink)
    }

    /// A record of a server does not open under the keys at hand, though its client has sent data.
    ///
    /// The keys are not those of the connection, or will open what comes later; it is lost either way.
    mutating func missBehindHandshake<Sink: StreamSink & ~Copyable>(
        _ header: RecordHeader,
        _ place: RecordPlace,
        _ direction: StreamDirection,
        _ context: TLSContext,
        _ sink: inout Sink
    ) {
        guard direction != clientDirection, header.type == ContentType.applicationData,
            self[direction.reversed].firstAcknowledged != nil,
            let protection = openedProtection(of: direction.reversed), isBehindHandshake(place, direction)
        else { return }
        context.statistics.failedRecords += 1
        missPlaintext(max(1, header.length - protection.overhead), .captureLoss, place.lastTime, direction, &sink)
    }

    /// Whether a record of the client that its key does not open shows that it is another's: the handshake is over with
    /// Finished, which most clients send alone and nobody pads (RFC 8446 §4.4).
    mutating func isProofOfWrongKey(_ header: RecordHeader, _ direction: StreamDirection) -> Bool {
        guard direction == clientDirection, header.type == ContentType.applicationData,
            self[direction].lostBeforeFirst == 0, let clientHello, !clientHello.mayHaveEarlyData
        else { return false }
        if self[direction].unopened.records == 0 {
            self[direction].beganWithFinished = self[direction].protections.contains { keys in
                header.length == 4 + (keys.suite.usesSHA384 ? 48 : 32) + keys.overhead
            }
            return false
        }
        return self[direction].beganWithFinished
    }

    /// The key of a direction is not the connection's: nothing of it can be read, as without one.
    mutating func becomeKeyless<Sink: StreamSink & ~Copyable>(
        _ header: RecordHeader,
        _ place: RecordPlace,
        _ direction: StreamDirection,
        _ context: TLSContext,
        _ sink: inout Sink
    ) {
        context.statistics.failedRecords += 1
        halfReason = .wrongKeys
        self[direction].protections = []
        self[direction].secret = nil
        keylessRecordArrived(header, place, direction, &sink)
    }

    private func openedProtection(of direction: StreamDirection) -> RecordProtection? {
        self[direction].hasOpened ? self[direction].protections.first : nil
    }

    /// Whether the other side had sent data before the record came, and with it had received all of the handshake.
    private func isBehindHandshake(_ place: RecordPlace, _ direction: StreamDirection) -> Bool {
        guard direction != clientDirection, let acknowledged = self[direction.reversed].firstAcknowledged else {
            return true
        }
        return place.end > acknowledged
    }

    private mutating func missKeyless<Sink: StreamSink & ~Copyable>(
        _ plaintext: Int,
        _ octets: Int,
        at time: PacketTime,
        _ direction: StreamDirection,
        _ sink: inout Sink
    ) {
        sink.directionUnreadable(halfReason, octets: octets, isFirst: !isHalfOpaque, slot: handle)
        isHalfOpaque = true
        missPlaintext(plaintext, .captureLoss, time, direction, &sink)
    }
}
