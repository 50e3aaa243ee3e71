// Wingmirror · Apache-2.0

import Foundation

/// A program that a test asks: a Python helper of ours, or a tool of Prometheus.
struct HelperProgram {
    let arguments: [String]

    /// How a run ended, and what it wrote.
    struct Result {
        let status: Int32
        let output: Data
        let error: String
    }

    /// Prometheus's linter.
    static let promtool = HelperProgram(tool: ["promtool"])

    /// A tool that is found on the path.
    init(tool arguments: [String]) {
        self.arguments = arguments
    }

    /// A helper among the fixtures.
    init(script name: String) {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../Fixtures")
        arguments = ["python3", folder.appending(path: name).standardizedFileURL.path()]
    }

    /// Runs the program and waits for its end.
    func run(_ more: [String] = [], input: [UInt8] = []) throws -> Result {
        // Files rather than pipes, which would have to be read and written at the same time.
        let folder = FileManager.default.temporaryDirectory.appending(path: "wingmirror-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let files = ["in", "out", "err"].map { folder.appending(path: $0) }
        for (file, content) in zip(files, [Data(input), Data(), Data()]) { try content.write(to: file) }
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = arguments + more
        process.standardInput = try FileHandle(forReadingFrom: files[0])
        process.standardOutput = try FileHandle(forWritingTo: files[1])
        process.standardError = try FileHandle(forWritingTo: files[2])
        try process.run()
        process.waitUntilExit()
        return Result(
            status: process.terminationStatus,
            output: try Data(contentsOf: files[1]),
            error: String(decoding: try Data(contentsOf: files[2]), as: UTF8.self)
        )
    }

    /// Whether the program is there and does what it is asked for a check.
    func isAvailable(_ check: [String]) -> Bool {
        (try? run(check))?.status == 0
    }
}
