// Wingmirror · Apache-2.0
// Field sections of streams, responses and trailers: RFC 9113 §8.1; push: RFC 9113 §8.4.

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
        var head = MessageHead()
        head.kind = .response
        head.contentCoding = reading.contentCoding
        let heads = retention.headsOfResponse(head, to: shared.exchanges[exchange].contentKind)
        guard heads != .none else { return }
        head.length = shared.http2.sections[responses.section].octets.count
        head.textLength = head.length
        shared.exchanges[exchange].retainedResponse = shared.retained.keep(
            shared.http2.sections[responses.section].octets.span,
            head: head,
            fields: shared.http2.lines.span,
            heads,
            contentLimit: retention.responseContentOctets
        )
        if shared.exchanges[exchange].retainedResponse == nil {
            shared.exchanges[exchange].integrity.insert(.limitReached)
        }
    }

    // MARK: - Trailers

    /// The trailer section of a message is complete.
    mutating func trailersArrived<Sink: ExchangeSink & ~Copyable>(
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
    mutating func noteContentCoding(
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
