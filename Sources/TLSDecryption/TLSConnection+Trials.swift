// Wingmirror · Apache-2.0
// Keys of a connection whose client's hello was not captured (reference: http2-grpc-tls.md 9.6, "Late joins", a).

internal import TCPReassembly

/// How many there are of each direction.
struct DirectionCounts {
    private(set) var fromOriginator = 0
    private(set) var fromResponder = 0

    subscript(direction: StreamDirection) -> Int {
        get { direction == .fromOriginator ? fromOriginator : fromResponder }
        set { if direction == .fromOriginator { fromOriginator = newValue } else { fromResponder = newValue } }
    }
}

extension TLSItem {
    /// Whether it is not known where records begin in it.
    fileprivate var isUnframed: Bool { if case .unframed = self { true } else { false } }

    /// The records that it has whole.
    ///
    /// Behind a hole those are taken for records that a segment begins with and that look like some.
    fileprivate var wholeRecords: [[UInt8]] {
        switch self {
        case .record(let record, _): return [record]
        case .unframed(let octets, let position) where position.startsSegment:
            var records: [[UInt8]] = []
            var index = 0
            while index + RecordHeader.octetCount <= octets.count,
                let header = RecordHeader(octets.span, at: index),
                index + RecordHeader.octetCount + header.length <= octets.count
            {
                let end = index + RecordHeader.octetCount + header.length
                records.append(Array(octets[index..<end]))
                index = end
            }
            return records
        case .unframed, .damagedRecord, .hole, .ended: return []
        }
    }
}

extension HeldItems {
    /// The first whole records, and whether their numbers are those in which they came.
    func records(limit: Int) -> [(record: [UInt8], direction: StreamDirection, isNumbered: Bool)] {
        Array(
            items.lazy.flatMap { item, direction in
                item.wholeRecords.map { ($0, direction, !item.isUnframed) }
            }.prefix(limit)
        )
    }
}

/// A key log names a connection by the random of its client's hello. Where that was lost, the keys that no connection has taken
/// are tried on the records: a record that one of them opens is its proof, since the tag is.
extension TLSConnection {
    /// Whether the beginning was seen, so that the keys must be among the latest.
    var mayTryKeys: Bool { serverHello != nil || !isMidstream }

    /// Holds an item of a connection that waits for its keys; looks for them in it where nothing names them.
    mutating func hold<Sink: StreamSink & ~Copyable>(
        _ item: TLSItem,
        _ direction: StreamDirection,
        _ context: TLSContext,
        _ sink: inout Sink
    ) {
        if clientHello == nil, case .record(let record, _) = item, let header = RecordHeader(record.span, at: 0),
            header.type != ContentType.applicationData, !self[direction].isEncrypted
        {
            // The server's hello, behind a hole at the client's beginning, says which keys there can be.
            return clearRecordArrived(header, record, direction, context)
        }
        if clientHello == nil, case .damagedRecord(let header, let came, let reason, let place) = item,
            header.type != ContentType.applicationData, !self[direction].isEncrypted
        {
            return damagedRecordArrived(header, came, reason, place, direction, context, &sink)
        }
        held.append(item, direction, context)
        guard clientHello == nil else { return }
        let records = item.wholeRecords
        guard !records.isEmpty else { return }
        guard mayTryRecord(context) else {
            // Where keys come late, those that open one of the first records still may.
            if context.limits.patienceNanoseconds == 0 { _ = giveUpWaiting(context, &sink) }
            return
        }
        // What may not be tried is not copied first.
        let candidates = context.mayTryMoreKeys ? context.candidates()?.secrets ?? [] : []
        for record in records where mayTryRecord(context) {
            let number = item.isUnframed ? Int(context.limits.triedNumber) : triedRecords[direction]
            triedRecords[direction] += 1
            if let (random, secrets) = opening(record, number: number, direction, among: candidates, context) {
                return keysFound(random, secrets, context, &sink)
            }
        }
    }

    /// Octets of the shortest record under any suite: a tag, and in TLS 1.3 the inner type.
    private static var leastProtected: Int { 16 }

    /// Whether keys may be tried on one record more.
    private func mayTryRecord(_ context: TLSContext) -> Bool {
        triedRecords.fromOriginator + triedRecords.fromResponder < context.limits.triedRecords
    }

    /// Tries keys that came since it was last called on what is held.
    mutating func tryKeysOnHeld<Sink: StreamSink & ~Copyable>(_ context: TLSContext, _ sink: inout Sink) {
        guard isWaiting, context.mayTryMoreKeys, let found = context.candidates(from: nextTriedKey) else { return }
        let candidates = found.secrets
        var tried = DirectionCounts()
        for (record, direction, isNumbered) in candidates.isEmpty
            ? [] : held.records(limit: context.limits.triedRecords)
        {
            let number = isNumbered ? tried[direction] : Int(context.limits.triedNumber)
            tried[direction] += 1
            if let (random, secrets) = opening(record, number: number, direction, among: candidates, context) {
                return keysFound(random, secrets, context, &sink)
            }
        }
        // Where the second's attempts were used up, the same keys are tried in the next.
        if context.mayTryMoreKeys { nextTriedKey = found.next }
    }

    private mutating func keysFound<Sink: StreamSink & ~Copyable>(
        _ random: ClientRandom,
        _ secrets: ConnectionSecrets,
        _ context: TLSContext,
        _ sink: inout Sink
    ) {
        let hello = ClientHello(found: random)
        clientHello = hello
        context.statistics.waitingConnections -= 1
        openWith(secrets, hello, context, &sink)
        replay(context, &sink)
    }

    /// The secrets that open a record, whose number in its direction is at most `count`.
    private func opening(
        _ record: [UInt8],
        number count: Int,
        _ direction: StreamDirection,
        among candidates: [(random: ClientRandom, secrets: ConnectionSecrets)],
        _ context: TLSContext
    ) -> (ClientRandom, ConnectionSecrets)? {
        guard let header = RecordHeader(record.span, at: 0),
            header.type == ContentType.applicationData || header.type == ContentType.handshake,
            header.length >= Self.leastProtected
        else { return nil }
        let body = record[RecordHeader.octetCount...]
        let last = min(UInt64(count), context.limits.triedNumber)
        for (random, secrets) in candidates {
            // A key is made by as much work as an attempt with it takes.
            guard context.mayTryMoreKeys else { return nil }
            for protection in protections(of: secrets, random, direction) {
                for sequence in 0...last {
                    guard context.mayTryKey() else { return nil }
                    if protection.open(header, body, sequence: sequence) != nil { return (random, secrets) }
                }
            }
        }
        return nil
    }

    /// What the records of a direction would be protected under, were these the connection's secrets.
    private func protections(
        of secrets: ConnectionSecrets,
        _ random: ClientRandom,
        _ direction: StreamDirection
    ) -> [RecordProtection] {
        let isClient = direction == clientDirection
        if let serverHello, serverHello.version < 0x0304 {
            guard let master = secrets.master, let suite = CipherSuite(number: serverHello.suite) else { return [] }
            let (client, server) = KeySchedule.protections(
                master: master,
                clientRandom: random.octets,
                serverRandom: serverHello.randomOctets,
                suite: suite,
                version: serverHello.version,
                encryptsThenMACs: serverHello.encryptsThenMACs
            )
            return [isClient ? client : server]
        }
        guard let secret = isClient ? secrets.clientTraffic : secrets.serverTraffic else { return [] }
        return suites(fitting: secret).map { KeySchedule.protection(of: secret, suite: $0) }
    }
}
