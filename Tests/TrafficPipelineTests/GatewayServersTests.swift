// Wingmirror · Apache-2.0

import PacketDecoding
import RouteAttribution
import Synchronization
import TestSupport
import Testing
import TrafficMetrics

@testable import TrafficPipeline

/// Where no address of the gateway is known: its own connections are told from those of its clients.
@Suite struct GatewayServersTests {
    private static func address(_ text: String) -> IPAddress {
        guard let address = IPAddress(text) else { preconditionFailure("GatewayServersTests.address: \(text)") }
        return address
    }

    private static let client = address("192.0.2.9")
    private static let gateway = address("10.1.0.7")
    private static let backend = address("10.1.0.9")
    private static let other = address("10.1.0.10")

    private static func port(_ address: IPAddress, _ port: UInt16 = 8080) -> Endpoint {
        Endpoint(address: address, port: port)
    }

    /// Servers that an expectation can ask.
    private final class Scene {
        var servers: GatewayServers

        init(isElsewhere: (@Sendable (IPAddress) -> Bool?)? = nil) {
            servers = GatewayServers(isElsewhere: isElsewhere)
        }

        func requestArrived(from client: IPAddress, to server: Endpoint, at time: Int64) -> Bool {
            servers.requestArrived(from: client, to: server, at: time)
        }
    }

    private static let second: Int64 = 1_000_000_000

    @Test func `what an address asks that answers itself does not count, from the first request on`() {
        let scene = Scene()
        #expect(!scene.requestArrived(from: Self.client, to: Self.port(Self.gateway), at: 1))
        #expect(scene.requestArrived(from: Self.gateway, to: Self.port(Self.backend), at: 2))
        #expect(scene.servers.isForeignConnection(from: Self.gateway, to: Self.port(Self.backend)))
        #expect(!scene.servers.isForeignConnection(from: Self.client, to: Self.port(Self.gateway)))
    }

    @Test func `what passes by to a server on another machine does not count, and is told apart`() {
        let scene = Scene { $0 == Self.other }
        #expect(scene.requestArrived(from: Self.client, to: Self.port(Self.other), at: 1))
        #expect(!scene.requestArrived(from: Self.client, to: Self.port(Self.gateway), at: 2))
        #expect(scene.servers.isForeignConnection(from: Self.client, to: Self.port(Self.other)))
        #expect(!scene.servers.isForeignConnection(from: Self.client, to: Self.port(Self.gateway)))
        scene.servers.captureEnded()
        let found = scene.servers.report.map { [$0.requests, $0.passedBy] }
        #expect(found.contains([0, 1]) && found.contains([1, 0]))
    }

    @Test func `an address that comes to this node is asked about again after a minute`() {
        let isAway = Mutex(true)
        let scene = Scene { _ in isAway.withLock { $0 } }
        #expect(scene.requestArrived(from: Self.client, to: Self.port(Self.gateway), at: 0))
        isAway.withLock { $0 = false }
        #expect(scene.requestArrived(from: Self.client, to: Self.port(Self.gateway), at: 59 * Self.second))
        #expect(!scene.requestArrived(from: Self.client, to: Self.port(Self.gateway), at: 60 * Self.second))
    }

    @Test func `an address that asks itself is no proxy`() {
        let scene = Scene()
        #expect(!scene.requestArrived(from: Self.gateway, to: Self.port(Self.gateway), at: 1))
        #expect(!scene.requestArrived(from: Self.gateway, to: Self.port(Self.gateway, 8443), at: 2))
    }

    @Test func `a pod behind the gateway that asks the gateway is a client, and one that asks another pod is not`() {
        let scene = Scene()
        _ = scene.requestArrived(from: Self.client, to: Self.port(Self.gateway), at: 1)
        _ = scene.requestArrived(from: Self.gateway, to: Self.port(Self.backend), at: 2)
        #expect(!scene.requestArrived(from: Self.backend, to: Self.port(Self.gateway), at: 3))
        #expect(scene.requestArrived(from: Self.backend, to: Self.port(Self.other), at: 4))
    }

    @Test func `a gateway whose own requests cannot be read is known by its connections`() {
        let scene = Scene()
        scene.servers.serverAnswers(Self.port(Self.gateway, 8443))
        #expect(scene.requestArrived(from: Self.gateway, to: Self.port(Self.backend), at: 1))
    }

    @Test func `an address that answers no more is a client like any other after a while`() {
        let scene = Scene()
        _ = scene.requestArrived(from: Self.client, to: Self.port(Self.gateway), at: 0)
        #expect(!scene.requestArrived(from: Self.gateway, to: Self.port(Self.backend), at: 600 * Self.second))
    }

