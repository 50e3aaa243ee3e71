// Wingmirror · Apache-2.0

import Foundation
import TestSupport

/// The agent as a program, which is built beside the tests, and scripts of `Fixtures` that do something to it.
enum AgentProgram {
    static let python = ExternalProgram("python3")
    private static let program = ExternalProgram(product: "wingmirror")
    private static let samples = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../samples").standardizedFileURL

    /// Whether there are the program, and a Python for the scripts.
    static let canBeChecked = program.exists && python.exists

    /// What each script is given first.
    static let words = [program.name, samples.path]

    /// Runs a script with the program, the samples and other words; its status is 0 when all holds.
    static func check(_ script: String, _ words: [String] = []) async throws -> ExternalProgram.Run {
        try await ExternalProgram(fixture: script).run(Self.words + words)
    }
}
