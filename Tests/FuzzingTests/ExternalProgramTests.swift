// Wingmirror · Apache-2.0

import Glibc
import TestSupport
import Testing

/// Programs that tests start and wait for.
@Suite(.timeLimit(.minutes(20)))
struct ExternalProgramTests {
    private static let shell = ExternalProgram("sh")

    @Test func `what a program reads, writes and ends with is known`() async throws {
        let run = try await Self.shell.run(["-c", "cat; echo more >&2; exit 3"], input: Array("given".utf8))
        #expect(run.status == 3)
        #expect(run.output == Array("given".utf8))
        #expect(run.errors == "more\n")
    }

    @Test func `a program that never ends is ended when the test that waits for it is over`() async throws {
        let folder = try TemporaryFolder()
        let mark = "\(folder.path)/begun"
        let waiting = Task { try await Self.shell.run(["-c", "echo > \(mark); exec sleep 100000"]) }
        while unsafe access(mark, F_OK) != 0 { try await Task.sleep(for: .milliseconds(5)) }
        waiting.cancel()
        #expect(try await waiting.value.status == SIGKILL)
    }

    @Test func `a program that nobody waits for any more does not begin`() async throws {
        let folder = try TemporaryFolder()
        let mark = "\(folder.path)/begun"
        let waiting = Task {
            // Ends when the task is cancelled.
            try? await Task.sleep(for: .seconds(100_000))
            return try await Self.shell.run(["-c", "echo > \(mark)"])
        }
        waiting.cancel()
        await #expect(throws: CancellationError.self) { try await waiting.value }
        #expect(unsafe access(mark, F_OK) != 0)
    }
}
