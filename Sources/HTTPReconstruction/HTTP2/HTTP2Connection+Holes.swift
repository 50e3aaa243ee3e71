// Wingmirror · Apache-2.0

internal import PacketDecoding
internal import TCPReassembly
internal import TrafficModel

extension HTTP2Connection {
    // MARK: - What a hole may have held

    /// Whether the client has a request that is not over and may have trailers; that of a gRPC call has none
    /// (gRPC over HTTP2, Requests).
    func mayTrailersCome(_ shared: borrowing SharedReconstruction) -> Bool {
        for place in 0..<streams.count
        where !streams[place].flags.contains(.requestEnded)
            && shared.exchanges[streams[place].exchange].contentKind != .grpc
        {
            return true
        }
        return false
    }

    /// Whether octets of the server that end at `offset` may belong to a response.
    ///
    /// A client that had received them when it sent a request cannot have received an answer to it with them.
    func hasOpenResponse(before offset: Int64) -> Bool {
        for place in 0..<streams.count
        where !streams[place].flags.contains(.responseEnded) && streams[place].received < offset {
            return true
        }
        return false
    }

    /// A block of the client begins: forgets octets that were missed if they provably held no block.
    ///
    /// They could not hold trailers, since every request was over; and no head, since streams rise and the next one is
    /// the one behind the last, unless the block is itself trailers, of a request whose head was missed.
    mutating func forgetHarmlessHole(next stream: UInt32, isHead: Bool) {
        guard requests.missedOctets > 0, isHead else { return }
        if !requests.missedWhileOpen, !isJoinedMidstream || requests.highestBeforeHole > 0,
            stream == requests.highestBeforeHole + 2
        {
            requests.forgetMissed()
        }
    }

    /// The first octets of the server behind a hole are there, and with them all requests that it had received.
    ///
    /// The hole held no block if no stream waits for a head or trailers, and no request may be missing: of what the server
    /// has received everything is there. Within TLS that may not be known.
    mutating func judgeResponseHole(knowsReceived: Bool) {
        responseHoleIsNew = false
        let mayMissRequests =
            isJoinedMidstream || requests.frames.isLost || requests.missedOctets > 0 || !unseen.isEmpty
            || mayRequestCome || !knowsReceived || requests.block != nil
        if !responses.missedWhileOpen, !hasOpenResponse(before: responseHoleEnd), !mayMissRequests {
            responses.forgetMissed()
        }
    }

    /// Octets of one side may be missing from any message that is not over.
    mutating func markOpenStreams(
        _ kind: MessageKind,
        _ marks: Integrity,
        _ shared: inout SharedReconstruction
    ) {
        for place in 0..<streams.count {
            let flags = streams[place].flags
            if kind == .request {
                guard flags.isDisjoint(with: [.requestEnded, .requestUnseen]) else { continue }
                streams[place].flags.insert(.requestHole)
                shared.exchanges[streams[place].exchange].integrity.formUnion(marks)
                loseMessages(place, kind, &shared)
            } else {
                guard !flags.contains(.responseEnded) else { continue }
                streams[place].flags.insert(.responseHole)
                loseMessages(place, kind, &shared)
                // A response that has not begun may still come whole.
                if flags.contains(.responseBegan) {
                    shared.exchanges[streams[place].exchange].integrity.formUnion(marks)
                }
            }
        }
    }

    /// Content of a stream may be missing: where its messages begin is not known any more.
    private mutating func loseMessages(_ place: Int, _ kind: MessageKind, _ shared: inout SharedReconstruction) {
        let empty: [UInt8] = []
        let time = shared.exchanges[streams[place].exchange].request.lastOctet
        noteMessages(empty.span, missing: nil, place, kind, at: time, &shared)
    }

