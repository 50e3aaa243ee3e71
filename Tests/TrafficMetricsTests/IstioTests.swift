// Wingmirror · Apache-2.0
// Istio's standard metrics.

import Testing

@testable import TrafficMetrics

@Suite struct IstioTests {
    private static func page(_ services: [String], _ exchanges: [ExchangeObservation]) throws -> ExpositionReader {
        let registry = MetricsRegistry()
        let labels = services.enumerated().map { number, service in
            RouteLabels(
                gateway: Scenario.gateway,
                virtualServiceNamespace: "shop",
                virtualService: "vs",
                route: "route-\(number)",
                destinationService: service,
                destinationSubset: ""
            )
        }
        let table = registry.routesPublished(
            RouteTableDescription(generation: 1, series: labels, gateways: []),
            at: 0
        )
        registry.shards[0].routesChanged(to: table)
        for index in labels.indices {
            for exchange in exchanges {
                registry.shards[0].exchangeCompleted(route: table.series(ofRoute: index), exchange)
            }
        }
        var body: [UInt8] = []
        ExpositionWriter(.openMetrics).write(registry.snapshot(at: 0).istio, into: &body)
        return try ExpositionReader(body, .openMetrics)
    }

    private static let exchanges = [
        ExchangeObservation(method: .get, status: 200, durationNanoseconds: 20_000_000, startedAt: 0),
        ExchangeObservation(method: .post, status: 200, durationNanoseconds: 40_000_000, startedAt: 0),
        ExchangeObservation(method: .get, requestProtocol: .grpc, status: 200, grpcStatus: 14, startedAt: 0),
        ExchangeObservation(method: .get, status: 0, errorType: .noResponse, startedAt: 0),
    ]

    @Test func `what Istio does not tell apart is added up, and what nobody sees is unknown`() throws {
        let page = try Self.page(
            ["a.shop.svc.cluster.local", "a.shop.svc.cluster.local", "b.shop.svc"],
            Self.exchanges
        )
        let requests = try #require(page.samples["istio_requests"])
        // Two of each of 0 and 200, of HTTP and of gRPC, and what failures begin with: 500, 503 and 504.
        #expect(requests.count == 14)
        let ours = ["destination_service": "a.shop.svc.cluster.local"]
        #expect(page.sum("istio_requests_total", where: ours) == 8)
        let plain = ["request_protocol": "http", "response_code": "200", "grpc_response_status": ""]
        #expect(page.sum("istio_requests_total", where: ours.merging(plain) { $1 }) == 4)
        let calls = ["request_protocol": "grpc", "grpc_response_status": "unknown"]
        #expect(page.sum("istio_requests_total", where: ours.merging(calls) { $1 }) == 2)
        #expect(page.sum("istio_requests_total", where: ours.merging(["response_code": "0"]) { $1 }) == 2)
        for key in requests.keys {
            #expect(key.labels["reporter"] == "passive")
            #expect(key.labels["destination_service_namespace"] == "shop")
            #expect(key.labels["destination_service_name"]?.count == 1)
            #expect(key.labels.count == 25)
            for name in ["source_workload", "destination_version", "response_flags", "connection_security_policy"] {
                #expect(key.labels[name] == "unknown")
            }
        }
    }

    @Test func `durations are in milliseconds, with our bounds`() throws {
        let page = try Self.page(["a.shop.svc.cluster.local", "a.shop.svc.cluster.local"], Self.exchanges)
        let name = "istio_request_duration_milliseconds"
        #expect(page.sum(name + "_sum") == 120)
        #expect(page.sum(name + "_count", where: ["response_code": "unknown", "request_protocol": "unknown"]) == 4)
        #expect(page.sum(name + "_bucket", where: ["le": "25.0"]) == 2)
        #expect(page.sum(name + "_bucket", where: ["le": "50.0"]) == 4)
        #expect(page.sum(name + "_bucket", where: ["le": "30000.0"]) == 4)
    }

    @Test(arguments: [
        ("reviews.shop.svc.cluster.local", "reviews", "shop"), ("reviews.shop.svc", "reviews", "shop"),
        ("api.example.com", "api.example.com", "unknown"), ("a.b.svcs.org", "a.b.svcs.org", "unknown"),
        ("localhost", "localhost", "unknown"), ("", "unknown", "unknown"), ("__overflow__", "unknown", "unknown"),
    ])
    func `a destination is a service of the mesh or a host`(_ service: String, _ name: String, _ namespace: String)
        throws
    {
        let page = try Self.page([service], Self.exchanges)
        let isKnown = name != "unknown"
        for key in try #require(page.samples["istio_requests"]).keys {
            #expect(key.labels["destination_service"] == (isKnown ? service : "unknown"))
            #expect(key.labels["destination_service_name"] == name)
            #expect(key.labels["destination_service_namespace"] == namespace)
        }
    }

    @Test func `without routes there are no families`() {
        let snapshot = MetricsRegistry().snapshot(at: 0).istio
        #expect(snapshot.families.isEmpty)
    }
}
