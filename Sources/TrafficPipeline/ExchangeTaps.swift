// Wingmirror · Apache-2.0

internal import HTTPReconstruction
internal import PacketDecoding
internal import RouteAttribution
internal import ShadowTesting
internal import TCPReassembly
internal import TLSDecryption
internal import TrafficMetrics
internal import TrafficModel

/// Takes what reconstruction puts together: asks the router about each request, and gives each exchange to all taps.
///
/// A tap says at a request's head how much of the exchange is to be kept for it, and takes the exchange when it is complete.
/// Which taps there are is fixed when the pipeline is made; one that is off costs a comparison.
struct ExchangeTaps: ~Copyable, ExchangeSink {
    private var router: RequestRouter
    /// What is known of the TLS of connections, by the numbers in their facts.
    private let sessions: TLSSessions
    private var passthrough = PassthroughTap()
    private let metrics: MetricsTap
    private var shadows: ShadowTap?
    private var recent: RecentTap?
    private var mirror: MirrorTap?
    private let recordings: RecordingTap?
    private var records: RecordTap?
    /// What is kept of every exchange, for records and recordings.
    private let retention: Retention

    /// Whether metrics are all that is made of exchanges, so that nobody asks for their facts.
    private let onlyCounts: Bool

    private let readsTraces: Bool
    private let shedding: LoadShedding?
    /// Whether only metrics are made at present, for want of memory.
    private var isShedding = false
    /// Whether a response has named its service's time, which a gateway does in all that it passes on or in none.
    private var gatewayNamesServices = false
    /// Requests since the last batch of which only metrics are made.
    private var shedRequests = 0
    /// Streams that could not be read on, by `ParseFailure`.
    private(set) var parseFailures = [Int](repeating: 0, count: ParseFailure.allCases.count)

    init(routes: RouteBoard, shard: TrafficShard, sessions: TLSSessions, outputs: PipelineOutputs) {
        self.sessions = sessions
        router = RequestRouter(routes, isElsewhere: outputs.isElsewhere)
        metrics = MetricsTap(shard, router.newest)
        if let arrivals = outputs.shadowArrivals { shadows = ShadowTap(arrivals) } else { shadows = nil }
        recent = outputs.recent.map { RecentTap($0) }
        if let destination = outputs.mirror { mirror = MirrorTap(destination) } else { mirror = nil }
        recordings = outputs.exchanges.map { RecordingTap($0) }
        records = outputs.recordOutput.map { RecordTap($0, options: outputs.records) }
        var retention = records?.retention ?? .none
        if let recordings { retention.formUnion(recordings.retention) }
        // Recent exchanges show whatever heads were kept for others.
        if outputs.recent != nil, retention.heads == .names { retention.heads = .whole }
        self.retention = retention
        onlyCounts =
            outputs.recent == nil && outputs.mirror == nil && outputs.exchanges == nil && outputs.recordOutput == nil
        readsTraces = outputs.readsTraces
        shedding = outputs.shedding
    }

    // MARK: - Between batches

    /// Takes up the newest routes, and hands over what has gathered.
    ///
    /// - Parameter time: The time of the latest packet; `nil` before the first.
    mutating func batchEnded(at time: PacketTime?) {
        if let time { router.batchEnded(at: time) }
        if let generation = router.takeUpNewest() {
            metrics.generationChanged(to: generation)
            passthrough.routesChanged()
        }
        records?.batchEnded()
        mirror?.batchEnded()
        recent?.batchEnded(at: time)
        if shedRequests > 0 {
            shedding?.requestsShed(shedRequests)
            shedRequests = 0
        }
        let wasShedding = isShedding
        isShedding = shedding?.level == .everythingButMetrics
        if isShedding, !wasShedding { recent?.giveUp() }
    }

    /// No packet has come for a while.
    mutating func timeAdvanced(to time: PacketTime) { router.batchEnded(at: time) }

    /// No packet will come any more.
    ///
    /// - Parameter time: The time of the latest packet; `nil` without any.
    mutating func captureEnded(at time: PacketTime?) {
        batchEnded(at: time)
        router.captureEnded()
        mirror?.captureEnded()
    }

    // MARK: - Requests

    mutating func requestArrived(
        _ request: borrowing RequestView,
        on connection: ConnectionFacts,
        at time: PacketTime,
        retention: inout Retention
    ) -> ExchangeTag {
        retention = self.retention
        let session = session(of: connection)
        let routed = router.route(request, on: connection, in: session, at: time)
        let gateway = router.newest.gatewaySeries(routed.gateway)
        if _slowPath(request.traits.contains(.isShadow)), !routed.isShadow {
            metrics.unverifiedMarkerArrived(gateway: gateway)
        }
        if _slowPath(routed.isShadow) {
            if shadows?.requestArrived(at: connection.server, routed) ?? false {
                return ExchangeTag(routed: routed)
            }
            metrics.markedRequestArrived(gateway: gateway)
        } else {
            metrics.requestArrived(gateway: gateway)
        }
        var tag = ExchangeTag(routed: routed)
        if _slowPath(isShedding) {
            shedRequests += 1
            retention.requestContentOctets = 0
            retention.responseContentOctets = 0
            return tag
        }
        // Only the durations of routes lead to traces.
        if readsTraces, request.traits.contains(.namesTrace), routed.reason == .matched {
            tag.trace = TraceContext(of: request, allowsB3: true)
        }
        if recent?.requestArrived(route: routed.certainRoute) ?? false { retention.heads = .whole }
        if let routing = router.newest.mirroring, routed.reason != .noListener {
            sample(request, on: connection, at: time, routed, routing, &tag, &retention)
        }
        return tag
    }

