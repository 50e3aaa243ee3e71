// Wingmirror · Apache-2.0

internal import HTTPMessages
internal import HTTPReconstruction
internal import PacketDecoding
internal import RouteAttribution
internal import TCPReassembly
internal import TrafficMetrics

/// Says of each request which route took it, counts the exchange, and writes its record.
///
/// The decision is made when the request's head is complete, with the routes of that moment, and goes with the exchange
/// as its tag; the snapshot that made it is kept until its last exchange is told.
struct ExchangeRouter: ~Copyable, ExchangeSink {
    private let shard: TrafficShard
    private let board: RoutingBoard
    private var scratch = RouteScratch()
    private var records: RecordEncoder?
    private let output: RecordOutput?

    /// The snapshots in use, the newest last; at least one.
    private var editions: [Edition]
    private var seenOnBoard = 0

    /// A snapshot and the exchanges that still need it.
    private struct Edition {
        let number: UInt8
        let snapshot: RoutingSnapshot
        var pending = 0
        /// The host tables of the ports seen so far; there are few.
        var ports: [(port: UInt16, hosts: HostTableReference, gateway: GatewaySeries)] = []
    }

    /// Records are handed over when there are so many octets of them, or at the end of a batch.
    private static let recordBatchOctets = 64 << 10

    init(board: RoutingBoard, shard: TrafficShard, records options: RecordOptions?, output: RecordOutput?) {
        self.board = board
        self.shard = shard
        self.output = output
        records = output == nil ? nil : RecordEncoder(options: options ?? RecordOptions())
        editions = [Edition(number: 0, snapshot: board.snapshot)]
        shard.routesChanged(to: editions[0].snapshot.series)
    }

    // MARK: - Between batches

    /// Takes the newest routes, and hands over the records written so far.
    mutating func batchEnded() {
        let number = editions[editions.count - 1].number &+ 1
        editions.removeAll { $0.pending == 0 && $0.number &+ 1 != number }
        // Editions are numbered modulo 256; one that is still needed is not given its number away.
        if !editions.contains(where: { $0.number == number }), let snapshot = board.changed(since: &seenOnBoard) {
            editions.append(Edition(number: number, snapshot: snapshot))
            shard.routesChanged(to: snapshot.series)
        }
        flushRecords()
    }

    private mutating func flushRecords() {
        guard let waiting = records?.pendingOctets, waiting > 0, let lines = records?.takeLines() else { return }
        output?(lines)
    }

    // MARK: - Requests

    mutating func requestArrived(
        _ request: borrowing RequestView,
        on connection: HTTPConnectionIdentity,
        at time: PacketTime
    ) -> (tag: RequestTag, retention: Retention) {
        let latest = editions.count - 1
        let port = portIndex(connection.server.port)
        let decision = editions[latest].snapshot.table.route(
            request,
            in: editions[latest].ports[port].hosts,
            scratch: &scratch
        )
        editions[latest].pending += 1
        let routed = RoutedRequest(decision, edition: editions[latest].number)
        shard.requestBegan(gateway: gatewaySeries(of: routed, in: latest))
        return (routed.tag, records?.retention ?? .none)
    }

    mutating func responseArrivedWithoutRequest(
        on connection: HTTPConnectionIdentity
    ) -> (tag: RequestTag, retention: Retention) {
        (RequestTag(), records?.retention ?? .none)
    }

    /// The place of a port in the newest edition; looked up in the table when it is seen first.
    private mutating func portIndex(_ port: UInt16) -> Int {
        let latest = editions.count - 1
        if let index = editions[latest].ports.firstIndex(where: { $0.port == port }) { return index }
        let snapshot = editions[latest].snapshot
        let hosts = snapshot.table.hostTable(podPort: port)
        let gateway = snapshot.table.gateway(of: hosts).map { snapshot.series.series(ofGateway: $0) }
        // A port scan must not make the list long.
        if editions[latest].ports.count >= 256 { editions[latest].ports.removeAll() }
        editions[latest].ports.append((port, hosts, gateway ?? .none))
        return editions[latest].ports.count - 1
    }

    private func gatewaySeries(of routed: RoutedRequest, in edition: Int) -> GatewaySeries {
        routed.gateway >= 0 ? editions[edition].snapshot.series.series(ofGateway: routed.gateway) : .none
    }

    // MARK: - Exchanges

    mutating func exchangeCompleted(_ exchange: borrowing Exchange, on connection: HTTPConnectionIdentity) {
        guard exchange.hasRequest else {
            shard.messageUnpaired(.response)
            appendRecord(exchange, on: connection, route: [])
            return
        }
        let routed = RoutedRequest(exchange.tag)
        guard let edition = editions.lastIndex(where: { $0.number == routed.edition }) else {
            preconditionFailure("ExchangeRouter.exchangeCompleted: edition \(routed.edition) is gone")
        }
        editions[edition].pending -= 1
        shard.requestEnded(gateway: gatewaySeries(of: routed, in: edition))
        if !exchange.hasResponse { shard.messageUnpaired(.request) }
        if let reason = UnmatchedReason(routed.reason) {
            shard.requestUnmatched(
                gateway: gatewaySeries(of: routed, in: edition),
                reason: reason,
                status: exchange.status
            )
        } else {
            shard.exchangeCompleted(
                route: editions[edition].snapshot.series.series(ofRoute: Int(routed.route)),
                ExchangeObservation(exchange)
            )
        }
        if records != nil {
            appendRecord(exchange, on: connection, route: routed.record(in: editions[edition].snapshot.table))
        }
    }

    private mutating func appendRecord(
        _ exchange: borrowing Exchange,
        on connection: HTTPConnectionIdentity,
        route: [UInt8]
    ) {
        records?.append(exchange, on: connection, route: route)
        if let waiting = records?.pendingOctets, waiting >= Self.recordBatchOctets { flushRecords() }
    }

    // MARK: - Connections

    mutating func protocolRecognized(_ application: ApplicationProtocol, on connection: HTTPConnectionIdentity) {
        let gateway = editions[editions.count - 1].ports[portIndex(connection.server.port)].gateway
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
        on connection: HTTPConnectionIdentity
    ) {
        let gateway = editions[editions.count - 1].ports[portIndex(connection.server.port)].gateway
        shard.opaqueOctets(gateway: gateway, TrafficMetrics.OpaqueReason(reason), count: count)
    }

    mutating func connectionClosed(_ end: ConnectionEnd, on connection: HTTPConnectionIdentity) {
        let gateway = editions[editions.count - 1].ports[portIndex(connection.server.port)].gateway
        shard.connectionClosed(gateway: gateway, ConnectionCloseReason(end))
    }

    mutating func parsingFailed(_ failure: ParseFailure, on connection: HTTPConnectionIdentity) {
        parseFailures[Int(failure.rawValue)] += 1
    }

    /// Streams that could not be read on, by `ParseFailure`.
    private(set) var parseFailures = [Int](repeating: 0, count: ParseFailure.allCases.count)
}

extension ExchangeObservation {
    /// What is counted of an exchange.
    init(_ exchange: borrowing Exchange) {
        self.init(
            method: RequestMethodLabel(exchange.method),
            status: exchange.status,
            errorType: ErrorTypeLabel(exchange.integrity),
            durationNanoseconds: exchange.durationNanoseconds,
            firstByteNanoseconds: exchange.thinkingNanoseconds,
            requestBodyBytes: Int(exchange.request.contentOctets),
            responseBodyBytes: Int(exchange.response.contentOctets),
            upgradedToWebSocket: exchange.successor == .webSocket,
            startedAt: exchange.startTime.nanoseconds
        )
    }
}
