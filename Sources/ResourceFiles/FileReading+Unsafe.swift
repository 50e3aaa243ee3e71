// Wingmirror · Apache-2.0

import Glibc

/// Reads files, pipes and standard input.
enum FileReading {
    /// Why something could not be read: the system's number of the error.
    struct Failure: Error {
        let code: Int32
    }

    /// Reads the file at a path, or standard input for `-`, up to its end or `limit` octets.
    ///
    /// The C functions are `open`, `read` and `close`.
    static func read(_ path: String, limit: Int) throws(Failure) -> [UInt8] {
        let descriptor = path == "-" ? STDIN_FILENO : unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Failure(code: errno) }
        defer { if path != "-" { close(descriptor) } }
        var contents: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while contents.count < limit {
            let room = min(chunk.count, limit - contents.count)
            // The buffer is the array's own storage, valid for the call, and no more than its count is asked for.
            let count = unsafe chunk.withUnsafeMutableBytes { unsafe Glibc.read(descriptor, $0.baseAddress, room) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw Failure(code: errno) }
            guard count > 0 else { break }
            contents += chunk.prefix(count)
        }
        return contents
    }
}
