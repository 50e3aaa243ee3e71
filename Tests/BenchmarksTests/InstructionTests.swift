// Wingmirror · Apache-2.0

import Foundation
import TestSupport
import Testing

/// Instructions of the packet path, against what is stored; counted by valgrind, so that no load of the machine moves them.
///
/// Counts are of a debug build, which does all that a release build does and much beside: they show work that was not there
/// before, not what it costs. To store what is counted now, after `swift build`, for each scenario:
///
///     strip --strip-debug -o /tmp/Benchmarks .build/debug/Benchmarks
///     valgrind --tool=callgrind --callgrind-out-file=/dev/null --collect-atstart=no \
///         --toggle-collect='*measuredRunSiyKF' /tmp/Benchmarks decode --allocations
@Suite(.timeLimit(.minutes(20)))
struct InstructionTests {
    /// What the packet path does most.
    private static let scenarios = ["decode", "reassembly", "heads", "streams", "lookup"]

    /// By how much a count may exceed what is stored: the next release of a compiler or library may do a little more.
    private static let tolerance = 0.05

    private static let valgrind = ExternalProgram("valgrind")
    private static let strip = ExternalProgram("strip")

    @Test(
        .enabled(if: BenchmarksProgram.program.exists, BenchmarksProgram.whyMissing),
        .enabled(if: valgrind.exists && strip.exists, "needs valgrind and binutils"),
        arguments: scenarios
    )
    func `a stage of the packet path executes no more instructions than are stored`(_ scenario: String) async throws {
        let stored = try BenchmarksProgram.stored("instructions.tsv").first { $0.first == scenario }
        let limit = try #require(stored.flatMap { Double($0[1]) })
        let folder = FileManager.default.temporaryDirectory.appending(path: "instructions-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        // Valgrind does not understand all of the compiler's debugging information.
        let program = folder.appending(path: "Benchmarks")
        let stripping = try await Self.strip.run(["--strip-debug", "-o", program.path, BenchmarksProgram.program.name])
        try #require(stripping.status == 0, "\(stripping.text)")
        let run = try await Self.valgrind.run([
            "--tool=callgrind", "--callgrind-out-file=/dev/null", "--collect-atstart=no",
            "--toggle-collect=*measuredRunSiyKF", program.path, scenario, "--allocations",
        ])
        try #require(run.status == 0, "\(run.errors)")
        let counted = try #require(run.errors.firstMatch(of: /Collected : (\d+)/).flatMap { Double($0.1) })
        #expect(counted > limit / 2, "nothing, or something else, was counted: store the counts anew")
        #expect(counted <= limit * (1 + Self.tolerance), "\(counted) instructions, where \(limit) are stored")
    }
}
