// Wingmirror · Apache-2.0
// Messages of streams: RFC 9113 §8.1; push: RFC 9113 §8.4; extended CONNECT: RFC 8441.

internal import PacketDecoding
internal import TCPReassembly
internal import TrafficModel

extension HTTP2Connection {
    /// Octets of a field block.
    mutating func fragmentArrived<Sink: ExchangeSink & ~Copyable>(
        _ octets: Span<UInt8>,
        _ endsBlock: Bool,
        _ isClient: Bool,
        at time: PacketTime,
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) {
        let limit = shared.limits.headOctets
        let result: HTTP2Direction.BlockResult
        if isClient {
            let kind: SectionKind = requests.block?.endsStream == true ? .requestOrTrailers : .request
            result = requests.fragmentArrived(
                octets,
                endsBlock: endsBlock,
                as: kind,
                limit: limit,
                shared.http2
            )
        } else {
            let ends: SectionKind = responses.block?.endsStream == true ? .responseOrTrailers : .response
            let kind = responses.block?.isPromise == true ? .request : ends
            result = responses.fragmentArrived(
                octets,
                endsBlock: endsBlock,
                as: kind,
                limit: limit,
                shared.http2
            )
        }
        switch result {
        case .continues: return
        case .lost(let block):
            blockLost(block, isClient, isClient ? .requestGap : .responseGap, &shared, &sink)
        case .failed:
            readingFailed(isClient, &shared, &sink)
            if isClient {
                requests.releaseSection(&shared.http2)
            } else {
                responses.releaseSection(&shared.http2)
            }
        case .complete(let block):
            if isClient {
                requestSectionArrived(block, at: time, &shared, &sink)
                requests.releaseSection(&shared.http2)
            } else {
                if !block.isPromise { responseSectionArrived(block, at: time, &shared, &sink) }
                responses.releaseSection(&shared.http2)
            }
        }
    }

    // MARK: - Requests

    private mutating func requestSectionArrived<Sink: ExchangeSink & ~Copyable>(
        _ block: HTTP2Direction.Block,
        at time: PacketTime,
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) {
        let reading = SectionReading(&requests.section, lines: &shared.http2.lines)
        if let place = streams.place(of: block.stream) {
            guard !streams[place].flags.contains(.requestEnded) else { return }
            trailersArrived(reading, place, isClient: true, at: time, &shared, &sink)
            if block.endsStream { messageEnded(place, true, at: time, &shared, &sink) }
            return
        }
        // The stream is over, and what is still in flight only matters to the table.
        guard block.stream & 1 == 1, block.stream > highestStream else { return }
        if requests.hasLosses {
            let first = highestStream == 0 ? 1 : highestStream + 2
            if block.stream > first { unseen.insert(first...block.stream - 2) }
        }
        highestStream = block.stream
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
        _ reading: SectionReading,
        at time: PacketTime,
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) {
        makeRoom(at: time, &shared, &sink)
        let shape = requests.section.shape(of: reading)
        var exchange = newExchange(block, &shared)
        exchange.hasRequest = true
        exchange.method = shape.method
        exchange.request.firstOctet = block.time
        exchange.request.lastOctet = time
        exchange.request.fieldLines = UInt32(clamping: reading.fieldCount)
        if reading.hasUnknown { exchange.integrity.insert(.unknownFieldBlock) }
        if reading.isInferred { exchange.integrity.insert(.fieldsByInference) }
        if requests.section.isOverLimit { exchange.integrity.insert(.limitReached) }
        if !shape.isValid { exchange.integrity.insert(.malformed) }

        var stream = HTTP2Stream(identifier: block.stream, exchange: shared.exchanges.insert(exchange))
        stream.received = received
        stream.announcedRequest = reading.contentLength
        if reading.isGRPC { stream.flags.insert(.isGRPC) }
        if reading.method == nil { stream.flags.insert(.methodUnknown) }
        if shape.asksWebSocket { stream.flags.insert(.asksWebSocket) }
        let place = streams.insert(stream)
        show(reading, of: stream.exchange, isConnect: shape.method == .connect, at: block.time, &shared, &sink)
        if block.endsStream { messageEnded(place, true, at: time, &shared, &sink) }
    }

