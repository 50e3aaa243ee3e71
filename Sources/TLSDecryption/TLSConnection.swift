// Wingmirror · Apache-2.0
// TLS from the side: RFC 8446, RFC 5246.

internal import PacketDecoding
internal import TCPReassembly

/// A connection that carries TLS: reads its hellos, finds its keys, opens its records, and gives their plaintext on as the
/// streams of the connection.
///
/// ## How TLS 1.3 is read without following its handshake
///
/// The key log has the secrets of application data, and all that precedes it in a direction is protected with others.
/// So each encrypted record is tried with number 0 of the application keys until one is authentic; from then on every record
/// must be, in turn (reference: http2-grpc-tls.md 9.4). No handshake secret is kept, and a lost flight does no harm.
///
/// ## Behind a hole
///
/// Lengths are in clear. A hole inside a record costs that record, whose length says how much plaintext it was. Behind any
/// other hole a record is searched that is authentic under one of the numbers that may come next: the tag proves where it
/// begins and how many records were lost, and so how many octets of plaintext (9.5).
struct TLSConnection: ~Copyable {
    /// What can be done with records.
    ///
    /// Next of `handshake`: `waiting`, `open`, `unreadable`; of `waiting`: `open`, `unreadable`; of `open`: `unreadable`.
    enum State {
        /// Nothing encrypted came yet.
        case handshake
        /// The keys are not there yet; since when.
        case waiting(since: PacketTime)
        case open
        case unreadable
    }

    /// What a connection takes beside the octets that it keeps: its own state, its keys, and what is known of its session.
    private static let fixedOctets = 4096

    /// How the next stage calls the connection.
    let handle: Int
    /// How reassembly calls the connection; -1 once that has forgotten it.
    var slot: Int
    /// The number of what is known of it.
    let session: Int32
    var state = State.handshake
    /// Which direction the client's hello came in.
    var clientDirection = StreamDirection.fromOriginator
    var clientHello: ClientHello?
    var serverHello: ServerHello?
    var directions = DirectionPair()
    /// Octets of ciphertext so far.
    var octets = 0
    var held = HeldItems()
    /// Whether the connection may have begun before the capture did.
    let isMidstream: Bool
    /// Records of each direction on which keys were tried, as the client's hello was not captured.
    var triedRecords = DirectionCounts()
    /// From which connection of the store on keys were not tried yet on what is held.
    var nextTriedKey: UInt64 = 0
    /// Whether a whole record was seen, which proves that this is TLS.
    var isProven = false
    /// What came instead of a record, where the connection is none of TLS, and where it stands.
    var refused: (octets: [UInt8], position: StreamPosition)?
    /// How TCP's connection ended, where that had to wait.
    var closing: (end: ConnectionEnd, time: PacketTime)?
    /// Whether it is in the list of those that wait.
    var isListed = false
    /// Whether it was said that one direction cannot be read.
    var isHalfOpaque = false
    /// Why one direction cannot be read, if one cannot.
    var halfReason = EncryptionReason.noKey
    /// Whether what was held back is being gone through.
    var isReleasing = false

    init(handle: Int, slot: Int, session: Int32, offset: Int64, direction: StreamDirection, isMidstream: Bool) {
        self.isMidstream = isMidstream
        self.handle = handle
        self.slot = slot
        self.session = session
        self[direction].plaintextOffset = offset
    }

    /// Octets of memory that the connection takes, without the ciphertext that waits for keys.
    var memoryOctets: Int { Self.fixedOctets + self[.fromOriginator].keptOctets + self[.fromResponder].keptOctets }

    /// Whether nothing more is asked of it than to pass on what comes.
    var onlyPasses: Bool {
        if case .unreadable = state { held.isEmpty } else { false }
    }

    /// There is no room for the connection any more: it is read no further.
    mutating func giveUp<Sink: StreamSink & ~Copyable>(_ context: TLSContext, _ sink: inout Sink) {
        if isWaiting { context.statistics.waitingConnections -= 1 }
        // What was read until here is lost from here on, as behind a hole.
        becomeUnreadable(wasRead ? .lost : .memory, &sink)
        replay(context, &sink)
    }

    /// Whether a record of either direction was opened.
    var wasRead: Bool { self[.fromOriginator].hasOpened || self[.fromResponder].hasOpened }

    var isWaiting: Bool { if case .waiting = state { true } else { false } }

    // MARK: - Events

    /// Takes in the next octets of a direction.
    /// - Returns: `false` where they show that the connection is no TLS, of which nothing but them came.
    mutating func octetsArrived<Sink: StreamSink & ~Copyable>(
        _ octets: Span<UInt8>,
        at position: StreamPosition,
        _ context: TLSContext,
        _ sink: inout Sink
    ) -> Bool {
        if case .unreadable = state {
            sink.octetsArrived(octets, at: position, slot: handle)
            return true
        }
        self.octets += octets.count
        read(octets, at: position, context, &sink)
        return refused == nil
    }

    mutating func read<Sink: StreamSink & ~Copyable>(
        _ octets: Span<UInt8>,
        at position: StreamPosition,
        _ context: TLSContext,
        _ sink: inout Sink
    ) {
        var index = 0
        while let (item, next) = self[position.direction].next(octets, from: index, at: position, context) {
            index = next
            if !isProven {
                if case .unframed(let octets, let position) = item {
                    refused = (octets, position)
                    return
                }
                isProven = true
            }
            take(item, position.direction, context, &sink)
            if case .unreadable = state { return }
        }
    }

