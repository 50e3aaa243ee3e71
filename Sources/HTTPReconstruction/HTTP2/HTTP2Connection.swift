// Wingmirror · Apache-2.0
// HTTP/2 seen from the side, RFC 9113.

internal import PacketDecoding
internal import TCPReassembly
internal import TrafficModel

/// The HTTP/2 streams of one TCP connection, put together to exchanges.
///
/// It owns an ``HTTP2Direction`` for each direction, which knows frames and field blocks, and the streams that are not
/// over. Request and response belong together by the stream identifier, so nothing is inferred. An exchange is numbered
/// when its request begins and emitted when it is complete, whatever the streams before it do: a stream may live for
/// hours.
///
/// What a hole did is judged late: octets that may have held field blocks are counted, and only when the next block
/// begins is it decided whether that can be (``HTTP2Connection/forgetHarmlessHole(next:isHead:)``).
struct HTTP2Connection: ~Copyable {
    /// The connection's ``TrackedConnection``.
    let connection: Int32
    /// Whether the connection may have begun before the capture did.
    let isJoinedMidstream: Bool
    /// Which direction carries requests.
    let clientDirection: StreamDirection
    var requests: HTTP2Direction
    var responses: HTTP2Direction
    var streams = StreamTable()
    /// The highest stream that the client is known to have opened.
    var highestStream: UInt32 = 0
    /// The highest stream of which the client's own frames told.
    var highestRequest: UInt32 = 0
    /// Streams whose requests were not seen, and may be answered.
    var unseen = UnseenStreams()
    /// The first stream whose request was seen, on a connection that was joined midstream; 0 before.
    var firstSeenStream: UInt32 = 0
    /// Whether the next octets of the server are the first behind a hole, and where that ends.
    var responseHoleIsNew = false
    var responseHoleEnd: Int64 = 0
    /// How much of the server's stream the client says to have received.
    var received: Int64 = 0
    /// When the client last sent something.
    private(set) var clientTime = PacketTime(nanoseconds: 0)
    /// How far the server's stream was read, and when.
    var serverEnd = (offset: Int64(0), time: PacketTime(nanoseconds: 0))
    /// How far it was when the server last ended a stream that the client had not.
    private var leftOpen: (offset: Int64, time: PacketTime)?
    /// Where the client's stream stands, as far as it was read or is known to be missing.
    var clientEnd: Int64 = 0
    /// How much of the client's stream the server says to have received.
    var acknowledged: Int64 = 0
    /// How many streams have a gRPC call.
    private var openCalls = 0
    /// How many streams have `requestUnseen`.
    var awaitedRequests = 0
    /// Streams that the client has reset and that wait for the rest of their responses, and the earliest time of a reset.
    var resetStreams = 0
    var earliestReset = PacketTime(nanoseconds: 0)
    /// Whether ``HTTPReconstructor`` looks after them when time passes.
    var isListed = false
    /// The last stream that the server takes, as its GOAWAY says, and when it said so.
    private var lastAccepted = (stream: UInt32.max, time: PacketTime(nanoseconds: 0))
    /// The first stream in which the client broke a rule that a server may close the connection for, the highest that it had opened
    /// then, and when that was.
    private var brokenRule: (stream: UInt32, highest: UInt32, time: PacketTime)?
    /// Who has reset the connection.
    var resetMarks: Integrity = []
    /// Who has ended it first.
    private var firstEnd = FirstEnd()

    init(_ connection: Int32, clientDirection: StreamDirection, isJoinedMidstream: Bool) {
        self.connection = connection
        self.isJoinedMidstream = isJoinedMidstream
        self.clientDirection = clientDirection
        requests = HTTP2Direction(.request, isJoinedMidstream: isJoinedMidstream)
        responses = HTTP2Direction(.response, isJoinedMidstream: isJoinedMidstream)
    }

    /// Takes over an exchange that asked HTTP/1.1 for `h2c` and got a 101: its answer comes on stream 1 (RFC 7540 §3.2).
    mutating func upgraded(_ exchange: Int32, isRequestComplete: Bool) {
        var stream = HTTP2Stream(identifier: 1, exchange: exchange)
        if isRequestComplete { stream.flags.insert(.requestEnded) }
        _ = streams.insert(stream)
        highestStream = 1
        highestRequest = 1
    }

    /// Octets of memory that the connection takes, without its exchanges.
    func memoryOctets(_ shared: borrowing SharedHTTP2) -> Int {
        MemoryLayout<HTTP2Connection>.stride + requests.keptOctets(shared) + responses.keptOctets(shared)
            + streams.keptOctets + openCalls * MemoryLayout<GRPCCall>.stride
    }

