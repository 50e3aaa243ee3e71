// Wingmirror · Apache-2.0
// Requests of streams: RFC 9113 §8.3.1; extended CONNECT: RFC 8441.

internal import PacketDecoding
internal import TrafficModel

extension HTTP2Connection {
    /// The head of a request is complete, or its trailer section.
    mutating func requestSectionArrived<Sink: ExchangeSink & ~Copyable>(
        _ block: HTTP2Direction.Block,
        at time: PacketTime,
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) {
        let reading = SectionReading(&shared.http2.sections[requests.section], lines: &shared.http2.lines)
        shared.statistics.http2.unknownRequestFields += reading.unknownCount
        highestRequest = max(highestRequest, block.stream)
        if let place = streams.place(of: block.stream) {
            if streams[place].flags.contains(.requestUnseen) {
                return joinRequest(place, block, reading, at: time, &shared, &sink)
            }
            guard !streams[place].flags.contains(.requestEnded) else {
                // Nothing follows the end of a message (RFC 9113 §5.1, half-closed (remote)).
                guard !requests.hasLosses, !streams[place].flags.contains(.requestHole) else { return }
                shared.exchanges[streams[place].exchange].integrity.insert(.malformed)
                ruleBroken(on: block.stream, at: time)
                return
            }
            trailersArrived(reading, place, .request, block.endsStream, &shared, &sink)
            if block.endsStream { messageEnded(place, .request, at: time, &shared, &sink) }
            return
        }
        // The stream is over, and what is still in flight only matters to the table.
        guard block.stream & 1 == 1 else {
            if !requests.hasLosses { ruleBroken(on: highestStream, at: time) }
            return
        }
        if block.stream > highestStream {
            if requests.hasLosses {
                let first = highestStream == 0 ? 1 : highestStream + 2
                if block.stream > first { unseen.insert(first...block.stream - 2) }
            }
            highestStream = block.stream
        } else {
            // A later stream was answered first, while this request was held behind a hole.
            guard unseen.contains(block.stream) else { return }
            unseen.remove(block.stream)
        }
        if isJoinedMidstream, firstSeenStream == 0 { firstSeenStream = block.stream }
        if requests.hasLosses, block.endsStream, !reading.hasPseudo, !reading.hasUnknownName {
            // Trailers of a request that was not seen.
            unseen.insert(block.stream...block.stream)
            return
        }
        open(block, reading, at: time, &shared, &sink)
    }

    private mutating func open<Sink: ExchangeSink & ~Copyable>(
        _ block: HTTP2Direction.Block,
        _ reading: borrowing SectionReading,
        at time: PacketTime,
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) {
        makeRoom(at: time, &shared, &sink)
        let exchange = insertExchange(block, &shared)
        var stream = HTTP2Stream(identifier: block.stream, exchange: exchange)
        // Its answer may be among what is not read until a boundary is found.
        if responses.frames.isLost { stream.flags.insert(.responseHole) }
        let place = streams.insert(stream)
        let shape = requestBegan(place, block, reading, at: time, &shared)
        show(reading, of: exchange, shape, at: block.time, &shared, &sink)
        if block.endsStream { messageEnded(place, .request, at: time, &shared, &sink) }
    }

    /// Notes what the head of a stream's request says.
    mutating func requestBegan(
        _ place: Int,
        _ block: HTTP2Direction.Block,
        _ reading: borrowing SectionReading,
        at time: PacketTime,
        _ shared: inout SharedReconstruction
    ) -> (method: RequestMethod, asksWebSocket: Bool, isValid: Bool) {
        let shape = shared.http2.sections[requests.section].shape(of: reading, endsStream: block.endsStream)
        let exchange = streams[place].exchange
        shared.exchanges[exchange].hasRequest = true
        shared.exchanges[exchange].method = shape.method
        shared.exchanges[exchange].request.firstOctet = block.time
        shared.exchanges[exchange].request.lastOctet = time
        shared.exchanges[exchange].request.fieldLines = UInt32(clamping: reading.fieldCount)
        var marks: Integrity = []
        if reading.hasUnknown { marks.insert(.unknownFieldBlock) }
        if reading.isInferred { marks.insert(.fieldsByInference) }
        if shared.http2.sections[requests.section].isOverLimit { marks.insert(.limitReached) }
        if !shape.isValid {
            marks.insert(.malformed)
            if !reading.hasUnknown { ruleBroken(on: block.stream, at: time) }
        } else if !reading.hasAcceptableTarget(shared.http2.sections[requests.section].octets.span) {
            ruleBroken(on: block.stream, at: time)
        }
        shared.exchanges[exchange].integrity.formUnion(marks)
        if serverEnd.offset > 0, serverEnd.time.nanoseconds(since: block.time) > Exchange.setback,
            received >= serverEnd.offset
        {
            shared.exchanges[exchange].followsSetback = true
        }
        streams[place].received = received
        streams[place].announcedRequest = reading.contentLength
        if reading.contentKind.isGRPC {
            shared.exchanges[exchange].contentKind = reading.contentKind
            noteContentCoding(reading, of: requests.section, place, .request, &shared)
        }
        if reading.method == nil { streams[place].flags.insert(.methodUnknown) }
        if shape.asksWebSocket { streams[place].flags.insert(.asksWebSocket) }
        return shape
    }

