// Wingmirror · Apache-2.0

import AgentConfiguration
import Glibc
import OctetText

/// A file or standard output, written through a buffer.
package struct OctetOutput: ~Copyable {
    /// Why octets could not be written.
    package enum Failure: Error, Equatable {
        /// The reader of a pipe has gone, which is its right.
        case closed
        /// Anything else, such as a full disk.
        case failed(String)

        /// The reason in words.
        package var reason: String {
            switch self {
            case .closed: "the reader of the pipe has gone"
            case .failed(let reason): reason
            }
        }
    }

    /// Octets are handed to the system when this many are waiting.
    private static let bufferLimit = 1 << 18
    /// As many in one piece are not copied behind others that wait, but written from where they are.
    private static let ownWrite = 1 << 15

    private let descriptor: Int32
    private let isOwned: Bool
    private var buffer: [UInt8] = []

    private init(descriptor: Int32, isOwned: Bool) {
        self.descriptor = descriptor
        self.isOwned = isOwned
        buffer.reserveCapacity(Self.bufferLimit + 65_536)
    }

    deinit {
        if isOwned {
            close(descriptor)
        }
    }

    /// Standard output.
    package static func standardOutput() -> OctetOutput {
        OctetOutput(descriptor: STDOUT_FILENO, isOwned: false)
    }

    /// Opens the file at `path` anew, or standard output for `-`; if `isPrivate`, nobody but its owner may read it, even if it
    /// was there before.
    package static func open(_ path: String, forOwnerOnly isPrivate: Bool = false) throws(Failure) -> OctetOutput {
        guard path != "-" else { return standardOutput() }
        let mode: mode_t = isPrivate ? 0o600 : 0o640
        let descriptor = unsafe Glibc.open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw .failed("\(path): cannot be written: \(FileContents.systemMessage())") }
        // What is no regular file, such as a pipe, has no mode to be changed.
        if isPrivate { _ = fchmod(descriptor, mode) }
        return OctetOutput(descriptor: descriptor, isOwned: true)
    }

    /// Adds octets, and writes when enough are waiting.
    package mutating func append(_ octets: some Sequence<UInt8>) throws(Failure) {
        buffer.append(contentsOf: octets)
        if buffer.count >= Self.bufferLimit {
            try flush()
        }
    }

    /// Adds octets that are in one piece; a long one is written at once, after what is waiting.
    package mutating func append(_ octets: [UInt8]) throws(Failure) { try append(octets.span) }

    /// Adds octets that are in one piece; a long one is written at once, after what is waiting.
    package mutating func append(_ octets: Span<UInt8>) throws(Failure) {
        guard octets.count >= Self.ownWrite else {
            buffer.append(addingCapacity: octets.count) { $0.append(copying: octets) }
            if buffer.count >= Self.bufferLimit { try flush() }
            return
        }
        try flush()
        try write(octets)
    }

    /// Adds a line and its end.
    package mutating func append(line: String) throws(Failure) {
        try append(line.utf8)
        try append(CollectionOfOne(UInt8(ascii: "\n")))
    }

    /// Writes what is waiting; after a failure it is forgotten.
    package mutating func flush() throws(Failure) {
        defer { buffer.removeAll(keepingCapacity: true) }
        try write(buffer.span)
    }

    private func write(_ octets: Span<UInt8>) throws(Failure) {
        var written = 0
        while written < octets.count {
            // The range lies within the octets, which are borrowed for the call.
            let count = unsafe octets.withUnsafeBytes { octets in
                unsafe Glibc.write(descriptor, octets.baseAddress?.advanced(by: written), octets.count - written)
            }
            if count >= 0 {
                written += count
            } else if errno == EPIPE {
                throw .closed
            } else if errno != EINTR {
                throw .failed("cannot write: \(FileContents.systemMessage())")
            }
        }
    }

    /// Lets a write to a pipe without a reader fail rather than end the program.
    package static func ignoreBrokenPipes() {
        _ = signal(SIGPIPE, SIG_IGN)
    }
}
