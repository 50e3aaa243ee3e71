// Wingmirror · Apache-2.0

import AdminServer
import AgentConfiguration
import Logging
import OctetText
import ServiceLifecycle
import ShadowTesting
import TrafficPipeline
import UnixSignals

/// Watches over the node while requests are mirrored: pauses sending when packets are lost, memory runs short, or shadow
/// traffic comes back to production, and keeps verdicts and what is known of production up to date.
///
/// It looks at figures that others leave, a few times in a second; nothing waits for it. What may take long, looking names up
/// and making verdicts, has tasks of its own, so that the figures are looked at in time.
struct MirrorWatch: Service {
    /// How often the figures are looked at; a kill switch works at once, this bounds what is noticed by itself.
    private static let interval: Duration = .milliseconds(250)
    /// How long verdicts stand.
    private static let verdictInterval: Duration = .seconds(1)
    /// After how long production's names are looked up again.
    private static let lookupInterval: Duration = .seconds(30)

    /// The mirroring half of the agent.
    let mirroring: Mirroring
    /// How many packets were captured, and dropped by the kernel, so far.
    let packets: @Sendable () -> (captured: UInt64, dropped: UInt64)
    /// What memory use is held against.
    let budget: MemoryBudget
    /// What the capture thread leaves out.
    let shedding: LoadShedding
    /// Where pauses are told.
    let logger: Logger

    /// Gives memory back to the system, which takes milliseconds.
    private static let trimming = WorkThread("memory")
    /// How often that is done while memory is short.
    private static let looksPerTrim = 20

    func run() async throws {
        await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await look() }
            tasks.addTask { await keepVerdicts() }
            tasks.addTask { await keepProduction() }
            tasks.addTask { await listen(to: .sigusr1) { mirroring.pause() } }
            tasks.addTask { await listen(to: .sigusr2) { mirroring.resume() } }
            await tasks.waitForAll()
        }
    }

    private func listen(to signal: UnixSignal, _ act: () -> String) async {
        for await _ in await UnixSignalsSequence(trapping: signal).cancelOnGracefulShutdown() {
            logger.notice("signal", metadata: ["signal": "\(signal)", "effect": "\(act())"])
        }
    }

    private func look() async {
        try? await cancelWhenGracefulShutdown {
            var protection = SelfProtection(limits)
            var memory = MemoryPressure(budget: budget.octets)
            var reasons: Set<PauseReason> = []
            var arrivals: UInt64 = 0
            var looks = 0
            while true {
                let used = ProcessMemory.ownOctets ?? 0
                takeUp(memory.level(at: used + shedding.expected), used: used, looks: looks)
                pause(protection.look(observation(used), now: WallClock.now()))
                noteLoop(&arrivals)
                logChanges(&reasons)
                looks += 1
                try await Task.sleep(for: Self.interval)
            }
        }
    }

    private func keepVerdicts() async {
        try? await cancelWhenGracefulShutdown {
            while true {
                await mirroring.judge.publish()
                try await Task.sleep(for: Self.verdictInterval)
            }
        }
    }

    /// Looks production's names up now and then, and as soon as there are any.
    private func keepProduction() async {
        try? await cancelWhenGracefulShutdown {
            var due = ContinuousClock.now
            while true {
                if mirroring.isActive, ContinuousClock.now >= due || mirroring.production.isFirstLookUpDue {
                    await mirroring.lookUpDestinations()
                    due = .now + Self.lookupInterval
                }
                try await Task.sleep(for: Self.interval)
            }
        }
    }

    /// Puts a level in force, says so when it is another, and has what is free already given back while memory is short.
    ///
    /// Freed memory counts as the process's own until then: a level would outlast its reason.
    private func takeUp(_ level: SheddingLevel, used: Int, looks: Int) {
        let before = shedding.level
        shedding.level = level
        shedding.used = used
        if level > before || (level > .none && looks % Self.looksPerTrim == 0) {
            Self.trimming.submit { ProcessMemory.giveBack() }
        }
        guard level != before else { return }
        let metadata: Logger.Metadata = [
            "level": "\(level.rawValue)", "leavesOut": "\(level.leavesOut)", "bytes": "\(used)",
            "limit": "\(budget.octets)", "limitFrom": "\(budget.origin)",
        ]
        if level > before {
            logger.warning("memory is short, work is left out", metadata: metadata)
        } else {
            logger.notice("memory is less short", metadata: metadata)
        }
    }

    private var limits: SelfProtection.Limits {
        let protection = mirroring.plans.configuration.protection
        var limits = SelfProtection.Limits()
        limits.droppedShare = protection.kernelDrops
        limits.residentOctets = Int(Double(budget.octets) * protection.memory)
        limits.processors = protection.processors
        limits.rest = protection.rest
        return limits
    }

    private func observation(_ used: Int) -> SelfProtection.Observation {
        let (captured, dropped) = packets()
        return SelfProtection.Observation(
            packets: captured,
            kernelDrops: dropped,
            residentOctets: used,
            processorSeconds: ProcessCollector.processorSeconds ?? 0
        )
    }

    private func pause(_ reasons: [PauseReason: Int64]) {
        for (reason, end) in reasons { mirroring.queue.pause(reason, until: end, now: WallClock.now()) }
    }

    /// Copies that come back to the gateway pause mirroring until a while after the last of them.
    ///
    /// Sending nothing ends a loop of our making, so the pause ends by itself; if copies come back again, so does the pause.
    private func noteLoop(_ seen: inout UInt64) {
        let count = mirroring.arrivals.count
        guard count > seen else { return }
        seen = count
        guard mirroring.isActive else { return }
        let rest = mirroring.plans.configuration.protection.rest.nanoseconds
        let (end, overflows) = WallClock.now().addingReportingOverflow(rest)
        mirroring.queue.pause(.loop, until: overflows ? .max : end, now: WallClock.now())
    }

    private func logChanges(_ reasons: inout Set<PauseReason>) {
        let now = mirroring.queue.pauseReasons(now: WallClock.now())
        guard now != reasons, mirroring.isActive else { return }
        for reason in now.subtracting(reasons) {
            logger.warning("mirroring paused", metadata: ["reason": "\(reason.rawValue)"])
        }
        if now.isEmpty {
            logger.notice("mirroring goes on")
        }
        reasons = now
    }
}
