// Wingmirror · Apache-2.0

internal import HTTPMessages
internal import PacketDecoding
internal import TCPReassembly

/// What all connections share: storage for exchanges, and the parser with its list of field lines.
struct SharedReconstruction: ~Copyable {
    var exchanges = Slab<Exchange>()
    var parser = HeadParser()
    let limits: HTTPLimits
    var statistics = HTTPStatistics()

    init(limits: HTTPLimits) {
        self.limits = limits
    }
}

/// One TCP connection, read as HTTP/1.x.
///
/// The connection owns a ``MessageStream`` for each direction and a queue of exchanges that are not complete. It decides
/// what the streams cannot know: which request a response answers, and so how the response is framed; when the
/// connection leaves HTTP; what a hole did to the exchanges.
///
/// An exchange is told when it is complete and all before it were told.
struct HTTPConnection {
    /// Numbers connections by first packet.
    let number: Int
    private let originator: Endpoint
    private let responder: Endpoint
    /// Whether the connection may have begun before the capture did.
    let isJoinedMidstream: Bool
    var phase: Phase
    /// Which direction carries requests; a guess while `phase` is `.undetermined`.
    var clientDirection: StreamDirection
    var requests: MessageStream
    var responses: MessageStream

    /// The queue of exchanges whose requests were seen, linked by `Exchange.next`; -1 when empty.
    var oldest: Int32 = -1
    var newest: Int32 = -1
    /// The exchange whose request is in progress, or -1.
    var sending: Int32 = -1
    /// The exchange whose response is in progress, or -1; not in the queue when its request was not seen.
    var answering: Int32 = -1
    var queueLength: Int32 = 0
    var toldExchanges: Int32 = 0

    /// Where the request stream stands.
    var requestEnd: Int64 = 0
    /// Where the response stream stands, and what its latest octets acknowledge of the request stream.
    var responseEnd: Int64 = 0
    var responseAcknowledges: Int64?
    /// Whether a request's head has been found.
    var foundRequest = false
    /// How the client times its requests.
    var rhythm = RequestRhythm()
    /// When octets of a response were seen last.
    var responseTime = PacketTime(nanoseconds: 0)
    /// Octets seen while it is not known what the connection carries.
    var undeterminedOctets = 0
    var repair: PairingRepair?
    /// Whether pairing rests on what a quiet moment of a pipelining client was taken to prove.
    var infersPairs = false
    /// Who has reset the connection.
    var resetMarks: Integrity = []

    enum Phase: Hashable {
        /// Nobody has said enough.
        case undetermined
        case http1
        /// Not HTTP/1.x, or no longer.
        case opaque(OpaqueReason)
    }

    init(_ introduction: ConnectionIntroduction, clientDirection: StreamDirection) {
        number = introduction.number
        originator = introduction.originator
        responder = introduction.responder
        isJoinedMidstream = !introduction.sawHandshake
        self.clientDirection = clientDirection
        phase = .undetermined
        let state: MessageStream.State = introduction.sawHandshake ? .head : .lost
        requests = MessageStream(.request, state: state)
        responses = MessageStream(.response, state: state)
        if !introduction.sawHandshake {
            rhythm.headsMayBeMissing()
            repair = PairingRepair(
                requestBreakAtEnd: true,
                responseBreakAtEnd: true,
                missesRequests: true,
                missesResponses: true
            )
        }
    }

    var identity: HTTPConnectionIdentity {
        let clientIsOriginator = clientDirection == .fromOriginator
        return HTTPConnectionIdentity(
            number: number,
            client: clientIsOriginator ? originator : responder,
            server: clientIsOriginator ? responder : originator
        )
    }

    // MARK: - Events

    /// The next octets of either direction.
    mutating func octetsArrived<Sink: ExchangeSink & ~Copyable>(
        _ octets: Span<UInt8>,
        at position: StreamPosition,
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) {
        if case .opaque(let reason) = phase {
            sink.opaqueOctetsArrived(octets.count, reason, on: identity)
            return
        }
        if phase == .undetermined, !determine(octets, at: position, &shared, &sink) { return }
        if position.direction == clientDirection {
            requestEnd = position.offset + Int64(octets.count)
            requestOctetsArrived(octets, at: position, &shared, &sink)
        } else {
            // The server has received octets of a client that was not seen: nothing tells yet what is answered.
            if requestEnd == 0, (position.acknowledged ?? 0) > 1 { noteRequestBreak() }
            responseEnd = position.offset + Int64(octets.count)
            responseAcknowledges = position.acknowledged ?? responseAcknowledges
            responseTime = position.time
            messageOctetsArrived(octets, of: .response, at: position, &shared, &sink)
        }
    }

    /// Octets of either direction that will never come.
    mutating func octetsMissing<Sink: ExchangeSink & ~Copyable>(
        _ count: Int,
        reason: MissingReason,
        at position: StreamPosition,
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) {
        if case .opaque = phase { return }
        let mark: Integrity = reason == .truncated ? .truncatedCapture : []
        if position.direction == clientDirection {
            requestEnd = position.offset + Int64(count)
            requestOctetsMissing(count, mark.union(.requestGap), at: position, &shared, &sink)
        } else {
            responseEnd = position.offset + Int64(count)
            responseAcknowledges = position.acknowledged ?? responseAcknowledges
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
        guard phase == .http1 else { return }
        if end == .resetBySender {
            resetMarks.insert(direction == clientDirection ? .resetByClient : .resetByServer)
        }
        if direction == clientDirection {
            requestStreamEnded(end, &shared, &sink)
        } else {
            responseStreamEnded(end, at: time, &shared, &sink)
        }
    }

    /// The connection is over: what is not complete never will be.
    mutating func closed<Sink: ExchangeSink & ~Copyable>(
        _ end: ConnectionEnd,
        _ shared: inout SharedReconstruction,
        _ sink: inout Sink
    ) {
        settleAtClose(end, &shared, &sink)
        let wasRecognized = phase != .undetermined || undeterminedOctets > 0
        if phase == .undetermined, wasRecognized {
            let reason: OpaqueReason = isJoinedMidstream ? .midstream : .unknown
            sink.protocolRecognized(.opaque(reason), on: identity)
            sink.opaqueOctetsArrived(undeterminedOctets, reason, on: identity)
        }
        sink.connectionClosed(end, wasRecognized: wasRecognized, on: identity)
    }

    /// The connection carries something else from here on.
    mutating func becomeOpaque<Sink: ExchangeSink & ~Copyable>(_ reason: OpaqueReason, _ sink: inout Sink) {
        phase = .opaque(reason)
        requests.leaveHTTP()
        responses.leaveHTTP()
        sink.protocolRecognized(.opaque(reason), on: identity)
        if undeterminedOctets > 0 { sink.opaqueOctetsArrived(undeterminedOctets, reason, on: identity) }
        undeterminedOctets = 0
    }
}