    /// Asks the mirroring plan about a request that arrived at the gateway.
    private mutating func sample(
        _ request: borrowing RequestView,
        on connection: ConnectionFacts,
        at time: PacketTime,
        _ routed: RoutedRequest,
        _ routing: MirrorRouting,
        _ tag: inout ExchangeTag,
        _ retention: inout Retention
    ) {
        guard
            let (selection, kept) = mirror?.requestArrived(
                request,
                on: connection,
                at: time,
                route: routed.route,
                routing: routing
            )
        else { return }
        tag.selection = selection
        retention.formUnion(kept)
    }

    mutating func responseArrivedWithoutRequest(
        on connection: ConnectionFacts,
        retention: inout Retention
    ) -> ExchangeTag {
        retention = self.retention
        return ExchangeTag()
    }

    mutating func responseArrived(
        _ response: borrowing ResponseView,
        tag: inout ExchangeTag,
        on connection: ConnectionFacts,
        at time: PacketTime
    ) {
        guard response.status >= 200 else { return }
        tag.answer = AnswerTraits(response)
        if tag.answer.contains(.isOfService) { gatewayNamesServices = true }
        if tag.answer.contains(.showsRoute) { tag.routed?.serviceAnswered() }
        if gatewayNamesServices { tag.answer.insert(.isOfNamingGateway) }
    }

    mutating func responsePaired(_ response: ExchangeTag, with tag: inout ExchangeTag, on connection: ConnectionFacts) {
        tag.answer = response.answer
        if tag.answer.contains(.showsRoute) { tag.routed?.serviceAnswered() }
    }

    mutating func webSocketOpened(tag: ExchangeTag, on connection: ConnectionFacts) {
        guard let routed = tag.routed, !routed.isShadow else { return }
        metrics.webSocketOpened(routed, router.generation(of: routed))
    }

    // MARK: - Exchanges

    mutating func exchangeCounted(_ exchange: borrowing Exchange, tag: ExchangeTag) -> Bool {
        guard onlyCounts, let routed = tag.routed, router.exchangeOfNewestCompleted(routed) else { return false }
        guard !routed.isShadow else { return true }
        router.lentNewest.lend { metrics.exchangeCompleted(exchange, tag, routed, $0) }
        return true
    }

    mutating func exchangeCompleted(_ exchange: borrowing Exchange, tag: ExchangeTag, on connection: ConnectionFacts) {
        let facts = ExchangeFacts(exchange, on: connection, tag: tag, grpcErrors: metrics.grpcErrors)
        let session = session(of: connection)
        guard let routed = tag.routed else {
            metrics.responseWithoutRequestCompleted(exchange.integrity)
            recordings?.responseWithoutRequestCompleted()
            records?.responseWithoutRequestCompleted(facts, exchange, session)
            return
        }
        let generation = router.exchangeCompleted(routed)
        if !routed.isShadow { metrics.exchangeCompleted(exchange, tag, routed, generation) }
        // What was on its way when memory became short is not kept either.
        if !isShedding { recent?.exchangeCompleted(facts, exchange, session, routed, generation) }
        if !tag.selection.isEmpty, let routing = generation.mirroring {
            mirror?.exchangeCompleted(facts, exchange, selection: tag.selection, route: routed.route, routing: routing)
        }
        recordings?.exchangeCompleted(facts, exchange, session, routed, generation)
        records?.exchangeCompleted(facts, exchange, session, routed, generation)
    }

    // MARK: - Connections

    private func session(of connection: ConnectionFacts) -> TLSSession? {
        _slowPath(connection.isSecured) ? sessions[connection.tlsSession] : nil
    }

    /// What answers on the gateway's ports, where no address is known.
    var gatewayServers: [GatewayServer] { router.gatewayServers }

    /// The ports on which no Gateway listens that requests came to.
    var unservedPorts: [UnservedPort] { router.unservedPorts }

    /// What came on connections whose TLS the gateway passes through.
    var passthroughFigures: [PassthroughFigures] { passthrough.figures }

    mutating func protocolRecognized(_ application: ApplicationProtocol, on connection: ConnectionFacts) {
        let session = session(of: connection)
        router.connectionRecognized(connection)
        metrics.protocolRecognized(application, gateway: router.gateway(of: connection, in: session))
        if case .opaque(let reason) = application, reason.isTLS, let session, !router.isForeignConnection(connection) {
            passthrough.connectionIsOpaque(connection, session, router.newest)
        }
    }

    mutating func directionIsOpaque(_ reason: OpaqueReason, on connection: ConnectionFacts) {
        metrics.directionIsOpaque(reason, gateway: router.gateway(of: connection, in: session(of: connection)))
    }

    mutating func opaqueOctetsArrived(
        _ count: Int,
        _ reason: OpaqueReason,
        on connection: ConnectionFacts
    ) {
        let session = session(of: connection)
        let gateway = router.gateway(of: connection, in: session)
        metrics.opaqueOctetsArrived(count, reason, gateway: gateway)
        if session != nil { passthrough.octetsArrived(count, on: connection) }
    }

    mutating func connectionClosed(
        _ end: ConnectionEnd,
        wasRecognized: Bool,
        on connection: ConnectionFacts
    ) {
        let session = session(of: connection)
        let gateway = router.gateway(of: connection, in: session)
        metrics.connectionClosed(end, wasRecognized: wasRecognized, gateway: gateway)
        if session != nil { passthrough.connectionClosed(connection) }
    }

    mutating func parsingFailed(_ failure: ParseFailure, on connection: ConnectionFacts) {
        parseFailures[Int(failure.rawValue)] += 1
    }
}
