// Wingmirror · Apache-2.0
// Early data: RFC 8446 §4.2.10.

internal import TCPReassembly

extension TLSConnection {
    /// Opens a record of a client that sends data before the handshake is over.
    mutating func openEarly<Sink: StreamSink & ~Copyable>(
        _ header: RecordHeader,
        _ body: ArraySlice<UInt8>,
        _ place: RecordPlace,
        _ direction: StreamDirection,
        _ context: TLSContext,
        _ sink: inout Sink
    ) -> Bool {
        guard direction == clientDirection, let early = self[direction].early,
            let opened = early.open(header, body, sequence: self[direction].earlySequence)
        else { return false }
        self[direction].earlySequence += 1
        context.statistics.openedRecords += 1
        switch opened.type {
        case ContentType.applicationData:
            if self[direction].earlyPlace == nil { self[direction].earlyPlace = place }
            self[direction].earlyPlace?.lastTime = place.lastTime
            self[direction].earlyPlace?.end = place.end
            if self[direction].earlyLostOctets == 0,
                self[direction].earlyData.count + opened.octets.count <= context.limits.handshakeRecordOctets
            {
                self[direction].earlyData.append(contentsOf: opened.octets)
            } else {
                self[direction].earlyLostOctets += opened.octets.count
            }
        // EndOfEarlyData is sent only to a server that took the data.
        case ContentType.handshake: deliverEarlyData(context, &sink)
        default: break
        }
        return true
    }

    /// Gives on what the client sent early, since the server took it; one that refused the client's key did not.
    mutating func deliverEarlyData<Sink: StreamSink & ~Copyable>(_ context: TLSContext, _ sink: inout Sink) {
        guard !self[clientDirection].earlyData.isEmpty, let place = self[clientDirection].earlyPlace,
            !self[clientDirection].hasOpened
        else { return }
        let data = self[clientDirection].earlyData
        let lost = self[clientDirection].earlyLostOctets
        self[clientDirection].earlyData = []
        self[clientDirection].earlyLostOctets = 0
        guard serverHello?.mayResume ?? true else { return }
        // The client goes on with its Finished, without EndOfEarlyData in front of it, where the server took only its key
        // (RFC 8446 §4.2.10).
        guard self[clientDirection].unopened.records == 0 || self[clientDirection].lostBeforeFirst > 0 else { return }
        context.statistics.plaintextOctets += data.count
        deliver(data.span, place, clientDirection, 0, &sink)
        missPlaintext(lost, .limit, place.lastTime, clientDirection, &sink)
        self[clientDirection].offsets.recordEnded(
            at: place.end,
            plaintext: self[clientDirection].plaintextOffset
        )
    }
}
