// Wingmirror · Apache-2.0

public import PacketDecoding
public import TCPReassembly

/// Reads TLS from the side: takes the streams of TCP and gives on those of the application, plaintext or not.
///
/// A ``StreamSink`` that feeds one. Connections that carry no TLS go through unchanged; of those that do, the next stage sees
/// the plaintext as if it had been sent so, with offsets that count plaintext, or learns that it is not to be had and why.
/// Behind it nobody knows of TLS, but for the number of a ``TLSSession``.
///
/// A connection may be over before its keys are there. So the next stage knows connections by numbers of its own, which are
/// free again only when everything that was held has been told.
///
/// Not handled: TLS that begins within a connection (STARTTLS, inside CONNECT); encrypted hellos (RFC 9849), whose keys are
/// those of another name; renegotiation, which Envoy refuses.
public struct TLSDecryptor<Sink: StreamSink & ~Copyable>: ~Copyable, StreamSink {
    /// What is kept of every connection, in twelve octets because a connection without TLS needs no more.
    private struct Place {
        /// How the next stage calls the connection.
        let handle: Int32
        var reading: Int32
        /// Twice the octets of a PROXY header, and one more where the connection may have begun before the capture.
        private var beginning: UInt32

        init(handle: Int32, isMidstream: Bool) {
            self.handle = handle
            reading = Reading.undecided
            beginning = isMidstream ? 1 : 0
        }

        /// Whether the connection may have begun before the capture did.
        var isMidstream: Bool { beginning & 1 != 0 }

        /// Octets of a PROXY header in front, which were given on.
        var preambleOctets: Int {
            get { Int(beginning >> 1) }
            set { beginning = UInt32(clamping: newValue) << 1 | beginning & 1 }
        }
    }

    private var places: [Place] = []
    private var handles = NumberPool()
    private var readers: [TLSReader?] = []
    private var freeReaders: [Int32] = []
    /// Connections that wait for their keys, in the order in which they began to.
    private var waiting: [Int32] = []
    /// What each reader takes; the one that was silent longest comes first.
    private var taken = HeldOctets()
    private var seenChanges: UInt64 = 0
    /// What came of connections whose beginning was lost, until it is known what they carry; hardly ever any.
    private var early: [Int: EarlyItems] = [:]
    /// Octets in it.
    private var earlyOctets = 0
    /// PROXY headers that came in part, of connections of which nothing else came yet; hardly ever any.
    private var preambles: [Int: ProxyPreamble] = [:]
    private let context: TLSContext
    /// What takes the streams; the last property, because its size is not known here.
    public var sink: Sink

    /// Makes a decryptor that has seen nothing.
    /// - Parameters:
    ///   - sink: What takes the streams of the application.
    ///   - store: Where secrets come from; `nil` leaves all TLS unread but its hellos.
    ///   - sessions: Where what the hellos say is left for later stages.
    ///   - limits: What may be held and tried.
    public init(
        sink: consuming Sink,
        store: KeyStore?,
        sessions: TLSSessions = TLSSessions(),
        limits: TLSLimits = TLSLimits()
    ) {
        context = TLSContext(store: store, limits: limits, sessions: sessions)
        self.sink = sink
    }

    /// What happened so far.
    public var statistics: TLSStatistics { context.statistics }

    // MARK: - Events

    /// Begins to watch a connection.
    public mutating func connectionOpened(_ introduction: ConnectionIntroduction) {
        let handle = handles.take()
        let place = Place(handle: handle, isMidstream: !introduction.sawHandshake)
        while places.count <= introduction.slot { places.append(place) }
        places[introduction.slot] = place
        sink.connectionOpened(introduction.renamed(Int(handle)))
    }

    /// Takes in the next octets of a stream of TCP.
    public mutating func octetsArrived(_ octets: Span<UInt8>, at position: StreamPosition, slot: Int) {
        let place = places[slot]
        if place.reading == Reading.plain {
            sink.octetsArrived(octets, at: position, slot: Int(place.handle))
        } else if place.reading == Reading.undecided {
            decide(octets, at: position, slot)
        } else if place.reading >= 0 {
            read(octets, at: position, slot)
        } else {
            sink.octetsArrived(octets, at: position, slot: Int(place.handle))
        }
    }

