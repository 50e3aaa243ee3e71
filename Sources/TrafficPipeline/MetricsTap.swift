// Wingmirror · Apache-2.0

internal import HTTPReconstruction
internal import PacketDecoding
internal import TCPReassembly
internal import TrafficMetrics
internal import TrafficModel

/// Counts requests, exchanges and connections.
struct MetricsTap {
    private let shard: TrafficShard

    /// The statuses of gRPC that count as errors.
    var grpcErrors: GRPCStatusSet { shard.grpcErrors }

    init(_ shard: TrafficShard, _ generation: RouteGeneration) {
        self.shard = shard
        shard.routesChanged(to: generation.series)
    }

    /// Requests are decided on by another generation from here on.
    func generationChanged(to generation: RouteGeneration) {
        shard.routesChanged(to: generation.series)
    }

    // MARK: - Requests and exchanges

    /// Counts a request in progress.
    func requestArrived(gateway: GatewaySeries) {
        shard.requestBegan(gateway: gateway)
    }

    /// Counts a request that an agent sent as shadow traffic, and that is counted as nothing else.
    func markedRequestArrived(gateway: GatewaySeries) {
        shard.markedRequestArrived(gateway: gateway)
    }

    /// Counts a request that bears the marker of shadow traffic without the code that proves it.
    func unverifiedMarkerArrived(gateway: GatewaySeries) {
        shard.unverifiedMarkerArrived(gateway: gateway)
    }

    /// Counts an exchange with a client; what agents send is no traffic, and was counted when it arrived.
    ///
    /// - Parameters:
    ///   - exchange: The exchange; borrowed for the call only.
    ///   - tag: What was remembered of it.
    ///   - routed: The decision on its request.
    ///   - generation: The generation that decided.
    func exchangeCompleted(
        _ exchange: borrowing Exchange,
        _ tag: ExchangeTag,
        _ routed: RoutedRequest,
        _ generation: borrowing RouteGeneration
    ) {
        let gateway = generation.gatewaySeries(routed.gateway)
        let webSocket = exchange.webSocket
        if let webSocket {
            shard.webSocketClosed(gateway: gateway)
            webSocketEnded(webSocket.figures, at: exchange.startTime, routed, generation)
        } else {
            shard.requestEnded(gateway: gateway)
        }
        if !exchange.hasResponse { shard.messageUnpaired(.request) }
        let outcome = ExchangeOutcome(exchange, tag.answer, grpcErrors: shard.grpcErrors)
        if let reason = outcome.partlySeen { shard.requestPartlySeen(gateway: gateway, reason) }
        let kind = ExchangeKind(outcome)
        if let stream = kind.stream { shard.streamEnded(gateway: gateway, stream) }
        if let reason = UnmatchedReason(routed.reason) {
            shard.requestUnmatched(gateway: gateway, reason: reason, status: outcome.countedStatus)
        } else {
            shard.exchangeCompleted(
                route: generation.series.series(ofRoute: Int(routed.route)),
                ExchangeObservation(exchange, outcome, kind, trace: tag.trace)
            )
        }
    }

    /// Counts that a request was accepted as a WebSocket.
    func webSocketOpened(_ routed: RoutedRequest, _ generation: RouteGeneration) {
        shard.webSocketOpened(gateway: generation.gatewaySeries(routed.gateway))
    }

    /// Counts what a WebSocket carried, once it is over.
    private func webSocketEnded(
        _ figures: WebSocketFigures,
        at time: PacketTime,
        _ routed: RoutedRequest,
        _ generation: borrowing RouteGeneration
    ) {
        guard routed.certainRoute >= 0 else { return }
        shard.webSocketEnded(
            route: generation.series.series(ofRoute: Int(routed.route)),
            WebSocketObservation(figures, startedAt: time.nanoseconds)
        )
    }

    /// Counts a response without its request, and whether that was captured and is none that can be read.
    func responseWithoutRequestCompleted(_ integrity: Integrity) {
        shard.messageUnpaired(.response)
        let isUnreadable =
            !integrity.isDisjoint(with: [.malformed, .limitReached])
            && integrity.isDisjoint(with: [.requestGap, .joinedMidstream, .truncatedCapture])
        if isUnreadable { shard.unreadableRequestAnswered() }
    }

    // MARK: - Connections

    /// Counts a connection when it is known what it carries, and again when it leaves HTTP.
    func protocolRecognized(_ application: ApplicationProtocol, gateway: GatewaySeries) {
        switch application {
        case .http1: shard.connectionOpened(gateway: gateway, .http1)
        case .http2: shard.connectionOpened(gateway: gateway, .http2)
        // It was counted when it was HTTP.
        case .webSocket: break
        case .opaque(let reason):
            switch reason {
            case .tls, .tlsNoKey, .tlsWrongKeys, .tlsMidstream, .tlsUnsupportedCipher, .tlsHandshake,
                .tlsMemory:
                shard.connectionOpened(gateway: gateway, .tls)
            // It was counted when it was read.
            case .tlsLost: break
            case .unknown, .midstream: shard.connectionOpened(gateway: gateway, .unknown)
            // These were counted when they were HTTP.
            case .upgraded, .tunnel, .unreadable, .memory: break
            }
            shard.connectionIsOpaque(gateway: gateway, reason)
        }
    }

    /// Counts a connection of which one direction is not read; it is opened as what the other carries.
    func directionIsOpaque(_ reason: OpaqueReason, gateway: GatewaySeries) {
        shard.connectionIsOpaque(gateway: gateway, reason)
    }

    /// Counts octets that are not HTTP/1.x.
    func opaqueOctetsArrived(_ count: Int, _ reason: OpaqueReason, gateway: GatewaySeries) {
        shard.opaqueOctets(gateway: gateway, reason, count: count)
    }

    /// Counts the end of a connection.
    func connectionClosed(_ end: ConnectionEnd, wasRecognized: Bool, gateway: GatewaySeries) {
        // Connections are counted when it is known what they carry; one that carried nothing, when it is over.
        if !wasRecognized { shard.connectionOpened(gateway: gateway, .unknown) }
        shard.connectionClosed(gateway: gateway, ConnectionCloseReason(end))
    }
}

extension ExchangeObservation {
    /// What is counted of an exchange.
    init(_ exchange: borrowing Exchange, _ outcome: ExchangeOutcome, _ kind: ExchangeKind, trace: TraceContext?) {
        let firstOctet = exchange.request.firstOctet
        let brokenOff = outcome.brokenOffNanoseconds(since: firstOctet, lastOctet: exchange.response.lastOctet)
        let lasted = brokenOff ?? exchange.durationNanoseconds
        let waited = outcome.unansweredNanoseconds(since: firstOctet)
        self.init(
            method: RequestMethodLabel(exchange.method),
            requestProtocol: exchange.contentKind.isGRPC ? .grpc : .http,
            status: outcome.countedStatus,
            errorType: ErrorTypeLabel(outcome),
            durationNanoseconds: kind.stream == nil ? lasted ?? waited : nil,
            serverWaitNanoseconds: exchange.serverWaitNanoseconds,
            requestBodyBytes: Int(exchange.request.contentOctets),
            responseBodyBytes: Int(exchange.response.contentOctets),
            grpcStatus: outcome.grpcStatus,
            call: CallObservation(exchange, kind, lifetimeNanoseconds: lasted),
            upgradedToWebSocket: exchange.successor == .webSocket,
            startedAt: exchange.startTime.nanoseconds,
            trace: trace
        )
    }
}