    // MARK: - Events

    /// The next octets of either direction.
    mutating func octetsArrived<Sink: ExchangeSink & ~Copyable>(
        _ octets: Span<UInt8>,
        at position: StreamPosition,
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) {
        if resetStreams > 0 { timePassed(until: position.time, &shared, &sink) }
        let kind = MessageKind(position.direction, client: clientDirection)
        if kind == .request {
            received = max(received, position.acknowledged ?? 0)
            clientTime = position.time
        } else {
            serverEnd = (position.offset + Int64(octets.count), position.time)
            acknowledged = max(acknowledged, position.acknowledged ?? 0)
            if responseHoleIsNew { judgeResponseHole(knowsReceived: position.acknowledged != nil) }
        }
        read(octets, at: position, kind, &shared, &sink)
        if kind == .request { clientStreamRead(to: position.offset + Int64(octets.count), &shared, &sink) }
    }

    /// Ends streams that the client has reset, where it is too late for the rest of their responses.
    mutating func timePassed<Sink: ExchangeSink & ~Copyable>(
        until time: PacketTime,
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) {
        guard time.nanoseconds(since: earliestReset) > Self.resetPatience else { return }
        endResetStreams(at: time, &shared, &sink)
    }

    private mutating func read<Sink: ExchangeSink & ~Copyable>(
        _ octets: Span<UInt8>,
        at position: StreamPosition,
        _ kind: MessageKind,
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) {
        var index = 0
        while true {
            if kind == .request ? requests.frames.isLost : responses.frames.isLost {
                guard
                    let found = boundary(
                        in: octets,
                        from: index,
                        kind,
                        startsSegment: position.startsSegment
                    )
                else {
                    shared.statistics.skippedOctets += octets.count - index
                    return
                }
                shared.statistics.skippedOctets += found - index
                index = found
            }
            guard let next = step(octets, from: index, kind, at: position.time, &shared, &sink) else {
                return
            }
            index = next
        }
    }

    /// Reads one step, and answers where the next begins; `nil` if more octets are needed.
    private mutating func step<Sink: ExchangeSink & ~Copyable>(
        _ octets: Span<UInt8>,
        from index: Int,
        _ kind: MessageKind,
        at time: PacketTime,
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) -> Int? {
        if kind == .request, requests.frames.isBetweenFrames { requests.frameTime = time }
        if kind == .response, responses.frames.isBetweenFrames { responses.frameTime = time }
        let step =
            kind == .request
            ? requests.frames.next(octets, from: index) : responses.frames.next(octets, from: index)
        guard let step else { return nil }
        if let type = kind == .request ? requests.frames.takeBegunType() : responses.frames.takeBegunType() {
            shared.statistics.http2.frameBegan(type)
            if kind == .request, requests.frames.takeBrokenRule() { connectionRuleBroken(at: time) }
        }
        switch step {
        case .passed(let next): return next
        case .blockBegan(let stream, let endsStream, let isPromise, let next):
            if kind == .request {
                // A client promises nothing (RFC 9113 §8.4).
                if requests.frames.takeBrokenRule() || isPromise { connectionRuleBroken(opening: stream, at: time) }
                let isHead = !endsStream || FieldBlockDecoder.beginsWithPseudoField(octets, at: next)
                forgetHarmlessHole(next: stream, isHead: isHead)
                requests.blockBegan(
                    stream: stream,
                    endsStream: endsStream,
                    isPromise: isPromise,
                    &shared.http2
                )
            } else {
                responses.blockBegan(
                    stream: stream,
                    endsStream: endsStream,
                    isPromise: isPromise,
                    &shared.http2
                )
            }
            return next
        case .fragment(let range, let endsBlock):
            fragmentArrived(octets.extracting(range), endsBlock, kind, at: time, &shared, &sink)
            return range.upperBound
        case .content(let stream, let range):
            contentArrived(octets, range, on: stream, kind, at: time, &shared)
            return range.upperBound
        case .contentEnded(let stream, let endsStream, let next):
            if endsStream, let place = streams.place(of: stream) {
                messageEnded(place, kind, at: time, &shared, &sink)
            }
            return next
        case .reset(let stream, let code, let next):
            streamReset(stream, code, kind, at: time, &shared, &sink)
            return next
        case .goAway(let last, let code, let next):
            if kind == .response {
                abandonStreams(above: last, at: time, &shared, &sink)
                if code < 32, Self.clientErrors >> code & 1 == 1 { ruleBroken(on: .max, at: time) }
            }
            return next
        case .setting(let identifier, let value, let next):
            if kind == .request, !Self.isAllowed(identifier, value) { connectionRuleBroken(at: time) }
            // What a direction may carry is in the other direction's settings.
            if identifier == Self.maxFrameSize, value >= 16_384, value < 1 << 24 {
                if kind == .request {
                    responses.limitAnnounced(Int(value))
                } else {
                    requests.limitAnnounced(Int(value))
                }
            } else if identifier == Self.headerTableSize {
                if kind == .request {
                    responses.tableLimitAnnounced(Int(value))
                } else {
                    requests.tableLimitAnnounced(Int(value))
                }
            }
            return next
        case .failed(_, let next):
            readingFailed(kind, &shared, &sink)
            return next
        }
    }

