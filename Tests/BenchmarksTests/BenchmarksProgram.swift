// Wingmirror · Apache-2.0

import Foundation
import TestSupport
import Testing

/// The program `Benchmarks`, which is built beside the tests.
enum BenchmarksProgram {
    static let program = ExternalProgram(product: "Benchmarks")
    static let whyMissing: Comment = "there is no program Benchmarks beside the tests: swift build makes it"

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
