// Wingmirror · Apache-2.0

internal import PacketDecoding
internal import TCPReassembly
internal import TrafficModel

extension HTTP1Connection {
    // MARK: - The queue

    /// Puts a new exchange at the end of the queue.
    @inline(__always)
    mutating func enqueue(_ shared: inout SharedReconstruction) -> Int32 {
        let index = shared.exchanges.insert { Exchange() }
        if newest >= 0 { shared.exchanges[newest].next = index } else { oldest = index }
        newest = index
        queueLength += 1
        return index
    }

    /// Emits the exchanges at the front of the queue that are complete.
    mutating func emitCompleted<Sink: ExchangeSink & ~Copyable>(
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) {
        while oldest >= 0, shared.exchanges[oldest].isRequestComplete, shared.exchanges[oldest].isResponseComplete {
            let completed = oldest
            oldest = shared.exchanges[completed].next
            if oldest < 0 { newest = -1 }
            queueLength -= 1
            shared.emit(completed, on: connection, &sink)
        }
        if oldest < 0, isRepairing, let repair, repair.loose.isEmpty, !repair.missesRequests, !repair.responseBreakAtEnd
        {
            // Everything asked has been answered, and nothing is missing behind it.
            self.repair = nil
        }
    }

    /// The oldest exchange that no response was found for, or -1.
    @inline(__always)
    func oldestUnanswered(_ shared: borrowing SharedReconstruction) -> Int32 {
        var index = oldest
        while index >= 0, shared.exchanges[index].isResponseComplete || shared.exchanges[index].hasResponse {
            index = shared.exchanges[index].next
        }
        return index
    }

    /// All exchanges that no response was found for, oldest first.
    private func unanswered(_ shared: borrowing SharedReconstruction) -> [Int32] {
        var found: [Int32] = []
        var index = oldestUnanswered(shared)
        while index >= 0 {
            if !shared.exchanges[index].isResponseComplete, index != answering { found.append(index) }
            index = shared.exchanges[index].next
        }
        return found
    }

    /// The queue is full: its oldest exchange is told without a response.
    mutating func giveUpOldest<Sink: ExchangeSink & ~Copyable>(
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) {
        let index = oldest
        shared.exchanges[index].integrity.insert(.limitReached)
        if index == answering {
            answering = -1
            responses.lose()
            noteResponseBreak()
        }
        if index == sending {
            sending = -1
            requests.lose()
            noteRequestBreak()
        }
        shared.exchanges[index].isRequestComplete = true
        shared.exchanges[index].isResponseComplete = true
        noteResponseBreak()
        emitCompleted(&shared, &sink)
    }

    // MARK: - Which request a response answers

    /// The exchange that the response beginning at `start` belongs to; a new one when its request was not seen.
    mutating func exchangeAnswered<Sink: ExchangeSink & ~Copyable>(
        at start: MessageStart,
        status: Int,
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) -> Int32 {
        let candidate = oldestUnanswered(shared)
        let mayAnswer = candidate >= 0 && self.mayAnswer(candidate, start, status: status, shared)
        guard isRepairing, let repair else {
            if mayAnswer, infersPairs { shared.exchanges[candidate].integrity.insert(.pairedByInference) }
            return mayAnswer ? candidate : responseWithoutRequest(isLoose: false, &shared, &sink)
        }
        // As long as no response is missing, requests before the first break are answered in order.
        if mayAnswer, !repair.missesResponses, repair.loose.isEmpty, !shared.exchanges[candidate].followsRequestBreak {
            return candidate
        }
        let open = unanswered(shared)
        // Responses may be missing, but there is only one request that could be answered, and none among what is held, here
        // or by reassembly behind a hole.
        let isBehind = start.acknowledged.map { $0 > requestEnd + 1 } ?? true
        let mayHoldRequests = requests.state == .held && !requests.buffer.isEmpty || isBehind
        if mayAnswer, open.count == 1, !repair.missesRequests, repair.loose.isEmpty, !mayHoldRequests {
            shared.exchanges[candidate].integrity.insert(.pairedByInference)
            self.repair?.responseBreakAtEnd = false
            return candidate
        }
        // Its request may be the one that is not believed yet.
        let isLoose = !open.isEmpty || requests.state == .doubtful
        return responseWithoutRequest(isLoose: isLoose, &shared, &sink)
    }

