// Wingmirror · Apache-2.0

internal import PacketDecoding
internal import TCPReassembly
internal import TrafficModel

/// The HTTP/1.x messages of one TCP connection, put together to exchanges.
///
/// It owns a ``MessageStream`` for each direction and a queue of exchanges that are not complete. It decides what the
/// streams cannot know: which request a response answers, and so how the response is framed; when the connection leaves
/// HTTP; what a hole did to the exchanges. An exchange is emitted when it is complete and all before it were emitted.
///
/// What the connection carries is decided by others (``HTTPReconstructor``): while that is open, octets are read
/// tentatively, and the first whole head confirms HTTP/1. Where the connection leaves HTTP, the outcome of the event says
/// so, and the reader is ended.
///
/// Every connection that carries HTTP/1.x and is open has one, idle or not. The order of its state leaves no room between:
/// what is smaller than a word stands behind what ends within one, and what hardly any connection needs is a box's
/// (``PairingRepair``) or a bit of ``Marks``.
struct HTTP1Connection: ~Copyable {
    var requests: MessageStream
    /// Which direction carries requests.
    var clientDirection: StreamDirection
    var responses: MessageStream
    /// Whether a whole head was read, so that the connection carries HTTP/1.x.
    var isConfirmed = false
    /// How the client times its requests.
    var rhythm = RequestRhythm()
    /// Whether a request's head has been found.
    var foundRequest = false

    /// Where the request stream stands.
    var requestEnd: Int64 = 0
    /// Where the response stream stands, and what its latest octets acknowledge of the request stream.
    var responseEnd: Int64 = 0
    var responseAcknowledges: Int64? { latestAcknowledged.offset }
    private var latestAcknowledged = OptionalOffset()
    /// Who has ended it first.
    private var firstEnd = FirstEnd()
    /// When octets of a response were seen last.
    var responseTime = PacketTime(nanoseconds: 0)
    /// What is uncertain about pairing; `nil` on nearly every connection.
    private var repairState: PairingRepair.Box?

    /// The connection's ``TrackedConnection``.
    let connection: Int32
    /// The queue of exchanges whose requests were seen, linked by `Exchange.next`; -1 when empty.
    var oldest: Int32 = -1
    var newest: Int32 = -1
    /// The exchange whose request is in progress, or -1.
    var sending: Int32 = -1
    /// The exchange whose response is in progress, or -1; not in the queue when its request was not seen.
    var answering: Int32 = -1
    /// The exchange that goes on as a WebSocket, or whose answer comes in HTTP/2, or -1.
    private var upgradedExchange: Int32 = -1
    var queueLength: Int32 = 0
    /// What ``HeldOctets`` has counted for this reader.
    var countedOctets: Int32 = 0
    /// Who has reset the connection.
    var resetMarks: Integrity = []
    /// What the connection carries from here on, once it has left HTTP/1.x.
    private(set) var departure: OpaqueReason?
    /// Whether the response in progress may answer HEAD, so that the next octets of the server tell whether it has content.
    var awaitsContent = false
    /// Whether the latest exchange that was answered ends the connection, so that the server takes no request behind it.
    var latestAnswerCloses = false
    private var marks: Marks

    /// What is so or not so, and is seldom asked.
    private struct Marks: OptionSet {
        let rawValue: UInt8
        static let joinedMidstream = Marks(rawValue: 1)
        static let opensWebSocket = Marks(rawValue: 2)
        static let infersPairs = Marks(rawValue: 4)
        static let readsHeld = Marks(rawValue: 8)
    }

    /// Whether the connection may have begun before the capture did.
    var isJoinedMidstream: Bool { marks.contains(.joinedMidstream) }

    /// Whether the upgraded exchange has opened a WebSocket.
    private var opensWebSocket: Bool { marks.contains(.opensWebSocket) }

    /// Whether pairing rests on what a quiet moment of a pipelining client was taken to prove.
    var infersPairs: Bool {
        get { marks.contains(.infersPairs) }
        set { if newValue { marks.insert(.infersPairs) } else { marks.remove(.infersPairs) } }
    }

    /// Whether the octets that are read were held until now, so that the server may have received them long since.
    var readsHeld: Bool {
        get { marks.contains(.readsHeld) }
        set { if newValue { marks.insert(.readsHeld) } else { marks.remove(.readsHeld) } }
    }

