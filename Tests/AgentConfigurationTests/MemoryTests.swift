// Wingmirror · Apache-2.0

import HTTPReconstruction
import TCPReassembly
import TLSDecryption
import Testing
import TrafficPipeline

@testable import AgentConfiguration

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
        #expect(limits.connections == 40_960)
        #expect(limits.bufferedOctets == 8 << 20)
        #expect(Configuration().reassemblyLimits(within: nil) == ReassemblyLimits())
        #expect(Configuration().reassemblyLimits(within: 1 << 40) == ReassemblyLimits())
    }

    @Test(arguments: [64 << 20, 96 << 20, 384 << 20, 1 << 34])
    func `the shares come to the budget and no more`(budget: Int) {
        let sum = MemoryShare.allCases.reduce(0) { $0 + $1.octets(of: budget) }
        #expect(sum <= budget && sum > budget - 64 * 64)
    }

    @Test func `packets that are kept are taken from the budget before it is shared out`() throws {
        let yaml = "capture: {keep: {bytes: 16MiB}}\nlimits: {memory: 80MiB}"
        let configuration = try Configuration.parse(yaml, file: "w.yaml")
        #expect(MemoryBudget.current(configuration.limits).octets == 80 << 20)
        #expect(MemoryBudget.shared(configuration).octets == 64 << 20)
        let estimate = MemoryEstimate(configuration, configuration.reassemblyLimits(within: 64 << 20), lines: 0)
        #expect(estimate.parts.last == MemoryEstimate.Part(name: "kept packets", octets: 16 << 20))
    }

    @Test func `more than a quarter of the memory is not for packets that are kept`() {
        var keep = CaptureConfiguration.Keep()
        let budget = MemoryBudget(octets: 64 << 20, origin: "as limits.memory says")
        keep.bytes = ByteSize(16 << 20)
        #expect(keep.refusal(within: budget) == nil)
        keep.bytes = ByteSize(17 << 20)
        #expect(
            keep.refusal(within: budget)
                == "capture.keep.bytes: 17MiB are more than a quarter of the agent's memory, which is 64 MiB (as limits.memory "
                + "says); keep less, or raise limits.memory"
        )
    }

    @Test func `what jobs read ahead is in the shares of what they have no use for`() throws {
        #expect(Configuration().readAheadOctets(jobs: 1) == 0)
        #expect(Configuration().readAheadOctets(jobs: 3) == 256 << 20)
        let small = try Configuration.parse("limits: {memory: 64MiB}", file: "w.yaml")
        #expect(small.readAheadOctets(jobs: 1) == 0)
        #expect(small.readAheadOctets(jobs: 2) == 6 << 20)
        #expect(small.readAheadOctets(jobs: 64) == 6 << 20)
    }

    @Test func `each stage stays within its share of a small budget`() {
        let limits = Configuration().pipelineLimits(within: 64 << 20)
        let http = limits.http
        #expect(limits.reassembly.connections * MemoryEstimate.octetsPerConnection == 20 << 20)
        #expect(limits.reassembly.bufferedOctets == 8 << 20)
        #expect(limits.reassembly.waitingConnections == 4096)
        #expect(http.heldOctets == 4 << 20 && http.openExchanges == 9362 && http.retainedOctets == 6 << 20)
        #expect(http.readerOctets == 8 << 20)
        #expect(limits.tls.readerOctets == 3 << 20 && limits.tls.heldOctets == 2 << 20)
        let recent = Configuration().recentLimits(within: 64 << 20)
        #expect(recent.exchanges * recent.octetsPerExchange <= 1 << 20 && recent.exchanges >= 16)
    }

    @Test func `keys that wait for connections have a share of the budget`() throws {
        let small = try Configuration.parse("limits: {memory: 64MiB}", file: "w.yaml")
        for isLive in [true, false] {
            #expect(small.keyLimits(isLive: isLive).connections * MemoryEstimate.octetsPerKeys == 1 << 20)
        }
        #expect(Configuration().keyLimits(isLive: false).connections == 1 << 20)
        let large = try Configuration.parse("limits: {memory: 64GiB}", file: "w.yaml")
        #expect(large.keyLimits(isLive: true).connections == 65_536)
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