    @Test func `more servers than there is room for are counted still, and room is made when others fall silent`() {
        let scene = Scene()
        func server(_ number: Int) -> Endpoint { Self.port(IPAddress(ipv4: 0x0A01_0000 + UInt32(number))) }
        for number in 0..<1000 {
            #expect(!scene.requestArrived(from: Self.client, to: server(number), at: 1))
        }
        #expect(!scene.servers.isForeignConnection(from: server(999).address, to: Self.port(Self.backend)))
        let later = 700 * Self.second
        #expect(!scene.requestArrived(from: Self.client, to: server(999), at: later))
        #expect(scene.requestArrived(from: server(999).address, to: Self.port(Self.backend), at: later))
        scene.servers.captureEnded()
        #expect(scene.servers.report.map(\.endpoint) == [server(999), Self.port(Self.backend)])
    }

    @Test func `the report has the busiest first, and is renewed once a second`() {
        let scene = Scene()
        _ = scene.requestArrived(from: Self.client, to: Self.port(Self.other), at: 1)
        scene.servers.batchEnded(at: 1)
        for _ in 0..<3 { _ = scene.requestArrived(from: Self.client, to: Self.port(Self.gateway), at: 2) }
        scene.servers.batchEnded(at: 2)
        #expect(scene.servers.report.map(\.requests) == [1])
        scene.servers.batchEnded(at: 1 + Self.second)
        #expect(scene.servers.report.map(\.requests) == [3, 1])
    }

    @Test func `what several workers counted of a server is added up, also what passed by`() {
        var figures = PipelineFigures()
        for _ in 0..<2 {
            var server = GatewayServer(Self.port(Self.gateway))
            (server.requests, server.sentOn, server.passedBy) = (1, 2, 3)
            var part = PipelineFigures()
            part.gatewayServers = [server]
            figures.add(part)
        }
        #expect(figures.gatewayServers.map { [$0.requests, $0.sentOn, $0.passedBy] } == [[2, 4, 6]])
    }

    @Test func `whether a server is elsewhere is asked again with the next request where it could not be said`() {
        let answers = Mutex<[Bool?]>([nil, nil, true, false])
        let scene = Scene { _ in answers.withLock { $0.removeFirst() } }
        #expect(!scene.requestArrived(from: Self.client, to: Self.port(Self.gateway), at: 1))
        #expect(!scene.requestArrived(from: Self.client, to: Self.port(Self.gateway), at: 2))
        #expect(scene.requestArrived(from: Self.client, to: Self.port(Self.gateway), at: 3))
        #expect(scene.requestArrived(from: Self.client, to: Self.port(Self.gateway), at: 4))
        #expect(answers.withLock(\.count) == 1)
    }

    // MARK: - Through the pipeline

    /// Requests that pass through a gateway to two backends on its own port, as `first-use.md` A1 met them.
    private static func samples(_ family: String, places: GatewayPlaces = GatewayPlaces()) throws -> [String] {
        let registry = MetricsRegistry()
        let tables = RouteTables(try RouteTable.onPort8080(yaml: OneGateway.manifest(with: "v")))
        let boards = WorkerBoards(registry)
        var pipeline = TrafficPipeline(
            routes: RouteBoard(tables, places: places, registry: registry, at: 0),
            board: boards.sole
        )
        var time: Int64 = 0
        for number in 0..<10 {
            let port = UInt16(20_000 + number)
            let legs = [(client, gateway), (gateway, number.isMultiple(of: 2) ? backend : other)]
            for (from, to) in legs {
                let frames = Conversation.frames(
                    from: Endpoint(address: from, port: port),
                    to: Self.port(to),
                    "GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n",
                    "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
                )
                for octets in frames {
                    time += 1_000_000
                    pipeline.packetArrived(.ethernet(octets, at: time), octets: octets.span)
                }
            }
            pipeline.batchEnded()
        }
        // The report is complete a while later, though no packet comes any more.
        pipeline.timeAdvanced(to: PacketTime(nanoseconds: time + 2 * second))
        let servers = boards.figures.gatewayServers
        pipeline.captureEnded()
        #expect(servers.first.map { [$0.requests, $0.sentOn] } == (places == GatewayPlaces() ? [10, 10] : nil))
        return TextExposition.samples(of: registry, family)
    }

    @Test func `requests that a proxy passes on to servers on its own port are counted once`() throws {
        let counted = try Self.samples("wingmirror_http_requests_total")
        #expect(counted.count == 1 && counted[0].hasSuffix(" 10"))
        let unmatched = try Self.samples("wingmirror_http_requests_unmatched_total")
        #expect(unmatched.count == 1 && unmatched[0].contains("no_listener") && unmatched[0].hasSuffix(" 10"))
    }

    @Test func `with the gateway's address named the figures are the same, and nothing has to be learnt`() throws {
        for family in ["wingmirror_http_requests_total", "wingmirror_http_requests_unmatched_total"] {
            #expect(try Self.samples(family, places: GatewayPlaces([[Self.gateway]])) == Self.samples(family))
        }
    }
}
