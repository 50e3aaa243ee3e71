// Wingmirror · Apache-2.0

internal import PacketDecoding
internal import TCPReassembly

/// Where a record was captured.
struct RecordPlace {
    /// The offset behind the record's last octet, in the ciphertext.
    var end: Int64
    /// When its first octet was captured.
    var firstTime: PacketTime
    /// When its last octet was.
    var lastTime: PacketTime
    /// Octets of the record, its header included, that came with the first.
    var octetsAtFirst: Int
    /// How far the segment of the last octet acknowledges the other direction's ciphertext.
    var acknowledged: Int64?
}

/// What makes up a direction of a TLS connection, in order.
enum TLSItem {
    /// A record, with its header.
    case record([UInt8], RecordPlace)
    /// A record of which something was not captured; what came of it before that.
    case damagedRecord(RecordHeader, [UInt8], MissingReason, RecordPlace)
    /// Octets that were not captured, behind which it is not known where a record begins.
    case hole(Int, MissingReason, StreamPosition)
    /// Octets behind such a hole.
    case unframed([UInt8], StreamPosition)
    case ended(StreamEnd, PacketTime)
}

/// Cuts the ciphertext of a direction into records, and keeps what is known of it between two of them.
struct TLSDirection: ~Copyable {
    /// What came of the record at hand, with its header.
    private var partial: [UInt8] = []
    private var partialTime = PacketTime(nanoseconds: 0)
    private var octetsAtFirst = 0
    /// Octets of the record at hand that were not captured; what came before them is in `partial`.
    private var damage: (header: RecordHeader, remaining: Int, reason: MissingReason)?

    /// Whether it is not known where the next record begins.
    private(set) var isUnframed = false

    /// Handshake messages, until the hello among them is whole.
    var handshake: [UInt8] = []
    /// How often a hello is read before all of it has come.
    var helloLooks = LookLimit()
    /// Whether there is nothing more to be taken from the handshake.
    var isHelloRead = false
    /// Whether all records from here on are encrypted, of whatever type (TLS 1.2: ChangeCipherSpec came).
    var isEncrypted = false

    /// Under what the records are protected; before the first was opened there may be two to choose from.
    var protections: [RecordProtection] = []
    /// TLS 1.3: the secret that the keys were made of.
    var secret: SecretOctets?
    /// TLS 1.3: the protection of data before the handshake is over.
    var early: RecordProtection?
    var earlySequence: UInt64 = 0
    /// Data that came early, and is the client's word only once it is known that the server took it.
    var earlyData: [UInt8] = []
    var earlyPlace: RecordPlace?
    /// Octets of it that there was no room for; all behind what is kept.
    var earlyLostOctets = 0
    /// The number of the next record under these keys.
    var sequence: UInt64 = 0
    /// Whether a record was opened with these keys, or those before them.
    var hasOpened = false
    /// How far the segment of the first such record acknowledges the other direction's ciphertext.
    var firstAcknowledged: Int64?
    /// Whether the sender pads records, so that their lengths say nothing of the plaintext's.
    var pads = false
    /// TLS 1.3: records with known bounds that were not captured before the first was opened.
    var lostBeforeFirst = 0
    /// Encrypted records before the first that was opened, and their octets.
    var unopened = (records: 0, octets: 0)
    /// TLS 1.3: whether the first encrypted record was as long as the client's Finished, behind which all is application data.
    var beganWithFinished = false
    /// Records in a row that could not be opened.
    var failures = 0
    /// TLS 1.0: the last block of the latest CBC record.
    var chained: [UInt8] = []
    /// The explicit nonce of the latest record of TLS 1.2.
    var explicitNonce: UInt64?
    /// Octets of a handshake message inside encrypted records that are still to come.
    var messageRemaining = 0
    var messageHead: [UInt8] = []

    /// The plaintext so far.
    var plaintextOffset: Int64 = 0
    var offsets = OffsetMap()
    /// Whether close_notify was sent, or the stream ended.
    var isEnded = false

    var search = RecordSearch()
    /// What waits until it is known what is missing in the other direction.
    var ordered = OrderedItems()

    /// Octets of memory that are kept of the direction.
    var keptOctets: Int {
        partial.capacity + handshake.capacity + earlyData.capacity + search.buffer.capacity + messageHead.capacity
    }

    /// Gives up everything but whether the direction has ended.
    mutating func becomeUnreadable() {
        let isEnded = isEnded
        self = TLSDirection()
        self.isEnded = isEnded
    }

    /// How much of the plaintext an acknowledgement of the ciphertext covers; `nil` where that is not known.
    func plaintext(acknowledgedTo ciphertext: Int64) -> Int64? {
        // What lies in a hole is not known before a record is found behind it.
        search.start >= 0 && ciphertext > search.start ? nil : offsets.plaintext(acknowledgedTo: ciphertext)
    }

    // MARK: - Cutting

