// Wingmirror · Apache-2.0

public import PacketDecoding
public import TCPReassembly
internal import TrafficModel

/// Rebuilds the exchanges of all connections from their streams, seen from the side.
///
/// It is a ``StreamSink``: reassembly delivers streams to it, and it emits complete exchanges to an ``ExchangeSink``. Each
/// connection has a ``ConnectionReader``, found out from its first octets (``ProtocolProbe``) and changed where the
/// connection leaves HTTP. All state is owned by the thread that feeds it. An idle connection holds no buffer and no
/// exchange; content is never copied unless the sink asks for it.
public struct HTTPReconstructor<Sink: ExchangeSink & ~Copyable>: ~Copyable, StreamSink {
    var http1 = Slab<HTTP1Connection>()
    /// Made at a preface, an upgrade or a proven join; a connection of another protocol has nothing here.
    var http2 = Slab<HTTP2Connection>()
    /// Made when an upgrade is accepted.
    var webSockets = Slab<WebSocketConnection>()
    private var held = HeldOctets()
    /// What readers of other protocols and PROXY headers take, by the slot in reassembly; who was silent longest comes first.
    private var taken = HeldOctets()
    /// Connections of HTTP/2 with streams that the client has reset, by slot; those that ended since are still among them.
    private var resetting: [Int32] = []
    /// What is looked through of them; empty in between, and kept for its memory.
    private var lookedThrough: [Int32] = []
    /// PROXY headers that came in part, by slot; hardly ever any.
    private var partialPrefixes: [Int: ProxyHeader.Part] = [:]
    var shared: SharedReconstruction
    /// What takes the exchanges; the last property, because its size is not known here.
    public var sink: Sink

    /// Makes a reconstructor that has seen nothing.
    public init(sink: consuming Sink, limits: HTTPLimits = HTTPLimits()) {
        self.sink = sink
        shared = SharedReconstruction(limits: limits)
    }

    /// What happened so far.
    public var statistics: HTTPStatistics {
        var statistics = shared.statistics
        statistics.refusedMessages = shared.retained.refusedMessages
        statistics.cutContents = shared.retained.cutContents
        statistics.http2.settledTables = shared.http2.settledTables
        statistics.http2.abandonedTables = shared.http2.abandonedTables
        return statistics
    }

    /// Exchanges that are not complete.
    public var pendingExchanges: Int { shared.exchanges.count }

    // MARK: - Events

    /// Begins to watch a connection.
    public mutating func connectionOpened(_ introduction: ConnectionIntroduction) {
        shared.connections.open(introduction)
    }

    /// Reads the next octets of a stream.
    public mutating func octetsArrived(_ octets: Span<UInt8>, at position: StreamPosition, slot: Int) {
        switch shared.connections[slot].reader {
        case .http1(let reader):
            switch http1[reader].octetsArrived(octets, at: position, &shared, &sink) {
            case .continues: noteHeldOctets(reader)
            case .leaves(let reason, let unread): becomeOpaque(slot, reason, unread: unread)
            case .upgrades(let exchange, let unread):
                upgrade(exchange, octets, unread: unread, at: position, slot)
            case .opensWebSocket(let exchange, let unread):
                openWebSocket(exchange, octets, unread: unread, at: position, slot)
            }
        case .http2(let reader):
            http2[reader].octetsArrived(octets, at: position, &shared, &sink)
            lookAfter(reader, slot)
            noteMemory(of: slot)
        case .webSocket(let reader):
            webSockets[reader].octetsArrived(octets, at: position, shared)
            noteMemory(of: slot)
        case .opaque(let reason):
            sink.opaqueOctetsArrived(octets.count, reason, on: shared.connections.facts(of: slot))
        case .probing:
            probe(octets, at: position, slot)
        }
    }

