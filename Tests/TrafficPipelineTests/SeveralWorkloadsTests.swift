// Wingmirror · Apache-2.0

import PacketCapture
import PacketDecoding
import ResourceFiles
import RouteAttribution
import TestSupport
import Testing
import TrafficMetrics

@testable import TrafficPipeline

/// Several gateways on one node: the tables of each are asked for its own requests alone.
@Suite struct SeveralWorkloadsTests {
    /// Two workloads with one Gateway each, for the same host on the same port, and a Gateway that both of them serve.
    private static let objects = """
        apiVersion: networking.istio.io/v1
        kind: Gateway
        metadata: {name: outer, namespace: edge}
        spec: {selector: {istio: outer}, servers: [{port: {number: 80, name: a, protocol: HTTP}, hosts: ["*"]}]}
        ---
        apiVersion: networking.istio.io/v1
        kind: Gateway
        metadata: {name: inner, namespace: edge}
        spec: {selector: {istio: inner}, servers: [{port: {number: 80, name: b, protocol: HTTP}, hosts: ["*"]}]}
        ---
        apiVersion: networking.istio.io/v1
        kind: Gateway
        metadata: {name: both, namespace: edge}
        spec: {selector: {team: edge}, servers: [{port: {number: 81, name: c, protocol: HTTP}, hosts: ["*"]}]}
        ---
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: outer, namespace: shop}
        spec: {hosts: [shop.test], gateways: [edge/outer], http: [{name: of-outer, route: [{destination: {host: a}}]}]}
        ---
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: inner, namespace: shop}
        spec: {hosts: [shop.test], gateways: [edge/inner], http: [{name: of-inner, route: [{destination: {host: b}}]}]}
        ---
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: both, namespace: shop}
        spec: {hosts: [shop.test], gateways: [edge/both], http: [{name: of-both, route: [{destination: {host: c}}]}]}
        """

    private static func tables() throws -> RouteTables {
        let resources = RouteResources(decoding: try YAMLDocuments.parse(objects).map(\.value))
        return RouteTables(
            ["outer", "inner"].map { name in
                var environment = RouteEnvironment()
                environment.namespace = "edge"
                environment.labels = ["istio": name, "team": "edge"]
                environment.ports = [GatewayPort(pod: 8080, server: 80), GatewayPort(pod: 8081, server: 81)]
                return RouteTable.compile(resources, environment: environment).table
            }
        )
    }

    /// The hashes of the tables, by the labels of the pods, of an agent that has these workloads' tables.
    private static func hashes(_ tables: RouteTables) -> [String: String] {
        let registry = MetricsRegistry()
        _ = RouteBoard(tables, registry: registry, at: 0)
        let samples = TextExposition.samples(of: registry, "wingmirror_route_table_info")
        let pairs = samples.compactMap { sample -> (String, String)? in
            let values = sample.split(separator: "\"", omittingEmptySubsequences: false)
            guard values.count == 7, values[1] == "edge" else { return nil }
            return (String(values[3]), String(values[5]))
        }
        return Dictionary(pairs) { first, _ in first }
    }

    @Test func `each gateway has a hash of its own table, whatever else runs on the node`() throws {
        let both = Self.hashes(try Self.tables())
        #expect(both.keys.sorted() == ["istio=inner,team=edge", "istio=outer,team=edge"])
        #expect(Set(both.values).count == 2)
        let alone = Self.hashes(RouteTables(try Self.tables().tables[1]))
        #expect(alone == both.filter { $0.key == "istio=inner,team=edge" })
    }

    private static let client = address("192.0.2.9")
    private static let outer = address("10.1.0.7")
    private static let inner = address("10.1.0.8")

    private static func address(_ text: String) -> IPAddress {
        guard let address = IPAddress(text) else { preconditionFailure("SeveralWorkloadsTests.address: \(text)") }
        return address
    }

