// Wingmirror · Apache-2.0

internal import HTTPReconstruction
internal import PacketDecoding
internal import RouteAttribution
internal import ShadowTesting
internal import TCPReassembly
internal import TrafficMetrics
internal import TrafficModel

/// Says of each request which route took it, counts the exchange, and writes its record.
///
/// The decision is made when the request's head is complete, with the routes of that moment, and goes with the exchange
/// as its tag; the snapshot that made it is kept until its last exchange is told.
struct ExchangeRouter: ~Copyable, ExchangeSink {
    private let shard: TrafficShard
    private let routes: RouteBoard
    private var scratch = RouteScratch()
    private var records: RecordEncoder?
    private let output: RecordOutput?
    private let exchanges: ExchangeOutput?
    /// What is kept of every exchange, for the records and whoever takes exchanges.
    private var retention = Retention.none
    private let readsTraces: Bool
    private let shedding: LoadShedding?
    /// Whether only metrics are made at present, for want of memory.
    private var isShedding = false
    private var mirror: MirrorTap?
    private let shadowArrivals: ShadowArrivals?
    private var ownCopies: OwnCopies?
    private var recent: RecentTap?

    private var generations: GenerationsInUse
    private var ports: RoutedPorts

    /// Records are handed over when there are so many octets of them, or at the end of a batch.
    private static let recordBatchOctets = 64 << 10

    init(routes: RouteBoard, shard: TrafficShard, outputs: PipelineOutputs) {
        self.routes = routes
        self.shard = shard
        output = outputs.recordOutput
        exchanges = outputs.exchanges
        shadowArrivals = outputs.shadowArrivals
        if let arrivals = outputs.shadowArrivals { ownCopies = arrivals.reader } else { ownCopies = nil }
        if let destination = outputs.mirror { mirror = MirrorTap(destination) } else { mirror = nil }
        recent = outputs.recent.map { RecentTap($0) }
        records = output == nil ? nil : RecordEncoder(options: outputs.records)
        retention = records?.retention ?? .none
        if let exchanges {
            retention.formUnion(Retention(keepsHeads: true, contentOctets: exchanges.contentOctets))
        }
        readsTraces = outputs.readsTraces
        shedding = outputs.shedding
        generations = GenerationsInUse(routes.generation)
        ports = RoutedPorts(generations.newest)
        shard.routesChanged(to: generations.newest.series)
    }

    // MARK: - Between batches

    /// Takes the newest routes, and hands over the records written so far.
    ///
    /// - Parameter time: The time of the latest packet; `nil` before the first.
    mutating func batchEnded(at time: PacketTime?) {
        if let newer = routes.generation(newerThan: generations.newest.number), generations.hasRoom(for: newer.number) {
            generations.append(newer)
            ports = RoutedPorts(newer)
            shard.routesChanged(to: newer.series)
        }
        flushRecords()
        mirror?.batchEnded()
        recent?.batchEnded(at: time)
        isShedding = shedding?.level == .everythingButMetrics
    }

    /// No packet will come any more.
    ///
    /// - Parameter time: The time of the latest packet; `nil` without any.
    mutating func captureEnded(at time: PacketTime?) {
        batchEnded(at: time)
        mirror?.captureEnded()
    }

    private mutating func flushRecords() {
        guard let waiting = records?.pendingOctets, waiting > 0, let lines = records?.takeLines() else { return }
        output?(lines)
    }

    // MARK: - Requests

    mutating func requestArrived(
        _ request: borrowing RequestView,
        on connection: ConnectionFacts,
        at time: PacketTime
    ) -> (tag: RequestTag, retention: Retention) {
        let port = ports.port(connection.server.port, in: generations.newest)
        let decision = generations.newest.table.route(request, in: port.hosts, scratch: &scratch)
        generations.requestRouted()
        // Anybody can send the marker; a request is shadow traffic only if the marker's code is of our key.
        let isMarked = request.traits.contains(.isShadow)
        let isShadow =
            isMarked && generations.newest.mirroring?.plan.verifiesMarker(of: request, at: time.nanoseconds) ?? false
        let routed = RoutedRequest(decision, generation: generations.newest.number, isShadow: isShadow)
        let gateway = generations.newest.gatewaySeries(routed.gateway)
        if isMarked && !isShadow { shard.unverifiedMarkerArrived(gateway: gateway) }
        if routed.isShadow {
            guard !(ownCopies?.include(connection.server) ?? false) else { return (routed.tag, retention) }
            shard.markedRequestArrived(gateway: gateway)
            if routed.reason != .noListener { shadowArrivals?.requestArrived() }
        } else {
            shard.requestBegan(gateway: gateway)
        }
        var answer = (tag: routed.tag, retention: retention)
        if isShedding {
            answer.retention.requestContentOctets = 0
            answer.retention.responseContentOctets = 0
            return answer
        }
        if readsTraces, request.traits.contains(.namesTrace) {
            answer.tag.trace = TraceContext(of: request, allowsB3: true)
        }
        if recent?.requestArrived(route: routed.certainRoute) ?? false { answer.retention.keepsHeads = true }
        if let routing = generations.newest.mirroring, routed.reason != .noListener {
            sample(request, on: connection, at: time, route: routed.route, routing, &answer)
        }
        return answer
    }

    /// Asks the mirroring plan about a request that arrived at the gateway.
    private mutating func sample(
        _ request: borrowing RequestView,
        on connection: ConnectionFacts,
        at time: PacketTime,
        route: Int32,
        _ routing: MirrorRouting,
        _ answer: inout (tag: RequestTag, retention: Retention)
    ) {
        guard
            let (selection, retention) = mirror?.requestArrived(
                request,
                on: connection,
                at: time,
                route: route,
                routing: routing
            )
        else { return }
        (answer.tag.second, answer.tag.third) = selection.words
        answer.retention.formUnion(retention)
    }