    /// Takes in that octets of a stream of TCP will not come.
    public mutating func octetsMissing(_ count: Int, reason: MissingReason, at position: StreamPosition, slot: Int) {
        let place = places[slot]
        if place.reading == Reading.undecided {
            if !preambles.isEmpty { preambles[slot] = nil }
            if early[slot]?.extendHole(by: count, reason, at: position) ?? false { return }
            if keepEarly(.hole(count, reason, position), slot) { return }
            // A capture of headers alone has nothing but holes, and never says what they are of.
            becomePlain(slot)
            sink.octetsMissing(count, reason: reason, at: position, slot: Int(place.handle))
        } else if place.reading >= 0 {
            context.now = position.time
            readers[Int(place.reading)]?.connection.octetsMissing(count, reason: reason, at: position, context, &sink)
            noteState(of: place.reading)
        } else {
            sink.octetsMissing(count, reason: reason, at: position, slot: Int(place.handle))
        }
    }

    /// Ends a direction.
    public mutating func streamEnded(_ direction: StreamDirection, _ end: StreamEnd, at time: PacketTime, slot: Int) {
        let place = places[slot]
        if place.reading >= 0 {
            readers[Int(place.reading)]?.connection.streamEnded(direction, end, at: time, context, &sink)
            noteState(of: place.reading)
        } else {
            if place.reading == Reading.undecided { becomePlain(slot) }
            guard !Reading.hasEnded(place.reading, direction) else { return }
            sink.streamEnded(direction, end, at: time, slot: Int(place.handle))
        }
    }

    /// Ends a connection, unless something of it waits for keys.
    public mutating func connectionClosed(_ reason: ConnectionEnd, at time: PacketTime, slot: Int) {
        let place = places[slot]
        guard place.reading >= 0 else {
            if !preambles.isEmpty { preambles[slot] = nil }
            if place.reading == Reading.undecided { becomePlain(slot) }
            sink.connectionClosed(reason, at: time, slot: Int(place.handle))
            if let session = Reading.session(place.reading) { context.sessions.close(session) }
            return handles.give(place.handle)
        }
        if let reader = readers[Int(place.reading)], reader.connection.isWaiting, reason != .captureEnded {
            reader.connection.closing = (reason, time)
            reader.connection.slot = -1
        } else {
            if reason == .captureEnded { readers[Int(place.reading)]?.connection.waitEnds(context, &sink) }
            close(place.reading, reason, at: time)
        }
    }

    /// Takes in that the directions of a connection were captured by two clocks.
    public mutating func clocksDiffer(slot: Int) {
        sink.clocksDiffer(slot: Int(places[slot].handle))
    }

    /// Whether a connection is in the middle of something.
    public func isBusy(slot: Int) -> Bool {
        let place = places[slot]
        if place.reading >= 0, readers[Int(place.reading)]?.connection.isWaiting ?? false { return true }
        return sink.isBusy(slot: Int(place.handle))
    }

    // MARK: - Waiting

    /// Between two batches: looks for keys that came meanwhile, and gives up what has waited for long enough.
    /// - Parameter time: The present, on the clock that stamps the packets.
    public mutating func timePassed(until time: PacketTime) {
        guard !waiting.isEmpty else { return }
        context.now = time
        let changes = context.store?.changeCount ?? 0
        let mayFindKeys = changes != seenChanges || context.foundStoreBusy
        seenChanges = changes
        context.foundStoreBusy = false
        var stillWaiting: [Int32] = []
        for number in waiting {
            guard let reader = readers[Int(number)] else { continue }
            if mayFindKeys, reader.connection.lookAgain(context, &sink) {
                closeIfOver(number, reader)
            } else if reader.connection.hasWaited(until: time, context.limits),
                reader.connection.giveUpWaiting(context, &sink)
            {
                closeIfOver(number, reader)
            } else if !reader.connection.isWaiting {
                // It was given up for want of memory.
                closeIfOver(number, reader)
            } else {
                stillWaiting.append(number)
            }
        }
        waiting = stillWaiting
    }

