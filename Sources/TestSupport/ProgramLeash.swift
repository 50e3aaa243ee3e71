// Wingmirror · Apache-2.0

import ChildProcesses
import Synchronization

/// Ends a program when nobody waits for it any more.
final class ProgramLeash: Sendable {
    private struct State {
        var program: ChildProcess?
        var isGivenUp = false
    }

    private let state = Mutex(State())

    /// Starts the program.
    ///
    /// - Throws: What `make` throws; `CancellationError` when it has been given up already.
    func start(_ make: () throws -> ChildProcess) throws -> ChildProcess {
        try state.withLock { state in
            guard !state.isGivenUp else { throw CancellationError() }
            let program = try make()
            state.program = program
            return program
        }
    }

    /// Waits for the program's end; to be called once.
    ///
    /// - Returns: Its exit status, or the number of the signal that ended it.
    func end(of program: ChildProcess) -> Int32 {
        program.waitUntilEnded()
        return state.withLock { state in
            // From here on its number may be another program's.
            state.program = nil
            return program.waitUntilExit()
        }
    }

    /// Ends the program if it runs, and lets it not begin otherwise.
    func giveUp() {
        state.withLock { state in
            state.isGivenUp = true
            state.program?.terminate()
        }
    }
}
