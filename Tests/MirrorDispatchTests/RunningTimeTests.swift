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

    @Test func `who does not need to wait any longer is woken at once`() async {
        let waiting = Task { try await RunningTime.wait(for: .seconds(3600)) }
        waiting.cancel()
        await #expect(throws: CancellationError.self) { try await waiting.value }
    }
}
