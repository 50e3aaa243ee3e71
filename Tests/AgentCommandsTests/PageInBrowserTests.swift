// Wingmirror · Apache-2.0

import Foundation
import Testing

/// The page of a running agent, driven in Chromium by `Fixtures/page_check.py`.
@Suite(
    .enabled(if: PageCheck.isAvailable, "no Chromium: apt-get install chromium, pip install playwright"),
    .timeLimit(.minutes(20))
)
struct PageInBrowserTests {
    @Test func `the page sorts, filters, explains, pauses and shows what is hostile as text`() throws {
        let (status, output) = try PageCheck.run()
        #expect(status == 0, "\(output)")
    }
}

/// The program that drives the page.
private enum PageCheck {
    private static let tests = URL(filePath: #filePath).deletingLastPathComponent()
    /// The agent, which is built beside the tests.
    private static let agent = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        .appending(path: "wingmirror")

    /// Whether everything is there that it needs.
    static var isAvailable: Bool {
        guard FileManager.default.isExecutableFile(atPath: agent.path) else { return false }
        let probe =
            "import playwright, shutil, sys; sys.exit(not (shutil.which('chromium') or shutil.which('google-chrome')))"
        return (try? python(["-c", probe]).status) == 0
    }

    static func run() throws -> (status: Int32, output: String) {
        try python([
            tests.appending(path: "Fixtures/page_check.py").path, agent.path,
            tests.appending(path: "../../samples").standardizedFileURL.path,
        ])
    }

    private static func python(_ arguments: [String]) throws -> (status: Int32, output: String) {
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