    /// Passes over octets that were not captured.
    public mutating func octetsMissing(_ count: Int, reason: MissingReason, at position: StreamPosition, slot: Int) {
        switch shared.connections[slot].reader {
        case .http1(let reader):
            http1[reader].octetsMissing(count, reason: reason, at: position, &shared, &sink)
            noteHeldOctets(reader)
        case .probing:
            forgetPrefix(of: slot)
            let reader = tentativeReader(of: slot)
            http1[reader].octetsMissing(count, reason: reason, at: position, &shared, &sink)
            noteHeldOctets(reader)
        case .http2(let reader):
            http2[reader].octetsMissing(count, reason: reason, at: position, &shared, &sink)
            noteMemory(of: slot)
        case .webSocket(let reader):
            webSockets[reader].octetsMissing(count, at: position, &shared)
        case .opaque: break
        }
    }

    /// Ends one direction.
    public mutating func streamEnded(_ direction: StreamDirection, _ end: StreamEnd, at time: PacketTime, slot: Int) {
        switch shared.connections[slot].reader {
        case .http1(let reader):
            http1[reader].streamEnded(direction, end, at: time, &shared, &sink)
            noteHeldOctets(reader)
        case .http2(let reader): http2[reader].streamEnded(direction, end, at: time)
        case .probing, .webSocket, .opaque: break
        }
    }

    /// Ends a connection, and emits what is left of it.
    public mutating func connectionClosed(_ reason: ConnectionEnd, at time: PacketTime, slot: Int) {
        forgetPrefix(of: slot)
        var wasRecognized = true
        switch shared.connections[slot].reader {
        case .http1(let reader): endHTTP1(reader, reason)
        case .http2(let reader):
            http2[reader].closed(reason, &shared, &sink)
            http2.discard(at: reader)
            taken.changed(Int32(slot), to: 0)
        case .webSocket(let reader):
            webSockets[reader].closed(&shared, &sink)
            webSockets.discard(at: reader)
            taken.changed(Int32(slot), to: 0)
        case .opaque: break
        case .probing(let reader):
            // The end may show that what was found is a request.
            let isHTTP = reader >= 0 && endHTTP1(reader, reason)
            let facts = shared.connections.facts(of: slot)
            let octets = shared.connections[slot].undeterminedOctets
            wasRecognized = isHTTP || octets > 0
            if !isHTTP, wasRecognized {
                let reason: OpaqueReason = shared.connections[slot].isJoinedMidstream ? .midstream : .unknown
                sink.protocolRecognized(.opaque(reason), on: facts)
                sink.opaqueOctetsArrived(octets, reason, on: facts)
            }
        }
        let facts = shared.connections.facts(of: slot)
        sink.connectionClosed(reason, wasRecognized: wasRecognized, on: facts)
        // The list of those with reset streams may still name the slot.
        shared.connections.close(slot)
    }

    /// Notes that the directions of a connection were captured by two clocks.
    public mutating func clocksDiffer(slot: Int) {
        shared.connections[slot].hasTwoClocks = true
    }

    /// Notes that the connection carries TLS.
    public mutating func connectionSecured(session: Int32, slot: Int) {
        shared.connections[slot].tlsSession = session
    }

    /// Ends what was read of a connection that nobody can decrypt, or no further.
    public mutating func connectionUnreadable(_ reason: EncryptionReason, octets: Int, slot: Int) {
        becomeOpaque(slot, OpaqueReason(reason), unread: octets, isCutOff: true)
    }

    /// Counts octets of a direction that nobody can decrypt, while the other is read.
    public mutating func directionUnreadable(_ reason: EncryptionReason, octets: Int, isFirst: Bool, slot: Int) {
        let facts = shared.connections.facts(of: slot)
        if isFirst { sink.directionIsOpaque(OpaqueReason(reason), on: facts) }
        sink.opaqueOctetsArrived(octets, OpaqueReason(reason), on: facts)
    }

    /// Emits exchanges that nothing came of since the client gave them up.
    /// - Parameter time: The present, on the clock that stamps the packets.
    public mutating func timePassed(until time: PacketTime) {
        guard !resetting.isEmpty else { return }
        swap(&resetting, &lookedThrough)
        for index in lookedThrough.indices {
            let slot = lookedThrough[index]
            // It may have ended or been given up meanwhile, and another may have its slot.
            guard case .http2(let reader) = shared.connections[slot].reader, http2[reader].isListed else { continue }
            http2[reader].isListed = false
            http2[reader].timePassed(until: time, &shared, &sink)
            if http2[reader].resetStreams > 0 { resetting.append(slot) }
        }
        lookedThrough.removeAll(keepingCapacity: true)
        for slot in resetting {
            if case .http2(let reader) = shared.connections[slot].reader { http2[reader].isListed = true }
        }
    }

