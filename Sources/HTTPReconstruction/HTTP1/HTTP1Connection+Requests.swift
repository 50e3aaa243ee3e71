// Wingmirror · Apache-2.0
// Requests: RFC 9112 §3 and §6.3; upgrade and CONNECT: RFC 9110 §7.8 and §9.3.6.

internal import PacketDecoding
internal import TCPReassembly
internal import TrafficModel

extension HTTP1Connection {
    /// Octets from the client; answers how many at the end were left to whatever the connection carries after HTTP.
    mutating func requestOctetsArrived<Sink: ExchangeSink & ~Copyable>(
        _ octets: Span<UInt8>,
        at position: StreamPosition,
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) -> Int {
        let unread = readRequests(octets, at: position, &shared, &sink)
        if _slowPath(requests.state == .held), isRepairing { releaseHeldRequests(&shared, &sink) }
        return unread
    }

    /// Reads octets from the client, and leaves held what may belong to no request.
    private mutating func readRequests<Sink: ExchangeSink & ~Copyable>(
        _ octets: Span<UInt8>,
        at position: StreamPosition,
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) -> Int {
        endRefusedExpectation(octets, at: position, &shared, &sink)
        if _slowPath(requests.state == .doubtful) {
            let doubt = requests.followDoubtful(
                octets,
                acknowledged: position.acknowledged,
                parser: &shared.parser,
                headLimit: shared.limits.headOctets
            )
            switch doubt {
            case .remains: return 0
            case .removed: believeDoubtfulRequests(&shared, &sink)
            case .removedWithOctets:
                believeDoubtfulRequests(&shared, &sink)
                return 0
            case .confirmed(let count): if isConfirmed { shared.statistics.skippedOctets += count }
            case .undecidable(let count):
                // What acknowledges more is neither.
                if isConfirmed { shared.statistics.skippedOctets += count }
                requests.lose()
                requests.expectMessage(acknowledging: position.acknowledged ?? -1)
            }
        }
        return messageOctetsArrived(octets, of: .request, at: position, &shared, &sink)
    }

    /// Reads what the request stream holds as requests, until it holds something again.
    mutating func readHeldOctets<Sink: ExchangeSink & ~Copyable>(
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) {
        readHeldOnce(&shared, &sink)
        if requests.state == .held, isRepairing { releaseHeldRequests(&shared, &sink) }
    }

    private mutating func readHeldOnce<Sink: ExchangeSink & ~Copyable>(
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) {
        let start = requests.start
        let held = requests.release()
        guard !held.isEmpty else { return }
        let position = StreamPosition(
            direction: clientDirection,
            offset: start.offset,
            time: start.time,
            acknowledged: start.acknowledged,
            startsSegment: true
        )
        readsHeld = true
        _ = readRequests(held.span, at: position, &shared, &sink)
        readsHeld = false
    }

    // MARK: - Doubtful requests

    /// What was found behind a hole was no text that quotes requests.
    mutating func believeDoubtfulRequests<Sink: ExchangeSink & ~Copyable>(
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) {
        guard requests.state == .doubtful else { return }
        readHeldOctets(&shared, &sink)
    }

    /// A server that answers has received a whole request, so of a client that waits nothing more belongs to it.
    ///
    /// An interim response asks for the rest of a request, and a client that pipelines may go on with it.
    mutating func answerMayConfirm<Sink: ExchangeSink & ~Copyable>(
        _ octets: Span<UInt8>,
        at position: StreamPosition,
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) {
        guard rhythm.habit == .waits, requests.holdsWholeRequests,
            let received = position.acknowledged, received >= requestEnd,
            HeadParser.mayBeStartLine(octets, as: .response), octets.count < 10 || octets[9] != 0x31
        else { return }
        believeDoubtfulRequests(&shared, &sink)
    }

    // MARK: - Heads

