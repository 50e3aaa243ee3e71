// Wingmirror · Apache-2.0
// Opening records, one after the other.

internal import TCPReassembly

extension TLSConnection {
    mutating func open<Sink: StreamSink & ~Copyable>(
        _ header: RecordHeader,
        _ record: [UInt8],
        _ place: RecordPlace,
        _ direction: StreamDirection,
        _ context: TLSContext,
        _ sink: inout Sink
    ) {
        guard !self[direction].isEnded else { return }
        guard !self[direction].protections.isEmpty else {
            return keylessRecordArrived(header, place, direction, &sink)
        }
        let body = record[RecordHeader.octetCount...]
        guard self[direction].hasOpened else {
            return openFirst(header, body, place, direction, context, &sink)
        }
        let protection = self[direction].protections[0]
        let sequence = self[direction].sequence
        if passOver(header, body, place, direction, context, &sink) { return }
        guard let opened = protection.open(header, body, sequence: sequence, chained: self[direction].chained) else {
            context.statistics.failedRecords += 1
            // The record that announced new keys may have been among those that were lost.
            if let (secret, next) = nextGeneration(direction), let opened = next.open(header, body, sequence: 0) {
                self[direction].secret = secret
                self[direction].protections = [next]
                self[direction].sequence = 0
                return recordOpened(opened, body, place, direction, context, &sink)
            }
            self[direction].failures += 1
            guard self[direction].failures < context.limits.failures else { return becomeUnreadable(.lost, &sink) }
            return loseRecord(header, .captureLoss, place, direction, &sink)
        }
        self[direction].failures = 0
        recordOpened(opened, body, place, direction, context, &sink)
    }

    /// Tries the keys on a record, none of this direction having been opened yet.
    mutating func openFirst<Sink: StreamSink & ~Copyable>(
        _ header: RecordHeader,
        _ body: ArraySlice<UInt8>,
        _ place: RecordPlace,
        _ direction: StreamDirection,
        _ context: TLSContext,
        _ sink: inout Sink
    ) {
        let first = self[direction].sequence
        let last = first + UInt64(self[direction].lostBeforeFirst)
        for (protection, sequence) in self[direction].protections.flatMap({ keys in (first...last).map { (keys, $0) } })
        {
            guard let opened = protection.open(header, body, sequence: sequence, chained: self[direction].chained)
            else { continue }
            self[direction].protections = [protection]
            self[direction].sequence = sequence
            self[direction].hasOpened = true
            self[direction].firstAcknowledged = place.acknowledged
            if self[direction.reversed].protections.isEmpty {
                missKeylessRequests(at: place, direction.reversed, &sink)
            }
            // How much of what was lost was data is not known; nothing of it was given on that could be measured by it.
            if protection.isTLS13, sequence > first {
                missPlaintext(1, .captureLoss, place.firstTime, direction, &sink)
            }
            if context.sessions[session].cipherSuite == nil {
                context.sessions[session].cipherSuite = protection.suite.number
            }
            if !self[direction.reversed].hasOpened { context.statistics.decryptedConnections += 1 }
            return recordOpened(opened, body, place, direction, context, &sink)
        }
        if openEarly(header, body, place, direction, context, &sink) { return }
        if self[direction].protections[0].isTLS13 {
            if isProofOfWrongKey(header, direction) {
                return becomeKeyless(header, place, direction, context, &sink)
            }
            self[direction].unopened.records += 1
            self[direction].unopened.octets += body.count
            missBehindHandshake(header, place, direction, context, &sink)
            let unopened = self[direction].unopened
            if unopened.records < context.limits.handshakeRecords,
                unopened.octets < context.limits.handshakeRecordOctets
            {
                return
            }
        }
        context.statistics.failedRecords += 1
        becomeUnreadable(.wrongKeys, &sink)
    }

    mutating func recordOpened<Sink: StreamSink & ~Copyable>(
        _ opened: OpenedRecord,
        _ body: ArraySlice<UInt8>,
        _ place: RecordPlace,
        _ direction: StreamDirection,
        _ context: TLSContext,
        _ sink: inout Sink
    ) {
        let protection = self[direction].protections[0]
        self[direction].sequence += 1
        self[direction].explicitNonce = protection.explicitNonce(of: body)
        if let block = protection.chainedBlock(of: body) { self[direction].chained = block }
        if opened.isPadded { self[direction].pads = true }
        context.statistics.openedRecords += 1
        switch opened.type {
        case ContentType.applicationData:
            context.statistics.plaintextOctets += opened.octets.count
            // What the server says is said to a client whose early data it took, unless that begins anew.
            if direction != clientDirection { deliverEarlyData(context, &sink) }
            deliver(opened.octets, place, direction, protection.explicitNonceLength, &sink)
        case ContentType.handshake where protection.isTLS13:
            innerHandshakeArrived(opened.octets, direction)
        case ContentType.alert:
            alertArrived(opened.octets, place, direction, &sink)
        case ContentType.changeCipherSpec where !protection.isTLS13:
            // A second handshake, whose keys the key log does not name.
            return becomeUnreadable(.lost, &sink)
        default: break
        }
        self[direction].offsets.recordEnded(at: place.end, plaintext: self[direction].plaintextOffset)
    }

    /// KeyUpdate is the only message that matters (RFC 8446 §4.6.3); the others are passed over.
    mutating func innerHandshakeArrived(_ octets: Span<UInt8>, _ direction: StreamDirection) {
        var index = 0
        while index < octets.count {
            if self[direction].messageRemaining > 0 {
                let taken = min(self[direction].messageRemaining, octets.count - index)
                self[direction].messageRemaining -= taken
                index += taken
                continue
            }
            self[direction].messageHead.append(octets[index])
            index += 1
            let head = self[direction].messageHead
            guard head.count == 4 else { continue }
            self[direction].messageHead = []
            self[direction].messageRemaining = Int(head[1]) << 16 | Int(head[2]) << 8 | Int(head[3])
            if head[0] == 24 { updateKeys(direction) }
        }
    }

    mutating func updateKeys(_ direction: StreamDirection) {
        guard let (secret, protection) = nextGeneration(direction) else { return }
        self[direction].secret = secret
        self[direction].protections = [protection]
        // The record that says so is counted behind this, under the old keys.
        self[direction].sequence = 0
        self[direction].messageRemaining = 0
    }

    func nextGeneration(_ direction: StreamDirection) -> (SecretOctets, RecordProtection)? {
        guard let secret = self[direction].secret, let suite = self[direction].protections.first?.suite else {
            return nil
        }
        let next = KeySchedule.updated(secret, suite: suite)
        return (next, KeySchedule.protection(of: next, suite: suite))
    }

    /// close_notify ends the plaintext, whatever TCP does afterwards, and a fatal alert breaks it off (RFC 8446 §6).
    mutating func alertArrived<Sink: StreamSink & ~Copyable>(
        _ octets: Span<UInt8>,
        _ place: RecordPlace,
        _ direction: StreamDirection,
        _ sink: inout Sink
    ) {
        guard octets.count == 2, !self[direction].isEnded else { return }
        let isClosure = octets[1] == TLSAlert.closeNotify
        guard isClosure || octets[0] == TLSAlert.fatal && octets[1] != TLSAlert.userCanceled else { return }
        self[direction].isEnded = true
        sink.streamEnded(direction, isClosure ? .finished : .resetBySender, at: place.lastTime, slot: handle)
    }
}