    /// No packet will come any more: does with what waits what can be done.
    public mutating func captureEnded() {
        for number in waiting {
            guard let reader = readers[Int(number)] else { continue }
            reader.connection.waitEnds(context, &sink)
            closeIfOver(number, reader)
        }
        waiting = []
    }

    private mutating func closeIfOver(_ number: Int32, _ reader: TLSReader) {
        reader.connection.isListed = false
        if let closing = reader.connection.closing { return close(number, closing.end, at: closing.time) }
        noteState(of: number)
    }

    // MARK: - Memory

    /// After an event: lists a connection that waits, lets go of one that only passes on what comes, and counts what it takes.
    private mutating func noteState(of number: Int32) {
        guard let reader = readers[Int(number)] else { return }
        let outcome = reader.connection.eventEnded()
        if outcome.beganToWait { waiting.append(number) }
        if outcome.onlyPasses, letGoOf(number, reader) { return }
        taken.touched(number, to: Int32(clamping: outcome.memoryOctets))
        while taken.total > context.limits.readerOctets, taken.oldest >= 0, taken.oldest != number {
            giveUp(taken.oldest)
        }
    }

    private mutating func giveUp(_ number: Int32) {
        taken.changed(number, to: 0)
        guard let reader = readers[Int(number)] else { return }
        context.statistics.forgottenConnections += 1
        reader.connection.giveUp(context, &sink)
        _ = letGoOf(number, reader)
    }

    /// Replaces a reader that only passes on what comes by a word; answers whether it did.
    private mutating func letGoOf(_ number: Int32, _ reader: TLSReader) -> Bool {
        guard reader.connection.onlyPasses, reader.connection.slot >= 0, !reader.connection.isListed else {
            return false
        }
        places[reader.connection.slot].reading = Reading.passing(reader.connection)
        // Of a connection of which nothing was read there will be no exchange that says which protocol was agreed on.
        if !reader.connection.wasRead { context.sessions[reader.connection.session].offeredProtocols = [] }
        discard(number)
        return true
    }

    private mutating func discard(_ number: Int32) {
        taken.changed(number, to: 0)
        readers[Int(number)] = nil
        freeReaders.append(number)
    }

    private mutating func close(_ number: Int32, _ reason: ConnectionEnd, at time: PacketTime) {
        guard let reader = readers[Int(number)] else { return }
        reader.connection.closed(context, &sink)
        sink.connectionClosed(reason, at: time, slot: reader.connection.handle)
        handles.give(Int32(reader.connection.handle))
        context.sessions.close(reader.connection.session)
        discard(number)
    }

    // MARK: - Deciding

    /// Looks at the first octets of a connection.
    private mutating func decide(_ octets: Span<UInt8>, at position: StreamPosition, _ slot: Int) {
        let begun = preambles.isEmpty ? nil : preambles[slot]
        guard position.direction == .fromOriginator, position.offset == 0 || begun != nil else {
            return decideBehindPreamble(octets, at: position, slot)
        }
        var preamble = begun ?? ProxyPreamble()
        let handle = Int(places[slot].handle)
        switch preamble.take(octets) {
        case .part:
            preambles[slot] = preamble
            places[slot].preambleOctets += octets.count
            sink.octetsArrived(octets, at: position, slot: handle)
        case .rest(let count):
            if begun != nil { preambles[slot] = nil }
            places[slot].preambleOctets += count
            sink.octetsArrived(octets.extracting(first: count), at: position, slot: handle)
            guard count < octets.count else { return }
            decideBehindPreamble(octets.extracting(count...), at: position.moved(by: count), slot)
        case .none:
            if begun != nil { preambles[slot] = nil }
            decideBehindPreamble(octets, at: position, slot)
        }
    }

    private mutating func decideBehindPreamble(_ octets: Span<UInt8>, at position: StreamPosition, _ slot: Int) {
        let mayBegin = RecordHeader.mayBeginHandshake(octets)
        let isBehindBeginning = places[slot].isMidstream || early[slot]?.hasHole(position.direction) ?? false
        let mayContinue =
            isBehindBeginning && position.startsSegment && octets.count >= RecordHeader.octetCount
            && RecordHeader.mayBegin(octets)
        guard mayBegin || mayContinue else {
            if !early.isEmpty, keepEarly(octets, at: position, slot) { return }
            becomePlain(slot)
            return sink.octetsArrived(octets, at: position, slot: Int(places[slot].handle))
        }
        start(at: position, slot)
        releaseEarly(slot)
        octetsArrived(octets, at: position, slot: slot)
    }

