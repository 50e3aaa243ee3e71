// Wingmirror · Apache-2.0

import Testing

@testable import Agent
@testable import AgentCommands
@testable import AgentConfiguration

@Suite struct SeriesEstimateTests {
    private func estimate(routes: Int, limit: Int) -> SeriesEstimate {
        SeriesEstimate(routes: routes, rules: 30, gateways: 2, durationBounds: 12, limit: limit)
    }

    private func family(_ name: String, of estimate: SeriesEstimate) throws -> SeriesEstimate.Family {
        try #require(estimate.families.first { $0.name == "wingmirror_\(name)" })
    }

    @Test func `a histogram has a line for each bound and three more for each label set`() throws {
        let duration = try family("http_request_duration_seconds", of: estimate(routes: 10, limit: 20_000))
        #expect(duration.labelSets == 30)
        #expect(duration.lines == 30 * 15)
        #expect(!duration.isFolded)
    }

    @Test func `the limit cuts what it limits, and says so`() throws {
        let estimate = estimate(routes: 400, limit: 1000)
        let requests = try family("http_requests_total", of: estimate)
        #expect(requests.labelSets == 1000)
        #expect(requests.isFolded)
        #expect(!(try family("http_server_wait_seconds", of: estimate).isFolded))
        #expect(!(try family("route_info", of: estimate).isFolded))
    }

    @Test func `lines are those of all families`() {
        let estimate = estimate(routes: 10, limit: 20_000)
        #expect(estimate.lines == estimate.families.map(\.lines).reduce(0, +))
        #expect(estimate.lines == 240 + 450 + 90 + 70 + 70 + 10 + 24 + 30 + 30 + 10)
    }
}