    /// SETTINGS_MAX_FRAME_SIZE (RFC 9113 §6.5.2).
    private static var maxFrameSize: UInt16 { 5 }

    /// SETTINGS_HEADER_TABLE_SIZE (RFC 9113 §6.5.2).
    private static var headerTableSize: UInt16 { 1 }

    /// Whether a setting may have a value (RFC 9113 §6.5.2, RFC 8441 §3); of others nobody knows.
    private static func isAllowed(_ identifier: UInt16, _ value: UInt32) -> Bool {
        switch identifier {
        case 2, 8: value <= 1
        case 4: value < 1 << 31
        case maxFrameSize: value >= 16_384 && value < 1 << 24
        default: true
        }
    }

    /// Whether the client may send on a stream that is over: it does until it has read that the server ended it.
    private var mayTrailersFollow: Bool {
        guard let leftOpen else { return false }
        return received < leftOpen.offset || clientTime.nanoseconds(since: leftOpen.time) < Self.timeToRead
    }

    /// How long after its arrival a client may read a frame, in nanoseconds.
    private static var timeToRead: Int64 { 1_000_000_000 }

    /// Octets of either direction that will never come.
    mutating func octetsMissing<Sink: ExchangeSink & ~Copyable>(
        _ count: Int,
        reason: MissingReason,
        at position: StreamPosition,
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) {
        let kind = MessageKind(position.direction, client: clientDirection)
        let mark: Integrity = reason == .truncated ? .truncatedCapture : []
        let marks = mark.union(kind.gap)
        if kind == .response { responseHoleEnd = position.offset + Int64(count) }
        let isAnyOpen =
            kind == .request ? mayTrailersCome(shared) || mayTrailersFollow : hasOpenResponse(before: responseHoleEnd)
        let hole =
            kind == .request
            ? requests.octetsMissing(count, highestStream: highestRequest, isAnyOpen: isAnyOpen, shared.http2)
            : responses.octetsMissing(count, highestStream: highestRequest, isAnyOpen: isAnyOpen, shared.http2)
        if hole.contentStream != 0, let place = streams.place(of: hole.contentStream) {
            contentMissing(hole.content, place, kind, marks, &shared)
        }
        if kind == .request { responses.tableLimitAnnounced() } else { requests.tableLimitAnnounced() }
        if hole.breaksBlock { blockBroken(kind, marks, &shared, &sink) }
        if hole.isLost {
            markOpenStreams(kind, marks, &shared)
            if kind == .response { responseHoleIsNew = true }
        } else {
            // The end of a frame whose header was seen is known although it was missed.
            let empty: [UInt8] = []
            while step(empty.span, from: 0, kind, at: position.time, &shared, &sink) != nil {}
        }
        if kind == .request { clientStreamRead(to: position.offset + Int64(count), &shared, &sink) }
    }

    /// Nothing more comes from one side.
    mutating func streamEnded(_ direction: StreamDirection, _ end: StreamEnd, at time: PacketTime) {
        firstEnd.streamEnded(direction, end, at: time)
        if end == .resetBySender {
            resetMarks.insert(direction == clientDirection ? .resetByClient : .resetByServer)
        }
    }

    /// The connection is over: what is not complete never will be.
    mutating func closed<Sink: ExchangeSink & ~Copyable>(
        _ end: ConnectionEnd,
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) {
        let marks: Integrity
        switch end {
        case .captureEnded: marks = .interrupted
        case .idle, .evicted: marks = .forgotten
        case .finished, .reset, .superseded: marks = resetMarks
        }
        leaveOutUnfinishedFrame(.request, &shared)
        leaveOutUnfinishedFrame(.response, &shared)
        let early =
            marks.isDisjoint(with: [.interrupted, .forgotten])
            ? firstEnd.earlyEnd(clientDirection: clientDirection) : nil
        while streams.count > 0 {
            var end = early
            if let early { end = blamed(early, for: streams[0].identifier) }
            abandon(0, marks, end, &shared, &sink)
        }
        requests.releaseSection(&shared.http2)
        responses.releaseSection(&shared.http2)
    }

