// Wingmirror · Apache-2.0

import Glibc
import TestSupport
import Testing

@testable import AgentConfiguration

@Suite(.timeLimit(.minutes(20)))
struct FileContentsTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private func failure(_ path: String, limit: Int = 1 << 20) -> String? {
        do throws(FileContents.Failure) {
            _ = try FileContents.read(path, limit: limit)
            return nil
        } catch {
            return error.reason
        }
    }

    @Test func `a file is read whole up to the limit`() throws {
        let path = try folder.write("twelve bytes", to: "a")
        #expect(try FileContents.read(path, limit: 12) == Array("twelve bytes".utf8))
        #expect(failure(path, limit: 11) == "it is larger than 11B")
    }

    @Test func `a file that is far too large is refused before it is read`() throws {
        let path = try folder.write("", to: "sparse")
        try #require(unsafe truncate(path, 1 << 40) == 0)
        #expect(failure(path) == "it is larger than 1MiB")
    }

    @Test func `a pipe without a writer is refused rather than waited for`() throws {
        let path = "\(folder.path)/pipe"
        try #require(unsafe mkfifo(path, 0o600) == 0)
        #expect(failure(path) == "no process writes to the pipe")
    }

    @Test func `a pipe is read to its end`() throws {
        var ends: [Int32] = [0, 0]
        try #require(unsafe pipe(&ends) == 0)
        defer { close(ends[0]) }
        let text = Array(String(repeating: "x", count: 300_000).utf8)
        // A thread of its own: the one of this test waits in the reading, and there may be no third for tasks.
        OwnThread.start { [ends] in
            var sent = 0
            while sent < text.count {
                // The slice lies within the array, which outlives the call.
                let count = unsafe text[sent...].withUnsafeBytes { unsafe write(ends[1], $0.baseAddress, $0.count) }
                guard count > 0 else { break }
                sent += count
            }
            close(ends[1])
        }
        #expect(try FileContents.read("/dev/fd/\(ends[0])", limit: 1 << 20) == text)
    }

    @Test(arguments: [
        ("/", "Is a directory"), ("/nowhere", "no such file or folder"), ("/dev/zero", "it is larger than 1MiB"),
    ])
    func `what is no file says so`(path: String, reason: String) {
        #expect(failure(path) == reason)
    }
}