    /// Remembers a connection if it has streams that the client has reset, so that time ends them.
    @inline(__always)
    mutating func lookAfter(_ reader: Int32, _ slot: Int) {
        guard http2[reader].resetStreams > 0, !http2[reader].isListed else { return }
        http2[reader].isListed = true
        resetting.append(Int32(slot))
    }

    /// Whether a connection has an exchange that is not complete.
    public func isBusy(slot: Int) -> Bool {
        switch shared.connections[slot].reader {
        case .http1(let reader): http1[reader].oldest >= 0
        case .http2(let reader): http2[reader].streams.count > 0
        case .probing(let reader): reader >= 0 && http1[reader].oldest >= 0
        case .webSocket: true
        case .opaque: false
        }
    }

    // MARK: - Who reads

    /// Gives octets of a connection of which nothing is certain to the reader that may understand them.
    private mutating func probe(_ octets: Span<UInt8>, at position: StreamPosition, _ slot: Int) {
        if mayBeginWithProxyHeader(octets, at: position, slot) {
            return readProxyHeader(octets, at: position, slot)
        }
        if position.direction == .fromResponder, case .beginning(let early) = partialPrefixes[slot] {
            // Nobody answers a part of a PROXY header: what the client sent is the beginning of something else.
            forgetPrefix(of: slot)
            let start = StreamPosition(
                direction: .fromOriginator,
                offset: 0,
                time: position.time,
                acknowledged: nil,
                startsSegment: true
            )
            probeProtocol(early.span, at: start, slot)
            return octetsArrived(octets, at: position, slot: slot)
        }
        probeProtocol(octets, at: position, slot)
    }

    private mutating func probeProtocol(_ octets: Span<UInt8>, at position: StreamPosition, _ slot: Int) {
        switch determine(octets, at: position, slot) {
        case .notYet: return
        case .opaque(let reason): becomeOpaque(slot, reason, unread: octets.count)
        case .http2(let isWhole): startHTTP2(octets, at: position, isWhole: isWhole, slot)
        case .http1:
            let reader = tentativeReader(of: slot)
            let outcome = http1[reader].octetsArrived(octets, at: position, &shared, &sink)
            switch outcome {
            case .leaves(let reason, let unread): becomeOpaque(slot, reason, unread: unread)
            case .upgrades(let exchange, let unread): upgrade(exchange, octets, unread: unread, at: position, slot)
            case .opensWebSocket(let exchange, let unread):
                openWebSocket(exchange, octets, unread: unread, at: position, slot)
            case .continues:
                if http1[reader].isConfirmed { shared.connections[slot].reader = .http1(reader) }
                noteHeldOctets(reader)
            }
        }
    }

    /// Goes on in HTTP/2 with the last octets of a segment.
    private mutating func upgrade(
        _ exchange: Int32,
        _ octets: Span<UInt8>,
        unread: Int,
        at position: StreamPosition,
        _ slot: Int
    ) {
        let rest = position.moved(by: octets.count - unread)
        upgradeToHTTP2(exchange, octets.extracting((octets.count - unread)...), at: rest, slot)
    }

    /// Goes on as a WebSocket with the last octets of a segment, and what the client sent before it was accepted.
    private mutating func openWebSocket(
        _ exchange: Int32,
        _ octets: Span<UInt8>,
        unread: Int,
        at position: StreamPosition,
        _ slot: Int
    ) {
        var early: [UInt8] = []
        if case .http1(let reader) = shared.connections[slot].reader {
            early = http1[reader].requests.release()
            endHTTP1(reader, nil)
        } else if case .probing(let reader) = shared.connections[slot].reader, reader >= 0 {
            early = http1[reader].requests.release()
            endHTTP1(reader, nil)
        }
        let clientDirection = shared.connections[slot].clientDirection
        let opened = WebSocketConnection(connection: Int32(slot), clientDirection: clientDirection, exchange: exchange)
        let reader = webSockets.insert(opened)
        shared.connections[slot].reader = .webSocket(reader)
        sink.protocolRecognized(.webSocket, on: shared.connections.facts(of: slot))
        if !early.isEmpty {
            let client = StreamPosition(
                direction: clientDirection,
                offset: 0,
                time: position.time,
                acknowledged: nil,
                startsSegment: true
            )
            webSockets[reader].octetsArrived(early.span, at: client, shared)
        }
        let rest = octets.extracting((octets.count - unread)...)
        webSockets[reader].octetsArrived(rest, at: position.moved(by: octets.count - unread), shared)
        noteMemory(of: slot)
    }

