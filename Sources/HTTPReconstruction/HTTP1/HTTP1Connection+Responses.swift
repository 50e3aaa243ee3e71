// Wingmirror · Apache-2.0
// Responses: RFC 9112 §4 and §6.3; interim responses: RFC 9110 §15.2.

internal import PacketDecoding
internal import TCPReassembly
internal import TrafficModel

extension HTTP1Connection {
    // MARK: - Heads

    /// A response's head is complete, of an interim response or of the final one.
    ///
    /// `wire` is what was sent from the head on, `octets` the same unless the head was written anew.
    mutating func responseHeadArrived<Sink: ExchangeSink & ~Copyable>(
        _ octets: Span<UInt8>,
        wire: Span<UInt8>,
        at position: StreamPosition,
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) {
        if _slowPath(!isConfirmed) { confirmHTTP(&shared, &sink) }
        let head = shared.parser.head
        if answering >= 0 {
            giveStrayInterim(toRequestAnsweredAt: responses.start, status: head.status, &shared, &sink)
        }
        if answering < 0 {
            answering = exchangeAnswered(at: responses.start, status: head.status, &shared, &sink)
            shared.exchanges[answering].responseStart = responses.start
            if !shared.exchanges[answering].hasRequest { shared.exchanges[answering].version = head.version }
        }
        shared.exchanges.responseArrived(
            octets.extracting(first: head.textLength),
            status: head.status,
            from: shared.parser,
            of: answering,
            on: shared.connections.facts(of: connection),
            at: responses.start.time,
            &sink
        )
        if _slowPath(head.status < 200), interimHeadArrived(head.status, &shared) { return }
        if isRepairing { repair?.latestResponseCloses = head.closesConnection }
        if head.closesConnection { shared.exchanges[answering].closesConnection = true }
        let isCertain = !isRepairing && shared.exchanges[answering].isRequestComplete
        let asked = shared.exchanges[answering].request.lastOctet
        let begun = responses.start.time
        rhythm.responseBegan(
            after: isCertain ? begun.nanoseconds(since: asked) : nil,
            delay: begun.nanoseconds(since: requests.start.time)
        )
        fillResponse(head, octets, at: position, &shared)
        if _slowPath(head.status == 101 || shared.exchanges[answering].method == .connect && head.status < 300) {
            leaveHTTP(after: head, at: position, &shared, &sink)
            return
        }
        beginResponseContent(head, wire, at: position, &shared, &sink)
    }

    /// An interim response is no answer yet, and one to `Upgrade: h2c` leaves the answer to HTTP/2 (RFC 7540 §3.2).
    ///
    /// - Returns: Whether that was all; not where the connection goes on as something else, which ends the exchange.
    @inline(never)
    private mutating func interimHeadArrived(_ status: Int, _ shared: inout SharedReconstruction) -> Bool {
        if status != 101 {
            shared.exchanges[answering].interimArrived(status)
            // Where neither the request nor a final response is seen, this is when the exchange began.
            if !shared.exchanges[answering].hasRequest {
                shared.exchanges[answering].response.firstOctet = responses.start.time
            }
            responses.begin(.none)
            return true
        }
        let exchange = answering
        guard shared.exchanges[exchange].upgrade == .http2, exchange == oldest, exchange == newest else { return false }
        shared.exchanges[exchange].interimArrived(101)
        if sending == exchange { shared.exchanges[exchange].request.contentOctets = requests.contentOctets }
        handOver(exchange)
        responses.leaveHTTP()
        leave(for: .upgraded)
        return true
    }

    /// Decides the framing of the response's content (RFC 9112 §6.3).
    @inline(__always)
    private mutating func beginResponseContent<Sink: ExchangeSink & ~Copyable>(
        _ head: MessageHead,
        _ wire: Span<UInt8>,
        at position: StreamPosition,
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) {
        let framing = head.responseFraming(to: shared.exchanges[answering].method)
        if case .unknown(let failure) = framing {
            shared.exchanges[answering].integrity.insert(.malformed)
            noteFailure(failure, &shared, &sink)
            responses.begin(.untilClose)
        } else {
            responses.begin(framing)
        }
        if responses.isInsideMessage, mayAnswerHEAD(&shared) {
            awaitsContent = true
            if wire.count > head.length {
                contentMayBegin(wire.extracting(droppingFirst: head.length), &shared, &sink)
            }
        }
        if framing.isEmpty {
            responseEnded(trailers: 0, at: position.time, &shared, &sink)
        }
    }

