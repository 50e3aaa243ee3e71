// Wingmirror · Apache-2.0

import Glibc

/// Standard output and standard error, without a buffer of our own.
enum Console {
    /// Writes a result.
    static func write(_ text: String) {
        write(text, to: STDOUT_FILENO)
    }

    /// Writes what is wrong.
    static func complain(_ text: String) {
        write(text, to: STDERR_FILENO)
    }

    private static func write(_ text: String, to descriptor: CInt) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            // The buffer is the slice's own storage, valid for the call, and its count is passed with it.
            let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }
}