    /// A request's head is complete.
    mutating func requestHeadArrived<Sink: ExchangeSink & ~Copyable>(
        _ octets: Span<UInt8>,
        at position: StreamPosition,
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) {
        if _slowPath(!isConfirmed) { confirmHTTP(&shared, &sink) }
        let head = shared.parser.head
        let start = requests.start
        if _slowPath(answering >= 0) { endAnswerToHEAD(before: start, &shared, &sink) }
        let isQuiet = isQuiet(at: start, &shared)
        let showsAnswer = isRepairing && showsAnswer(start, shared)
        rhythm.requestBegan(acknowledged: start.acknowledged, isQuiet: isQuiet)
        if isQuiet, isRepairing { synchronize(with: start, showsAnswer: showsAnswer, &shared, &sink) }
        // Most clients wait for their answers, and are not asked: a limit is one at least.
        while _slowPath(queueLength > 0), queueLength >= shared.pendingLimit {
            shared.noteAbandonedExchange(of: Int(queueLength), limit: shared.limits.pendingExchanges)
            giveUpOldest(&shared, &sink)
        }

        sending = enqueue(&shared)
        shared.exchanges[sending].requestArrived(head, at: start, endingAt: position.time)
        shared.exchanges[sending].request.fieldLines = UInt32(shared.parser.fieldCount)
        shared.exchanges[sending].followsRequestBreak = takeRequestBreak()
        if (responseAcknowledges ?? -1) >= shared.exchanges[sending].requestHeadEnd, isRepairing || !readsHeld {
            shared.exchanges[sending].mayBeAnsweredBefore = true
        }
        if responseEnd > 0, responseTime.nanoseconds(since: start.time) > Exchange.setback,
            (start.acknowledged ?? -1) >= responseEnd
        {
            shared.exchanges[sending].followsSetback = true
        }
        if isRepairing { repair?.latestRequestCloses = head.closesConnection }
        if _slowPath(shared.connections[connection].hasMalformedProxyHeader) {
            shared.connections[connection].hasMalformedProxyHeader = false
            shared.exchanges[sending].integrity.insert(.malformed)
        }
        show(head, octets, at: start.time, &shared, &sink)
        foundRequest = true
        if _slowPath(head.version == .http09) {
            // Its answer may have no head (RFC 1945 §4.1); one that has a head is read (``responseFailed``).
            shared.exchanges[sending].integrity.insert(.malformed)
            requestEnded(trailers: 0, at: position.time, &shared, &sink)
            requests.leaveHTTP()
            return
        }
        beginRequestContent(head, at: position, &shared, &sink)
    }

    /// Shows the sink the request in progress, and keeps of it what the sink asks for.
    @inline(__always)
    private func show<Sink: ExchangeSink & ~Copyable>(
        _ head: MessageHead,
        _ octets: Span<UInt8>,
        at time: PacketTime,
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) {
        var retention = Retention.none
        let tag = sink.requestArrived(
            RequestView(
                octets: octets.extracting(first: head.textLength),
                method: head.method.range,
                target: head.target.range,
                authority: head.host?.range,
                version: head.version,
                fields: shared.parser.fields,
                traits: head.isRefusedForFraming ? head.traits.union(.isRefusedForFraming) : head.traits
            ),
            on: shared.connections.facts(of: connection),
            at: time,
            retention: &retention
        )
        shared.exchanges.setTag(tag, of: sending)
        guard _slowPath(retention.keepsHeads) else { return }
        shared.exchanges[sending].retention = retention
        shared.exchanges[sending].retainedRequest = shared.retained.keep(
            octets,
            head: head,
            fields: shared.parser.fields,
            retention.heads,
            contentLimit: retention.requestContentOctets
        )
        if shared.exchanges[sending].retainedRequest == nil {
            shared.exchanges[sending].integrity.insert(.limitReached)
        }
    }

    /// Decides the framing of the request's content (RFC 9112 §6.3).
    private mutating func beginRequestContent<Sink: ExchangeSink & ~Copyable>(
        _ head: MessageHead,
        at position: StreamPosition,
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) {
        let framing = head.requestFraming
        requests.begin(framing)
        if case .unknown(let failure) = framing {
            shared.exchanges[sending].integrity.insert(.malformed)
            noteFailure(failure, &shared, &sink)
            noteRequestBreak()
            expectRequestAfterRefusal()
            requestEnded(trailers: 0, at: position.time, &shared, &sink)
        } else if framing.isEmpty {
            shared.exchanges[sending].isRequestEnded = true
            requestEnded(trailers: 0, at: position.time, &shared, &sink)
        }
    }

    /// The request in progress is complete, or as complete as it will be.
    mutating func requestEnded<Sink: ExchangeSink & ~Copyable>(
        trailers: Int,
        at time: PacketTime,
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) {
        guard sending >= 0 else { return }
        let current = sending
        sending = -1
        shared.exchanges[current].request.lastOctet = time
        shared.exchanges[current].request.contentOctets = requests.contentOctets
        shared.exchanges[current].request.trailerLines = UInt32(trailers)
        shared.exchanges[current].isRequestComplete = true
        let mayLeaveHTTP = shared.exchanges[current].method == .connect || shared.exchanges[current].upgrade != .none
        if mayLeaveHTTP, !shared.exchanges[current].isResponseComplete, requests.state == .head { requests.hold() }
        emitCompleted(&shared, &sink)
    }

