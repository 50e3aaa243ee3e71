// Wingmirror · Apache-2.0
// How streams end: RFC 9113 §5.1, §6.4 and §6.8.

internal import PacketDecoding
internal import TCPReassembly
internal import TrafficModel

extension HTTP2Connection {
    /// One side has said all that it will.
    mutating func messageEnded<Sink: ExchangeSink & ~Copyable>(
        _ place: Int,
        _ kind: MessageKind,
        at time: PacketTime,
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) {
        let exchange = streams[place].exchange
        if kind == .request {
            guard !streams[place].flags.contains(.requestEnded) else { return }
            streams[place].flags.insert(.requestEnded)
            shared.exchanges[exchange].isRequestEnded = true
            shared.exchanges[exchange].request.lastOctet = time
        } else {
            guard !streams[place].flags.contains(.responseEnded) else { return }
            streams[place].flags.insert(.responseEnded)
            shared.exchanges[exchange].response.lastOctet = time
            if streams[place].headStatus >= 0 { takeHeadStatus(place, &shared) }
        }
        checkLength(place, kind, &shared)
        if streams[place].flags.isSuperset(of: [.requestEnded, .responseEnded]) {
            complete(place, &shared, &sink)
        } else if streams[place].flags.isSuperset(of: [.responseEnded, .resetByClient]) {
            abandon(place, [], nil, &shared, &sink)
        }
    }

    /// A length that was announced and not kept makes a message malformed (RFC 9113 §8.1.1).
    private mutating func checkLength(
        _ place: Int,
        _ kind: MessageKind,
        _ shared: inout SharedReconstruction
    ) {
        let stream = streams[place]
        let exchange = stream.exchange
        guard shared.exchanges[exchange].successor == .http else { return }
        let differs: Bool
        if kind == .request {
            let isWhole = !stream.flags.contains(.requestHole)
            differs =
                isWhole && stream.announcedRequest >= 0
                && stream.announcedRequest != shared.exchanges[exchange].request.contentOctets
        } else {
            let isWhole = stream.flags.isDisjoint(with: [.responseHole, .responseHasNoContent])
            differs =
                isWhole && stream.announcedResponse >= 0
                && stream.announcedResponse != shared.exchanges[exchange].response.contentOctets
        }
        if differs { shared.exchanges[exchange].integrity.insert(.malformed) }
    }

    /// Emits the exchange of a stream that is over.
    mutating func complete<Sink: ExchangeSink & ~Copyable>(
        _ place: Int,
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) {
        let stream = streams.remove(at: place)
        if stream.flags.contains(.resetByClient) { resetStreams -= 1 }
        if stream.flags.contains(.requestUnseen) { awaitedRequests -= 1 }
        if stream.call >= 0 { callEnded(stream, &shared) }
        if stream.flags.isDisjoint(with: [.requestEnded, .resetByClient]),
            shared.exchanges[stream.exchange].contentKind != .grpc
        {
            leftOpen = serverEnd
        }
        if stream.flags.contains(.responseEnded), !stream.flags.contains(.responseBegan) {
            // Content or trailers without a head: it was missed, or there was none.
            shared.exchanges[stream.exchange].integrity.insert(responses.hasLosses ? .responseGap : .malformed)
        }
        shared.emitNumbered(stream.exchange, on: connection, &sink)
    }

    /// A response of gRPC-Web is over that may have nothing but a head, whose status then is the call's (PROTOCOL-WEB).
    private func takeHeadStatus(_ place: Int, _ shared: inout SharedReconstruction) {
        let exchange = streams[place].exchange
        guard shared.exchanges[exchange].contentKind.isGRPCWeb, shared.exchanges[exchange].grpcCode < 0,
            shared.exchanges[exchange].response.contentOctets == 0, !streams[place].flags.contains(.responseHole)
        else { return }
        shared.exchanges[exchange].grpcCode = streams[place].headStatus
    }

    /// The gRPC call of a stream is over; gRPC-Web says in the content how it ended.
    private mutating func callEnded(_ stream: HTTP2Stream, _ shared: inout SharedReconstruction) {
        let status = shared.http2.calls[stream.call].statusInContent
        if let status, shared.exchanges[stream.exchange].contentKind.isGRPCWeb {
            shared.exchanges[stream.exchange].grpcCode = status
        }
        shared.http2.calls.discard(at: stream.call)
        openCalls -= 1
    }

    /// Notes who broke off the exchange of a stream, and what was not said until then.
    private func noteEarlyEnd(_ early: EarlyEnd?, of stream: HTTP2Stream, _ shared: inout SharedReconstruction) {
        // A client that had given the stream up before was the first.
        let request = shared.exchanges[stream.exchange].request
        let reset = stream.flags.contains(.resetByClient) ? EarlyEnd(.client, at: request.lastOctet) : nil
        // Nor was one that the server had refused before it was sent: whoever ends it, it was never taken (RFC 9113 §6.8).
        let isRefused =
            stream.identifier > lastAccepted.stream && !shared.exchanges[stream.exchange].hasResponse
        let refusal = isRefused ? EarlyEnd(.server, at: lastAccepted.time) : nil
        guard var end = refusal ?? reset ?? early else { return }
        end.cutsRequest = !stream.flags.contains(.requestEnded)
        end.cutsResponse = stream.flags.contains(.responseBegan) && !stream.flags.contains(.responseEnded)
        if end.side == .server, isRefused || end.time <= request.firstOctet { end.isUnprocessed = true }
        shared.exchanges[stream.exchange].earlyEnd = end
    }

