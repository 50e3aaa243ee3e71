// Wingmirror · Apache-2.0

import Foundation
import TestSupport
import Testing

@testable import Agent
@testable import AgentCommands
@testable import AgentConfiguration

@Suite struct SeriesEstimateTests {
    private func estimate(routes: Int, limit: Int, callRoutes: Int = 0, rules: Int = 30, gateways: Int = 2)
        -> SeriesEstimate
    {
        SeriesEstimate(
            routes: routes,
            callRoutes: callRoutes,
            rules: rules,
            gateways: gateways,
            durationBounds: 14,
            serverWaitBounds: 7,
            lifetimeBounds: 6,
            limit: limit
        )
    }

    private func family(_ name: String, of estimate: SeriesEstimate) throws -> SeriesEstimate.Family {
        try #require(estimate.families.first { $0.name == "wingmirror_\(name)" })
    }

    @Test func `a histogram has a line for each bound and three more for each label set`() throws {
        let duration = try family("http_request_duration_seconds", of: estimate(routes: 10, limit: 20_000))
        #expect(duration.labelSets == 50)
        #expect(duration.lines == 50 * 17)
        #expect(duration.folds == nil)
    }

    @Test func `the limit takes detail before the names of routes, and says which`() throws {
        let detail = estimate(routes: 70, limit: 1000)
        #expect(try family("http_requests_total", of: detail).labelSets == 1000)
        #expect(try family("http_requests_total", of: detail).folds == .detail)
        #expect(try family("http_server_wait_seconds", of: detail).folds == nil)
        let routes = estimate(routes: 400, limit: 1000)
        #expect(try family("http_requests_total", of: routes).folds == .routes)
        #expect(try family("http_server_wait_seconds", of: routes).labelSets == 71)
        #expect(try family("http_server_wait_seconds", of: routes).folds == .routes)
        #expect(try family("route_info", of: routes).folds == nil)
    }

    @Test func `lines are those of all families`() {
        let estimate = estimate(routes: 10, limit: 20_000)
        #expect(estimate.lines == estimate.families.map(\.lines).reduce(0, +))
        #expect(estimate.lines == 240 + 850 + 100 + 70 + 70 + 10 + 24 + 30 + 30 + 10)
    }

    @Test func `routes of GRPCRoutes have the families of gRPC as well`() throws {
        let estimate = estimate(routes: 10, limit: 20_000, callRoutes: 3)
        #expect(try family("grpc_responses_total", of: estimate).labelSets == 15)
        #expect(try family("grpc_stream_duration_seconds", of: estimate).lines == 27)
        #expect(estimate.lines == self.estimate(routes: 10, limit: 20_000).lines + 3 * estimate.linesPerCallRoute)
    }

    @Test func `the chart's limit of samples is reckoned as check does`() throws {
        let values = try String(
            contentsOfFile: "\(Repository.path)/samples/kubernetes/chart/values.yaml",
            encoding: .utf8
        )
        let one = estimate(routes: 1, limit: 20_000, rules: 1, gateways: 0)
        #expect(values.contains("= \(one.lines) samples"))
        #expect(values.contains("carries gRPC has \(one.linesPerCallRoute) more"))
        #expect(values.contains("carries WebSockets \(one.linesPerWebSocketRoute) more"))
    }
}
