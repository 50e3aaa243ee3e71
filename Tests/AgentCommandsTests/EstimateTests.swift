// Wingmirror · Apache-2.0

import TCPReassembly
import Testing

@testable import AgentCommands

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
        #expect(!(try family("http_response_first_byte_seconds", of: estimate).isFolded))
        #expect(!(try family("route_info", of: estimate).isFolded))
    }

    @Test func `lines are those of all families`() {
        let estimate = estimate(routes: 10, limit: 20_000)
        #expect(estimate.lines == estimate.families.map(\.lines).reduce(0, +))
        #expect(estimate.lines == 240 + 450 + 90 + 70 + 70 + 10 + 24 + 30 + 30 + 10)
    }
}

@Suite struct MemoryTests {
    @Test func `the estimate adds rings, connections, what waits and series`() throws {
        var configuration = try Configuration.parse("capture: {interfaces: [a, b], ringBytes: 2MiB}", file: "w.yaml")
        configuration.limits.connections = 1000
        let reassembly = configuration.reassemblyLimits(within: nil)
        let estimate = MemoryEstimate(configuration, reassembly, lines: 10)
        #expect(estimate.parts.map(\.octets) == [4 << 20, 512_000, reassembly.bufferedOctets, 2000])
        #expect(estimate.octets == estimate.parts.map(\.octets).reduce(0, +))
    }

    @Test func `a budget bounds connections and what waits`() {
        let limits = Configuration().reassemblyLimits(within: 64 << 20)
        #expect(limits.connections == 65_536)
        #expect(limits.bufferedOctets == 8 << 20)
        #expect(Configuration().reassemblyLimits(within: nil) == ReassemblyLimits())
        #expect(Configuration().reassemblyLimits(within: 1 << 40) == ReassemblyLimits())
    }

    @Test(arguments: [
        ("0::/kubepods/pod1\n", "/kubepods/pod1"), ("12:cpu:/a\n5:memory:/b/c\n0::/d\n", "/b/c"), ("0::/\n", nil),
        ("", nil),
        ("0::/../x\n", nil), ("nonsense", nil),
    ])
    func `the control group is that of the memory controller, or the only one`(text: String, path: String?) {
        #expect(MemoryBudget.controlGroupPath(in: text) == path)
    }

    @Test(arguments: [("MemTotal:       24600000 kB\nMemFree: 1 kB", 24_600_000 << 10), ("", nil)])
    func `the machine's memory is read in kibibytes`(text: String, octets: Int?) {
        #expect(MemoryBudget.machineOctets(in: text) == octets)
    }

    @Test func `a configured budget is taken as it is`() {
        var limits = LimitsConfiguration()
        limits.memory = ByteSize(mebibytes: 200)
        #expect(MemoryBudget.current(limits) == MemoryBudget(octets: 200 << 20, origin: "as limits.memory says"))
    }
}
