// Wingmirror · Apache-2.0

import Synchronization

/// Collects what becomes of the requests of a replay, and shows it while the replay goes on.
final class ReplayLedger: Sendable {
    private struct State {
        var summary: ReplaySummary
        var progress: ReplayProgress
    }

    private let state: Mutex<State>
    private let lines: RecordFile?

    /// Makes a ledger.
    /// - Parameters:
    ///   - summary: What is known before anything is sent.
    ///   - lines: Takes a line for each request; without it none are written.
    ///   - isShown: Whether progress is shown on standard error.
    init(_ summary: ReplaySummary, lines: RecordFile?, isShown: Bool) {
        state = Mutex(State(summary: summary, progress: ReplayProgress(total: summary.planned, isShown: isShown)))
        self.lines = lines
    }

    /// A request is over.
    func completed(_ outcome: ReplayOutcome) {
        lines?.append(ReplayReport.line(outcome))
        state.withLock { state in
            state.summary.add(outcome)
            state.progress.advanced(state.summary)
        }
    }

    /// Whether there was never a connection to the target.
    var isHopeless: Bool { state.withLock { $0.summary.isHopeless } }

    /// All requests are over, or given up.
    func finished(elapsed: Duration, isInterrupted: Bool) -> ReplaySummary {
        state.withLock { state in
            state.progress.finished()
            state.summary.elapsed = elapsed
            state.summary.isInterrupted = isInterrupted
            return state.summary
        }
    }
}