    /// Whether acknowledgement numbers allow that a response answers a request.
    ///
    /// A server that answers has received the request's head, unless it refuses it; and a client that sends a request has
    /// not received its answer.
    @inline(__always)
    private func mayAnswer(
        _ exchange: Int32,
        _ start: MessageStart,
        status: Int,
        _ shared: borrowing SharedReconstruction
    ) -> Bool {
        let asked = shared.exchanges[exchange].requestStart
        if let acknowledged = start.acknowledged {
            let needed =
                status.mayRefuseUnreadHead ? asked.offset + 1 : shared.exchanges[exchange].requestHeadEnd
            if acknowledged < needed { return false }
        }
        if let received = asked.acknowledged, start.offset < received { return false }
        return true
    }

    private mutating func responseWithoutRequest<Sink: ExchangeSink & ~Copyable>(
        isLoose: Bool,
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) -> Int32 {
        var exchange = Exchange()
        exchange.isRequestComplete = true
        exchange.integrity = marksOfUnseenRequest()
        if isLoose, let onlyMethod = commonMethod(shared) { exchange.method = onlyMethod }
        exchange.followsResponseBreak = repair?.responseBreakAtEnd ?? false
        repair?.responseBreakAtEnd = false
        let index = shared.exchanges.insert(exchange)
        let tag = sink.responseArrivedWithoutRequest(
            on: shared.connections.facts(of: connection),
            retention: &shared.exchanges[index].retention
        )
        shared.exchanges.setTag(tag, of: index)
        if isLoose { repair?.loose.append(index) }
        return index
    }

    /// Gives interim responses that came when no request was open to the one whose final response begins at `start`.
    ///
    /// A client takes any number of them in front of it, asked for or not (RFC 9110 §15.2).
    mutating func giveStrayInterim<Sink: ExchangeSink & ~Copyable>(
        toRequestAnsweredAt start: MessageStart,
        status: Int,
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) {
        guard !isRepairing, !shared.exchanges[answering].hasRequest else { return }
        let request = oldestUnanswered(shared)
        guard request >= 0, mayAnswer(request, start, status: status, shared) else { return }
        let facts = shared.connections.facts(of: connection)
        shared.exchanges.responsePaired(answering, with: request, on: facts, &sink)
        shared.exchanges[request].interim += shared.exchanges.remove(at: answering).interim
        shared.exchanges[request].responseStart = start
        answering = request
    }

    /// Gives up what no synchronizing request came for in time, or before exchanges take too much memory.
    mutating func boundLooseResponses<Sink: ExchangeSink & ~Copyable>(
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) {
        guard isRepairing, let repair, repair.loose.count >= shared.pendingLimit else { return }
        for _ in repair.loose {
            shared.noteAbandonedExchange(of: repair.loose.count, limit: shared.limits.pendingExchanges)
        }
        settle(alignsFromEnd: false, marks: .limitReached, &shared, &sink)
        noteRequestBreak()
        noteResponseBreak()
    }

    /// The method of all unanswered requests, if they have the same: it frames a response whoever it belongs to.
    private func commonMethod(_ shared: borrowing SharedReconstruction) -> RequestMethod? {
        let open = unanswered(shared)
        guard let first = open.first else { return nil }
        let method = shared.exchanges[first].method
        return open.allSatisfy { shared.exchanges[$0].method == method } ? method : nil
    }

    /// Why a response has no request.
    private func marksOfUnseenRequest() -> Integrity {
        if let failed = repair?.failedRequest { return failed }
        if isJoinedMidstream, !foundRequest { return .joinedMidstream }
        // Without a loss there was none: a server that speaks unasked breaks the rules (RFC 9112 §9.2).
        return isRepairing ? .requestGap : .malformed
    }

    // MARK: - Breaks and synchronization