    // MARK: - What stands in front

    /// Whether octets are the first of a client, or continue a PROXY header that came in part.
    @inline(__always)
    private func mayBeginWithProxyHeader(_ octets: Span<UInt8>, at position: StreamPosition, _ slot: Int) -> Bool {
        if partialPrefixes[slot] != nil { return position.direction == .fromOriginator }
        guard position.offset == 0, position.direction == .fromOriginator,
            octets[0] == 0x0D || octets[0] == UInt8(ascii: "P")
        else { return false }
        // Where the handshake was not captured, these may be any octets of the connection.
        return !shared.connections[slot].isJoinedMidstream || ProxyHeader.isCertain(octets)
    }

    /// Takes a PROXY header off the front, and gives what is behind it to whoever reads the connection.
    private mutating func readProxyHeader(_ octets: Span<UInt8>, at position: StreamPosition, _ slot: Int) {
        var all: [UInt8] = []
        switch partialPrefixes[slot] {
        case .beginning(let early): all = early
        case .extensions(let rest):
            guard octets.count >= rest else {
                partialPrefixes[slot] = .extensions(missing: rest - octets.count)
                return
            }
            forgetPrefix(of: slot)
            guard octets.count > rest else { return }
            return probeProtocol(octets.extracting(rest...), at: position.beginning(rest), slot)
        case nil: break
        }
        let before = all.count
        octets.append(to: &all)
        switch ProxyHeader.read(all.span) {
        case .incomplete where all.count < ProxyHeader.decidingOctets:
            partialPrefixes[slot] = .beginning(all)
            noteMemory(of: slot)
        case .incomplete, .notOurs:
            forgetPrefix(of: slot)
            probeProtocol(all.span, at: position.beginning(-before), slot)
        case .header(let header):
            forgetPrefix(of: slot)
            shared.statistics.proxyHeaders += 1
            if header.isMalformed { shared.statistics.malformedProxyHeaders += 1 }
            shared.connections.proxyHeaderRead(header.client, isMalformed: header.isMalformed, slot: slot)
            if header.length > all.count {
                partialPrefixes[slot] = .extensions(missing: header.length - all.count)
                noteMemory(of: slot)
            }
            guard header.length < all.count else { return }
            probeProtocol(all.span.extracting(header.length...), at: position.beginning(header.length - before), slot)
        }
    }

    private mutating func forgetPrefix(of slot: Int) {
        guard !partialPrefixes.isEmpty, partialPrefixes.removeValue(forKey: slot) != nil else { return }
        taken.changed(Int32(slot), to: 0)
    }

    // MARK: - Tentative readers

    /// The HTTP/1 reader that reads a connection until it is known what that carries, made when there is none.
    mutating func tentativeReader(of slot: Int) -> Int32 {
        let existing = existingReader(of: slot)
        guard existing < 0 else { return existing }
        let tracked = shared.connections[slot]
        let reader = http1.insert { HTTP1Connection(Int32(slot), tracked) }
        shared.connections[slot].reader = .probing(reader)
        return reader
    }

    /// The tentative reader of a connection, or -1.
    func existingReader(of slot: Int) -> Int32 {
        if case .probing(let reader) = shared.connections[slot].reader { reader } else { -1 }
    }

