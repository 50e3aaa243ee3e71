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
    var leftOpen: (offset: Int64, time: PacketTime)?
    /// Where the client's stream stands, as far as it was read or is known to be missing.
    var clientEnd: Int64 = 0
    /// How much of the client's stream the server says to have received.
    var acknowledged: Int64 = 0
    /// How many streams have a gRPC call.
    var openCalls = 0
    /// How many streams have `requestUnseen`.
    var awaitedRequests = 0
    /// Streams that the client has reset and that wait for the rest of their responses, and the earliest time of a reset.
    var resetStreams = 0
    var earliestReset = PacketTime(nanoseconds: 0)
    /// Whether ``HTTPReconstructor`` looks after them when time passes.
    var isListed = false
    /// The last stream that the server takes, as its GOAWAY says, and when it said so.
    var lastAccepted = (stream: UInt32.max, time: PacketTime(nanoseconds: 0))
    /// What the client did that the server may close the connection for.
    var clientRules = ClientRules()
    /// How much the server may send on a stream before the client opens its window, as that has set it.
    private var initialWindow: UInt32 = 65_535
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
            if kind == .request, requests.frames.takeBrokenRule() || opensTooMuch(type) {
                connectionRuleBroken(at: time)
            }
        }
        switch step {
        case .passed(let next): return next
        case .blockBegan(let stream, let endsStream, let isPromise, let next):
            if kind == .request {
                requestBlockBegins(octets, at: next, stream, endsStream, isPromise, at: time)
                requests.blockBegan(stream: stream, endsStream: endsStream, isPromise: isPromise, &shared.http2)
            } else {
                responses.blockBegan(stream: stream, endsStream: endsStream, isPromise: isPromise, &shared.http2)
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
                clientRules.serverCloses(with: code, highest: highestStream, at: time)
            }
            return next
        case .setting(let identifier, let value, let next):
            settingArrived(identifier, value, kind, at: time)
            return next
        case .failed(_, let next):
            readingFailed(kind, &shared, &sink)
            return next
        }
    }

    /// A field block of the client begins with the octet at `next`.
    private mutating func requestBlockBegins(
        _ octets: Span<UInt8>,
        at next: Int,
        _ stream: UInt32,
        _ endsStream: Bool,
        _ isPromise: Bool,
        at time: PacketTime
    ) {
        // A client promises nothing (RFC 9113 §8.4).
        if requests.frames.takeBrokenRule() || isPromise { connectionRuleBroken(opening: stream, at: time) }
        let isHead = !endsStream || FieldBlockDecoder.beginsWithPseudoField(octets, at: next)
        forgetHarmlessHole(next: stream, isHead: isHead)
    }

    /// Whether the client's frame opens a window further than windows go, however much the server has sent.
    private func opensTooMuch(_ type: UInt8) -> Bool {
        type == FrameType.windowUpdate.rawValue && !responses.hasLosses
            && requests.frames.hasOpenedTooMuch(initial: initialWindow, sent: max(received, serverEnd.offset))
    }

    /// What the sender of a setting may be sent is said of the other direction.
    @inline(never)
    private mutating func settingArrived(
        _ identifier: UInt16,
        _ value: UInt32,
        _ kind: MessageKind,
        at time: PacketTime
    ) {
        guard let setting = FrameSetting(rawValue: identifier) else { return }
        guard setting.allows(value) else {
            if kind == .request { connectionRuleBroken(at: time) }
            return
        }
        switch (setting, kind) {
        case (.maxFrameSize, .request): responses.limitAnnounced(Int(value))
        case (.maxFrameSize, .response): requests.limitAnnounced(Int(value))
        case (.headerTableSize, .request): responses.tableLimitAnnounced(Int(value))
        case (.headerTableSize, .response): requests.tableLimitAnnounced(Int(value))
        case (.initialWindowSize, .request): initialWindow = value
        case (.initialWindowSize, .response), (.enablePush, _), (.enableConnectProtocol, _): break
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
            if let early { end = clientRules.blamed(early, for: streams[0].identifier) }
            abandon(0, marks, end, &shared, &sink)
        }
        requests.releaseSection(&shared.http2)
        responses.releaseSection(&shared.http2)
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
