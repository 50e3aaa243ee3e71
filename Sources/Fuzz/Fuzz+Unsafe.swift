// Wingmirror · Apache-2.0

import CFuzzer
import Foundation
import Fuzzing
import Glibc

/// Fuzzes a target with libFuzzer; without it, reads inputs that were kept.
///
///     Fuzz TARGET [options of libFuzzer] [folders]    built with -sanitize=fuzzer
///     Fuzz TARGET FILE…                               reads each once
///     Fuzz seeds TARGET FOLDER                        writes what to begin with
///
/// `make fuzz` does it all.
@main
enum Fuzz {
    /// The target of this process, for libFuzzer's callback, which takes no context.
    private static let target = FuzzTarget(rawValue: CommandLine.arguments.dropFirst().first ?? "")

    static func main() throws {
        let arguments = CommandLine.arguments
        if arguments.count == 4, arguments[1] == "seeds", let target = FuzzTarget(rawValue: arguments[2]) {
            return try writeSeeds(of: target, to: arguments[3])
        }
        guard let target else {
            let names = FuzzTarget.allCases.map(\.rawValue).joined(separator: " ")
            let usage = "Fuzz: usage: Fuzz TARGET [options] [folders or files]\nTargets: \(names)\n"
            FileHandle.standardError.write(Data(usage.utf8))
            exit(2)
        }
        if let status = runLibFuzzer([arguments[0]] + arguments.dropFirst(2)) { exit(status) }
        for path in arguments.dropFirst(2) {
            target.run(Array(try Data(contentsOf: URL(filePath: path))).span)
        }
    }

    private static func writeSeeds(of target: FuzzTarget, to folder: String) throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for seed in try FuzzSeeds.all(of: target) {
            try Data(seed.octets).write(to: URL(filePath: "\(folder)/\(seed.name)"))
        }
    }

    /// Runs libFuzzer; `nil` where the program was built without it.
    private static func runLibFuzzer(_ arguments: [String]) -> CInt? {
        // libFuzzer keeps the pointers until the process ends.
        var pointers = unsafe arguments.map { unsafe strdup($0) } + [nil]
        let status = unsafe cfuzzer_run(CInt(arguments.count), &pointers) { octets, count in
            // libFuzzer lends the octets for the call.
            let buffer = unsafe UnsafeBufferPointer(start: octets, count: count)
            Fuzz.target?.run(unsafe Span(_unsafeElements: buffer))
            return 0
        }
        return status < 0 ? nil : status
    }
}