    /// Takes in that octets of a direction will not come.
    mutating func octetsMissing<Sink: StreamSink & ~Copyable>(
        _ count: Int,
        reason: MissingReason,
        at position: StreamPosition,
        _ context: TLSContext,
        _ sink: inout Sink
    ) {
        if case .unreadable = state {
            return sink.octetsMissing(count, reason: reason, at: position, slot: handle)
        }
        isProven = true
        for item in self[position.direction].missing(count, reason, at: position) {
            take(item, position.direction, context, &sink)
        }
    }

    /// A direction ended.
    mutating func streamEnded<Sink: StreamSink & ~Copyable>(
        _ direction: StreamDirection,
        _ end: StreamEnd,
        at time: PacketTime,
        _ context: TLSContext,
        _ sink: inout Sink
    ) {
        take(.ended(end, time), direction, context, &sink)
    }

    /// The connection is over and nothing waits: nothing more comes.
    mutating func closed<Sink: StreamSink & ~Copyable>(_ context: TLSContext, _ sink: inout Sink) {
        switch state {
        case .handshake: becomeUnreadable(.handshake, &sink)
        case .open where !wasRead && halfReason == .wrongKeys: becomeUnreadable(.wrongKeys, &sink)
        case .open:
            for direction in [StreamDirection.fromOriginator, .fromResponder] {
                endSearch(direction, at: context.now, context, &sink)
            }
        case .waiting, .unreadable: break
        }
    }

    // MARK: - Items

    mutating func take<Sink: StreamSink & ~Copyable>(
        _ item: TLSItem,
        _ direction: StreamDirection,
        _ context: TLSContext,
        _ sink: inout Sink
    ) {
        if case .waiting = state { return hold(item, direction, context, &sink) }
        if mustWait(item, direction) {
            if !self[direction].ordered.append(item, context.limits) { releaseOrdered(direction, context, &sink) }
            return
        }
        switch item {
        case .record(let record, let place):
            recordArrived(record, place, direction, context, &sink)
        case .damagedRecord(let header, let came, let reason, let place):
            damagedRecordArrived(header, came, reason, place, direction, context, &sink)
        // What was held from before a search ended belongs to records again behind it.
        case .hole(let count, let reason, let position) where !self[direction].isUnframed:
            octetsMissing(count, reason: reason, at: position, context, &sink)
        case .unframed(let octets, let position) where !self[direction].isUnframed:
            read(octets.span, at: position, context, &sink)
        case .hole(let count, let reason, let position):
            holeArrived(count, reason, position, direction, context, &sink)
        case .unframed(let octets, let position):
            unframedArrived(octets, position, direction, context, &sink)
        case .ended(let end, let time):
            endSearch(direction, at: time, context, &sink)
            guard !self[direction].isEnded else { return }
            self[direction].isEnded = true
            sink.streamEnded(direction, end, at: time, slot: handle)
        }
    }

    mutating func recordArrived<Sink: StreamSink & ~Copyable>(
        _ record: [UInt8],
        _ place: RecordPlace,
        _ direction: StreamDirection,
        _ context: TLSContext,
        _ sink: inout Sink
    ) {
        guard let header = RecordHeader(record.span, at: 0) else { return }
        guard header.type == ContentType.applicationData || self[direction].isEncrypted else {
            clearRecordArrived(header, record, direction, context)
            return context.giveBack(record)
        }
        if case .handshake = state { findKeys(at: place.firstTime, context, &sink) }
        switch state {
        case .handshake, .unreadable: break
        case .waiting: hold(.record(record, place), direction, context, &sink)
        case .open:
            open(header, record, place, direction, context, &sink)
            context.giveBack(record)
        }
    }

    /// A record with known bounds cannot be opened: its plaintext is a hole of known length.
    mutating func damagedRecordArrived<Sink: StreamSink & ~Copyable>(
        _ header: RecordHeader,
        _ came: [UInt8],
        _ reason: MissingReason,
        _ place: RecordPlace,
        _ direction: StreamDirection,
        _ context: TLSContext,
        _ sink: inout Sink
    ) {
        guard header.type == ContentType.applicationData || self[direction].isEncrypted else {
            if header.type == ContentType.handshake {
                handshakeArrived(came.span.extracting(min(RecordHeader.octetCount, came.count)...), direction, context)
                finishHello(direction, context)
            }
            if header.type == ContentType.changeCipherSpec { changeCipherSpecArrived(direction) }
            return
        }
        if case .handshake = state { findKeys(at: place.firstTime, context, &sink) }
        switch state {
        case .handshake, .unreadable: return
        case .waiting: return held.append(.damagedRecord(header, [], reason, place), direction, context)
        case .open: break
        }
        loseRecord(header, reason, place, direction, &sink)
    }
}

/// Where a connection lies.
///
/// It is looked up once for an event, which then works on it in place.
final class TLSReader {
    var connection: TLSConnection

    init(_ connection: consuming TLSConnection) {
        self.connection = connection
    }
}
