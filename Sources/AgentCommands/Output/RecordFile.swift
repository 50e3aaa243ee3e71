// Wingmirror · Apache-2.0

import Agent
import Synchronization

/// Takes records in batches, from the thread that makes them, and writes them at once.
///
/// For savefiles, which can wait for whoever reads the records. After a failure nothing more is written.
final class RecordFile: Sendable {
    private let state: Mutex<State>

    private struct State: ~Copyable {
        var output: OctetOutput
        var failure: OctetOutput.Failure?
    }

    /// Takes over an output.
    init(_ output: consuming sending OctetOutput) {
        state = Mutex(State(output: output))
    }

    /// Why writing ended early, if it did.
    var failure: OctetOutput.Failure? {
        state.withLock { $0.failure }
    }

    /// Adds whole lines.
    func append(_ lines: [UInt8]) { append(lines.span) }

    /// Adds whole lines, which are there for the call only.
    func append(_ lines: Span<UInt8>) {
        state.withLock { state in
            guard state.failure == nil else { return }
            do throws(OctetOutput.Failure) {
                try state.output.append(lines)
            } catch {
                state.failure = error
            }
        }
    }

    /// Writes what is waiting now; what goes wrong is the `failure`.
    func flush() {
        state.withLock { state in
            guard state.failure == nil else { return }
            do throws(OctetOutput.Failure) {
                try state.output.flush()
            } catch {
                state.failure = error
            }
        }
    }

    /// Writes what is waiting.
    ///
    /// - Throws: What went wrong now or before.
    func finish() throws(OctetOutput.Failure) {
        let failure = state.withLock { state in
            do throws(OctetOutput.Failure) {
                if state.failure == nil { try state.output.flush() }
            } catch {
                state.failure = error
            }
            return state.failure
        }
        if let failure { throw failure }
    }
}
