// Wingmirror · Apache-2.0

import Testing
import TrafficModel

@testable import TrafficMetrics

@Suite struct TrafficShardTests {
    static let requests = "wingmirror_http_requests_total"
    static let duration = "wingmirror_http_request_duration_seconds"

    @Test func `an exchange is counted in every family of its route`() throws {
        let scenario = try Scenario(routes: 1)
        scenario.shard.exchangeCompleted(
            route: scenario.table.series(ofRoute: 0),
            ExchangeObservation(
                method: .post,
                requestProtocol: .grpc,
                status: 200,
                durationNanoseconds: 30_000_000,
                serverWaitNanoseconds: 4_000_000,
                requestBodyBytes: 1024,
                responseBodyBytes: 5_000_000,
                grpcStatus: 14,
                upgradedToWebSocket: true,
                startedAt: 12_500_000_000
            )
        )
        let page = try scenario.scrape()
        #expect(
            page.sum(
                Self.requests,
                where: [
                    "route": "route-0000", "request_method": "POST", "request_protocol": "grpc",
                    "response_code": "200", "error_type": "", "destination_subset": "v1",
                ]
            ) == 1
        )
        #expect(page.sum(Self.duration + "_bucket", where: ["le": "0.025"]) == 0)
        #expect(page.sum(Self.duration + "_bucket", where: ["le": "0.05", "response_code_class": "2xx"]) == 1)
        #expect(page.sum(Self.duration + "_sum") == 0.03)
        #expect(page.sum("wingmirror_http_server_wait_seconds_bucket", where: ["le": "0.005"]) == 1)
        #expect(page.sum("wingmirror_http_request_body_size_bytes_bucket", where: ["le": "1024.0"]) == 1)
        #expect(page.sum("wingmirror_http_response_body_size_bytes_bucket", where: ["le": "4.194304e+06"]) == 0)
        #expect(page.sum("wingmirror_http_response_body_size_bytes_sum") == 5_000_000)
        #expect(page.sum("wingmirror_grpc_responses_total", where: ["grpc_response_status": "14"]) == 1)
        #expect(page.sum("wingmirror_websocket_upgrades_total") == 1)
    }

    @Test func `an exchange without a response has code zero, no class, and no response size`() throws {
        let scenario = try Scenario(routes: 1)
        scenario.exchange(0, status: 0, errorType: .noResponse, milliseconds: 5)
        let page = try scenario.scrape()
        #expect(page.sum(Self.requests, where: ["response_code": "0", "error_type": "no_response"]) == 1)
        #expect(page.sum(Self.duration + "_count", where: ["response_code_class": "none"]) == 1)
        #expect(page.sum("wingmirror_http_request_body_size_bytes_count") == 1)
        #expect(page.sum("wingmirror_http_response_body_size_bytes_count") == 0)
    }

    @Test(arguments: [
        (0, "0"), (99, "_OTHER"), (100, "100"), (599, "599"), (600, "_OTHER"), (-7, "unknown"), (Int.max, "_OTHER"),
    ])
    func `a status outside of the defined classes is one label value`(_ status: Int, _ label: String) throws {
        let scenario = try Scenario(routes: 1)
        scenario.exchange(0, status: status)
        #expect(try scenario.scrape().sum(Self.requests, where: ["response_code": label]) == 1)
    }

    @Test func `durations below zero count as zero`() throws {
        let scenario = try Scenario(routes: 1)
        scenario.exchange(0, milliseconds: -3)
        let page = try scenario.scrape()
        #expect(page.sum(Self.duration + "_bucket", where: ["le": "0.005"]) == 1)
        #expect(page.sum(Self.duration + "_sum") == 0)
    }

    @Test func `shards add up`() throws {
        let scenario = try Scenario(routes: 2, shardCount: 3)
        for shard in 0..<3 {
            scenario.exchange(0, shard: shard, status: 200 + shard % 2)
            scenario.exchange(1, shard: shard, status: 503, milliseconds: 20 + Int64(shard))
        }
        let page = try scenario.scrape()
        #expect(page.sum(Self.requests, where: ["route": "route-0000", "response_code": "200"]) == 2)
        #expect(page.sum(Self.requests, where: ["route": "route-0000", "response_code": "201"]) == 1)
        #expect(page.sum(Self.duration + "_count", where: ["route": "route-0001"]) == 3)
        #expect(page.sum(Self.duration + "_sum", where: ["route": "route-0001"]) == 0.063)
    }

    @Test func `a route has its likeliest series and those of its commonest failures before its first request`() throws
    {
        let page = try Scenario(routes: 2).scrape()
        let family = try #require(page.samples[Self.requests])
        #expect(family.count == 12)
        #expect(family.values.allSatisfy { $0 == 0 })
        #expect(family.keys.allSatisfy { $0.labels["request_method"] == "GET" })
        #expect(Set(family.keys.map { $0.labels["response_code"] }) == ["0", "200", "500", "503", "504"])
    }

    @Test func `every reason for which a request is unmatched has a series before the first such request`() throws {
        let scenario = try Scenario(routes: 0)
        let reasons = { (gateway: String) in
            let page = try scenario.scrape()
            let family = try #require(page.samples["wingmirror_http_requests_unmatched_total"])
            return Set(family.keys.filter { $0.labels["gateway"] == gateway }.compactMap { $0.labels["reason"] })
        }
        let all = Set(UnmatchedReason.allCases.map(\.text))
        #expect(try reasons(Scenario.gateway) == all)
        // Connections without a Gateway need not come at all.
        #expect(try reasons("").isEmpty)
        scenario.shard.requestUnmatched(gateway: .none, reason: .noListener, status: 200)
        #expect(try reasons("") == all)
    }

    @Test func `what belongs to a gateway is counted for it, and for none`() throws {
        let scenario = try Scenario(routes: 0)
        let gateway = scenario.table.series(ofGateway: 0)
        let shard = scenario.shard
        shard.requestUnmatched(gateway: gateway, reason: .noMatch, status: 404)
        shard.requestUnmatched(gateway: .none, reason: .noListener, status: 0)
        shard.requestBegan(gateway: gateway)
        shard.requestBegan(gateway: gateway)
        shard.requestEnded(gateway: gateway)
        shard.connectionOpened(gateway: gateway, .http1)
        shard.connectionClosed(gateway: gateway, .evicted)
        shard.connectionIsOpaque(gateway: gateway, .tls)
        shard.opaqueOctets(gateway: gateway, .tls, count: 1500)
        shard.messageUnpaired(.response)
        let page = try scenario.scrape()
        let ours = ["gateway": Scenario.gateway]
        #expect(page.sum("wingmirror_http_requests_unmatched_total", where: ours) == 1)
        #expect(
            page.sum("wingmirror_http_requests_unmatched_total", where: ["gateway": "", "reason": "no_listener"]) == 1
        )
        #expect(page.sum("wingmirror_http_requests_in_flight", where: ours) == 1)
        #expect(page.sum("wingmirror_connections_opened_total", where: ["protocol": "http1"]) == 1)
        #expect(page.sum("wingmirror_connections_closed_total", where: ["reason": "evicted"]) == 1)
        #expect(page.sum("wingmirror_opaque_connections_total", where: ["reason": "tls"]) == 1)
        #expect(page.sum("wingmirror_opaque_bytes_total", where: ["reason": "tls"]) == 1500)
        #expect(page.sum("wingmirror_http_unpaired_messages_total", where: ["kind": "response"]) == 1)
        #expect(
            scenario.registry.unmatchedSummaries() == [
                UnmatchedSummary(gateway: "", reason: .noListener, requestsByClass: [.none: 1]),
                UnmatchedSummary(gateway: Scenario.gateway, reason: .noMatch, requestsByClass: [.clientError: 1]),
            ]
        )
    }

    @Test func `a summary has what a table for people shows`() throws {
        var scenario = try Scenario(routes: 1)
        scenario.pass(minutes: 1)
        for _ in 0..<97 { scenario.exchange(0, milliseconds: 10) }
        scenario.pass(minutes: 1)
        scenario.exchange(0, status: 503, errorType: .serviceError, milliseconds: 900)
        scenario.exchange(0, status: 0, errorType: .noResponse, milliseconds: nil)
        scenario.exchange(0, status: -1, milliseconds: nil)
        let summary = try #require(scenario.registry.routeSummaries().first)
        #expect(summary.labels == Scenario.labels(0))
        #expect(summary.requestCount == 100)
        #expect(summary.failureCount == 2)
        #expect(summary.requestBodyBytes == 1000)
        #expect(summary.responseBodyBytes == 98 * 2000)
        #expect(summary.firstRequestAt == Scenario.minute)
        #expect(summary.lastRequestAt == 2 * Scenario.minute)
        #expect(summary.durations.count == 98)
        let median = try #require(summary.durations.quantile(0.5))
        #expect(abs(median / 0.010 - 1) < 0.0906)
        let high = try #require(summary.durations.quantile(0.999))
        #expect(abs(high / 0.9 - 1) < 0.0906)
    }
}
