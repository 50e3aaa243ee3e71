// Wingmirror · Apache-2.0

import Foundation

/// The agent as a program, which is built beside the tests, and scripts of `Fixtures` that do something to it.
enum AgentProgram {
    private static let tests = URL(filePath: #filePath).deletingLastPathComponent()
    private static let file = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        .appending(path: "wingmirror")
    static let isBuilt = FileManager.default.isExecutableFile(atPath: file.path)
    /// Whether there is a Python for the scripts.
    static let hasPython = (try? python(["-c", ""]).status) == 0

    /// Runs a script with the program, the samples and other words; its status is 0 when all holds.
    static func check(_ script: String, _ words: [String] = []) throws -> (status: Int32, output: String) {
        try python(
            [
                tests.appending(path: "Fixtures/\(script)").path, file.path,
                tests.appending(path: "../../samples").standardizedFileURL.path,
            ] + words
        )
    }

    /// Runs Python, and gives all that it wrote.
    static func python(_ arguments: [String]) throws -> (status: Int32, output: String) {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["python3", "-B"] + arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: output, as: UTF8.self))
    }
}
