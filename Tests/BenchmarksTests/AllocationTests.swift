// Wingmirror · Apache-2.0

import Foundation
import Testing

/// Calls of the allocator on the packet path, against what is stored; counts, which no load of the machine moves.
///
/// A program of its own counts them, since other tests allocate beside this one. Counts are of a debug build, whose harness
/// allocates too: a difference matters, not the number. To store what is counted now:
///
///     .build/debug/Benchmarks --allocations > Tests/BenchmarksTests/Fixtures/allocations.tsv
@Suite(.timeLimit(.minutes(20)))
struct AllocationTests {
    /// The program, which is built beside the tests.
    private static let program = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent().appending(path: "Benchmarks")
    static let canCount = FileManager.default.isExecutableFile(atPath: program.path)

    /// By how much a count may exceed what is stored: counts of one compiler are exact, and those of its next release may differ.
    private static let tolerance = 0.05

    @Test(.enabled(if: canCount, "there is no program Benchmarks beside the tests: swift build makes it"))
    func `decoding, reassembly, HTTP/1 and lookup allocate no more than is stored`() throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/allocations.tsv")
        let stored = Self.counts(try String(contentsOf: file, encoding: .utf8))
        let counted = Self.counts(try Self.count())
        #expect(Set(stored.keys) == Set(counted.keys), "store the counts anew")
        for (row, count) in counted {
            let limit = stored[row, default: 0] * (1 + Self.tolerance) + 0.01
            #expect(
                count <= limit,
                "\(row): \(count) allocations for each, where \(stored[row, default: 0]) are stored"
            )
        }
    }

    /// Allocations for an item by scenario and row.
    private static func counts(_ lines: String) -> [String: Double] {
        var counts: [String: Double] = [:]
        for line in lines.split(separator: "\n") {
            let columns = line.split(separator: "\t")
            guard columns.count == 3, let count = Double(columns[2]) else { continue }
            counts["\(columns[0]), \(columns[1])"] = count
        }
        return counts
    }

    private static func count() throws -> String {
        let process = Process()
        process.executableURL = program
        process.arguments = ["--allocations"]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        return String(decoding: output, as: UTF8.self)
    }
}