    /// What an exchange in progress is broken off by; `nil` while nobody has ended anything.
    var earlyEnd: EarlyEnd? { firstEnd.earlyEnd(clientDirection: clientDirection) }

    /// Whether anything is uncertain about pairing.
    var isRepairing: Bool {
        @inline(__always)
        get { _slowPath(repairState != nil) }
    }

    /// What is uncertain about pairing since octets with heads were lost; `nil` while nothing is.
    var repair: PairingRepair? {
        @inline(__always)
        get { repairState?.repair }
        _modify {
            // Taken out of its box meanwhile, so that its list has one owner and is not copied.
            var repair = repairState?.repair.take()
            defer { keep(repair) }
            yield &repair
        }
    }

    private mutating func keep(_ repair: consuming PairingRepair?) {
        guard let repair else {
            repairState = nil
            return
        }
        if let repairState { repairState.repair = repair } else { repairState = PairingRepair.Box(repair) }
    }

    init(_ connection: Int32, _ tracked: TrackedConnection) {
        self.connection = connection
        let isJoinedMidstream = tracked.isJoinedMidstream
        marks = isJoinedMidstream ? .joinedMidstream : []
        clientDirection = tracked.clientDirection
        let state: MessageStream.State = isJoinedMidstream ? .lost : .head
        requests = MessageStream(.request, state: state)
        responses = MessageStream(.response, state: state)
        if isJoinedMidstream {
            rhythm.headsMayBeMissing()
            repair = PairingRepair(
                requestBreakAtEnd: true,
                responseBreakAtEnd: true,
                missesRequests: true,
                missesResponses: true
            )
        }
    }

    // MARK: - Events

    /// The next octets of either direction.
    mutating func octetsArrived<Sink: ExchangeSink & ~Copyable>(
        _ octets: Span<UInt8>,
        at position: StreamPosition,
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) -> ReaderOutcome {
        let unread: Int
        if position.direction == clientDirection {
            requestEnd = position.offset + Int64(octets.count)
            unread = requestOctetsArrived(octets, at: position, &shared, &sink)
        } else {
            if _slowPath(requests.state == .doubtful) { answerMayConfirm(octets, at: position, &shared, &sink) }
            // The server has received octets of a client that was not seen: nothing tells yet what is answered.
            if _slowPath(requestEnd == 0), (position.acknowledged ?? 0) > 1 { noteRequestBreak() }
            if _slowPath(responses.state == .untilClose) {
                endContentIfClientWentOn(octets, at: position, &shared, &sink)
            }
            if _slowPath(awaitsContent) { contentMayBegin(octets, &shared, &sink) }
            responseEnd = position.offset + Int64(octets.count)
            noteAcknowledged(position)
            responseTime = position.time
            unread = messageOctetsArrived(octets, of: .response, at: position, &shared, &sink)
        }
        guard _slowPath(departure != nil), let departure else { return .continues }
        if opensWebSocket { return .opensWebSocket(exchange: upgradedExchange, unread: unread) }
        if upgradedExchange >= 0 { return .upgrades(exchange: upgradedExchange, unread: unread) }
        return .leaves(departure, unread: unread)
    }

    /// Octets of either direction that will never come.
    mutating func octetsMissing<Sink: ExchangeSink & ~Copyable>(
        _ count: Int,
        reason: MissingReason,
        at position: StreamPosition,
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) {
        let mark: Integrity = reason == .truncated ? .truncatedCapture : []
        if position.direction == clientDirection {
            requestEnd = position.offset + Int64(count)
            requestOctetsMissing(count, mark.union(.requestGap), at: position, &shared, &sink)
        } else {
            responseEnd = position.offset + Int64(count)
            noteAcknowledged(position)
            responseOctetsMissing(count, mark.union(.responseGap), at: position, &shared, &sink)
        }
    }

    /// Nothing more comes from one side.
    mutating func streamEnded<Sink: ExchangeSink & ~Copyable>(
        _ direction: StreamDirection,
        _ end: StreamEnd,
        at time: PacketTime,
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) {
        firstEnd.streamEnded(direction, end, at: time)
        if end == .resetBySender {
            resetMarks.insert(direction == clientDirection ? .resetByClient : .resetByServer)
        }
        if direction == clientDirection {
            requestStreamEnded(end, &shared, &sink)
        } else {
            responseStreamEnded(end, &shared, &sink)
        }
    }