    /// Whether everything asked before the request that begins at `start` seems to be answered.
    ///
    /// While pairing is certain the queue tells. Otherwise acknowledgement numbers do: the client had received all of the
    /// responses when it sent the request, and either the server had received all requests before when it sent the latest
    /// response octets, or no request is missing directly before this one and the client has received something since.
    ///
    /// Changes nothing. What is lent is copied before it is known whether anybody asks, and this is asked for each request.
    @inline(__always)
    mutating func isQuiet(at start: MessageStart, _ shared: inout SharedReconstruction) -> Bool {
        isRepairing ? isQuietByNumbers(at: start, shared) : oldestUnanswered(shared) < 0
    }

    private func isQuietByNumbers(at start: MessageStart, _ shared: borrowing SharedReconstruction) -> Bool {
        guard let repair else { return false }
        guard let received = start.acknowledged, received >= responseEnd, !responses.isInsideMessage, answering < 0
        else { return false }
        if serverHadAll(before: start) { return true }
        guard let before = rhythm.latestAcknowledged, !mayOnlyBeToldToContinue(shared) else { return false }
        return !repair.requestBreakAtEnd && received > before
    }

    /// Whether what the client received since its latest request may be no more than the 100 that the request asked for
    /// (RFC 9110 §10.1.1).
    private func mayOnlyBeToldToContinue(_ shared: borrowing SharedReconstruction) -> Bool {
        newest >= 0 && shared.exchanges[newest].expectsContinue && shared.exchanges[newest].interim.isEmpty
    }

    /// Whether the server had received all requests before `start` when it sent the latest response octets.
    private func serverHadAll(before start: MessageStart) -> Bool {
        responseAcknowledges.map { $0 >= start.offset } ?? false
    }

    /// Whether the request that begins at `start` is the next of a client that has waited for all its answers so far, and
    /// has received something since its latest request, which was the answer to that one, though it may be missing.
    func showsAnswer(_ start: MessageStart, _ shared: borrowing SharedReconstruction) -> Bool {
        guard rhythm.habit == .waits, repair?.missesRequests == false, let received = start.acknowledged,
            let before = rhythm.latestAcknowledged, !mayOnlyBeToldToContinue(shared)
        else { return false }
        return received > before
    }

    /// Whether the response in progress may answer HEAD, and so have no content, whatever it says.
    ///
    /// Not asked of a client that waits: its next request tells (``endAnswerToHEAD(before:_:_:)``). Changes nothing, as
    /// ``isQuiet(at:_:)``.
    @inline(__always)
    mutating func mayAnswerHEAD(_ shared: inout SharedReconstruction) -> Bool {
        isRepairing && !shared.exchanges[answering].hasRequest && rhythm.habit != .waits
            && (repair?.missesRequests == true || awaitsAnswerToHEAD(shared))
    }

    private func awaitsAnswerToHEAD(_ shared: borrowing SharedReconstruction) -> Bool {
        unanswered(shared).contains { shared.exchanges[$0].method == .head }
    }

    /// Octets behind the head of a response that may answer HEAD: content, unless another head stands there.
    ///
    /// Where one does, the response answers a HEAD that is open; without one, it may be content that quotes HTTP, and
    /// responses may be missing in it.
    mutating func contentMayBegin<Sink: ExchangeSink & ~Copyable>(
        _ octets: Span<UInt8>,
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) {
        awaitsContent = false
        guard answering >= 0, responses.isInsideMessage else { return }
        guard responses.isAtContentStart else { return noteResponseBreak() }
        guard HeadParser.mayBeStartLine(octets, as: .response) else { return }
        guard octets.count >= 12, awaitsAnswerToHEAD(shared) else { return noteResponseBreak() }
        responses.endEarly()
        responseEnded(trailers: 0, at: shared.exchanges[answering].response.lastOctet, &shared, &sink)
    }