    /// A block lost octets, and with it a head or trailers of a stream that is known.
    mutating func blockBroken<Sink: ExchangeSink & ~Copyable>(
        _ kind: MessageKind,
        _ marks: Integrity,
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) {
        // Frames of the block that are to come end it; else it is over here.
        let isOver = (kind == .request ? requests.frames.blockStream : responses.frames.blockStream) == 0
        guard isOver, let block = kind == .request ? requests.abandonBlock() : responses.abandonBlock() else {
            return
        }
        blockLost(block, kind, marks, &shared, &sink)
    }

    /// The fields of a block are not known; that it was there is.
    mutating func blockLost<Sink: ExchangeSink & ~Copyable>(
        _ block: HTTP2Direction.Block,
        _ kind: MessageKind,
        _ marks: Integrity,
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) {
        releaseSection(kind, &shared)
        guard !block.isPromise else { return }
        if let place = streams.place(of: block.stream) {
            streams[place].flags.insert(kind == .request ? .requestHole : .responseHole)
            let exchange = streams[place].exchange
            shared.exchanges[exchange].integrity.formUnion(marks)
            if block.endsStream { messageEnded(place, kind, at: block.time, &shared, &sink) }
        } else if kind == .request, block.stream > highestStream, block.stream & 1 == 1 {
            unseen.insert(block.stream...block.stream)
            highestStream = block.stream
        }
        if kind == .request { highestRequest = max(highestRequest, block.stream) }
    }

    /// Gives back the section of the block in progress.
    mutating func releaseSection(_ kind: MessageKind, _ shared: inout SharedReconstruction) {
        if kind == .request {
            requests.releaseSection(&shared.http2)
        } else {
            responses.releaseSection(&shared.http2)
        }
    }

    // MARK: - Frames that cannot be read

    /// Frames, or a block, broke a rule: looks for a boundary from here on.
    mutating func readingFailed<Sink: ExchangeSink & ~Copyable>(
        _ kind: MessageKind,
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) {
        let block = kind == .request ? requests.abandonBlock() : responses.abandonBlock()
        let wasGuess = kind == .request ? requests.readingFailed() : responses.readingFailed()
        if block != nil { releaseSection(kind, &shared) }
        guard !wasGuess else { return }
        if kind == .request, requests.isMalformed { ruleBroken(on: 0, at: clientTime) }
        sink.parsingFailed(.frame, on: shared.connections.facts(of: connection))
        markOpenStreams(kind, kind.gap, &shared)
        if kind == .response { responseHoleIsNew = true }
    }

    // MARK: - Boundaries

    /// Looks for a place where frames begin, and makes the direction go on there.
    mutating func boundary(
        in octets: Span<UInt8>,
        from start: Int,
        _ kind: MessageKind,
        startsSegment: Bool
    ) -> Int? {
        guard !(kind == .request ? requests.isMalformed : responses.isMalformed) else { return nil }
        let searched = kind == .request ? requests.searchedOctets : responses.searchedOctets
        let search = FrameSearch(
            expectations: FrameExpectations(
                kind: kind,
                lengthLimit: kind == .request ? requests.announcedLimit : responses.announcedLimit,
                highestStream: highestStream
            ),
            knowsStreams: highestStream > 0
        )
        let highest = highestStream
        let found = search.boundary(
            in: octets,
            from: start,
            startsSegment: startsSegment,
            onlyAtStart: searched > Self.searchLimit
        ) { $0 & 1 == 1 && $0 <= highest &+ Self.unseenReach }
        let skipped = (found ?? octets.count) - start
        if kind == .request {
            requests.octetsSkipped(skipped)
            if found != nil { requests.boundaryFound() }
        } else {
            responses.octetsSkipped(skipped)
            if found != nil { responses.boundaryFound() }
        }
        return found
    }

    /// How far above the highest stream one may be that a hole has opened, for a frame that does not open it.
    private static var unseenReach: UInt32 { 128 }

    /// Octets that are looked through for a boundary, before only the starts of segments are.
    private static var searchLimit: Int { 64 << 10 }
}