    private mutating func fillResponse(
        _ head: MessageHead,
        _ octets: Span<UInt8>,
        at position: StreamPosition,
        _ shared: inout SharedReconstruction
    ) {
        shared.exchanges[answering].status = head.status
        shared.exchanges[answering].response.firstOctet = responses.start.time
        shared.exchanges[answering].response.lastOctet = position.time
        shared.exchanges[answering].response.fieldLines = UInt32(shared.parser.fieldCount)
        if head.framingConflicts { shared.exchanges[answering].integrity.insert(.framingConflict) }
        if head.contentKind == .eventStream { shared.exchanges[answering].contentKind = .eventStream }
        if _slowPath(shared.exchanges[answering].retention.keepsHeads) { retainResponse(head, octets, &shared) }
    }

    private func retainResponse(_ head: MessageHead, _ octets: Span<UInt8>, _ shared: inout SharedReconstruction) {
        let retention = shared.exchanges[answering].retention
        let heads = retention.headsOfResponse(head, to: shared.exchanges[answering].contentKind)
        guard heads != .none else { return }
        shared.exchanges[answering].retainedResponse = shared.retained.keep(
            octets,
            head: head,
            fields: shared.parser.fields,
            heads,
            contentLimit: retention.responseContentOctets
        )
        if shared.exchanges[answering].retainedResponse == nil {
            shared.exchanges[answering].integrity.insert(.limitReached)
        }
    }

    /// The server agreed to leave HTTP: the exchange is complete, and both streams belong to something else.
    private mutating func leaveHTTP<Sink: ExchangeSink & ~Copyable>(
        after head: MessageHead,
        at position: StreamPosition,
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) {
        let exchange = answering
        let isWebSocket = head.upgrade == .webSocket || shared.exchanges[exchange].upgrade == .webSocket
        if head.status == 101, isWebSocket, exchange == oldest, exchange == newest {
            return openWebSocket(at: position.time, &shared, &sink)
        }
        if head.status == 101 {
            shared.exchanges[exchange].successor = isWebSocket ? .webSocket : .upgraded
        } else {
            shared.exchanges[exchange].successor = .tunnel
        }
        responses.leaveHTTP()
        responseEnded(trailers: 0, at: position.time, &shared, &sink)
        if sending >= 0 { requestEnded(trailers: 0, at: position.time, &shared, &sink) }
        leave(for: head.status == 101 ? .upgraded : .tunnel)
    }

    /// The server accepted a WebSocket: the exchange is told when that is over.
    private mutating func openWebSocket<Sink: ExchangeSink & ~Copyable>(
        at time: PacketTime,
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) {
        let exchange = answering
        shared.exchanges[exchange].successor = .webSocket
        shared.exchanges[exchange].isResponseComplete = true
        if sending == exchange {
            shared.exchanges[exchange].request.contentOctets = requests.contentOctets
            shared.exchanges[exchange].isRequestComplete = true
        }
        shared.openWebSocket(exchange, on: connection, at: time, &sink)
        handOverWebSocket(exchange)
        responses.leaveHTTP()
        leave(for: .upgraded)
    }

    /// The response in progress is complete, or as complete as it will be.
    mutating func responseEnded<Sink: ExchangeSink & ~Copyable>(
        trailers: Int,
        at time: PacketTime,
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) {
        guard answering >= 0 else { return }
        let current = answering
        answering = -1
        latestAnswerCloses = shared.exchanges[current].closesConnection
        // What is held waits for the answer to the latest request; without certainty, for any answer.
        let mayDecide = current == newest || !shared.exchanges[current].hasRequest
        shared.exchanges[current].response.lastOctet = time
        shared.exchanges[current].response.contentOctets =
            shared.exchanges[current].successor == .http ? responses.contentOctets : 0
        shared.exchanges[current].response.trailerLines = UInt32(trailers)
        shared.exchanges[current].isResponseComplete = true
        if shared.exchanges[current].contentKind.isGRPCWeb { shared.exchanges[current].readRetainedCall() }
        if !shared.exchanges[current].hasRequest, repair?.loose.contains(current) != true {
            shared.emit(current, on: connection, &sink)
        }
        if mayDecide, requests.state == .held {
            releaseHeldOctets(&shared, &sink)
        }
        boundLooseResponses(&shared, &sink)
        emitCompleted(&shared, &sink)
    }