    // MARK: - Broken rules

    /// One bit for each error code by which a server says that the client broke a rule (RFC 9113 §7): PROTOCOL_ERROR,
    /// FLOW_CONTROL_ERROR, SETTINGS_TIMEOUT, STREAM_CLOSED, FRAME_SIZE_ERROR, COMPRESSION_ERROR and from ENHANCE_YOUR_CALM on.
    private static var clientErrors: UInt32 {
        1 << 1 | 1 << 3 | 1 << 4 | 1 << 5 | 1 << 6 | 1 << 9 | 1 << 11 | 1 << 12 | 1 << 13
    }

    /// The client broke a rule on a stream, for which Envoy closes the connection (RFC 9113 §5.4.1, §8.1.1); on the connection, where
    /// that is 0; or on any, as the server says.
    ///
    /// `opened` is the stream that it opens by that, where it is not counted yet.
    mutating func ruleBroken(on stream: UInt32, opening opened: UInt32 = 0, at time: PacketTime) {
        // What the server says counts, however long ago it took no notice of something else.
        if stream != .max, let brokenRule {
            guard brokenRule.stream != .max, time.nanoseconds(since: brokenRule.time) >= Self.delayedClose else {
                return
            }
        }
        brokenRule = (stream, max(highestStream, opened), time)
    }

    /// The client sent a frame for which Envoy closes the connection without a word; behind a hole what looks like one may be none.
    private mutating func connectionRuleBroken(opening opened: UInt32 = 0, at time: PacketTime) {
        if !requests.hasLosses { ruleBroken(on: 0, opening: opened, at: time) }
    }

    /// The server has dealt with a stream by itself, so that it goes on with the connection; also where that was opened behind what
    /// the client did.
    mutating func streamSettled(_ stream: UInt32) {
        guard let brokenRule, brokenRule.stream != .max else { return }
        if brokenRule.stream == stream || stream > brokenRule.highest { self.brokenRule = nil }
    }

    /// Who ended a stream, where the server may have closed for a rule that the client broke: it has taken no stream that was opened
    /// after that.
    private func blamed(_ end: EarlyEnd, for stream: UInt32) -> EarlyEnd {
        guard end.side == .server, let brokenRule,
            brokenRule.stream == .max || end.time.nanoseconds(since: brokenRule.time) < Self.delayedClose
        else { return end }
        guard stream > brokenRule.highest else { return EarlyEnd(.client, at: brokenRule.time) }
        var end = end
        end.isUnprocessed = true
        return end
    }

    /// How long a server that says nothing may wait before it closes for a broken rule, in nanoseconds.
    private static var delayedClose: Int64 { 3_000_000_000 }

    // MARK: - Content

    /// The connection is over inside a DATA frame: what came of it is no content, since a frame is taken whole or not at all.
    private func leaveOutUnfinishedFrame(_ kind: MessageKind, _ shared: inout SharedReconstruction) {
        let unfinished = kind == .request ? requests.frames.unfinishedContent : responses.frames.unfinishedContent
        guard unfinished.octets > 0, let place = streams.find(unfinished.stream) else { return }
        let exchange = streams[place].exchange
        guard shared.exchanges[exchange].successor == .http else { return }
        // An exchange that began within the frame has counted less of it, and nothing else.
        if kind == .request {
            let counted = shared.exchanges[exchange].request.contentOctets
            shared.exchanges[exchange].request.contentOctets -= min(Int64(unfinished.octets), counted)
            shared.exchanges[exchange].retainedRequest?.cutContent(to: shared.exchanges[exchange].request.contentOctets)
        } else {
            let counted = shared.exchanges[exchange].response.contentOctets
            shared.exchanges[exchange].response.contentOctets -= min(Int64(unfinished.octets), counted)
            shared.exchanges[exchange].retainedResponse?.cutContent(
                to: shared.exchanges[exchange].response.contentOctets
            )
        }
    }

