// Wingmirror · Apache-2.0

import AdminServer
import Dispatch
import Logging
import Synchronization
import TestSupport
import Testing
import TrafficMetrics
import TrafficPipeline

@testable import Agent
@testable import AgentConfiguration

/// Reading that takes as long as it likes.
@Suite(.timeLimit(.minutes(20)))
struct ConfigurationLoaderTests {
    private let reads = Counter()
    private let mayRead = DispatchSemaphore(value: 0)
    private let loader: ConfigurationLoader
    private let routes: RouteKeeper

    private final class Counter: Sendable {
        private let value = Atomic<Int>(0)
        var count: Int { value.load(ordering: .relaxed) }
        func add() { value.add(1, ordering: .relaxed) }
    }

    init() {
        var configuration = Configuration()
        configuration.capture.savefiles = ["a.pcap"]
        let plan = RunPlan(configuration: configuration, endsAfterSavefiles: false) {
            [configuration, reads, mayRead] () throws(ConfigurationProblems) in
            reads.add()
            mayRead.wait()
            return configuration
        }
        let rig = KeeperRig(plan)
        routes = rig.routes
        loader = ConfigurationLoader(configuration: rig.configuration, routes: routes)
    }

    @Test func `routes are there once they have been read, and not before`() async throws {
        #expect(!routes.isLoaded)
        #expect(try await loader.loadFirstRoutes())
        #expect(routes.isLoaded)
        #expect(routes.board.generation.number == 1)
    }

    @Test func `reloads that are asked for while one is under way become one`() async {
        let first = Task { await loader.reload() }
        while reads.count == 0, !Task.isCancelled { await Task.yield() }
        let others = (0..<20).map { _ in loader.requestReload() }
        mayRead.signal()
        mayRead.signal()
        #expect(await first.value == .reloaded([]))
        for outcomes in others {
            for await outcome in outcomes { #expect(outcome == .reloaded([])) }
        }
        #expect(reads.count == 2)
    }

    @Test func `who waits for a file that does not answer can stop waiting`() async {
        let waiting = Task { await loader.reload() }
        while reads.count == 0, !Task.isCancelled { await Task.yield() }
        waiting.cancel()
        #expect(await waiting.value == .rejected(["the agent is ending"]))
        mayRead.signal()
    }
}