    mutating func responseArrivedWithoutRequest(
        on connection: ConnectionFacts
    ) -> (tag: RequestTag, retention: Retention) {
        (RequestTag(), retention)
    }

    // MARK: - Exchanges

    mutating func exchangeCompleted(_ exchange: borrowing Exchange, tag: RequestTag, on connection: ConnectionFacts) {
        guard exchange.hasRequest else {
            shard.messageUnpaired(.response)
            appendRecord(exchange, on: connection, route: [])
            return
        }
        let routed = RoutedRequest(tag)
        let generation = generations.exchangeCompleted(generation: routed.generation)
        if !routed.isShadow { count(exchange, routed, generation, trace: tag.trace) }
        recent?.exchangeCompleted(
            exchange,
            on: connection,
            table: generation.table,
            route: routed.certainRoute,
            reason: routed.reason
        )
        let selection = MirrorSelection(words: (tag.second, tag.third))
        if !selection.isEmpty, let routing = generation.mirroring {
            mirror?.exchangeCompleted(
                exchange,
                on: connection,
                selection: selection,
                route: routed.route,
                routing: routing
            )
        }
        if let exchanges,
            let recorded = RecordedExchange(exchange, on: connection, route: routed.name(in: generation.table))
        {
            exchanges.take(recorded)
        }
        if records != nil {
            appendRecord(exchange, on: connection, route: routed.record(in: generation.table), isShadow: routed.isShadow)
        }
    }

    /// Counts an exchange with a client; what agents send is no traffic, and was counted when it arrived.
    private func count(
        _ exchange: borrowing Exchange,
        _ routed: RoutedRequest,
        _ generation: RouteGeneration,
        trace: TraceContext?
    ) {
        let gateway = generation.gatewaySeries(routed.gateway)
        shard.requestEnded(gateway: gateway)
        if !exchange.hasResponse { shard.messageUnpaired(.request) }
        if let reason = UnmatchedReason(routed.reason) {
            shard.requestUnmatched(gateway: gateway, reason: reason, status: exchange.status)
        } else {
            shard.exchangeCompleted(
                route: generation.series.series(ofRoute: Int(routed.route)),
                ExchangeObservation(exchange, trace: trace)
            )
        }
    }

    private mutating func appendRecord(
        _ exchange: borrowing Exchange,
        on connection: ConnectionFacts,
        route: [UInt8],
        isShadow: Bool = false
    ) {
        records?.append(exchange, on: connection, route: route, isShadow: isShadow)
        if let waiting = records?.pendingOctets, waiting >= Self.recordBatchOctets { flushRecords() }
    }

    // MARK: - Connections

    mutating func protocolRecognized(_ application: ApplicationProtocol, on connection: ConnectionFacts) {
        let gateway = ports.port(connection.server.port, in: generations.newest).gateway
        switch application {
        case .http1: shard.connectionOpened(gateway: gateway, .http1)
        case .opaque(let reason):
            switch reason {
            case .tls: shard.connectionOpened(gateway: gateway, .tls)
            case .http2: shard.connectionOpened(gateway: gateway, .http2)
            case .unknown, .midstream: shard.connectionOpened(gateway: gateway, .unknown)
            // These were counted when they were HTTP.
            case .upgraded, .tunnel: break
            }
            shard.connectionIsOpaque(gateway: gateway, TrafficMetrics.OpaqueReason(reason))
        }
    }

    mutating func opaqueOctetsArrived(
        _ count: Int,
        _ reason: HTTPReconstruction.OpaqueReason,
        on connection: ConnectionFacts
    ) {
        let gateway = ports.port(connection.server.port, in: generations.newest).gateway
        shard.opaqueOctets(gateway: gateway, TrafficMetrics.OpaqueReason(reason), count: count)
    }

    mutating func connectionClosed(
        _ end: ConnectionEnd,
        wasRecognized: Bool,
        on connection: ConnectionFacts
    ) {
        let gateway = ports.port(connection.server.port, in: generations.newest).gateway
        // Connections are counted when it is known what they carry; one that carried nothing, when it is over.
        if !wasRecognized { shard.connectionOpened(gateway: gateway, .unknown) }
        shard.connectionClosed(gateway: gateway, ConnectionCloseReason(end))
    }

    mutating func parsingFailed(_ failure: ParseFailure, on connection: ConnectionFacts) {
        parseFailures[Int(failure.rawValue)] += 1
    }

    /// Streams that could not be read on, by `ParseFailure`.
    private(set) var parseFailures = [Int](repeating: 0, count: ParseFailure.allCases.count)
}

extension ExchangeObservation {
    /// What is counted of an exchange.
    init(_ exchange: borrowing Exchange, trace: TraceContext?) {
        self.init(
            method: RequestMethodLabel(exchange.method),
            status: exchange.status,
            errorType: ErrorTypeLabel(exchange.integrity),
            durationNanoseconds: exchange.durationNanoseconds,
            serverWaitNanoseconds: exchange.serverWaitNanoseconds,
            requestBodyBytes: Int(exchange.request.contentOctets),
            responseBodyBytes: Int(exchange.response.contentOctets),
            upgradedToWebSocket: exchange.successor == .webSocket,
            startedAt: exchange.startTime.nanoseconds,
            trace: trace
        )
    }
}
