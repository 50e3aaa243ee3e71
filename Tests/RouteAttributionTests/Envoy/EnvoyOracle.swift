// Wingmirror · Apache-2.0

import Foundation
import JSONSyntax
import ResourceFiles
import RouteAttribution
import Testing

/// A real Envoy, asked through a Python helper.
enum EnvoyOracle {
    /// What Envoy did with a request.
    struct Answer {
        let route: String?
        let path: String?
        let details: String?
    }

    private static let helper = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../Fixtures/ask_envoy.py").path()

    /// Whether there is a Python and an Envoy.
    static let isAvailable = (try? run(["--check"], input: []))?.status == 0

    /// Asks about all requests at once.
    static func ask(_ question: [UInt8]) throws -> [Answer] {
        let result = try run([], input: question)
        try #require(result.status == 0, "\(result.error)")
        let answers = try #require(try JSONDocument.parse(result.output).entries)
        return answers.map {
            Answer(route: $0["route"]?.string, path: $0["path"]?.string, details: $0["details"]?.string)
        }
    }

    private static func run(
        _ arguments: [String],
        input: [UInt8]
    ) throws -> (status: Int32, output: [UInt8], error: String) {
        // Files rather than pipes, which would have to be read and written at the same time.
        let folder = FileManager.default.temporaryDirectory.appending(path: "wingmirror-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try Data(input).write(to: folder.appending(path: "in"))
        for name in ["out", "err"] { try Data().write(to: folder.appending(path: name)) }
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["python3", helper] + arguments
        process.standardInput = try FileHandle(forReadingFrom: folder.appending(path: "in"))
        process.standardOutput = try FileHandle(forWritingTo: folder.appending(path: "out"))
        process.standardError = try FileHandle(forWritingTo: folder.appending(path: "err"))
        try process.run()
        process.waitUntilExit()
        return (
            process.terminationStatus, [UInt8](try Data(contentsOf: folder.appending(path: "out"))),
            try String(contentsOf: folder.appending(path: "err"), encoding: .utf8)
        )
    }
}
