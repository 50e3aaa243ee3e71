// Wingmirror · Apache-2.0
// Behind a hole: records found again by their own tags.

internal import PacketDecoding
internal import TCPReassembly

extension TLSConnection {
    mutating func holeArrived<Sink: StreamSink & ~Copyable>(
        _ count: Int,
        _ reason: MissingReason,
        _ position: StreamPosition,
        _ direction: StreamDirection,
        _ context: TLSContext,
        _ sink: inout Sink
    ) {
        if case .handshake = state { finishHello(direction, context) }
        if isKeyless(direction) { return keylessOctetsMissing(count, reason, at: position.time, direction, &sink) }
        if self[direction].search.start < 0 { self[direction].search.start = position.offset }
        self[direction].search.removeAll()
        self[direction].search.lostOctets += count
        self[direction].search.reason = reason
    }

    mutating func unframedArrived<Sink: StreamSink & ~Copyable>(
        _ octets: [UInt8],
        _ position: StreamPosition,
        _ direction: StreamDirection,
        _ context: TLSContext,
        _ sink: inout Sink
    ) {
        if case .handshake = state {
            findKeys(at: position.time, context, &sink)
            if case .waiting = state { return hold(.unframed(octets, position), direction, context, &sink) }
        }
        guard case .open = state, !self[direction].isEnded else { return }
        if isKeyless(direction) {
            return keylessOctetsArrived(octets.count, at: position.time, direction, &sink)
        }
        guard !self[direction].hasOpened || hasExactLengths(direction) else { return becomeUnreadable(.lost, &sink) }
        if self[direction].search.start < 0 { self[direction].search.start = position.offset }
        self[direction].search.append(octets, at: position)
        searchRecord(direction, context, &sink)
    }

    // MARK: - Order

    /// Whether an item must wait: it acknowledges octets of the other direction of which it is not known yet what they were.
    func mustWait(_ item: TLSItem, _ direction: StreamDirection) -> Bool {
        guard case .open = state, !isReleasing else { return false }
        if !self[direction].ordered.isEmpty { return true }
        // What is searched through itself must not wait, lest both directions wait for each other.
        if case .unframed = item { return false }
        let start = self[direction.reversed].search.start
        guard start >= 0, self[direction.reversed].isUnframed, !self[direction].ordered.isGivenUp,
            !self[direction.reversed].isEnded, let acknowledged = item.acknowledged
        else { return false }
        return acknowledged > start
    }

    /// Goes on with what waited, as far as it acknowledges no more than `limit`; with all of it without one.
    mutating func releaseOrdered<Sink: StreamSink & ~Copyable>(
        _ direction: StreamDirection,
        acknowledging limit: Int64? = nil,
        _ context: TLSContext,
        _ sink: inout Sink
    ) {
        guard !self[direction].ordered.isEmpty, !isReleasing else { return }
        isReleasing = true
        defer { isReleasing = false }
        for item in self[direction].ordered.take(acknowledging: limit) {
            if case .unreadable = state {
                if case .ended(let end, let time) = item { sink.streamEnded(direction, end, at: time, slot: handle) }
            } else {
                take(item, direction, context, &sink)
            }
        }
    }

    /// Nothing comes any more in which a record could be found: what was lost is missing from the plaintext.
    mutating func endSearch<Sink: StreamSink & ~Copyable>(
        _ direction: StreamDirection,
        at time: PacketTime,
        _ context: TLSContext,
        _ sink: inout Sink
    ) {
        guard case .open = state else { return }
        let search = self[direction].search
        if search.start >= 0, !self[direction].isEnded, let protection = self[direction].protections.first,
            self[direction].hasOpened, hasExactLengths(direction)
        {
            let plaintext = search.lostOctets - protection.overhead - RecordHeader.octetCount
            // An alert has two octets, and is no data.
            if plaintext > 2 { missPlaintext(plaintext, search.reason, time, direction, &sink) }
        }
        self[direction].search = RecordSearch()
        releaseOrdered(direction.reversed, context, &sink)
    }

    // MARK: - Searching

    /// Looks for a record in what came behind the hole.
    mutating func searchRecord<Sink: StreamSink & ~Copyable>(
        _ direction: StreamDirection,
        _ context: TLSContext,
        _ sink: inout Sink
    ) {
        let buffer = self[direction].search.buffer
        var index = self[direction].search.scanned
        while index + RecordHeader.octetCount <= buffer.count {
            guard let header = candidate(buffer, at: index, direction) else {
                index += 1
                continue
            }
            let end = index + RecordHeader.octetCount + header.length
            guard end <= buffer.count else { break }
            if end + RecordHeader.octetCount > buffer.count || RecordHeader(buffer.span, at: end) != nil,
                let found = number(
                    of: header,
                    buffer[(index + RecordHeader.octetCount)..<end],
                    index,
                    direction,
                    context
                )
            {
                return resume(found, at: index, direction, context, &sink)
            }
            index += 1
        }
        self[direction].search.scanned = index
        if self[direction].search.searched > context.limits.searchedOctets { return becomeUnreadable(.lost, &sink) }
        // What was looked at in vain is lost like the hole itself.
        if index > 32 << 10 { self[direction].search.removeFirst(index) }
    }

