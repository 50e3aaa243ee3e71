// Wingmirror · Apache-2.0

import Foundation
import Testing

/// The program `Benchmarks`, which is built beside the tests.
enum BenchmarksProgram {
    static let file = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent().appending(path: "Benchmarks")
    static let isBuilt = FileManager.default.isExecutableFile(atPath: file.path)
    static let whyMissing: Comment = "there is no program Benchmarks beside the tests: swift build makes it"

    /// What a program wrote, and whether it ended well.
    static func output(
        of program: URL,
        _ arguments: [String]
    ) throws -> (output: String, errors: String, isSuccess: Bool) {
        let process = Process()
        process.executableURL = program
        process.arguments = arguments
        let (output, errors) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        // What it writes to its errors fits the pipe's buffer.
        let written = output.fileHandleForReading.readDataToEndOfFile()
        let complaints = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (
            String(decoding: written, as: UTF8.self), String(decoding: complaints, as: UTF8.self),
            process.terminationStatus == 0
        )
    }

    /// The lines of a table with tabs between its columns.
    static func rows(_ lines: String) -> [[String]] {
        lines.split(separator: "\n").map { $0.split(separator: "\t").map(String.init) }
    }

    /// A table of this folder.
    static func stored(_ name: String) throws -> [[String]] {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/\(name)")
        return rows(try String(contentsOf: file, encoding: .utf8))
    }
}
