// Wingmirror · Apache-2.0

import Foundation
import TestSupport
import Testing

/// Calls of the allocator on the packet path, against what is stored; counts, which no load of the machine moves.
///
/// A program of its own counts them, since other tests allocate beside this one. Counts are of a debug build, whose harness
/// allocates too: a difference matters, not the number. To store what is counted now:
///
///     .build/debug/Benchmarks --allocations > Tests/BenchmarksTests/Fixtures/allocations.tsv
@Suite(.timeLimit(.minutes(20)))
struct AllocationTests {
    /// By how much a count may exceed what is stored: counts of one compiler are exact, and those of its next release may differ.
    private static let tolerance = 0.05

    @Test(.enabled(if: BenchmarksProgram.program.exists, BenchmarksProgram.whyMissing))
    func `decoding, reassembly, HTTP/1, HTTP/2 and lookup allocate no more than is stored`() async throws {
        let stored = Self.counts(try BenchmarksProgram.stored("allocations.tsv"))
        let run = try await BenchmarksProgram.program.run(["--allocations"])
        try #require(run.status == 0, "\(run.errors)")
        let counted = Self.counts(BenchmarksProgram.rows(String(decoding: run.output, as: UTF8.self)))
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
    private static func counts(_ rows: [[String]]) -> [String: Double] {
        var counts: [String: Double] = [:]
        for columns in rows where columns.count == 3 {
            if let count = Double(columns[2]) { counts["\(columns[0]), \(columns[1])"] = count }
        }
        return counts
    }
}
