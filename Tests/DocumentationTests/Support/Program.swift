// Wingmirror · Apache-2.0

import Foundation

/// A program found through PATH.
struct Program {
    private let name: String

    init(_ name: String) {
        self.name = name
    }

    /// Whether it is in a folder of PATH.
    var exists: Bool {
        let folders = ProcessInfo.processInfo.environment["PATH"]?.split(separator: ":") ?? []
        return folders.contains { FileManager.default.isExecutableFile(atPath: "\($0)/\(name)") }
    }

    /// Runs it to its end, with both of its outputs in a file: a pipe would have to be read meanwhile.
    func run(_ arguments: [String], in folder: URL? = nil) throws -> (status: Int32, output: String) {
        let file = FileManager.default.temporaryDirectory.appending(path: "wingmirror-\(UUID().uuidString)")
        try Data().write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let output = try FileHandle(forWritingTo: file)
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [name] + arguments
        process.currentDirectoryURL = folder
        process.standardOutput = output
        process.standardError = output
        try process.run()
        process.waitUntilExit()
        return (process.terminationStatus, try String(contentsOf: file, encoding: .utf8))
    }
}