    /// Shows the sink a request, and keeps of it what the sink asks for.
    func show<Sink: ExchangeSink & ~Copyable>(
        _ reading: borrowing SectionReading,
        of exchange: Int32,
        _ shape: (method: RequestMethod, asksWebSocket: Bool, isValid: Bool),
        at time: PacketTime,
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) {
        let section = requests.section
        let authority = reading.authority ?? reading.host
        let isConnect = shape.method == .connect
        let target = reading.path ?? (isConnect && reading.protocol == nil ? authority : nil)
        var traits = reading.traits
        if reading.method == nil { traits.insert(.methodUnknown) }
        if target == nil, reading.hasUnknown { traits.insert(.targetUnknown) }
        if authority == nil, reading.hasUnknown { traits.insert(.authorityUnknown) }
        if reading.hasUnknown { traits.insert(.fieldsUnknown) }
        shared.http2.unnamed.removeAll()
        if reading.hasUnknownName, shared.http2.collectUnnamed(of: section) { traits.insert(.onlyNamesUnknown) }
        if isConnect, reading.protocol != nil { traits.insert(.isExtendedConnect) }
        // The proxy resets a stream whose head breaks the rules, before it looks for a route (RFC 9113 §8.1.1).
        if !shape.isValid || shared.http2.sections[section].isBeyondEnvoyLimits { traits.insert(.isRefusedForFraming) }
        var retention = Retention.none
        let tag = sink.requestArrived(
            RequestView(
                octets: shared.http2.sections[section].octets.span,
                method: reading.method?.range ?? 0..<0,
                target: target?.range ?? 0..<0,
                authority: authority?.range,
                version: .http2,
                fields: shared.http2.lines.span,
                traits: traits,
                scheme: reading.scheme?.range
            ).adding(unnamed: shared.http2.unnamed.span),
            on: shared.connections.facts(of: connection),
            at: time,
            retention: &retention
        )
        shared.exchanges.setTag(tag, of: exchange)
        guard retention.keepsHeads else { return }
        shared.exchanges[exchange].retention = retention
        var head = MessageHead()
        head.method = reading.method ?? head.method
        head.target = target ?? head.target
        head.host = authority
        head.contentCoding = reading.contentCoding
        head.length = shared.http2.sections[section].octets.count
        head.textLength = head.length
        shared.exchanges[exchange].retainedRequest = shared.retained.keep(
            shared.http2.sections[section].octets.span,
            head: head,
            fields: shared.http2.lines.span,
            retention.heads,
            contentLimit: retention.requestContentOctets
        )
        if shared.exchanges[exchange].retainedRequest == nil {
            shared.exchanges[exchange].integrity.insert(.limitReached)
        }
    }

    /// Stores the exchange of a stream that begins, with the next number of the connection.
    func insertExchange(_ block: HTTP2Direction.Block, _ shared: inout SharedReconstruction) -> Int32 {
        let exchange = shared.exchanges.insert { Exchange() }
        shared.exchanges[exchange].version = .http2
        shared.exchanges[exchange].stream = block.stream
        shared.exchanges[exchange].number = Int(shared.connections[connection].emittedExchanges)
        shared.connections[connection].emittedExchanges += 1
        return exchange
    }
}

extension FieldSection {
    /// Whether Envoy resets a stream for the size of its head: over 100 field lines, or over 60 KiB of names and values,
    /// pseudo-header fields among them (its `max_headers_count` and `max_request_headers_kb`, which Istio does not set).
    fileprivate var isBeyondEnvoyLimits: Bool {
        if lineCount > 100 { return true }
        let limit = 60 << 10
        guard octets.count > limit else { return false }
        var size = 0
        for index in 0..<fields.count { size += fields[index].name.range.count + fields[index].value.range.count }
        return size > limit
    }
}