    /// Keeps octets whose direction begins with a hole, so that they do not say what the connection carries: the other
    /// direction will.
    /// - Returns: `false` where they are not kept.
    private mutating func keepEarly(_ octets: Span<UInt8>, at position: StreamPosition, _ slot: Int) -> Bool {
        guard let store = context.store, !store.isOff, !places[slot].isMidstream,
            early[slot]?.direction == position.direction,
            // What is too long for any connection is not copied first.
            EarlyItems.cost(of: octets.count) <= context.limits.earlyOctetsPerConnection
        else { return false }
        return keepEarly(.octets(octets.octets, position), slot)
    }

    /// Keeps an item until it is known what the connection carries.
    /// - Returns: `false` where there is no room for it.
    private mutating func keepEarly(_ item: EarlyItems.Item, _ slot: Int) -> Bool {
        let cost = EarlyItems.cost(of: item)
        guard (early[slot]?.memoryOctets ?? 0) + cost <= context.limits.earlyOctetsPerConnection,
            earlyOctets + cost <= context.limits.earlyOctets
        else { return false }
        early[slot, default: EarlyItems()].append(item)
        earlyOctets += cost
        return true
    }

    /// It is known what a connection carries: goes through what came of it.
    private mutating func releaseEarly(_ slot: Int) {
        guard !early.isEmpty, let items = early.removeValue(forKey: slot) else { return }
        earlyOctets -= items.memoryOctets
        for item in items.items {
            switch item {
            case .hole(let count, let reason, let position):
                octetsMissing(count, reason: reason, at: position, slot: slot)
            case .octets(let octets, let position): octetsArrived(octets.span, at: position, slot: slot)
            }
        }
    }

    private mutating func start(at position: StreamPosition, _ slot: Int) {
        let handle = places[slot].handle
        let session = context.sessions.open()
        let isFirst = early[slot] == nil
        var connection = TLSConnection(
            handle: Int(handle),
            slot: slot,
            session: session,
            offset: isFirst ? position.offset : 0,
            direction: position.direction,
            isMidstream: places[slot].isMidstream
        )
        if !isFirst || position.direction == .fromResponder {
            connection[.fromOriginator].plaintextOffset = Int64(places[slot].preambleOctets)
        }
        let reader = TLSReader(connection)
        if let number = freeReaders.popLast() {
            readers[Int(number)] = reader
            places[slot].reading = number
        } else {
            places[slot].reading = Int32(readers.count)
            readers.append(reader)
        }
        context.statistics.connections += 1
        sink.connectionSecured(session: session, slot: Int(handle))
    }

    private mutating func read(_ octets: Span<UInt8>, at position: StreamPosition, _ slot: Int) {
        context.now = position.time
        let place = places[slot]
        guard let reader = readers[Int(place.reading)] else { return }
        if reader.connection.octetsArrived(octets, at: position, context, &sink) { return noteState(of: place.reading) }
        // It only looked like TLS for its first octets.
        context.statistics.connections -= 1
        context.sessions.close(reader.connection.session)
        discard(place.reading)
        places[slot].reading = Reading.plain
        sink.connectionSecured(session: -1, slot: Int(place.handle))
        if let (octets, position) = reader.connection.refused {
            sink.octetsArrived(octets.span, at: position, slot: Int(place.handle))
        }
    }

    /// From here on the connection goes through unchanged.
    private mutating func becomePlain(_ slot: Int) {
        places[slot].reading = Reading.plain
        releaseEarly(slot)
    }
}

/// What came of a connection of which it is not known yet what it carries, in order.
private struct EarlyItems {
    enum Item {
        case hole(Int, MissingReason, StreamPosition)
        case octets([UInt8], StreamPosition)
    }

    private(set) var items: [Item] = []
    /// The memory that they take.
    private(set) var memoryOctets = 0
    /// The direction that all of it is of; `nil` where both have holes.
    private(set) var direction: StreamDirection?