    /// The answer to an upgrade or CONNECT may have been lost: what the client sent since then tells what it was.
    ///
    /// A client that goes on with a request was refused, so its requests take part in pairing; anything else goes on waiting.
    mutating func releaseHeldRequests<Sink: ExchangeSink & ~Copyable>(
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) {
        // Each may be an upgrade again, behind which the rest is held: a client that sends hundreds of them at once is not worth
        // the time, and is read further with what it sends next.
        for _ in 0..<Self.releasesAtOnce {
            guard requests.state == .held, !requests.buffer.isEmpty, requests.mayLookAtHeld(),
                responses.state != .switched, requests.buffer.octets.span.beginsWithRequest(&shared.parser)
            else { return }
            readHeldOnce(&shared, &sink)
        }
    }

    private static var releasesAtOnce: Int { 256 }

    /// A client that was refused may leave out the content it announced (RFC 9110 §10.1.1), and send the next request.
    private mutating func endRefusedExpectation<Sink: ExchangeSink & ~Copyable>(
        _ octets: Span<UInt8>,
        at position: StreamPosition,
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) {
        guard sending >= 0, requests.contentOctets == 0, requests.isInsideMessage, position.startsSegment,
            shared.exchanges[sending].expectsContinue, shared.exchanges[sending].hasResponse,
            let found = octets.findHead(.request, from: 0, startsSegment: true, parser: &shared.parser),
            // A method that nobody knows is rather the content's last word before the next request's first.
            found.index == 0, !found.isComplete || shared.parser.head.knownMethod != .other
        else { return }
        requests.endEarly()
        requestEnded(trailers: 0, at: shared.exchanges[sending].request.lastOctet, &shared, &sink)
    }

    /// The octets cannot be read as a request: the server will refuse it, and its answer has no request.
    mutating func requestFailed<Sink: ExchangeSink & ~Copyable>(
        _ failure: ParseFailure,
        at position: StreamPosition,
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) {
        noteFailure(failure, &shared, &sink)
        let mark: Integrity = failure == .headTooLong ? .limitReached : .malformed
        noteRequestBreak()
        expectRequestAfterRefusal()
        if sending >= 0 {
            shared.exchanges[sending].integrity.insert(mark)
            requestEnded(trailers: 0, at: position.time, &shared, &sink)
            return
        }
        repair?.failedRequest = mark
    }

    /// What a client sends behind a request that cannot be read, before it has an answer, is content as much as requests: a
    /// server that refuses the one reads none of the others, and nobody may smuggle one in here.
    private mutating func expectRequestAfterRefusal() {
        requests.expectMessage(acknowledging: responseEnd)
    }

    // MARK: - Holes and ends

    /// Octets from the client that were not captured.
    mutating func requestOctetsMissing<Sink: ExchangeSink & ~Copyable>(
        _ count: Int,
        _ marks: Integrity,
        at position: StreamPosition,
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) {
        if isConfirmed, requests.state == .doubtful {
            // Nothing will tell any more whether they were requests.
            shared.statistics.skippedOctets += requests.buffer.octets.count
        }
        switch requests.skip(count) {
        case .irrelevant: return
        case .skipped(let messageEnds):
            if sending >= 0 { shared.exchanges[sending].integrity.formUnion(marks) }
            if messageEnds { requestEnded(trailers: 0, at: position.time, &shared, &sink) }
        case .lostMessage:
            noteRequestBreak()
            if sending >= 0 { shared.exchanges[sending].integrity.formUnion(marks) }
            requestEnded(trailers: 0, at: position.time, &shared, &sink)
            expectNextRequest(behind: position)
        case .lostBetweenMessages:
            noteRequestBreak()
            expectNextRequest(behind: position)
        }
    }

    /// A client that waits sends the rest of the request that is missing at `position`, which may quote others, before it
    /// has any octet of its answer; and its next request after that.
    ///
    /// Where octets of the server are missing too, its answer may be among them.
    private mutating func expectNextRequest(behind position: StreamPosition) {
        guard rhythm.hasWaited, repair?.responseBreakAtEnd != true, (responseAcknowledges ?? 0) <= position.offset
        else { return }
        requests.expectMessage(acknowledging: responseEnd)
    }

    /// The client sends no more.
    mutating func requestStreamEnded<Sink: ExchangeSink & ~Copyable>(
        _ end: StreamEnd,
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) {
        if requests.holdsWholeRequests { believeDoubtfulRequests(&shared, &sink) }
        guard sending >= 0 else { return }
        switch end {
        case .finished: shared.exchanges[sending].integrity.insert(.closedEarly)
        case .resetBySender: shared.exchanges[sending].integrity.insert(.resetByClient)
        case .resetByReceiver: shared.exchanges[sending].integrity.insert(.resetByServer)
        case .abandoned: return
        }
        shared.exchanges[sending].earlyEnd = earlyEnd
        shared.exchanges[sending].earlyEnd?.cutsRequest = true
        let last = shared.exchanges[sending].request.lastOctet
        requests.lose()
        requestEnded(trailers: 0, at: last, &shared, &sink)
    }
}