    /// Ends the reader of a connection that carries something unknown from here on.
    /// - Parameters:
    ///   - slot: The connection.
    ///   - reason: Why it is not read.
    ///   - unread: Octets of it that came already.
    ///   - isCutOff: Whether it may carry the same as before, and only we cannot read it.
    private mutating func becomeOpaque(_ slot: Int, _ reason: OpaqueReason, unread: Int, isCutOff: Bool = false) {
        // What is given up for want of memory may well have gone on.
        let end: ConnectionEnd = reason == .memory ? .evicted : .captureEnded
        taken.changed(Int32(slot), to: 0)
        // What the client sent before it was decided is in the buffer of its stream.
        var early = 0
        switch shared.connections[slot].reader {
        case .http1(let reader), .probing(let reader):
            if reader >= 0 {
                early = http1[reader].requests.release().count
                endHTTP1(reader, isCutOff ? end : nil)
            }
        case .http2(let reader):
            http2[reader].closed(end, &shared, &sink)
            http2.discard(at: reader)
        case .webSocket(let reader):
            webSockets[reader].closed(&shared, &sink)
            webSockets.discard(at: reader)
        case .opaque: break
        }
        shared.connections[slot].reader = .opaque(reason)
        let facts = shared.connections.facts(of: slot)
        sink.protocolRecognized(.opaque(reason), on: facts)
        let before = shared.connections[slot].undeterminedOctets + early
        if before > 0 { sink.opaqueOctetsArrived(before, reason, on: facts) }
        shared.connections[slot].undeterminedOctets = 0
        if unread > 0 { sink.opaqueOctetsArrived(unread, reason, on: facts) }
    }

    /// Ends an HTTP/1 reader, as the connection is over or, where `end` is `nil`, carries something else.
    ///
    /// - Returns: Whether the connection carried HTTP/1.x.
    @discardableResult
    mutating func endHTTP1(_ reader: Int32, _ end: ConnectionEnd?) -> Bool {
        http1[reader].closed(end, &shared, &sink)
        let isConfirmed = http1[reader].isConfirmed
        if http1[reader].countedOctets > 0 { held.changed(reader, to: 0) }
        http1.discard(at: reader)
        return isConfirmed
    }

    // MARK: - What is held

    /// Counts what a reader holds after an event, which for most events is as nothing as before.
    @inline(__always)
    private mutating func noteHeldOctets(_ reader: Int32) {
        let octets = http1[reader].heldOctets
        if octets != http1[reader].countedOctets { heldOctetsChanged(of: reader, to: octets) }
    }

    private mutating func heldOctetsChanged(of reader: Int32, to octets: Int32) {
        http1[reader].countedOctets = octets
        held.changed(reader, to: octets)
        while held.total > shared.limits.heldOctets, held.oldest >= 0 {
            let oldest = held.oldest
            http1[oldest].giveUpHeldOctets(&shared, &sink)
            http1[oldest].countedOctets = 0
            held.changed(oldest, to: 0)
            shared.statistics.forgottenHeads += 1
        }
    }
}

extension HTTPReconstructor where Sink: ~Copyable {
    /// Counts what the reader of a connection that is none of HTTP/1 takes, and has others given up where that is too much.
    mutating func noteMemory(of slot: Int) {
        switch shared.connections[slot].reader {
        case .http2(let reader):
            let octets = http2[reader].memoryOctets(shared.http2)
            taken.touched(Int32(slot), to: Int32(clamping: octets))
        case .webSocket: taken.touched(Int32(slot), to: WebSocketConnection.memoryOctets)
        case .probing:
            guard let prefix = partialPrefixes[slot] else { return }
            taken.touched(Int32(slot), to: Self.prefixOctets + Int32(prefix.octetCount))
        case .http1, .opaque: return
        }
        while taken.total > shared.limits.readerOctets, taken.oldest >= 0, taken.oldest != Int32(slot) {
            let oldest = Int(taken.oldest)
            shared.statistics.forgottenConnections += 1
            if let prefix = partialPrefixes.removeValue(forKey: oldest) {
                becomeOpaque(oldest, .unknown, unread: prefix.octetCount)
            } else {
                becomeOpaque(oldest, .memory, unread: 0)
            }
        }
    }

    /// What a PROXY header in progress takes beside its octets, here and where TLS is looked for.
    private static var prefixOctets: Int32 { 256 }
}

extension StreamPosition {
    /// The position so many octets further on, or back, where the client's octets begin: as surely as where a segment does.
    fileprivate func beginning(_ count: Int) -> StreamPosition { moved(by: count, startsSegment: true) }
}