    /// Shows the sink a request, and keeps of it what the sink asks for.
    private func show<Sink: ExchangeSink & ~Copyable>(
        _ reading: SectionReading,
        of exchange: Int32,
        isConnect: Bool,
        at time: PacketTime,
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) {
        let octets = requests.section.octets.span
        let authority = reading.authority ?? reading.host
        let target = reading.path ?? (isConnect && reading.protocol == nil ? authority : nil)
        var traits = reading.traits
        if reading.method == nil { traits.insert(.methodUnknown) }
        if target == nil { traits.insert(.targetUnknown) }
        if authority == nil, reading.hasUnknown { traits.insert(.authorityUnknown) }
        if reading.hasUnknown { traits.insert(.fieldsUnknown) }
        if isConnect, reading.protocol != nil { traits.insert(.isExtendedConnect) }
        // The proxy resets a stream whose head breaks the rules, before it looks for a route (RFC 9113 §8.1.1).
        if !reading.isValidRequest(octets) { traits.insert(.isRefusedForFraming) }
        var retention = Retention.none
        let tag = sink.requestArrived(
            RequestView(
                octets: octets,
                method: reading.method?.range ?? 0..<0,
                target: target?.range ?? 0..<0,
                authority: authority?.range,
                version: .http2,
                fields: shared.http2.lines.span,
                traits: traits
            ),
            on: shared.connections[connection].facts,
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
        head.length = octets.count
        shared.exchanges[exchange].retainedRequest = RetainedMessage(
            octets,
            head: head,
            fields: shared.http2.lines.span,
            contentLimit: retention.requestContentOctets,
            shared.retained
        )
        if shared.exchanges[exchange].retainedRequest == nil {
            shared.exchanges[exchange].integrity.insert(.limitReached)
        }
    }

    /// An exchange of a stream that begins, with the next number of the connection.
    private func newExchange(_ block: HTTP2Direction.Block, _ shared: inout SharedReconstruction)
        -> Exchange
    {
        var exchange = Exchange()
        exchange.version = .http2
        exchange.stream = block.stream
        exchange.number = Int(shared.connections[connection].emittedExchanges)
        shared.connections[connection].emittedExchanges += 1
        return exchange
    }

    /// Bounds the live streams, and ends those that a hole has silenced.
    private mutating func makeRoom<Sink: ExchangeSink & ~Copyable>(
        at time: PacketTime,
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) {
        if resetStreams > 0, time.nanoseconds - earliestReset.nanoseconds > Self.resetPatience {
            endResetStreams(at: time, &shared, &sink)
        }
        if requests.hasLosses || responses.hasLosses { endQuietStreams(at: time, &shared, &sink) }
        while streams.count >= shared.streamLimit {
            shared.noteAbandonedExchange(of: streams.count, limit: shared.limits.liveStreams)
            abandon(0, .limitReached, nil, &shared, &sink)
        }
    }

    /// How long the rest of a response is waited for that the client does not want any more.
    private static var resetPatience: Int64 { 250_000_000 }

    private mutating func endResetStreams<Sink: ExchangeSink & ~Copyable>(
        at time: PacketTime,
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) {
        var place = 0
        earliestReset = time
        while place < streams.count {
            guard streams[place].flags.contains(.resetByClient) else {
                place += 1
                continue
            }
            let reset = shared.exchanges[streams[place].exchange].request.lastOctet
            if time.nanoseconds - reset.nanoseconds > Self.resetPatience {
                abandon(place, [], nil, &shared, &sink)
            } else {
                earliestReset = min(earliestReset, reset)
                place += 1
            }
        }
    }

    /// Streams whose end may have been missed, and that say nothing any more.
    private mutating func endQuietStreams<Sink: ExchangeSink & ~Copyable>(
        at time: PacketTime,
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) {
        var place = 0
        while place < streams.count {
            let exchange = streams[place].exchange
            let latest = max(
                shared.exchanges[exchange].request.lastOctet.nanoseconds,
                shared.exchanges[exchange].response.lastOctet.nanoseconds
            )
            let mayBeOver = !streams[place].flags.isDisjoint(with: [.requestHole, .responseHole])
            if mayBeOver, time.nanoseconds - latest > shared.limits.quietNanoseconds {
                abandon(place, [], nil, &shared, &sink)
            } else {
                place += 1
            }
        }
    }

    // MARK: - Responses

    private mutating func responseSectionArrived<Sink: ExchangeSink & ~Copyable>(
        _ block: HTTP2Direction.Block,
        at time: PacketTime,
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) {
        let reading = SectionReading(&responses.section, lines: &shared.http2.lines)
        // Without a status it is a trailer section, unless the status may be among what is not known.
        let mayBeHead = reading.hasStatus || reading.hasUnknownName && !block.endsStream
        var found = streams.place(of: block.stream)
        if found == nil { found = unseenStream(block, mayBeHead, &shared, &sink) }
        guard let place = found else { return }
        let isHead: Bool
        if streams[place].flags.contains(.responseBegan) {
            let mayBeFinal = !block.endsStream || shared.exchanges[streams[place].exchange].isStatusUnknown
            isHead = reading.hasStatus && mayBeFinal
        } else {
            isHead = reading.hasStatus || reading.hasUnknownName
        }
        if isHead {
            headArrived(block, reading, place, at: time, &shared, &sink)
        } else {
            trailersArrived(reading, place, isClient: false, at: time, &shared, &sink)
        }
        if block.endsStream { messageEnded(place, false, at: time, &shared, &sink) }
    }

    /// The stream of a response whose request was not seen, if that can be.
    private mutating func unseenStream<Sink: ExchangeSink & ~Copyable>(
        _ block: HTTP2Direction.Block,
        _ mayBeHead: Bool,
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) -> Int? {
        let stream = block.stream
        guard mayBeHead, stream & 1 == 1,
            unseen.contains(stream) || requests.hasLosses && stream > highestStream
        else { return nil }
        if stream > highestStream {
            let first = highestStream == 0 ? 1 : highestStream + 2
            unseen.insert(min(first, stream)...stream)
            highestStream = stream
        }
        var exchange = newExchange(block, &shared)
        let beganBefore = isJoinedMidstream && (firstSeenStream == 0 || stream < firstSeenStream)
        exchange.integrity = beganBefore ? .joinedMidstream : .requestGap
        let index = shared.exchanges.insert(exchange)
        let tag = sink.responseArrivedWithoutRequest(
            on: shared.connections[connection].facts,
            retention: &shared.exchanges[index].retention
        )
        shared.exchanges.setTag(tag, of: index)
        var added = HTTP2Stream(identifier: stream, exchange: index)
        added.flags.formUnion([.requestEnded, .methodUnknown])
        return streams.insert(added)
    }

    private mutating func headArrived<Sink: ExchangeSink & ~Copyable>(
        _ block: HTTP2Direction.Block,
        _ reading: SectionReading,
        _ place: Int,
        at time: PacketTime,
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) {
        let exchange = streams[place].exchange
        let status = reading.status ?? 0
        var tag = shared.exchanges.tag(of: exchange, as: Sink.Tag.self)
        sink.responseArrived(
            ResponseView(
                octets: responses.section.octets.span,
                status: status,
                version: .http2,
                fields: shared.http2.lines.span
            ),
            tag: &tag,
            on: shared.connections[connection].facts,
            at: block.time
        )
        shared.exchanges.setTag(tag, of: exchange)
        if reading.hasUnknown { shared.exchanges[exchange].integrity.insert(.unknownFieldBlock) }
        if reading.isInferred { shared.exchanges[exchange].integrity.insert(.fieldsByInference) }
        // 101 does not exist here (RFC 9113 §8.6).
        if status >= 100, status < 200, !block.endsStream {
            shared.exchanges[exchange].interimArrived(status)
            return
        }
        streams[place].flags.insert(.responseBegan)
        if reading.isMalformed { shared.exchanges[exchange].integrity.insert(.malformed) }
        if responses.section.isOverLimit { shared.exchanges[exchange].integrity.insert(.limitReached) }
        shared.exchanges[exchange].status = status
        shared.exchanges[exchange].isStatusUnknown = reading.status == nil
        shared.exchanges[exchange].response.firstOctet = block.time
        shared.exchanges[exchange].response.lastOctet = time
        shared.exchanges[exchange].response.fieldLines = UInt32(clamping: reading.fieldCount)
        streams[place].announcedResponse = reading.contentLength
        let method = shared.exchanges[exchange].method
        // Where the method or the status is not known, the length may be that of a content that is not sent.
        let isUncertain = streams[place].flags.contains(.methodUnknown) || reading.status == nil
        if isUncertain || method == .head || status == 204 || status == 304 {
            streams[place].flags.insert(.responseHasNoContent)
        }
        if !shared.exchanges[exchange].hasRequest, reading.isGRPC {
            streams[place].flags.insert(.isGRPC)
        }
        // A status in a head that does not end the stream is not final.
        if block.endsStream { noteGRPCStatus(reading, place, &shared) }
        if method == .connect, status >= 200, status < 300 {
            shared.exchanges[exchange].successor =
                streams[place].flags.contains(.asksWebSocket) ? .webSocket : .tunnel
        }
        retainResponse(reading, exchange, &shared)
    }

    private func retainResponse(
        _ reading: SectionReading,
        _ exchange: Int32,
        _ shared: inout SharedReconstruction
    ) {
        let retention = shared.exchanges[exchange].retention
        guard retention.keepsHeads else { return }
        var head = MessageHead()
        head.kind = .response
        head.contentCoding = reading.contentCoding
        head.length = responses.section.octets.count
        shared.exchanges[exchange].retainedResponse = RetainedMessage(
            responses.section.octets.span,
            head: head,
            fields: shared.http2.lines.span,
            contentLimit: retention.responseContentOctets,
            shared.retained
        )
        if shared.exchanges[exchange].retainedResponse == nil {
            shared.exchanges[exchange].integrity.insert(.limitReached)
        }
    }

    // MARK: - Trailers

    private mutating func trailersArrived<Sink: ExchangeSink & ~Copyable>(
        _ reading: SectionReading,
        _ place: Int,
        isClient: Bool,
        at time: PacketTime,
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) {
        let exchange = streams[place].exchange
        if reading.hasPseudo { shared.exchanges[exchange].integrity.insert(.malformed) }
        if reading.hasUnknown { shared.exchanges[exchange].integrity.insert(.unknownFieldBlock) }
        if reading.isInferred { shared.exchanges[exchange].integrity.insert(.fieldsByInference) }
        let lines = UInt32(clamping: reading.fieldCount)
        if isClient {
            shared.exchanges[exchange].request.trailerLines += lines
        } else {
            shared.exchanges[exchange].response.trailerLines += lines
            noteGRPCStatus(reading, place, &shared)
        }
        var tag = shared.exchanges.tag(of: exchange, as: Sink.Tag.self)
        let facts = shared.connections[connection].facts
        if isClient {
            let view = TrailerView(
                octets: requests.section.octets.span,
                isOfResponse: false,
                fields: shared.http2.lines.span
            )
            sink.trailersArrived(view, tag: &tag, on: facts)
        } else {
            let view = TrailerView(
                octets: responses.section.octets.span,
                isOfResponse: true,
                fields: shared.http2.lines.span
            )
            sink.trailersArrived(view, tag: &tag, on: facts)
        }
        shared.exchanges.setTag(tag, of: exchange)
    }

    private func noteGRPCStatus(
        _ reading: SectionReading,
        _ place: Int,
        _ shared: inout SharedReconstruction
    ) {
        guard streams[place].flags.contains(.isGRPC), let status = reading.grpcStatus else { return }
        shared.exchanges[streams[place].exchange].grpcCode = status
    }
}
