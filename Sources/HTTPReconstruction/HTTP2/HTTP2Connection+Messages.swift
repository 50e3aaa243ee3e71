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
        _ kind: MessageKind,
        at time: PacketTime,
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) {
        let limit = shared.limits.headOctets
        let result: HTTP2Direction.BlockResult
        if kind == .request {
            let ends = requests.block?.endsStream == true
            result = requests.fragmentArrived(
                octets,
                endsBlock: endsBlock,
                as: ends ? .requestOrTrailers : .request,
                limit: limit,
                &shared.http2
            )
        } else {
            let ends: SectionKind = responses.block?.endsStream == true ? .responseOrTrailers : .response
            result = responses.fragmentArrived(
                octets,
                endsBlock: endsBlock,
                as: responses.block?.isPromise == true ? .request : ends,
                limit: limit,
                &shared.http2
            )
        }
        switch result {
        case .continues: return
        case .lost(let block):
            blockLost(block, kind, kind.gap, &shared, &sink)
        case .failed:
            readingFailed(kind, &shared, &sink)
            releaseSection(kind, &shared)
        case .complete(let block):
            // What is promised is no request of the client, whoever promises it.
            if kind == .request, !block.isPromise {
                requestSectionArrived(block, at: time, &shared, &sink)
            } else if !block.isPromise {
                responseSectionArrived(block, at: time, &shared, &sink)
            }
            releaseSection(kind, &shared)
        }
    }

    // MARK: - Requests

    private mutating func requestSectionArrived<Sink: ExchangeSink & ~Copyable>(
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
        let place = streams.insert(HTTP2Stream(identifier: block.stream, exchange: exchange))
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
            contentLimit: retention.requestContentOctets
        )
        if shared.exchanges[exchange].retainedRequest == nil {
            shared.exchanges[exchange].integrity.insert(.limitReached)
        }
    }

    /// Stores the exchange of a stream that begins, with the next number of the connection.
    private func insertExchange(_ block: HTTP2Direction.Block, _ shared: inout SharedReconstruction) -> Int32 {
        let exchange = shared.exchanges.insert { Exchange() }
        shared.exchanges[exchange].version = .http2
        shared.exchanges[exchange].stream = block.stream
        shared.exchanges[exchange].number = Int(shared.connections[connection].emittedExchanges)
        shared.connections[connection].emittedExchanges += 1
        return exchange
    }

    /// Bounds the live streams, and ends those that a hole has silenced.
    private mutating func makeRoom<Sink: ExchangeSink & ~Copyable>(
        at time: PacketTime,
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) {
        if requests.hasLosses || responses.hasLosses { endQuietStreams(at: time, &shared, &sink) }
        while streams.count >= shared.streamLimit {
            shared.noteAbandonedExchange(of: streams.count, limit: shared.limits.liveStreams)
            abandon(0, .limitReached, nil, &shared, &sink)
        }
    }

    /// How long the rest of a response is waited for that the client does not want any more.
    static var resetPatience: Int64 { 250_000_000 }

    /// How long a response that goes on behind its request's reset is followed.
    static var longestResetPatience: Int64 { 5_000_000_000 }

    /// Ends the streams that the client has reset long enough ago.
    mutating func endResetStreams<Sink: ExchangeSink & ~Copyable>(
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
            // What the server had sent before it heard of it still comes, for as long as its buffers last.
            let exchange = streams[place].exchange
            let begun = shared.exchanges[exchange].request.lastOctet
            let heard = shared.exchanges[exchange].response.lastOctet
            let isFlowing =
                heard.nanoseconds(since: begun) > 0 && heard.nanoseconds(since: begun) < Self.longestResetPatience
            let reset = isFlowing ? heard : begun
            if time.nanoseconds(since: reset) > Self.resetPatience {
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
            if mayBeOver, time.nanoseconds &- latest > shared.limits.quietNanoseconds {
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
        let reading = SectionReading(&shared.http2.sections[responses.section], lines: &shared.http2.lines)
        shared.statistics.http2.unknownResponseFields += reading.unknownCount
        // Without a status it is a trailer section, unless the status may be among what is not known.
        let mayBeHead = reading.hasStatus || reading.hasUnknownName && !block.endsStream
        var found = streams.place(of: block.stream)
        if found == nil { found = unseenStream(block, mayBeHead, &shared, &sink) }
        guard let place = found else { return }
        let isHead: Bool
        if streams[place].flags.contains(.responseBegan) {
            // What was taken for the head of a final response may have been that of an interim one.
            isHead = reading.hasStatus && shared.exchanges[streams[place].exchange].isStatusUnknown
        } else {
            isHead = reading.hasStatus || reading.hasUnknownName
        }
        if isHead {
            headArrived(block, reading, place, at: time, &shared, &sink)
        } else {
            trailersArrived(reading, place, .response, block.endsStream, &shared, &sink)
        }
        if block.endsStream { messageEnded(place, .response, at: time, &shared, &sink) }
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
            unseen.contains(stream) || stream > highestStream && (requests.hasLosses || mayRequestCome)
        else { return nil }
        if stream > highestStream {
            let first = highestStream == 0 ? 1 : highestStream + 2
            if first < stream { unseen.insert(first...stream - 2) }
            highestStream = stream
        } else {
            unseen.remove(stream)
        }
        makeRoom(at: block.time, &shared, &sink)
        let beganBefore = isJoinedMidstream && (firstSeenStream == 0 || stream < firstSeenStream)
        let index = insertExchange(block, &shared)
        shared.exchanges[index].integrity = beganBefore ? .joinedMidstream : .requestGap
        let tag = sink.responseArrivedWithoutRequest(
            on: shared.connections.facts(of: connection),
            retention: &shared.exchanges[index].retention
        )
        shared.exchanges.setTag(tag, of: index)
        var added = HTTP2Stream(identifier: stream, exchange: index)
        added.flags.insert(.methodUnknown)
        if mayRequestCome {
            added.flags.insert(.requestUnseen)
            added.needed = acknowledged
            awaitedRequests += 1
        } else {
            added.flags.insert(.requestEnded)
        }
        return streams.insert(added)
    }

    private mutating func headArrived<Sink: ExchangeSink & ~Copyable>(
        _ block: HTTP2Direction.Block,
        _ reading: borrowing SectionReading,
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
                octets: shared.http2.sections[responses.section].octets.span,
                status: status,
                fields: shared.http2.lines.span
            ),
            tag: &tag,
            on: shared.connections.facts(of: connection),
            at: block.time
        )
        shared.exchanges.setTag(tag, of: exchange)
        if reading.hasUnknown { shared.exchanges[exchange].integrity.insert(.unknownFieldBlock) }
        if reading.isInferred { shared.exchanges[exchange].integrity.insert(.fieldsByInference) }
        // 101 does not exist here (RFC 9113 §8.6), and no interim response ends a stream (§8.1).
        if status >= 100, status < 200 {
            if block.endsStream { shared.exchanges[exchange].integrity.insert(.malformed) }
            shared.exchanges[exchange].interimArrived(status)
            return
        }
        clientRules.settled(block.stream)
        streams[place].flags.insert(.responseBegan)
        if reading.isMalformed { shared.exchanges[exchange].integrity.insert(.malformed) }
        if shared.http2.sections[responses.section].isOverLimit {
            shared.exchanges[exchange].integrity.insert(.limitReached)
        }
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
        noteContentKind(reading, place, &shared)
        // A status in a head that does not end the stream is not final, unless nothing follows.
        if block.endsStream {
            noteGRPCStatus(reading, place, &shared)
        } else {
            streams[place].headStatus = reading.grpcStatus ?? -1
        }
        noteAcceptedConnect(place, &shared, &sink)
        retainResponse(reading, exchange, &shared)
    }

    /// Both heads are known: what follows an accepted CONNECT is the tunnel's (RFC 9113 §8.5, RFC 8441 §5).
    func noteAcceptedConnect<Sink: ExchangeSink & ~Copyable>(
        _ place: Int,
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) {
        let exchange = streams[place].exchange
        let status = shared.exchanges[exchange].status
        guard shared.exchanges[exchange].method == .connect, status >= 200, status < 300 else { return }
        guard streams[place].flags.contains(.asksWebSocket) else {
            shared.exchanges[exchange].successor = .tunnel
            return
        }
        shared.exchanges[exchange].successor = .webSocket
        let time = shared.exchanges[exchange].response.firstOctet
        shared.openWebSocket(exchange, on: connection, at: time, &sink)
    }

    private func retainResponse(
        _ reading: borrowing SectionReading,
        _ exchange: Int32,
        _ shared: inout SharedReconstruction
    ) {
        let retention = shared.exchanges[exchange].retention
        guard retention.keepsHeads else { return }
        var head = MessageHead()
        head.kind = .response
        head.contentCoding = reading.contentCoding
        head.length = shared.http2.sections[responses.section].octets.count
        head.textLength = head.length
        shared.exchanges[exchange].retainedResponse = shared.retained.keep(
            shared.http2.sections[responses.section].octets.span,
            head: head,
            fields: shared.http2.lines.span,
            contentLimit: retention.responseContentOctets
        )
        if shared.exchanges[exchange].retainedResponse == nil {
            shared.exchanges[exchange].integrity.insert(.limitReached)
        }
    }

    // MARK: - Trailers

    private mutating func trailersArrived<Sink: ExchangeSink & ~Copyable>(
        _ reading: borrowing SectionReading,
        _ place: Int,
        _ kind: MessageKind,
        _ endsStream: Bool,
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) {
        let exchange = streams[place].exchange
        // Nothing follows trailers (RFC 9113 §8.1).
        if reading.hasPseudo || reading.isMalformed || !endsStream && !reading.hasUnknownName {
            shared.exchanges[exchange].integrity.insert(.malformed)
            if kind == .request, !requests.hasLosses {
                ruleBroken(on: streams[place].identifier, at: shared.exchanges[exchange].request.lastOctet)
            }
        }
        if reading.hasUnknown { shared.exchanges[exchange].integrity.insert(.unknownFieldBlock) }
        if reading.isInferred { shared.exchanges[exchange].integrity.insert(.fieldsByInference) }
        let lines = UInt32(clamping: reading.fieldCount)
        if kind == .request {
            shared.exchanges[exchange].request.addTrailers(lines)
        } else {
            shared.exchanges[exchange].response.addTrailers(lines)
            noteGRPCStatus(reading, place, &shared)
            keepTrailers(of: exchange, &shared)
        }
        var tag = shared.exchanges.tag(of: exchange, as: Sink.Tag.self)
        let facts = shared.connections.facts(of: connection)
        let section = kind == .request ? requests.section : responses.section
        sink.trailersArrived(
            TrailerView(
                octets: shared.http2.sections[section].octets.span,
                isOfResponse: kind == .response,
                fields: shared.http2.lines.span
            ),
            tag: &tag,
            on: facts
        )
        shared.exchanges.setTag(tag, of: exchange)
    }

    /// Keeps the trailers of a gRPC call, which say how it ended, where the head was kept.
    private func keepTrailers(of exchange: Int32, _ shared: inout SharedReconstruction) {
        guard shared.exchanges[exchange].contentKind == .grpc,
            let message = shared.exchanges[exchange].retainedResponse
        else { return }
        let isKept = message.keepTrailers(
            shared.http2.sections[responses.section].octets.span,
            shared.http2.lines.span
        )
        if !isKept {
            shared.exchanges[exchange].integrity.insert(.limitReached)
        }
    }

    private func noteGRPCStatus(
        _ reading: borrowing SectionReading,
        _ place: Int,
        _ shared: inout SharedReconstruction
    ) {
        let exchange = streams[place].exchange
        guard shared.exchanges[exchange].contentKind.isGRPC, let status = reading.grpcStatus else { return }
        shared.exchanges[exchange].grpcCode = status
    }

    /// Takes what a response's media type says: of its content, and of the call where the request's does not decide.
    private mutating func noteContentKind(
        _ reading: borrowing SectionReading,
        _ place: Int,
        _ shared: inout SharedReconstruction
    ) {
        let exchange = streams[place].exchange
        let kind = reading.contentKind
        if shared.exchanges[exchange].contentKind == .other {
            let isRequestKnown =
                shared.exchanges[exchange].hasRequest
                && !shared.exchanges[exchange].integrity.contains(.unknownFieldBlock)
            guard kind != .other, kind == .eventStream || !isRequestKnown else { return }
            shared.exchanges[exchange].contentKind = kind
            // What the request has carried was not counted.
            if kind.isGRPC { loseCount(place, .request, &shared) }
        }
        guard shared.exchanges[exchange].contentKind.isGRPC else { return }
        if reading.namesContentType { streams[place].responseKind = kind }
        noteContentCoding(reading, of: responses.section, place, .response, &shared)
    }

    /// A coding of the whole content hides the messages in it.
    private mutating func noteContentCoding(
        _ reading: borrowing SectionReading,
        of section: Int32,
        _ place: Int,
        _ kind: MessageKind,
        _ shared: inout SharedReconstruction
    ) {
        guard let coding = reading.contentCoding,
            !shared.http2.sections[section].octets.span.extracting(coding.range).isName("identity")
        else { return }
        loseCount(place, kind, &shared)
    }

    /// The messages of one direction of a gRPC call are not counted from here on, and their number is not known.
    mutating func loseCount(_ place: Int, _ kind: MessageKind, _ shared: inout SharedReconstruction) {
        let exchange = streams[place].exchange
        if kind == .request {
            streams[place].flags.insert(.requestUncounted)
            shared.exchanges[exchange].requestMessages.lose()
        } else {
            streams[place].flags.insert(.responseUncounted)
            shared.exchanges[exchange].responseMessages.lose()
        }
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