    /// A client that sends a request when it has received no more than a response's head takes it for the answer to HEAD.
    mutating func endAnswerToHEAD<Sink: ExchangeSink & ~Copyable>(
        before start: MessageStart,
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) {
        guard answering >= 0, !shared.exchanges[answering].hasRequest, rhythm.habit == .waits,
            responses.isInsideMessage, responses.isAtContentStart, let received = start.acknowledged,
            received >= responseEnd
        else { return }
        responses.endEarly()
        responseEnded(trailers: 0, at: shared.exchanges[answering].response.lastOctet, &shared, &sink)
    }

    /// An interim response was seen, and its final one may be lost: whatever comes next is looked at anew.
    mutating func abandonInterim<Sink: ExchangeSink & ~Copyable>(
        _ marks: Integrity,
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) {
        guard answering >= 0 else { return }
        let current = answering
        answering = -1
        shared.exchanges[current].integrity.formUnion(marks)
        guard !shared.exchanges[current].hasRequest else { return }
        repair?.loose.removeAll { $0 == current }
        shared.emit(current, on: connection, &sink)
    }

    /// Requests may be missing behind the latest one.
    mutating func noteRequestBreak() {
        if !isRepairing { repair = PairingRepair() }
        repair?.requestBreakAtEnd = true
        repair?.missesRequests = true
        rhythm.headsMayBeMissing()
    }

    /// Responses may be missing behind the latest one.
    mutating func noteResponseBreak() {
        if !isRepairing { repair = PairingRepair() }
        repair?.responseBreakAtEnd = true
        repair?.missesResponses = true
        rhythm.headsMayBeMissing()
    }

    /// Whether a break precedes the request that has just begun.
    mutating func takeRequestBreak() -> Bool {
        guard isRepairing, let repair, repair.requestBreakAtEnd else { return false }
        self.repair?.requestBreakAtEnd = false
        return true
    }

    /// Makes pairing, which is not certain, so again if the request that begins at `start`, in a quiet moment, synchronizes
    /// (``PairingRepair``), as it does too where it shows that the one before it is answered (``showsAnswer(_:)``).
    mutating func synchronize<Sink: ExchangeSink & ~Copyable>(
        with start: MessageStart,
        showsAnswer: Bool,
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) {
        guard showsAnswer || serverHadAll(before: start) else { return }
        let silence = start.time.nanoseconds(since: responseTime)
        guard rhythm.quietMeansAnswered || silence >= rhythm.patience(shared.limits) else { return }
        settle(alignsFromEnd: true, marks: [], &shared, &sink)
        self.repair = nil
        // A client that waits may be trusted again; one that pipelines may have changed its habit in the hole.
        infersPairs = infersPairs || rhythm.habit != .waits
        if responses.state == .lost {
            // Whatever else is missing belongs to requests before: the next response is this request's.
            responses.endEarly()
        }
    }

    /// Ends the uncertainty: pairs what can be paired, from the end back to the first break, and tells everything.
    mutating func settle<Sink: ExchangeSink & ~Copyable>(
        alignsFromEnd: Bool,
        marks: Integrity,
        unanswered silence: Integrity = [],
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) {
        guard isRepairing, let repair else { return }
        var open = unanswered(shared)
        var loose = repair.loose
        if alignsFromEnd, !repair.requestBreakAtEnd, !repair.responseBreakAtEnd, !answersUnseen(loose.last, shared) {
            while let request = open.last, let response = loose.last,
                mayAnswer(
                    request,
                    shared.exchanges[response].responseStart,
                    status: shared.exchanges[response].status,
                    shared
                )
            {
                open.removeLast()
                loose.removeLast()
                let stops =
                    shared.exchanges[request].followsRequestBreak || shared.exchanges[response].followsResponseBreak
                join(response, to: request, &shared, &sink)
                if stops { break }
            }
        }
        self.repair?.loose = []
        for response in loose {
            shared.exchanges[response].integrity.formUnion(marks)
            shared.emit(response, on: connection, &sink)
        }
        for request in open {
            let mayBeMissed = repair.missesResponses || shared.exchanges[request].mayBeAnsweredBefore
            let missing = mayBeMissed ? .responseGap : silence.isEmpty ? .noResponse : silence
            shared.exchanges[request].integrity.formUnion(marks.isEmpty ? missing : marks)
            shared.exchanges[request].isResponseComplete = true
        }
        emitCompleted(&shared, &sink)
    }

