// Wingmirror · Apache-2.0

import CFuzzer
import Glibc

/// A file without a name that lies in memory, for readers that open files themselves.
enum MemoryFile {
    private static let descriptor = cfuzzer_memory_file()

    /// The path of a file that holds these octets and no others, until the next call; `nil` where that cannot be had.
    ///
    /// The C functions are `ftruncate` and `pwrite`.
    static func path(holding octets: [UInt8]) -> String? {
        guard descriptor >= 0, ftruncate(descriptor, 0) == 0 else { return nil }
        // The buffer is the array's and is only read for its count.
        let written = unsafe octets.withUnsafeBytes { unsafe pwrite(descriptor, $0.baseAddress, $0.count, 0) }
        return written == octets.count ? "/proc/self/fd/\(descriptor)" : nil
    }
}
