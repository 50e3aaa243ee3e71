// Wingmirror · Apache-2.0

import Glibc

/// A file without a name, which is gone when nobody refers to it any more, however the program ends.
final class TemporaryFile {
    private let descriptor: CInt

    /// A path that opens it.
    var path: String { "/proc/self/fd/\(descriptor)" }

    /// Writes `octets` to a new file in the folder for temporary files.
    ///
    /// The C functions are `mkstemp`, `unlink` and `write`.
    init(_ octets: [UInt8]) throws {
        let folder = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? "/tmp"
        var name = Array("\(folder)/wingmirror-benchmark-XXXXXX".utf8CString)
        // The name is terminated, and the calls change or read it within its bounds only.
        descriptor = unsafe name.withUnsafeMutableBufferPointer { buffer in
            guard let name = buffer.baseAddress else { return -1 }
            let descriptor = unsafe mkstemp(name)
            if descriptor >= 0 { unsafe unlink(name) }
            return descriptor
        }
        guard descriptor >= 0 else { throw BenchmarkFailure("no temporary file can be made in \(folder)") }
        var written = 0
        while written < octets.count {
            // The buffer is the array's own storage from `written` on, with what is left of its count.
            let count = unsafe octets.withUnsafeBytes {
                unsafe write(descriptor, $0.baseAddress.map { unsafe $0 + written }, $0.count - written)
            }
            guard count > 0 else { throw BenchmarkFailure("a temporary file in \(folder) cannot be written") }
            written += count
        }
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }
}
