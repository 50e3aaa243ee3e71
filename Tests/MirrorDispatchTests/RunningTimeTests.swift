// Wingmirror · Apache-2.0

import Synchronization
import Testing

@testable import MirrorDispatch

/// How long a target is waited for while the agent itself may stand still.
@Suite(.timeLimit(.minutes(20)))
struct RunningTimeTests {
    /// A clock that moves when somebody sleeps, and beyond that while the process stands still.
    private final class Machine: Clock {
        typealias Instant = ContinuousClock.Instant

        private struct State {
            var now: Instant
            /// How long the process stands still in the sleep of this number.
            var standstills: [Int: Duration]
            var sleeps = 0
        }

        let start: Instant
        private let state: Mutex<State>
        let minimumResolution = Duration.nanoseconds(1)

        init(standstills: [Int: Duration] = [:]) {
            start = .now
            state = Mutex(State(now: start, standstills: standstills))
        }

        var now: Instant { state.withLock(\.now) }
        var passed: Duration { start.duration(to: now) }

        func sleep(until deadline: Instant, tolerance: Duration?) async throws {
            try Task.checkCancellation()
            state.withLock { state in
                let standstill = state.standstills[state.sleeps] ?? .zero
                state.sleeps += 1
                state.now = max(deadline, state.now.advanced(by: standstill))
            }
        }
    }

    @Test func `a process that runs waits for no more than the time it was asked for`() async throws {
        let machine = Machine()
        try await RunningTime.wait(for: .seconds(10), on: machine)
        #expect(machine.passed == .seconds(10))
    }

    @Test(arguments: 0..<10)
    func `a standstill at any moment leaves the target all of its time but a tenth`(part: Int) async throws {
        let machine = Machine(standstills: [part: .seconds(60)])
        try await RunningTime.wait(for: .seconds(10), on: machine)
        #expect(machine.passed == .seconds(69))
    }

    @Test func `of a standstill only the time before and after it was running`() async throws {
        let machine = Machine(standstills: [2: .seconds(60)])
        let ran = Mutex(Duration.zero)
        try await RunningTime.wait(for: .seconds(10), in: 50, on: machine) { part in ran.withLock { $0 += part } }
        #expect(ran.withLock(\.self) == .seconds(10))
        #expect(machine.passed == .seconds(10) + .seconds(60) - .milliseconds(200))
    }

    /// By the clock, running, and whether the process stood still, with a limit of two seconds and parts of 0.2 s.
    @Test(arguments: [
        (2.0, 2.0, false), (2.0, 1.8, false), (2.0, 1.6, false), (2.01, 1.6, true), (2.0, 1.4, true), (2.1, 0.0, true),
        (70.0, 1.0, true), (0.5, 0.0, false),
    ])
    func `a process that did not run for a tenth of a limit and a part stood still`(
        elapsed: Double,
        ran: Double,
        stoodStill: Bool
    ) {
        let (limit, timeout) = (Duration.seconds(2), Duration.seconds(10))
        let parts = RunningTime.parts(of: timeout, within: limit)
        #expect(parts == 50)
        #expect(
            RunningTime.stoodStill(
                for: .milliseconds(Int(elapsed * 1000)),
                having: .milliseconds(Int(ran * 1000)),
                part: timeout / parts,
                limit: limit
            ) == stoodStill
        )
    }

    @Test func `who does not need to wait any longer is woken at once`() async {
        let waiting = Task { try await RunningTime.wait(for: .seconds(3600)) }
        waiting.cancel()
        await #expect(throws: CancellationError.self) { try await waiting.value }
    }
}