    /// The header of a record of application data, or of the alert that closes TLS 1.2, if one may begin there.
    func candidate(_ buffer: [UInt8], at index: Int, _ direction: StreamDirection) -> RecordHeader? {
        let type = buffer[index]
        guard type == ContentType.applicationData || type == ContentType.alert, buffer[index + 1] == 3,
            let header = RecordHeader(buffer.span, at: index), let protection = self[direction].protections.first,
            header.version == min(protection.version, 0x0303), header.length >= protection.overhead
        else { return nil }
        guard header.type == ContentType.alert else { return header }
        return !protection.isTLS13 && header.length == protection.overhead + 2 ? header : nil
    }

    /// A record that was found, with how many lie between it and the last that is known.
    private struct FoundRecord {
        let protection: RecordProtection
        /// Set where the keys were changed within the hole.
        var secret: SecretOctets?
        let sequence: UInt64
        /// Records that were lost; `nil` where that is not known.
        let lostRecords: Int?
    }

    /// The number under which a record is authentic.
    private func number(
        of header: RecordHeader,
        _ body: ArraySlice<UInt8>,
        _ index: Int,
        _ direction: StreamDirection,
        _ context: TLSContext
    ) -> FoundRecord? {
        let next = self[direction].sequence
        let lost = self[direction].search.lostOctets + index
        let bound = min(context.limits.trialsPerRecord, lost / 22 + 1 + self[direction].lostBeforeFirst)
        for protection in self[direction].protections {
            var numbers = 0...bound
            // The explicit nonce counts records, whatever it begins with.
            if let last = self[direction].explicitNonce, let explicit = protection.explicitNonce(of: body) {
                let skipped = explicit &- last &- 1
                if skipped <= UInt64(bound) { numbers = Int(skipped)...Int(skipped) }
            }
            for skipped in numbers {
                guard context.mayTry() else { return nil }
                if protection.open(header, body, sequence: next + UInt64(skipped)) != nil {
                    return FoundRecord(
                        protection: protection,
                        sequence: next + UInt64(skipped),
                        lostRecords: self[direction].hasOpened ? skipped : nil
                    )
                }
            }
        }
        guard self[direction].hasOpened, let (secret, protection) = nextGeneration(direction) else { return nil }
        for sequence in 0...bound {
            guard context.mayTry() else { return nil }
            if protection.open(header, body, sequence: UInt64(sequence)) != nil {
                return FoundRecord(
                    protection: protection,
                    secret: secret,
                    sequence: UInt64(sequence),
                    lostRecords: nil
                )
            }
        }
        return nil
    }

    /// Octets of a KeyUpdate message (RFC 8446 §4.6.3).
    private static var keyUpdateOctets: Int { 5 }

    /// Goes on with a record that was found.
    private mutating func resume<Sink: StreamSink & ~Copyable>(
        _ found: FoundRecord,
        at index: Int,
        _ direction: StreamDirection,
        _ context: TLSContext,
        _ sink: inout Sink
    ) {
        context.statistics.bridgedHoles += 1
        let search = self[direction].search
        let lost = search.lostOctets + index
        let overhead = found.protection.overhead + RecordHeader.octetCount
        let plaintext: Int
        if let records = found.lostRecords {
            plaintext = lost - records * overhead
        } else if found.secret != nil, lost == Self.keyUpdateOctets + overhead {
            // Nothing but the message that changes the keys.
            plaintext = 0
        } else {
            // Handshake messages may be among what was lost, so that only whether anything was lost is certain.
            let first: UInt64 = found.protection.isTLS13 ? 0 : 1
            plaintext = found.sequence > first || self[direction].hasOpened ? max(1, lost - overhead) : 0
        }
        missPlaintext(plaintext, search.reason, search.position.time, direction, &sink)
        self[direction].protections = [found.protection]
        if let secret = found.secret { self[direction].secret = secret }
        self[direction].sequence = found.sequence
        self[direction].isEncrypted = true
        self[direction].search = RecordSearch()
        self[direction].messageRemaining = 0
        self[direction].messageHead = []
        self[direction].framed()
        self[direction].explicitNonce = nil
        let begin = search.position.offset + Int64(index)
        self[direction].offsets.recordEnded(at: begin, plaintext: self[direction].plaintextOffset)
        self[direction.reversed].ordered.searchEnded()
        releaseOrdered(direction.reversed, acknowledging: begin, context, &sink)
        if case .unreadable = state { return }
        defer { releaseOrdered(direction.reversed, context, &sink) }
        // Each piece has the time and the acknowledgement of its own segment.
        var offset = 0
        for piece in search.pieces {
            let skipped = max(0, index - offset)
            let octets = search.buffer[offset..<offset + piece.count].dropFirst(skipped)
            offset += piece.count
            guard !octets.isEmpty else { continue }
            read(Array(octets).span, at: piece.position.moved(by: skipped), context, &sink)
            if case .unreadable = state { return }
        }
    }
}
