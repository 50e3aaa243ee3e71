// Wingmirror · Apache-2.0

import Glibc

/// Reads small files whole, and says what went wrong in the system's words.
package enum FileContents {
    /// Why a file was not read.
    package struct Failure: Error, Equatable {
        /// The reason, such as "No such file or directory".
        package var reason: String
    }

    /// Reads the file at `path`, which must not hold more than `limit` octets.
    package static func read(_ path: String, limit: Int) throws(Failure) -> [UInt8] {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Failure(reason: systemMessage()) }
        defer { close(descriptor) }
        var contents: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            // The buffer is the array's own storage, valid for the call, and its count is passed with it.
            let count = unsafe chunk.withUnsafeMutableBytes { unsafe Glibc.read(descriptor, $0.baseAddress, $0.count) }
            if count == 0 {
                return contents
            }
            if count < 0 {
                if errno == EINTR {
                    continue
                }
                throw Failure(reason: systemMessage())
            }
            contents += chunk.prefix(count)
            guard contents.count <= limit else { throw Failure(reason: "it is larger than \(ByteSize(limit))") }
        }
    }

    /// What the system says of the latest error.
    package static func systemMessage(_ code: Int32 = errno) -> String {
        // `strerror` returns a static, terminated string; it is copied at once.
        unsafe String(cString: strerror(code))
    }
}
