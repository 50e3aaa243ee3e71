// Wingmirror · Apache-2.0

import Testing

@testable import TrafficMetrics

/// gRPC calls and WebSockets, as they are counted.
@Suite struct StreamMetricsTests {
    private static func call(_ status: Int?, messages: Int = 1, error: ErrorTypeLabel = .none) -> ExchangeObservation {
        var exchange = ExchangeObservation(
            method: .post,
            requestProtocol: .grpc,
            status: 200,
            errorType: error,
            durationNanoseconds: messages > 1 ? nil : 30_000_000,
            grpcStatus: status,
            call: CallObservation(requestMessages: 1, responseMessages: messages),
            startedAt: 1
        )
        if messages > 1 {
            exchange.call?.stream = CallObservation.Stream(
                firstMessageNanoseconds: 20_000_000,
                lastMessageNanoseconds: 80_000_000_000,
                lifetimeNanoseconds: 90_000_000_000
            )
        }
        return exchange
    }

    private static func webSocket(_ code: UInt16?, texts: Int = 3) -> WebSocketObservation {
        WebSocketObservation(
            request: .init(textMessages: texts, pings: 2, payloadBytes: 30),
            response: .init(binaryMessages: 5, pongs: 2, payloadBytes: 50),
            closeCode: CloseCodeLabel(code: code),
            lifetimeNanoseconds: 2_000_000_000,
            pingNanoseconds: [1_000_000, 3_000_000],
            startedAt: 1
        )
    }

    @Test func `a stream's duration is a lifetime, and no request duration`() throws {
        let scenario = try Scenario(routes: 1, shardCount: 2)
        let route = scenario.table.series(ofRoute: 0)
        scenario.shard.exchangeCompleted(route: route, Self.call(0, messages: 7))
        scenario.registry.shards[1].exchangeCompleted(route: route, Self.call(0))
        let page = try scenario.scrape()
        #expect(page.sum("wingmirror_http_request_duration_seconds_count") == 1)
        #expect(page.sum("wingmirror_grpc_stream_duration_seconds_count") == 1)
        #expect(page.sum("wingmirror_grpc_stream_duration_seconds_bucket", where: ["le": "60.0"]) == 0)
        #expect(page.sum("wingmirror_grpc_stream_duration_seconds_bucket", where: ["le": "300.0"]) == 1)
        #expect(page.sum("wingmirror_grpc_messages_total", where: ["direction": "request"]) == 2)
        #expect(page.sum("wingmirror_grpc_messages_total", where: ["direction": "response"]) == 8)
        #expect(page.sum("wingmirror_grpc_stream_first_message_seconds_sum") == 0.02)
        #expect(page.sum("wingmirror_grpc_stream_last_message_seconds_sum") == 80)
        #expect(page.sum("wingmirror_grpc_responses_total", where: ["grpc_response_status": "0"]) == 2)
    }

    @Test func `a call without a status has none`() throws {
        let scenario = try Scenario(routes: 1)
        scenario.shard.exchangeCompleted(
            route: scenario.table.series(ofRoute: 0),
            Self.call(nil, error: .clientClosed)
        )
        let page = try scenario.scrape()
        #expect(page.sum("wingmirror_grpc_responses_total") == 0)
        #expect(page.sum(TrafficShardTests.requests, where: ["error_type": "client_closed"]) == 1)
    }

    @Test func `a failed call is a failure of its route, though its status of HTTP is 200`() throws {
        let scenario = try Scenario(routes: 1)
        let route = scenario.table.series(ofRoute: 0)
        scenario.shard.exchangeCompleted(route: route, Self.call(14, error: .grpcError))
        scenario.shard.exchangeCompleted(route: route, Self.call(5))
        #expect(scenario.registry.routeSummaries().map(\.failureCount) == [1])
        let page = try scenario.scrape()
        let failed = ["response_code": "200", "error_type": "grpc_error", "request_protocol": "grpc"]
        #expect(page.sum(TrafficShardTests.requests, where: failed) == 1)
    }

