// Wingmirror · Apache-2.0

import Testing

@testable import Agent
@testable import AgentCommands
@testable import AgentConfiguration

@Suite struct SeriesEstimateTests {
    private func estimate(routes: Int, limit: Int) -> SeriesEstimate {
        SeriesEstimate(routes: routes, rules: 30, gateways: 2, durationBounds: 14, serverWaitBounds: 7, limit: limit)
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
}