    /// Cuts the next octets.
    /// - Parameters:
    ///   - octets: What came; borrowed for the call only.
    ///   - start: Where to begin in it.
    ///   - position: Where its first octet stands.
    ///   - context: Where buffers come from.
    /// - Returns: The next item, and where to go on; `nil` when the rest was kept for the next call.
    mutating func next(
        _ octets: Span<UInt8>,
        from start: Int,
        at position: StreamPosition,
        _ context: TLSContext
    ) -> (item: TLSItem, next: Int)? {
        guard start < octets.count else { return nil }
        if isUnframed {
            return (.unframed(octets.extracting(start...).octets, position.moved(by: start)), octets.count)
        }
        if let damage {
            let taken = min(damage.remaining, octets.count - start)
            self.damage?.remaining -= taken
            guard taken == damage.remaining else { return nil }
            return (endDamagedRecord(at: position, start + taken), start + taken)
        }
        var index = start
        if partial.isEmpty {
            partialTime = position.time
            octetsAtFirst = octets.count - start
            partial = context.takeBuffer()
        }
        if partial.count < RecordHeader.octetCount {
            let taken = min(RecordHeader.octetCount - partial.count, octets.count - index)
            partial.append(contentsOf: octets.extracting(index..<index + taken))
            index += taken
            guard partial.count == RecordHeader.octetCount else { return nil }
        }
        guard let header = RecordHeader(partial.span, at: 0) else {
            isUnframed = true
            let before = partial.count - (index - start)
            let rest = partial[..<before] + octets.extracting(start...).octets
            partial.removeAll()
            return (.unframed(Array(rest), position.moved(by: start - before)), octets.count)
        }
        let taken = min(header.length + RecordHeader.octetCount - partial.count, octets.count - index)
        partial.append(contentsOf: octets.extracting(index..<index + taken))
        index += taken
        guard partial.count == header.length + RecordHeader.octetCount else { return nil }
        let record = partial
        partial = []
        return (.record(record, place(endingAt: position, index, length: record.count)), index)
    }

    /// Takes in that the next `count` octets will not come.
    /// - Returns: What that makes known, in order.
    mutating func missing(_ count: Int, _ reason: MissingReason, at position: StreamPosition) -> [TLSItem] {
        if isUnframed { return [.hole(count, reason, position)] }
        if damage == nil, partial.count >= RecordHeader.octetCount, let header = RecordHeader(partial.span, at: 0) {
            damage = (header, header.length + RecordHeader.octetCount - partial.count, reason)
        }
        guard let damage else {
            isUnframed = true
            let before = partial.count
            partial.removeAll()
            return [.hole(before + count, reason, position.moved(by: -before))]
        }
        let inside = min(damage.remaining, count)
        self.damage?.remaining -= inside
        guard inside == damage.remaining else { return [] }
        let item = endDamagedRecord(at: position, inside)
        guard count > inside else { return [item] }
        isUnframed = true
        return [item, .hole(count - inside, reason, position.moved(by: inside))]
    }

    /// The search has found where a record begins.
    mutating func framed() {
        isUnframed = false
    }

    private mutating func endDamagedRecord(at position: StreamPosition, _ count: Int) -> TLSItem {
        let header = damage?.header ?? RecordHeader(type: 0, version: 0, length: 0)
        let reason = damage?.reason ?? .captureLoss
        let length = header.length + RecordHeader.octetCount
        let place = place(endingAt: position, count, length: length)
        damage = nil
        let came = partial
        partial = []
        return .damagedRecord(header, came, reason, place)
    }

    private func place(endingAt position: StreamPosition, _ count: Int, length: Int) -> RecordPlace {
        RecordPlace(
            end: position.offset + Int64(count),
            firstTime: partialTime,
            lastTime: position.time,
            octetsAtFirst: min(octetsAtFirst, length),
            acknowledged: position.acknowledged
        )
    }
}

/// The search for a record behind a hole.
struct RecordSearch {
    /// Where the last record that is known ends; -1 while nothing is searched for.
    var start: Int64 = -1
    /// Octets between the end of the last record that is known and the buffer.
    var lostOctets = 0
    /// What came behind the hole.
    private(set) var buffer: [UInt8] = []
    /// Where what is in the buffer was captured, in pieces.
    private(set) var pieces: [(count: Int, position: StreamPosition)] = []
    /// Octets of the buffer where no record begins.
    var scanned = 0
    /// Octets that were searched in all.
    var searched = 0
    var reason = MissingReason.captureLoss
    /// Where the buffer begins.
    var position = StreamPosition(
        direction: .fromOriginator,
        offset: 0,
        time: PacketTime(nanoseconds: 0),
        acknowledged: nil,
        startsSegment: true
    )

    /// More came.
    mutating func append(_ octets: [UInt8], at position: StreamPosition) {
        if buffer.isEmpty { self.position = position }
        buffer += octets
        pieces.append((octets.count, position))
        searched += octets.count
    }

    /// Nothing begins in the first octets of the buffer: they are lost like the hole itself.
    mutating func removeFirst(_ count: Int) {
        buffer.removeFirst(count)
        var rest = count
        while rest > 0, let piece = pieces.first {
            if piece.count <= rest {
                pieces.removeFirst()
            } else {
                pieces[0] = (piece.count - rest, piece.position.moved(by: rest))
            }
            rest -= min(rest, piece.count)
        }
        lostOctets += count
        scanned = 0
        position = position.moved(by: count)
    }

    /// Another hole lies behind what is in the buffer.
    mutating func removeAll() {
        lostOctets += buffer.count
        buffer.removeAll()
        pieces.removeAll()
        scanned = 0
    }
}