    private mutating func contentArrived(
        _ octets: Span<UInt8>,
        _ range: Range<Int>,
        on stream: UInt32,
        _ kind: MessageKind,
        at time: PacketTime,
        _ shared: inout SharedReconstruction
    ) {
        guard let place = streams.place(of: stream) else { return }
        let exchange = streams[place].exchange
        // What comes behind the end of a message is no part of it (RFC 9113 §5.1, half-closed (remote)).
        guard streams[place].flags.isDisjoint(with: kind == .request ? .requestEnded : .responseEnded) else {
            if streams[place].flags.isDisjoint(with: kind == .request ? .requestHole : .responseHole) {
                shared.exchanges[exchange].integrity.insert(.malformed)
                if kind == .request { ruleBroken(on: stream, at: time) }
            }
            return
        }
        // What follows an accepted CONNECT is the tunnel's.
        guard shared.exchanges[exchange].successor == .http else {
            let frames = octets.extracting(range)
            shared.exchanges[exchange].webSocket?.octetsArrived(frames, kind, startsSegment: true, at: time)
            return
        }
        noteMessages(octets.extracting(range), missing: 0, place, kind, at: time, &shared)
        // Content of a response comes behind its head (RFC 9113 §8.1).
        let flags = streams[place].flags
        if kind == .response, !flags.contains(.responseBegan), !flags.contains(.responseHole), !responses.hasLosses {
            shared.exchanges[exchange].integrity.insert(.malformed)
        }
        if kind == .request {
            shared.exchanges[exchange].request.contentOctets += Int64(range.count)
            shared.exchanges[exchange].request.lastOctet = time
            shared.exchanges[exchange].retainedRequest?.append(octets, range)
        } else {
            shared.exchanges[exchange].response.contentOctets += Int64(range.count)
            shared.exchanges[exchange].response.lastOctet = time
            shared.exchanges[exchange].retainedResponse?.append(octets, range)
        }
    }

    private mutating func contentMissing(
        _ count: Int,
        _ place: Int,
        _ kind: MessageKind,
        _ marks: Integrity,
        _ shared: inout SharedReconstruction
    ) {
        let exchange = streams[place].exchange
        shared.exchanges[exchange].integrity.formUnion(marks)
        guard shared.exchanges[exchange].successor == .http else {
            shared.exchanges[exchange].webSocket?.octetsMissing(count, kind)
            return
        }
        let empty: [UInt8] = []
        let latest =
            kind == .request
            ? shared.exchanges[exchange].request.lastOctet : shared.exchanges[exchange].response.lastOctet
        noteMessages(empty.span, missing: count, place, kind, at: latest, &shared)
        if kind == .request {
            shared.exchanges[exchange].request.contentOctets += Int64(count)
        } else {
            shared.exchanges[exchange].response.contentOctets += Int64(count)
        }
    }

    /// Counts the messages of a gRPC call in content, or passes over content that is missing; `nil` is any number.
    mutating func noteMessages(
        _ octets: Span<UInt8>,
        missing: Int?,
        _ place: Int,
        _ kind: MessageKind,
        at time: PacketTime,
        _ shared: inout SharedReconstruction
    ) {
        let exchange = streams[place].exchange
        let callKind = shared.exchanges[exchange].contentKind
        guard callKind.isGRPC,
            streams[place].flags.isDisjoint(with: kind == .request ? .requestUncounted : .responseUncounted)
        else { return }
        // A response may have another form than the request, or be none of gRPC.
        let form = kind == .request ? callKind : streams[place].responseKind ?? callKind
        guard form.isGRPC else { return }
        var messages =
            kind == .request ? shared.exchanges[exchange].requestMessages : shared.exchanges[exchange].responseMessages
        if streams[place].call < 0 {
            streams[place].call = shared.http2.calls.insert(GRPCCall())
            openCalls += 1
        }
        let call = streams[place].call
        if octets.count > 0 {
            shared.http2.calls[call].contentArrived(octets, kind, of: form, at: time, &messages)
        } else {
            shared.http2.calls[call].contentMissing(missing, kind, of: form, at: time, &messages)
        }
        if kind == .request {
            shared.exchanges[exchange].requestMessages = messages
        } else {
            shared.exchanges[exchange].responseMessages = messages
        }
    }

    // MARK: - Ends

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
    private mutating func streamReset<Sink: ExchangeSink & ~Copyable>(
        _ identifier: UInt32,
        _ code: UInt32,
        _ kind: MessageKind,
        at time: PacketTime,
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) {
        if kind == .response { streamSettled(identifier) }
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
    private mutating func abandonStreams<Sink: ExchangeSink & ~Copyable>(
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
}

extension SharedReconstruction {
    /// Emits an exchange that was numbered when it began, and forgets it.
    mutating func emitNumbered<Sink: ExchangeSink & ~Copyable>(
        _ exchange: Int32,
        on connection: Int32,
        _ sink: inout Sink
    ) {
        noteFaults(of: exchange, on: connection)
        report(exchange, on: connection, &sink)
        exchanges.discard(at: exchange)
    }
}