    /// The server went on with HTTP, so what the client sent meanwhile is HTTP too.
    mutating func releaseHeldOctets<Sink: ExchangeSink & ~Copyable>(
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) {
        guard responses.state != .switched else { return }
        readHeldOctets(&shared, &sink)
    }

    /// Content that only the end of the connection would end has ended when the client has received all of it and sent a
    /// request, and the server has received that and answers: nobody else knows where the content ends, but those two do.
    mutating func endContentIfClientWentOn<Sink: ExchangeSink & ~Copyable>(
        _ octets: Span<UInt8>,
        at position: StreamPosition,
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) {
        guard answering >= 0, newest >= 0, newest != answering, position.startsSegment,
            let received = shared.exchanges[newest].requestStart.acknowledged, received >= responseEnd,
            let acknowledged = position.acknowledged, acknowledged >= shared.exchanges[newest].requestHeadEnd,
            octets.findHead(.response, from: 0, startsSegment: true, parser: &shared.parser)?.index == 0
        else { return }
        let last = shared.exchanges[answering].response.lastOctet
        shared.exchanges[answering].integrity.insert(.malformed)
        responses.endEarly()
        responseEnded(trailers: 0, at: last, &shared, &sink)
    }

    /// The octets cannot be read as a response.
    mutating func responseFailed<Sink: ExchangeSink & ~Copyable>(
        _ failure: ParseFailure,
        at position: StreamPosition,
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) {
        let answersSimpleRequest =
            oldest >= 0 && shared.exchanges[oldest].version == .http09 && !shared.exchanges[oldest].hasResponse
        if !isConfirmed || answersSimpleRequest {
            // Octets without a head: the bare content that HTTP/0.9 is answered with, or another protocol altogether.
            leave(for: isConfirmed ? .unreadable : .unknown)
            return
        }
        noteFailure(failure, &shared, &sink)
        let mark: Integrity = failure == .headTooLong ? .limitReached : .malformed
        if answering < 0, !isRepairing {
            // Nothing was lost, so what cannot be read is the answer to the oldest request.
            answering = oldestUnanswered(shared)
        }
        noteResponseBreak()
        guard answering >= 0 else { return }
        shared.exchanges[answering].integrity.insert(mark)
        responseEnded(trailers: 0, at: position.time, &shared, &sink)
    }

    // MARK: - Holes and ends

    /// Octets from the server that were not captured.
    mutating func responseOctetsMissing<Sink: ExchangeSink & ~Copyable>(
        _ count: Int,
        _ marks: Integrity,
        at position: StreamPosition,
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) {
        if awaitsContent {
            awaitsContent = false
            noteResponseBreak()
        }
        switch responses.skip(count) {
        case .irrelevant: return
        case .skipped(let messageEnds):
            if answering >= 0 { shared.exchanges[answering].integrity.formUnion(marks) }
            if messageEnds { responseEnded(trailers: 0, at: position.time, &shared, &sink) }
        case .lostMessage:
            noteResponseBreak()
            releaseHeldRequests(&shared, &sink)
            guard answering >= 0 else { return }
            shared.exchanges[answering].integrity.formUnion(marks)
            let last = shared.exchanges[answering].response.lastOctet
            responseEnded(trailers: 0, at: last, &shared, &sink)
        case .lostBetweenMessages:
            noteResponseBreak()
            releaseHeldRequests(&shared, &sink)
            abandonInterim(marks, &shared, &sink)
        }
    }

    /// The server sends no more.
    mutating func responseStreamEnded<Sink: ExchangeSink & ~Copyable>(
        _ end: StreamEnd,
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) {
        guard answering >= 0, responses.isInsideMessage else { return }
        repair?.latestResponseCloses = true
        shared.exchanges[answering].closesConnection = true
        switch end {
        case .finished where responses.state == .untilClose: break
        case .finished: shared.exchanges[answering].integrity.insert(.closedEarly)
        case .resetBySender: shared.exchanges[answering].integrity.insert(.resetByServer)
        case .resetByReceiver: shared.exchanges[answering].integrity.insert(.resetByClient)
        case .abandoned: return
        }
        if end != .finished || responses.state != .untilClose {
            noteCutResponse(&shared)
            // Without content it may be the whole answer to the latest request, if that is a HEAD.
            let mayBeWhole =
                responses.contentOctets == 0 && newest >= 0 && shared.exchanges[newest].method == .head
            repair?.latestResponseWasCut = !mayBeWhole
        }
        let last = shared.exchanges[answering].response.lastOctet
        responseEnded(trailers: 0, at: last, &shared, &sink)
        responses.lose()
    }
}
