// Wingmirror · Apache-2.0

import Testing
import TrafficPipeline

@testable import Agent

@Suite struct ProcessMemoryTests {
    @Test(arguments: [
        ("VmRSS:\t  110000 kB\nRssAnon:\t    4000 kB\nRssFile:\t  105000 kB\nRssShmem:\t    1000 kB\n", 5000 << 10),
        ("RssAnon: 7 kB\n", 7 << 10), ("VmRSS: 5 kB\n", nil), ("RssAnon: many kB\n", nil), ("", nil),
    ])
    func `pages of files and capture rings do not count`(text: String, octets: Int?) {
        #expect(ProcessMemory.ownOctets(in: text) == octets)
    }

    @Test func `what this process takes itself is part of what is resident`() throws {
        let own = try #require(ProcessMemory.ownOctets)
        #expect(own > 0)
        #expect(own <= (try #require(ProcessMemory.residentOctets)) + 64 << 20)
    }

    @Test func `a level is taken at its bound and left at a lower one`() {
        var pressure = MemoryPressure(budget: 1000)
        let uses = [500, 900, 860, 849, 949, 950, 905, 899, 899, 0]
        let levels: [SheddingLevel] = [
            .none, .shadowTraffic, .shadowTraffic, .none, .shadowTraffic, .everythingButMetrics, .everythingButMetrics,
            .shadowTraffic, .shadowTraffic, .none,
        ]
        #expect(uses.map { pressure.level(at: $0) } == levels)
    }
}
