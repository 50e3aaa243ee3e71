// Wingmirror · Apache-2.0

import Logging
import PacketCapture
import TestSupport
import Testing
import TrafficMetrics
import TrafficModel
import TrafficPipeline

@testable import Agent
@testable import AgentConfiguration

@Suite(.timeLimit(.minutes(20)))
struct CaptureRunTests {
    private static let capture = "\(Repository.path)/samples/captures/ingress.pcap"

    /// Runs to the end, and returns what happened and how many packets were taken.
    private func run(
        _ paths: [String],
        pace: CaptureConfiguration.Pace = .fast,
        loops: Bool = false,
        stoppingWhenOpen: Bool = false
    ) async throws -> (opened: Int, errors: [CaptureError], packets: Int, run: CaptureRun) {
        let mirroring = Mirroring(Configuration())
        let routes = RouteKeeper(Configuration().environment, registry: MetricsRegistry(), mirroring: mirroring)
        let boards = WorkerBoards(routes.registry)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let run = CaptureRun(.savefiles(paths, pace: pace, filter: nil, loops: loops), logger: logger)
        let (events, continuation) = AsyncStream.makeStream(of: CaptureRun.Event.self)
        try run.start(
            makePipeline: { _ in
                TrafficPipeline(routes: routes.board, board: boards.sole)
            },
            report: { event in
                // Here and now, as a busy machine may let the minute pass before another thread hears of it.
                if stoppingWhenOpen, case .opened = event { run.stop.request() }
                continuation.yield(event)
                if case .ended = event { continuation.finish() }
            }
        )
        var opened = 0
        var errors: [CaptureError] = []
        for await event in events {
            switch event {
            case .opened: opened += 1
            case .ended(let found): errors = found
            }
        }
        return (opened, errors, boards.figures.interfaces.reduce(0) { $0 + $1.packets }, run)
    }

    @Test func `savefiles are read to the end, and the run is ready`() async throws {
        let outcome = try await run([Self.capture])
        #expect(outcome.opened == 1)
        #expect(outcome.errors.isEmpty)
        #expect(outcome.packets == 3010)
        #expect(outcome.run.isReady)
    }

    @Test func `a savefile that is not there ends the run without having been open`() async throws {
        let outcome = try await run(["/nowhere.pcap"])
        #expect(outcome.opened == 0)
        #expect(outcome.errors.map(\.code) == [.noSuchFile])
        #expect(!outcome.run.isReady)
    }

    @Test func `a file that cannot be read a second time ends the rounds`() async throws {
        let outcome = try await run(["/nowhere.pcap"], loops: true)
        #expect(outcome.errors.map(\.code) == [.noSuchFile])
    }

    @Test func `a stop ends a minute of traffic at its own pace early`() async throws {
        let outcome = try await run([Self.capture], pace: .realtime, stoppingWhenOpen: true)
        #expect(outcome.errors.isEmpty)
        #expect(outcome.packets < 3010)
    }
}
