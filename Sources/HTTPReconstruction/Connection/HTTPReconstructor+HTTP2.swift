// Wingmirror · Apache-2.0
// Starting HTTP/2: RFC 9113 §3.3 and §3.4, RFC 7540 §3.2.

internal import PacketDecoding
internal import TCPReassembly

extension HTTPReconstructor where Sink: ~Copyable {
    /// Reads a connection as HTTP/2 from these octets on, and what the client sent before them.
    mutating func startHTTP2(_ octets: Span<UInt8>, at position: StreamPosition, isWhole: Bool, _ slot: Int) {
        var early: [UInt8] = []
        var missed = (client: Int64(0), server: Int64(0))
        if case .probing(let reader) = shared.connections[slot].reader, reader >= 0 {
            // First octets were missed: what came behind the hole was not read either.
            if isWhole, http1[reader].progress(.request).isLost { missed.client = http1[reader].requestEnd }
            if isWhole, http1[reader].progress(.response).isLost { missed.server = http1[reader].responseEnd }
            early = http1[reader].requests.release()
            endHTTP1(reader, nil)
        }
        let reader = insertHTTP2(slot, isWhole: isWhole)
        sink.protocolRecognized(.http2, on: shared.connections.facts(of: slot))
        let client = http2[reader].clientDirection
        firstOctetsMissing(missed.server, of: client.reversed, before: position, reader)
        firstOctetsMissing(missed.client, of: client, before: position, reader)
        if missed.client == 0 { feedEarly(early, before: position, reader) }
        http2[reader].octetsArrived(octets, at: position, &shared, &sink)
        lookAfter(reader, slot)
        noteMemory(of: slot)
    }

    /// The server has agreed to go on in HTTP/2: the answer to the exchange comes on stream 1.
    ///
    /// The sink knows the connection as HTTP already, and it is one connection.
    /// - Parameters:
    ///   - exchange: What asked for the upgrade.
    ///   - octets: What the server has sent behind the 101; borrowed for the call only.
    ///   - position: Where those octets stand.
    ///   - slot: The connection.
    mutating func upgradeToHTTP2(_ exchange: Int32, _ octets: Span<UInt8>, at position: StreamPosition, _ slot: Int) {
        var early: [UInt8] = []
        switch shared.connections[slot].reader {
        case .http1(let reader), .probing(let reader):
            early = http1[reader].requests.release()
            endHTTP1(reader, nil)
        case .http2, .webSocket, .opaque: return
        }
        let reader = insertHTTP2(slot, isWhole: true)
        shared.exchanges[exchange].number = Int(shared.connections[slot].emittedExchanges)
        shared.connections[slot].emittedExchanges += 1
        // Content of a response in HTTP/1 is not counted; this one is.
        shared.exchanges[exchange].responseMessages = MessageCount()
        http2[reader].upgraded(exchange, isRequestComplete: shared.exchanges[exchange].isRequestComplete)
        feedEarly(early, before: position, reader)
        if octets.count > 0 { http2[reader].octetsArrived(octets, at: position, &shared, &sink) }
        lookAfter(reader, slot)
        noteMemory(of: slot)
    }

    private mutating func insertHTTP2(_ slot: Int, isWhole: Bool) -> Int32 {
        shared.connections[slot].undeterminedOctets = 0
        shared.connections[slot].assumptionConfirmed()
        let reader = http2.insert(
            HTTP2Connection(
                Int32(slot),
                clientDirection: shared.connections[slot].clientDirection,
                isJoinedMidstream: !isWhole
            )
        )
        shared.connections[slot].reader = .http2(reader)
        return reader
    }

    /// Reads what the client sent while it was not known that it is HTTP/2.
    private mutating func feedEarly(_ early: [UInt8], before position: StreamPosition, _ reader: Int32) {
        guard !early.isEmpty else { return }
        let start = start(of: http2[reader].clientDirection, at: position)
        http2[reader].octetsArrived(early.span, at: start, &shared, &sink)
    }

    /// Tells HTTP/2 of octets of one side that were missed, or not read, before it was known.
    private mutating func firstOctetsMissing(
        _ count: Int64,
        of direction: StreamDirection,
        before position: StreamPosition,
        _ reader: Int32
    ) {
        guard count > 0 else { return }
        let start = start(of: direction, at: position)
        http2[reader].octetsMissing(Int(count), reason: .captureLoss, at: start, &shared, &sink)
    }

    private func start(of direction: StreamDirection, at position: StreamPosition) -> StreamPosition {
        StreamPosition(direction: direction, offset: 0, time: position.time, acknowledged: nil, startsSegment: true)
    }
}