    /// Whether a response was begun by a server that had received more than the latest request, which is complete: what answers
    /// that may be missing, and this one may answer a request that was not seen.
    private func answersUnseen(_ response: Int32?, _ shared: borrowing SharedReconstruction) -> Bool {
        guard let response, sending < 0, let received = shared.exchanges[response].responseStart.acknowledged else {
            return false
        }
        // A FIN has a number too.
        return received > requestEnd + 1
    }

    /// Moves a response that was put aside to the request it answers.
    private mutating func join<Sink: ExchangeSink & ~Copyable>(
        _ response: Int32,
        to request: Int32,
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) {
        let facts = shared.connections.facts(of: connection)
        shared.exchanges.responsePaired(response, with: request, on: facts, &sink)
        let answer = shared.exchanges.remove(at: response)
        shared.exchanges[request].status = answer.status
        shared.exchanges[request].response = answer.response
        shared.exchanges[request].interim += answer.interim
        shared.exchanges[request].successor = answer.successor
        shared.exchanges[request].retainedResponse = answer.retainedResponse
        shared.exchanges[request].responseStart = answer.responseStart
        var unseen: Integrity = [.joinedMidstream, .requestGap]
        // What was taken for content that did not come is none in the answer to HEAD.
        if shared.exchanges[request].method == .head, answer.response.contentOctets == 0 { unseen.insert(.closedEarly) }
        shared.exchanges[request].integrity.formUnion(answer.integrity.subtracting(unseen))
        shared.exchanges[request].integrity.insert(.pairedByInference)
        shared.exchanges[request].isResponseComplete = true
    }

    // MARK: - The end of the connection

    /// Completes whatever is in progress, as the connection is over or carries something else.
    mutating func settleAtClose<Sink: ExchangeSink & ~Copyable>(
        _ end: ConnectionEnd?,
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) {
        if end != nil, requests.holdsWholeRequests { believeDoubtfulRequests(&shared, &sink) }
        let marks: Integrity
        switch end {
        case .captureEnded: marks = .interrupted
        case .idle, .evicted: marks = .forgotten
        case .finished, .reset, .superseded, nil: marks = []
        }
        noteUnanswered(end, &shared)
        if isRepairing {
            let allAnswered =
                end == .finished && !responses.isInsideMessage
                && newest >= 0 && (responseAcknowledges ?? 0) >= shared.exchanges[newest].requestHeadEnd
            finishAnswering(marks, &shared, &sink)
            // Not where another SYN ended it: that may be this connection's own, captured behind its first octets.
            let sameNumber = end != .superseded && unanswered(shared).count == repair?.loose.count
            let alignsFromEnd = isLatestAnswered(allAnswered: allAnswered, sameNumber: sameNumber, shared)
            settle(alignsFromEnd: alignsFromEnd, marks: [], unanswered: marks, &shared, &sink)
        }
        finishAnswering(marks, &shared, &sink)
        let resetMarks = resetMarks
        while oldest >= 0 {
            let index = oldest
            if !shared.exchanges[index].isResponseComplete {
                // What our capture or our memory ended is no silence of the server.
                let silence: Integrity = shared.exchanges[index].mayBeAnsweredBefore ? .responseGap : .noResponse
                let missing = marks.isEmpty ? resetMarks.union(silence) : marks.union(resetMarks)
                shared.exchanges[index].integrity.formUnion(missing)
            } else if !shared.exchanges[index].isRequestComplete {
                shared.exchanges[index].integrity.formUnion(marks.isEmpty ? .closedEarly : marks)
            }
            if index == sending {
                shared.exchanges[index].request.contentOctets = requests.contentOctets
                sending = -1
            }
            shared.exchanges[index].isRequestComplete = true
            shared.exchanges[index].isResponseComplete = true
            emitCompleted(&shared, &sink)
        }
    }