    /// An increase needs a zero before it.
    @Test func `a route that takes calls has the series of their commonest failures before the first`() throws {
        let scenario = try Scenario(routes: 1)
        scenario.shard.exchangeCompleted(route: scenario.table.series(ofRoute: 0), Self.call(0))
        let family = try #require(try scenario.scrape().samples[TrafficShardTests.requests])
        let zeros = family.filter { $0.value == 0 && $0.key.labels["request_protocol"] == "grpc" }.keys
        #expect(
            Set(zeros.map { "\($0.labels["response_code"] ?? "") \($0.labels["error_type"] ?? "")" })
                == ["200 grpc_error", "0 no_response"]
        )
    }

    @Test func `at the series limit a failed call stays a failure`() throws {
        let scenario = try Scenario(routes: 1, seriesLimit: RequestCombination.outcomeCount)
        scenario.shard.exchangeCompleted(route: scenario.table.series(ofRoute: 0), Self.call(14, error: .grpcError))
        let page = try scenario.scrape()
        let folded = ["error_type": "grpc_error", "request_protocol": "__overflow__", "route": "route-0000"]
        #expect(page.sum(TrafficShardTests.requests, where: folded) == 1)
    }

    @Test func `the usual errors are those of a server, and another list takes their place`() throws {
        #expect(GRPCStatusSet.usualErrors.statuses == [2, 4, 12, 13, 14, 15])
        let chosen = GRPCStatusSet([14, 99, -1, 8])
        #expect(chosen.statuses == [8, 14])
        #expect(!chosen.contains(99) && !chosen.contains(-1) && !chosen.contains(Int.max))
        #expect(GRPCStatusSet.names.count == 17)
    }

    @Test(arguments: [
        (UInt16?.some(1000), "1000"), (1003, "1003"), (1011, "1011"), (1005, "_OTHER"), (1006, "_OTHER"),
        (3000, "3xxx"),
        (4999, "4xxx"), (5000, "_OTHER"), (0, "_OTHER"), (nil, "none"),
    ])
    func `a close code is one of a closed list`(code: UInt16?, label: String) {
        #expect(CloseCodeLabel(code: code).text == label)
    }

    @Test func `a WebSocket is open until it ends, and then counted by how it was closed`() throws {
        let scenario = try Scenario(routes: 1)
        let gateway = scenario.table.series(ofGateway: 0)
        let shard = scenario.shard
        shard.requestBegan(gateway: gateway)
        shard.webSocketOpened(gateway: gateway)
        let open = try scenario.scrape()
        #expect(open.sum("wingmirror_websockets_open") == 1)
        #expect(open.sum("wingmirror_http_requests_in_flight") == 0)
        shard.webSocketClosed(gateway: gateway)
        var webSocket = Self.webSocket(nil)
        webSocket.closeCode = .withoutFrame
        shard.webSocketEnded(route: scenario.table.series(ofRoute: 0), webSocket)
        let page = try scenario.scrape()
        #expect(page.sum("wingmirror_websockets_open") == 0)
        let messages = try #require(page.samples["wingmirror_websocket_messages_total"])
        #expect(
            Set(
                messages.map { key, value in
                    "\(key.labels["direction"] ?? "") \(key.labels["kind"] ?? "") \(Int(value))"
                }
            )
                == ["request text 3", "request ping 2", "response binary 5", "response pong 2"]
        )
        #expect(page.sum("wingmirror_websocket_bytes_total", where: ["direction": "request"]) == 30)
        #expect(page.sum("wingmirror_websocket_bytes_total", where: ["direction": "response"]) == 50)
        #expect(page.sum("wingmirror_websocket_closes_total", where: ["close_code": "1006"]) == 1)
        #expect(page.sum("wingmirror_websocket_ping_seconds_count") == 2)
        #expect(page.sum("wingmirror_websocket_duration_seconds_sum") == 2)
    }

    @Test func `a route without WebSockets and calls has no series of them`() throws {
        let scenario = try Scenario(routes: 1)
        scenario.exchange(0)
        let page = try scenario.scrape()
        let families = LimitedFamily.allCases.map(\.family.name).filter {
            $0.contains("grpc") || $0.contains("websocket")
        }
        #expect(families.count == 11)
        for family in families { #expect(page.sum("wingmirror_metric_series", where: ["family": family]) == 0) }
    }

    @Test func `beyond the limit what is counted of WebSockets loses the route's name and nothing else`() throws {
        let scenario = try Scenario(routes: 2, seriesLimit: RequestCombination.outcomeCount)
        for route in 0..<2 {
            for code in [1000, 1001, 1011] as [UInt16] {
                scenario.shard.webSocketEnded(route: scenario.table.series(ofRoute: route), Self.webSocket(code))
            }
            scenario.shard.exchangeCompleted(
                route: scenario.table.series(ofRoute: route),
                Self.call(0, messages: 2)
            )
        }
        let page = try scenario.scrape()
        #expect(page.sum("wingmirror_websocket_closes_total") == 6)
        #expect(page.sum("wingmirror_websocket_closes_total", where: ["route": "__overflow__"]) == 3)
        #expect(page.sum("wingmirror_websocket_messages_total") == 72)
        #expect(page.sum("wingmirror_websocket_bytes_total") == 480)
        #expect(page.sum("wingmirror_websocket_duration_seconds_count") == 6)
        #expect(page.sum("wingmirror_websocket_ping_seconds_count") == 12)
        #expect(page.sum("wingmirror_grpc_messages_total") == 6)
        #expect(page.sum("wingmirror_grpc_stream_duration_seconds_count", where: ["route": "__overflow__"]) == 1)
        let lost = ["family": "wingmirror_websocket_bytes_total", "lost": "route"]
        #expect(page.sum("wingmirror_metric_series_overflow_total", where: lost) == 3)
    }

    @Test func `of many close codes a route keeps the normal one and the sum of the others`() throws {
        let scenario = try Scenario(routes: 100, seriesLimit: 100 * RequestCombination.outcomeCount)
        let codes = (1000...1015).map { UInt16($0) }
        for route in 0..<100 {
            for code in codes {
                scenario.shard.webSocketEnded(route: scenario.table.series(ofRoute: route), Self.webSocket(code))
            }
        }
        let page = try scenario.scrape()
        let family = MetricCatalogue.websocketCloses.name
        #expect(page.sum(family) == 1600)
        #expect(page.sum(family, where: ["close_code": "1000"]) == 100)
        #expect(page.sum(family, where: ["route": "__overflow__"]) == 0)
        let counted = page.sum("wingmirror_metric_series", where: ["family": family])
        #expect(counted <= Double(100 * RequestCombination.outcomeCount))
        let folded = page.sum("wingmirror_metric_series_overflow_total", where: ["family": family, "lost": "code"])
        // 1005, 1006 and 1015 are no codes of a frame.
        #expect(page.sum(family, where: ["close_code": "_OTHER"]) == folded + 300)
    }
}