    /// What an item takes.
    static func cost(of item: Item) -> Int {
        switch item {
        case .hole: cost(of: 0)
        case .octets(let octets, _): cost(of: octets.count)
        }
    }

    /// What octets take with the item around them.
    static func cost(of count: Int) -> Int { count + 128 }

    /// Whether a direction begins with a hole.
    func hasHole(_ direction: StreamDirection) -> Bool { self.direction == nil || self.direction == direction }

    mutating func append(_ item: Item) {
        let position: StreamPosition
        switch item {
        case .hole(_, _, let place): position = place
        case .octets(_, let place): position = place
        }
        memoryOctets += Self.cost(of: item)
        direction = items.isEmpty || direction == position.direction ? position.direction : nil
        items.append(item)
    }

    /// Takes in a hole behind the one that came last, as one hole with it.
    /// - Returns: `false` where the last item is no hole of the same direction and reason that ends there.
    mutating func extendHole(by count: Int, _ reason: MissingReason, at position: StreamPosition) -> Bool {
        guard case .hole(let before, reason, let start)? = items.last, start.direction == position.direction,
            start.offset + Int64(before) == position.offset
        else { return false }
        items[items.count - 1] = .hole(before + count, reason, start)
        return true
    }
}

/// How a connection is read: by the number of its reader, or one of these.
private enum Reading {
    /// Its first octets have not come.
    static let undecided: Int32 = -1
    static let plain: Int32 = -2
    /// TLS that nobody can read: what comes is passed on, and the session of this number is known.
    static func passing(_ connection: borrowing TLSConnection) -> Int32 {
        let ended: Int32 = (connection[.fromOriginator].isEnded ? 1 : 0) | (connection[.fromResponder].isEnded ? 2 : 0)
        return -3 - (connection.session << 2 | ended)
    }

    /// The session of a connection that is `passing`.
    static func session(_ reading: Int32) -> Int32? {
        reading <= -3 ? (-3 - reading) >> 2 : nil
    }

    /// Whether a direction of a connection that is `passing` was told to have ended, by the connection itself.
    static func hasEnded(_ reading: Int32, _ direction: StreamDirection) -> Bool {
        reading <= -3 && (-3 - reading) & (direction == .fromOriginator ? 1 : 2) != 0
    }
}

extension TLSConnection {
    /// Whether the connection has waited for its keys for longer than it may.
    fileprivate func hasWaited(until time: PacketTime, _ limits: TLSLimits) -> Bool {
        let patience =
            clientHello == nil
            ? max(limits.patienceNanoseconds, limits.trialPatienceNanoseconds) : limits.patienceNanoseconds
        return if case .waiting(let since) = state { time.nanoseconds(since: since) > patience } else { false }
    }

    /// After an event: whether the connection is to be listed with those that wait, whether it only passes on what comes, and
    /// the memory that it takes.
    fileprivate mutating func eventEnded() -> (beganToWait: Bool, onlyPasses: Bool, memoryOctets: Int) {
        let beganToWait = isWaiting && !isListed
        if beganToWait { isListed = true }
        return (beganToWait, onlyPasses, memoryOctets)
    }

    /// Nothing more comes that could be waited for.
    fileprivate mutating func waitEnds<Sink: StreamSink & ~Copyable>(_ context: TLSContext, _ sink: inout Sink) {
        guard isWaiting, !lookAgain(context, &sink) else { return }
        _ = giveUpWaiting(context, &sink, waitsForStore: true)
    }
}

/// Numbers from 0, of which those given back are used again.
private struct NumberPool {
    private var free: [Int32] = []
    private var next: Int32 = 0

    mutating func take() -> Int32 {
        if let number = free.popLast() { return number }
        next += 1
        return next - 1
    }

    mutating func give(_ number: Int32) {
        free.append(number)
    }
}

extension ConnectionIntroduction {
    fileprivate func renamed(_ slot: Int) -> ConnectionIntroduction {
        ConnectionIntroduction(
            slot: slot,
            number: number,
            originator: originator,
            responder: responder,
            time: time,
            sawHandshake: sawHandshake
        )
    }
}