    /// Whether the latest response answers the latest request, at the end of the connection.
    ///
    /// A client that waits had sent no request before it had the answers to all others. Of what a client pipelines, answers
    /// in the middle may be missing as well as those at the end, which the client or the server gave up. What tells is as
    /// many responses as requests, none of which is missing; that a client which waits for whole rounds closed behind one;
    /// or that the server closed as the latest request asked it to (RFC 9112 §9.6), and not in the midst of an answer.
    ///
    /// `allAnswered` says that the connection ended in order, and that the server had received all requests when it sent
    /// its latest octets; `sameNumber`, that as many responses as requests are not paired.
    private func isLatestAnswered(
        allAnswered: Bool,
        sameNumber: Bool,
        _ shared: borrowing SharedReconstruction
    ) -> Bool {
        guard isRepairing, let repair else { return false }
        if closesAsAsked(sameNumber: sameNumber), allAnswered { return true }
        guard !mayHaveLeftRequests(sameNumber: sameNumber, shared) else { return false }
        if rhythm.habit == .waits { return allAnswered || sameNumber }
        if rhythm.quietMeansAnswered, allAnswered, clientClosesInOrder { return true }
        return sameNumber && !repair.missesRequests && (allAnswered || rhythm.quietMeansAnswered)
    }

    /// Whether the connection ended behind the latest answer as the latest request asked the server to end it (RFC 9112 §9.6):
    /// the end came right behind it, or from the client, to whom the answer said that it is the last.
    ///
    /// A server says so too in an answer to an earlier request that it has not read to its end, and closes when the client, which
    /// waits for more, has not done so in time. On a connection that was joined midstream as many responses as requests tell.
    private func closesAsAsked(sameNumber: Bool) -> Bool {
        guard isRepairing, let repair, repair.latestRequestCloses, !repair.latestResponseWasCut else { return false }
        guard let earlyEnd else { return true }
        let hasEvenEnd = sameNumber && isJoinedMidstream
        if repair.latestResponseCloses, earlyEnd.side == .client || hasEvenEnd { return true }
        return earlyEnd.time.nanoseconds(since: responseTime) < Self.promptClose
    }

    /// How soon a connection ends that was to end behind an answer, in nanoseconds.
    private static var promptClose: Int64 { 500_000_000 }

    /// Whether the client closed first, and soon after the latest answer: one that gives up waits for longer.
    private var clientClosesInOrder: Bool {
        guard let earlyEnd, earlyEnd.side == .client else { return false }
        return earlyEnd.time.nanoseconds(since: responseTime) < Self.shortestTimeout
    }

    /// What clients wait for an answer at the least, in nanoseconds.
    private static var shortestTimeout: Int64 { 1_000_000_000 }

    /// Whether the server may have closed without an answer to requests that had arrived.
    ///
    /// One that closes of its own accord answers no more of what a client pipelined (RFC 9112 §9.3.2, §9.6), so its latest
    /// response may belong to any of the requests; Envoy does so behind its own answer to a request that it has not read to
    /// the end, and a second later where the client goes on (`delayed_close_timeout`). Where it was silent for long before, or
    /// the client sends one request at a time, nothing was left.
    private func mayHaveLeftRequests(sameNumber: Bool, _ shared: borrowing SharedReconstruction) -> Bool {
        guard isRepairing, let repair else { return false }
        // In a hole before its latest request even a client that has waited so far may have pipelined.
        let waits = rhythm.hasWaited && newest >= 0 && !shared.exchanges[newest].followsRequestBreak
        if waits { return false }
        if repair.latestResponseWasCut { return true }
        if closesAsAsked(sameNumber: sameNumber) { return false }
        if repair.latestResponseCloses { return true }
        guard let earlyEnd, earlyEnd.side == .server else { return false }
        let silence = earlyEnd.time.nanoseconds(since: responseTime)
        return silence < max(rhythm.patience(shared.limits), Self.delayedClose)
    }

    /// How long a server that leaves requests may wait before it closes, in nanoseconds.
    private static var delayedClose: Int64 { 3_000_000_000 }

