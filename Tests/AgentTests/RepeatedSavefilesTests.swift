// Wingmirror · Apache-2.0

import PacketCapture
import PacketDecoding
import Synchronization
import TCPReassembly
import TestSupport
import Testing
import TrafficMetrics
import TrafficPipeline

@testable import Agent
@testable import AgentConfiguration

@Suite struct RepeatedSavefilesTests {
    private static let capture = "\(Repository.path)/samples/captures/ingress.pcap"

    /// What was counted; without routes no request has one.
    private struct Counted {
        let figures: PipelineFigures
        let requests: UInt64
    }

    /// Reads the sample so many times, and returns what was counted.
    private func read(rounds: Int, clock: @escaping @Sendable () -> Int64) throws -> Counted {
        let configuration = Configuration()
        let objects = try RouteObjects(configuration, namesServerPorts: false)
        let run = TrafficRun(objects, configuration, isLive: false, at: 0)
        var sink = RepeatedSavefiles(CaptureWorker(run.makePipeline(outputs: PipelineOutputs())), clock: clock)
        let stop = StopFlag()
        for _ in 0..<rounds {
            var capture = try SavefileCapture(paths: [Self.capture], stop: stop)
            capture.run(into: &sink, until: stop)
            sink.roundEnded()
        }
        #expect(sink.packets == rounds * 3010)
        let requests = run.registry.unmatchedSummaries().reduce(0) { $0 + $1.requestCount }
        return Counted(figures: run.boards.figures, requests: requests)
    }

    @Test func `every round is counted as the first was, at the times of the clock`() throws {
        let start: Int64 = 1_800_000_000_000_000_000
        let rounds = Atomic<Int64>(0)
        let once = try read(rounds: 1) { start }
        let three = try read(rounds: 3) {
            // A minute and a half from one round to the next.
            start + rounds.add(1, ordering: .relaxed).oldValue * 90_000_000_000
        }
        #expect(once.figures.firstPacket?.nanoseconds == start)
        #expect(three.figures.firstPacket?.nanoseconds == start)
        let length = try #require(once.figures.span).latest - start
        #expect(three.figures.span?.latest == start + 180_000_000_000 + length)
        #expect(three.figures.reassembly.connectionsOpened == 3 * once.figures.reassembly.connectionsOpened)
        #expect(three.figures.reassembly.gaps.total == 0)
        #expect(once.requests == 508)
        #expect(three.requests == 3 * once.requests)
    }

    @Test func `nothing is left to chance with pcap files, and hashes are with a live capture`() {
        let seeds = [false, false, true].map { Configuration().pipelineLimits(isLive: $0).reassembly.hashSeed }
        #expect(seeds[0] != nil && seeds[0] == seeds[1])
        #expect(seeds[2] == nil)
    }

    @Test func `a clock that stands still does not take time back`() throws {
        let two = try read(rounds: 2) { 1000 }
        let once = try read(rounds: 1) { 1000 }
        let length = try #require(once.figures.span).latest - 1000
        #expect(two.figures.span?.latest == 1000 + 2 * length + RepeatedSavefiles<CaptureWorker>.pause)
    }
}