    /// Emits the exchange of a stream that will not be over; `early` says who ended it, where that is known.
    mutating func abandon<Sink: ExchangeSink & ~Copyable>(
        _ place: Int,
        _ marks: Integrity,
        _ early: EarlyEnd?,
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) {
        if streams[place].flags.contains(.requestUnseen) {
            noteRequestMissed(place)
            // The response is whole, whatever ends the waiting for its request.
            if streams[place].flags.contains(.responseEnded) { return complete(place, &shared, &sink) }
        }
        let stream = streams[place]
        let exchange = stream.exchange
        var marks = marks
        noteEarlyEnd(early, of: stream, &shared)
        if stream.flags.contains(.resetByClient) { marks.insert(.resetByClient) }
        if !shared.exchanges[exchange].hasResponse {
            marks.insert(.noResponse)
            if stream.flags.contains(.responseHole) { marks.insert(.responseGap) }
        } else if !stream.flags.contains(.responseEnded) {
            if stream.flags.contains(.responseHole) { marks.insert(.responseGap) }
            if marks.isEmpty { marks.insert(.closedEarly) }
        } else if marks.isEmpty {
            marks.insert(stream.flags.contains(.requestHole) ? .requestGap : .closedEarly)
        }
        if responses.isMalformed || requests.isMalformed { marks.insert(.malformed) }
        shared.exchanges[exchange].integrity.formUnion(marks)
        complete(place, &shared, &sink)
    }

    /// PROTOCOL_ERROR (RFC 9113 §7).
    private static var protocolError: UInt32 { 1 }

    /// REFUSED_STREAM: the server has not processed the stream (RFC 9113 §8.7).
    private static var refusedStream: UInt32 { 7 }

    /// One side gives up a stream (RFC 9113 §6.4).
    mutating func streamReset<Sink: ExchangeSink & ~Copyable>(
        _ identifier: UInt32,
        _ code: UInt32,
        _ kind: MessageKind,
        at time: PacketTime,
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) {
        if kind == .response { clientRules.settled(identifier) }
        guard let place = streams.place(of: identifier) else {
            // Nobody resets what was never opened (RFC 9113 §6.4); even streams are the server's, which it pushes.
            if kind == .request, identifier & 1 == 1, identifier > highestStream { connectionRuleBroken(at: time) }
            return
        }
        let exchange = streams[place].exchange
        if kind == .request {
            guard !streams[place].flags.contains(.resetByClient) else { return }
            shared.exchanges[exchange].request.lastOctet = time
            // The server may have answered before it knew: then the exchange is as complete as any.
            streams[place].flags.insert(.resetByClient)
            if resetStreams == 0 { earliestReset = time }
            resetStreams += 1
            if streams[place].flags.contains(.responseEnded) {
                abandon(place, .resetByClient, EarlyEnd(.client, at: time), &shared, &sink)
            }
            return
        } else if shared.exchanges[exchange].hasResponse {
            shared.exchanges[exchange].response.lastOctet = time
        }
        // NO_ERROR behind a whole response asks to stop an upload that nobody reads (RFC 9113 §8.1).
        let isNoLoss = kind == .response && code == 0 && streams[place].flags.contains(.responseEnded)
        if isNoLoss {
            complete(place, &shared, &sink)
        } else {
            var early = EarlyEnd(.server, at: time)
            early.isUnprocessed = code == Self.refusedStream
            // A request that breaks a rule within its stream, such as a length that it does not keep, costs no more than that.
            if kind == .response, code == Self.protocolError, shared.exchanges[exchange].integrity.contains(.malformed),
                !shared.exchanges[exchange].hasResponse
            {
                early = EarlyEnd(.client, at: shared.exchanges[exchange].request.lastOctet)
            }
            abandon(place, .resetByServer, early, &shared, &sink)
        }
    }

    /// The server has not processed streams above `last`, and will not (RFC 9113 §6.8).
    mutating func abandonStreams<Sink: ExchangeSink & ~Copyable>(
        above last: UInt32,
        at time: PacketTime,
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) {
        if last < lastAccepted.stream { lastAccepted = (last, time) }
        while streams.count > 0, streams[streams.count - 1].identifier > last {
            var early = EarlyEnd(.server, at: time)
            early.isUnprocessed = true
            abandon(streams.count - 1, .resetByServer, early, &shared, &sink)
        }
    }

    // MARK: - Streams that are waited for in vain

    /// Bounds the live streams, and ends those that a hole has silenced.
    mutating func makeRoom<Sink: ExchangeSink & ~Copyable>(
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
}