    /// Sends requests, each on a connection of its own, and returns the samples of a family that are not zero.
    private static func samples(
        _ family: String,
        of requests: [(server: IPAddress, port: UInt16)],
        places: GatewayPlaces = GatewayPlaces([[outer], [inner]])
    ) throws -> [String] {
        let registry = MetricsRegistry()
        let board = RouteBoard(try tables(), places: places, registry: registry, at: 0)
        var pipeline = TrafficPipeline(routes: board, board: WorkerBoards(registry).sole)
        var time: Int64 = 0
        for (number, request) in requests.enumerated() {
            let frames = Conversation.frames(
                from: Endpoint(address: client, port: UInt16(20_000 + number)),
                to: Endpoint(address: request.server, port: request.port),
                "GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n",
                "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
            )
            for octets in frames {
                time += 1_000_000
                pipeline.packetArrived(.ethernet(octets, at: time), octets: octets.span)
            }
        }
        pipeline.captureEnded()
        return TextExposition.samples(of: registry, family)
    }

    @Test func `requests for one host on one port are counted by the workload that they were sent to`() throws {
        let samples = try Self.samples(
            "wingmirror_http_requests_total",
            of: [(Self.outer, 8080), (Self.inner, 8080), (Self.inner, 8080)]
        )
        #expect(
            samples.contains {
                $0.contains(#"gateway="edge/outer""#) && $0.contains("of-outer") && $0.hasSuffix(" 1")
            }
        )
        #expect(
            samples.contains {
                $0.contains(#"gateway="edge/inner""#) && $0.contains("of-inner") && $0.hasSuffix(" 2")
            }
        )
        #expect(samples.count == 2)
    }

    @Test func `a Gateway that two workloads serve has one series for both`() throws {
        let samples = try Self.samples(
            "wingmirror_http_requests_total",
            of: [(Self.outer, 8081), (Self.inner, 8081), (Self.inner, 8081)]
        )
        #expect(samples.count == 1 && samples[0].contains(#"gateway="edge/both""#) && samples[0].hasSuffix(" 3"))
        #expect(try Self.tables().gateways.sorted() == ["edge/both", "edge/inner", "edge/outer"])
    }

    @Test func `a server that is no gateway of the node reaches no listener`() throws {
        let elsewhere: [(server: IPAddress, port: UInt16)] = [(Self.address("10.1.0.9"), 8080), (Self.outer, 9090)]
        #expect(try Self.samples("wingmirror_http_requests_total", of: elsewhere).isEmpty)
        let unmatched = try Self.samples("wingmirror_http_requests_unmatched_total", of: elsewhere)
        #expect(unmatched.count == 1 && unmatched[0].contains("no_listener") && unmatched[0].hasSuffix(" 2"))
    }

    @Test func `pods with the node's network share its address, and the port says whose the request is`() throws {
        let node = Self.address("192.0.2.1")
        let resources = RouteResources(decoding: try YAMLDocuments.parse(Self.objects).map(\.value))
        let tables = RouteTables(
            [("outer", UInt16(8080)), ("inner", 9090)].map { name, port in
                var environment = RouteEnvironment()
                environment.namespace = "edge"
                environment.labels = ["istio": name]
                environment.ports = [GatewayPort(pod: port, server: 80)]
                return RouteTable.compile(resources, environment: environment).table
            }
        )
        let places = GatewayPlaces([[node], [node]])
        #expect(places.workload(of: Endpoint(address: node, port: 8080), in: tables) == 0)
        #expect(places.workload(of: Endpoint(address: node, port: 9090), in: tables) == 1)
        #expect(places.workload(of: Endpoint(address: node, port: 1), in: tables) == 0)
    }

    @Test func `a described request is explained by the first workload that has a route for it`() throws {
        let tables = try Self.tables()
        let request = DescribedRequest(
            method: "GET",
            target: "/",
            authority: "shop.test",
            headers: [],
            port: 80
        )
        #expect(tables.workload(for: request) == 0)
        let number = tables.number(ofRoute: 0, workload: 1)
        #expect(tables.routes[number].identity == tables.tables[1].routes[0].identity)
    }
}