    @inline(__always)
    private mutating func noteAcknowledged(_ position: StreamPosition) {
        if let acknowledged = position.acknowledged { latestAcknowledged = OptionalOffset(acknowledged) }
    }

    // MARK: - What the connection carries

    /// Whether the stream of one side holds a part of a head, and whether it is lost.
    func progress(_ kind: MessageKind) -> (holdsPartialHead: Bool, isLost: Bool) {
        switch kind {
        case .request: (requests.holdsPartialHead, requests.state == .lost || requests.state == .doubtful)
        case .response: (responses.holdsPartialHead, responses.state == .lost)
        }
    }

    /// Whether the stream of one side holds what was found while it was lost, and is not certain yet.
    func holdsCandidate(_ kind: MessageKind) -> Bool {
        let state = kind == .request ? requests.state : responses.state
        return state == .candidate || state == .doubtful
    }

    /// The first octets of the client are no request; a server may still answer them with 400.
    ///
    /// Nothing is read as a request that the client sends before it has an answer: it would be given the refusal of what it follows.
    mutating func beganUnreadable() {
        requests.lose()
        requests.expectMessage(acknowledging: responseEnd)
        repair = repair ?? PairingRepair()
        repair?.failedRequest = .malformed
        repair?.earlyFailure = .startLine
    }

    /// A whole head was read, so the connection is HTTP/1.x.
    mutating func confirmHTTP<Sink: ExchangeSink & ~Copyable>(
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) {
        guard !isConfirmed else { return }
        isConfirmed = true
        shared.connections[connection].undeterminedOctets = 0
        shared.connections[connection].assumptionConfirmed()
        sink.protocolRecognized(.http1, on: shared.connections.facts(of: connection))
        if let failure = repair?.earlyFailure {
            repair?.earlyFailure = nil
            sink.parsingFailed(failure, on: shared.connections.facts(of: connection))
        }
    }

    /// Octets of memory that unfinished heads, trailer sections and undecided upgrades take.
    var heldOctets: Int32 {
        Int32(clamping: requests.buffer.memory &+ responses.buffer.memory)
    }

    /// Gives up what is held: the memory is needed, and this has waited longest.
    mutating func giveUpHeldOctets<Sink: ExchangeSink & ~Copyable>(
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) {
        if !requests.buffer.isEmpty {
            requests.lose()
            noteRequestBreak()
            if sending >= 0 {
                shared.exchanges[sending].integrity.insert(.limitReached)
                requestEnded(trailers: 0, at: shared.exchanges[sending].request.lastOctet, &shared, &sink)
            } else {
                repair?.failedRequest = .limitReached
            }
        }
        if !responses.buffer.isEmpty {
            responses.lose()
            noteResponseBreak()
            if answering >= 0 {
                shared.exchanges[answering].integrity.insert(.limitReached)
                responseEnded(trailers: 0, at: shared.exchanges[answering].response.lastOctet, &shared, &sink)
            }
        }
    }

    /// The connection is over, or carries something else where `end` is `nil`: what is not complete never will be.
    mutating func closed<Sink: ExchangeSink & ~Copyable>(
        _ end: ConnectionEnd?,
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) {
        settleAtClose(end, &shared, &sink)
    }

    /// The server goes on in HTTP/2, which answers the exchange: it is no longer in the queue.
    mutating func handOver(_ exchange: Int32) {
        upgradedExchange = exchange
        (oldest, newest, answering, queueLength) = (-1, -1, -1, 0)
        if sending == exchange { sending = -1 }
    }

    /// The exchange goes on as a WebSocket: it is no longer in the queue.
    mutating func handOverWebSocket(_ exchange: Int32) {
        marks.insert(.opensWebSocket)
        handOver(exchange)
    }

    /// The connection carries something else from here on.
    ///
    /// What the client sent before that was decided stays in the request stream's buffer, for the next reader.
    mutating func leave(for reason: OpaqueReason) {
        departure = reason
        responses.leaveHTTP()
        if requests.state != .held { requests.leaveHTTP() }
    }
}
