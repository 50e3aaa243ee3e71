// Wingmirror · Apache-2.0

import ChildProcesses
package import Foundation

/// A program that a test starts and waits for: a tool, a Python script, or a program of ours.
package struct ExternalProgram: Sendable {
    /// How a run ended, and what it wrote.
    package struct Run {
        package let status: Int32
        package let output: [UInt8]
        package let errors: String

        /// All that was written, to say it where a test fails.
        package var text: String { String(decoding: output, as: UTF8.self) + errors }
    }

    private let words: [String]

    /// A tool that is found through PATH, and the words that each run begins with.
    package init(_ name: String, _ arguments: [String] = []) {
        words = [name] + arguments
    }

    /// A Python script; it leaves no compiled files beside itself.
    package init(script: URL) {
        words = ["python3", "-B", script.standardizedFileURL.path]
    }

    /// A Python script in the folder `Fixtures` of the test target that a file belongs to.
    package init(fixture name: String, of file: String = #filePath) {
        var folder = URL(filePath: file).deletingLastPathComponent()
        while folder.deletingLastPathComponent().lastPathComponent != "Tests", folder.pathComponents.count > 1 {
            folder.deleteLastPathComponent()
        }
        self.init(script: folder.appending(path: "Fixtures/\(name)"))
    }

    /// A program of this package, which is built beside the tests.
    package init(product: String) {
        let tests = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        words = [tests.deletingLastPathComponent().appending(path: product).path]
    }

    /// The program's name, or its path where that is known.
    package var name: String { words[0] }

    /// Whether there is such a program.
    package var exists: Bool {
        if name.contains("/") { return FileManager.default.isExecutableFile(atPath: name) }
        let folders = ProcessInfo.processInfo.environment["PATH"]?.split(separator: ":") ?? []
        return folders.contains { FileManager.default.isExecutableFile(atPath: "\($0)/\(name)") }
    }

    /// Whether a run with these arguments ends with status 0.
    package func succeeds(_ arguments: [String]) -> Bool {
        (try? blockingRun(arguments))?.status == 0
    }

    /// Where longer runs are waited for: as many at a time as leave something of a small machine.
    private static let waiting: OperationQueue = {
        let queue = OperationQueue()
        queue.maxConcurrentOperationCount = 2
        return queue
    }()

    /// Runs the program to its end, on a thread that no task needs: there are as many of those as processors, and tests that
    /// hold conversations with servers share them.
    ///
    /// - Throws: That it could not be started; `CancellationError` where the task was cancelled before. A program that runs
    ///   when the task is cancelled, as by a test's time limit, is ended by SIGKILL, which is then the status.
    package func run(_ arguments: [String] = [], input: [UInt8] = [], in folder: URL? = nil) async throws -> Run {
        let leash = ProgramLeash()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                Self.waiting.addOperation {
                    continuation.resume(with: Result { try run(arguments, input, folder, on: leash) })
                }
            }
        } onCancel: {
            leash.giveUp()
        }
    }

    /// Runs a program that ends at once.
    package func blockingRun(_ arguments: [String] = [], input: [UInt8] = [], in folder: URL? = nil) throws -> Run {
        try run(arguments, input, folder, on: ProgramLeash())
    }

    private func run(_ arguments: [String], _ input: [UInt8], _ folder: URL?, on leash: ProgramLeash) throws -> Run {
        // Files rather than pipes, which would have to be read and written at the same time.
        let scratch = FileManager.default.temporaryDirectory.appending(path: "wingmirror-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: scratch) }
        let files = ["in", "out", "err"].map { scratch.appending(path: $0) }
        for (file, content) in zip(files, [Data(input), Data(), Data()]) { try content.write(to: file) }
        let input = try FileHandle(forReadingFrom: files[0])
        let output = try FileHandle(forWritingTo: files[1])
        let errors = try FileHandle(forWritingTo: files[2])
        let program = try leash.start {
            try ChildProcess(
                words + arguments,
                in: folder?.path,
                .init(input: input.fileDescriptor, output: output.fileDescriptor, errors: errors.fileDescriptor)
            )
        }
        let status = leash.end(of: program)
        return Run(
            status: status,
            output: [UInt8](try Data(contentsOf: files[1])),
            errors: String(decoding: try Data(contentsOf: files[2]), as: UTF8.self)
        )
    }
}
