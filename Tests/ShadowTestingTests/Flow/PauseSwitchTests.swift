// Wingmirror · Apache-2.0

import Testing
import TrafficModel

@testable import ShadowTesting

@Suite struct PauseSwitchTests {
    @Test func `all reasons must be gone before anything is sent`() {
        var pauses = PauseSwitch()
        var reasons = [pauses.reasons(now: 0)]
        pauses.pause(.request)
        pauses.pause(.kernelDrops, until: 100)
        #expect(pauses.end(now: 99) == nil)
        reasons.append(pauses.reasons(now: 99))
        reasons.append(pauses.reasons(now: 100))
        pauses.resume(.loop)
        reasons.append(pauses.reasons(now: 100))
        pauses.resume(.request)
        reasons.append(pauses.reasons(now: 100))
        #expect(reasons == [[], [.request, .kernelDrops], [.request], [.request], []])
    }

    @Test func `a pause is only ever made longer`() {
        var pauses = PauseSwitch()
        pauses.pause(.memory, until: 100)
        pauses.pause(.memory, until: 50)
        #expect(pauses.end(now: 0) == 100)
        pauses.pause(.memory)
        pauses.pause(.memory, until: 200)
        let isPaused = pauses.isPaused(now: 1000)
        #expect(isPaused)
    }
}

@Suite struct SelfProtectionTests {
    /// Packets, kernel drops and memory at each look, and the reasons to pause that follow.
    private func reasons(
        _ figures: [(UInt64, UInt64, Int)],
        limits: SelfProtection.Limits = SelfProtection.Limits()
    ) -> [Set<PauseReason>] {
        var protection = SelfProtection(limits)
        return figures.map { packets, drops, memory in
            let observation = SelfProtection.Observation(packets: packets, kernelDrops: drops, residentOctets: memory)
            return Set(protection.look(observation, now: 0).keys)
        }
    }

    @Test func `drops since the last look pause, those before the first do not`() {
        let reasons = reasons([(1000, 500, 0), (2000, 500, 0), (3000, 502, 0), (4000, 502, 0)])
        #expect(reasons == [[], [], [.kernelDrops], []])
    }

    @Test func `a few drops among many packets are borne`() {
        #expect(reasons([(0, 0, 0), (99_910, 90, 0), (199_800, 201, 0)]) == [[], [], [.kernelDrops]])
    }

    @Test func `processor time over the limit pauses after an interval of it, a burst does not`() {
        var limits = SelfProtection.Limits()
        limits.processors = 1.5
        var protection = SelfProtection(limits)
        func look(_ second: Int64, _ used: Double) -> Set<PauseReason> {
            let observation = SelfProtection.Observation(
                packets: 0,
                kernelDrops: 0,
                residentOctets: 0,
                processorSeconds: used
            )
            return Set(protection.look(observation, now: second * 1_000_000_000).keys)
        }
        #expect(look(0, 100) == [])
        #expect(look(1, 104) == [], "four seconds in one, which may be a burst")
        #expect(look(5, 107) == [])
        #expect(look(10, 115) == [.processor])
        #expect(look(15, 116) == [])
    }

    @Test func `memory over the limit pauses until the rest after it was last seen`() {
        var limits = SelfProtection.Limits()
        limits.residentOctets = 100
        limits.rest = .seconds(30)
        #expect(reasons([(0, 0, 100), (0, 0, 101)], limits: limits) == [[], [.memory]])
        var protection = SelfProtection(limits)
        let observation = SelfProtection.Observation(packets: 0, kernelDrops: 0, residentOctets: 101)
        let ends = protection.look(observation, now: 5)
        #expect(ends == [.memory: 30_000_000_005])
    }
}

@Suite struct BucketCountsTests {
    @Test func `upper bounds are inclusive and the last bucket has none`() {
        var counts = BucketCounts(bounds: [0, 10, 100])
        for value: Int64 in [-5, 0, 1, 10, 11, 100, 101, .max] { counts.observe(value) }
        #expect(counts.counts == [2, 2, 2, 2])
        #expect(counts.count == 8)
    }

    @Test func `sizes around a power of four fall on either side of its bound`() throws {
        var counts = BucketCounts(bounds: BucketCounts.sizeBounds)
        let place = try #require(counts.bounds.firstIndex(of: 1 << 20))
        counts.observe(1 << 20)
        counts.observe((1 << 20) + 1)
        #expect(counts.counts[place] == 1)
        #expect(counts.counts[place + 1] == 1)
    }
}