    /// Ends a response that the connection broke off.
    private mutating func finishAnswering<Sink: ExchangeSink & ~Copyable>(
        _ marks: Integrity,
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) {
        guard answering >= 0 else { return }
        if shared.exchanges[answering].hasResponse {
            shared.exchanges[answering].integrity.formUnion(marks.isEmpty ? .closedEarly : marks)
            if marks.isEmpty { noteCutResponse(&shared) }
            let last = shared.exchanges[answering].response.lastOctet
            responseEnded(trailers: 0, at: last, &shared, &sink)
        } else if !shared.exchanges[answering].hasRequest, repair?.loose.contains(answering) != true {
            // Interim responses alone, of a request that was not seen.
            let interimOnly = answering
            answering = -1
            shared.emit(interimOnly, on: connection, &sink)
        } else {
            answering = -1
        }
    }

    /// Notes who broke off the response in progress.
    func noteCutResponse(_ shared: inout SharedReconstruction) {
        let cutsRequest = shared.exchanges[answering].earlyEnd?.cutsRequest ?? false
        shared.exchanges[answering].earlyEnd = earlyEnd
        shared.exchanges[answering].earlyEnd?.cutsRequest = cutsRequest
        shared.exchanges[answering].earlyEnd?.cutsResponse = true
    }

    /// Notes who left the requests without a response that have none.
    ///
    /// Of several that a client pipelined a server takes one at a time, and drops the others when it closes. It takes none
    /// behind an answer that was to be the last (RFC 9112 §9.6), nor what came after it had closed. One that has an interim
    /// response was taken (RFC 9110 §15.2).
    private mutating func noteUnanswered(_ end: ConnectionEnd?, _ shared: inout SharedReconstruction) {
        // Most connections end with nothing open.
        guard oldest >= 0 || answering >= 0 else { return }
        // A client that uses its port for a new connection has left the old one.
        let superseding: EarlyEnd? = end == .superseded ? EarlyEnd(.client, at: responseTime) : nil
        guard end != nil, let early = earlyEnd ?? superseding else { return }
        let waiting = unanswered(shared)
        let hasTaken =
            answering >= 0 && shared.exchanges[answering].hasRequest && !shared.exchanges[answering].hasResponse
        if hasTaken { noteEnd(early, of: answering, isUnprocessed: false, &shared) }
        // Whichever side closes first; a client that leaves for another reason is not what kept a request from being taken.
        let isOver = latestAnswerCloses && answering < 0
        for exchange in waiting {
            let isLate = early.time <= shared.exchanges[exchange].request.firstOctet
            let isDropped = early.side == .server && (answering >= 0 || isLate || exchange != waiting.first)
            noteEnd(early, of: exchange, isUnprocessed: isOver || isDropped, &shared)
        }
    }

    private func noteEnd(
        _ early: EarlyEnd,
        of exchange: Int32,
        isUnprocessed: Bool,
        _ shared: inout SharedReconstruction
    ) {
        let cutsRequest = shared.exchanges[exchange].earlyEnd?.cutsRequest ?? false
        shared.exchanges[exchange].earlyEnd = early
        shared.exchanges[exchange].earlyEnd?.cutsRequest = cutsRequest
        shared.exchanges[exchange].earlyEnd?.isUnprocessed = isUnprocessed
    }

    /// Counts a stream that could not be read on.
    mutating func noteFailure<Sink: ExchangeSink & ~Copyable>(
        _ failure: ParseFailure,
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) {
        guard isConfirmed else {
            if !isRepairing { repair = PairingRepair() }
            repair?.earlyFailure = failure
            return
        }
        sink.parsingFailed(failure, on: shared.connections.facts(of: connection))
    }
}

extension Int {
    /// Whether this status may be the answer to a head that did not come to its end: that it is malformed, too large, too
    /// slow or of another version, or that the server itself has trouble; what other refusals judge stands in the head.
    fileprivate var mayRefuseUnreadHead: Bool {
        switch self {
        case 401...407, 409...412, 415, 416, 422...425, 428, 429, 451: false
        default: self >= 400
        }
    }
}
