// Wingmirror · Apache-2.0

import Glibc

/// What the system says of a file.
package struct FileStatus: Sendable, Equatable {
    /// Which file it is, on this machine.
    package struct Identity: Sendable, Hashable {
        private let device: UInt
        private let node: UInt

        fileprivate init(_ status: stat) {
            device = UInt(status.st_dev)
            node = UInt(status.st_ino)
        }
    }

    /// Which file it is.
    package let identity: Identity
    /// Whether it is a file, and no folder, pipe or device.
    package let isFile: Bool
    /// Whether it is a folder.
    package let isFolder: Bool
    /// Whether it is a pipe.
    package let isPipe: Bool
    /// The size, in octets.
    package let size: Int

    private init(_ status: stat) {
        identity = Identity(status)
        isFile = status.st_mode & S_IFMT == S_IFREG
        isFolder = status.st_mode & S_IFMT == S_IFDIR
        isPipe = status.st_mode & S_IFMT == S_IFIFO
        size = Int(status.st_size)
    }

    /// Asks for an open file; `nil` when it cannot be asked.
    ///
    /// The C function is `fstat`.
    package init?(of descriptor: Int32) {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { return nil }
        self.init(status)
    }

    /// Asks for the file at a path, links followed; `nil` when there is none.
    ///
    /// The C function is `stat`.
    package init?(at path: String) {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return nil }
        self.init(status)
    }
}

/// Reads small files whole, and says what went wrong in the system's words.
package enum FileContents {
    /// Why a file was not read.
    package struct Failure: Error, Equatable {
        /// The reason, such as "Is a directory".
        package var reason: String

        /// There is nothing at the path.
        package static let missing = Failure(reason: "no such file or folder")

        /// What the system says of the latest error.
        package static var latest: Failure {
            errno == ENOENT ? .missing : Failure(reason: systemMessage())
        }

        /// What to say of the file, behind its path: the same words by every command where there is none.
        package var explained: String {
            self == .missing ? reason : "cannot be read: \(reason)"
        }

        /// Says why.
        package init(reason: String) {
            self.reason = reason
        }
    }

    /// How long a named pipe may say nothing, in milliseconds.
    private static let patience: Int32 = 5_000

    /// Reads the file at `path`, which must not hold more than `limit` octets.
    ///
    /// The size of a file is looked at before it is read. What the caller's shell has connected (`/dev/stdin`, `/dev/fd/63`)
    /// is read to its end; a named pipe to which nobody writes is refused, as a file was meant.
    ///
    /// The C functions are `open`, `fstat`, `poll` and `read`.
    package static func read(_ path: String, limit: Int) throws(Failure) -> [UInt8] {
        // Without O_NONBLOCK a FIFO would be waited for in here.
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw Failure.latest }
        defer { close(descriptor) }
        let tooLarge = Failure(reason: "it is larger than \(ByteSize(limit))")
        guard let status = FileStatus(of: descriptor) else { throw Failure(reason: systemMessage()) }
        let isNamedPipe = status.isPipe && !path.hasPrefix("/dev/")
        if status.isFile, status.size > limit { throw tooLarge }
        var contents: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            // The buffer is the array's own storage, valid for the call, and its count is passed with it.
            let count = unsafe chunk.withUnsafeMutableBytes { unsafe Glibc.read(descriptor, $0.baseAddress, $0.count) }
            if count == 0 {
                guard !isNamedPipe || !contents.isEmpty else { throw Failure(reason: "no process writes to the pipe") }
                return contents
            }
            if count < 0 {
                if errno == EINTR {
                    continue
                }
                if errno == EAGAIN {
                    try awaitInput(descriptor, for: isNamedPipe ? patience : -1)
                    continue
                }
                throw Failure(reason: systemMessage())
            }
            contents += chunk.prefix(count)
            guard contents.count <= limit else { throw tooLarge }
        }
    }

    /// Waits until something can be read, or the end has come; `-1` waits as long as it takes.
    private static func awaitInput(_ descriptor: Int32, for milliseconds: Int32) throws(Failure) {
        var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard unsafe poll(&waiting, 1, milliseconds) == 0 else { return }
        throw Failure(reason: "nothing came through the pipe for \(milliseconds / 1000) seconds")
    }

    /// What the system says of the latest error.
    package static func systemMessage(_ code: Int32 = errno) -> String {
        // `strerror` returns a static, terminated string; it is copied at once.
        unsafe String(cString: strerror(code))
    }
}
