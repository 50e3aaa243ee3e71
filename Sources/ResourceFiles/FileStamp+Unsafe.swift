// Wingmirror · Apache-2.0

import Glibc

/// What the file system says of a file, links followed: which file it is, its size, and when it was changed last.
struct FileStamp: Sendable, Hashable {
    private let device: UInt64
    private let number: UInt64
    /// The size, in octets.
    let size: Int64
    /// Whether it is a pipe, of which nothing is left once it was read.
    let isPipe: Bool
    private let modified: Instant
    /// Also changes when a file is given an old modification time.
    private let changed: Instant

    private struct Instant: Hashable {
        let seconds: Int
        let nanoseconds: Int

        init(_ time: timespec) {
            seconds = time.tv_sec
            nanoseconds = time.tv_nsec
        }
    }

    /// Asks for a file; `nil` when it cannot be reached.
    ///
    /// The C function is `stat`.
    init?(path: String) {
        var status = stat()
        // The path is passed as a string that ends in 0, and the status outlives the call, which keeps neither.
        guard unsafe stat(path, &status) == 0 else { return nil }
        device = UInt64(status.st_dev)
        number = UInt64(status.st_ino)
        size = Int64(status.st_size)
        isPipe = status.st_mode & S_IFMT == S_IFIFO
        modified = Instant(status.st_mtim)
        changed = Instant(status.st_ctim)
    }
}
