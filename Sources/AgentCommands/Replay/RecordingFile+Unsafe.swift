// Wingmirror · Apache-2.0

import Agent
import AgentConfiguration
import Glibc

/// A recording that is read from its beginning, a piece at a time.
struct RecordingFile: ~Copyable {
    /// Octets that are read at a time.
    private static let pieceOctets = 1 << 20

    private let descriptor: Int32
    private let isOwned: Bool
    private let path: String

    /// Opens the file at `path`, or standard input for `-`.
    init(_ path: String) throws(CommandFailure) {
        self.path = path
        isOwned = path != "-"
        descriptor = isOwned ? unsafe open(path, O_RDONLY | O_CLOEXEC) : STDIN_FILENO
        guard descriptor >= 0 else { throw Self.failure(path) }
    }

    deinit {
        if isOwned { close(descriptor) }
    }

    /// The next piece; empty at the end of the file.
    mutating func next() throws(CommandFailure) -> [UInt8] {
        var piece = [UInt8](repeating: 0, count: Self.pieceOctets)
        while true {
            // The buffer is the array's own storage, valid for the call, and its count is passed with it.
            let count = unsafe piece.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw Self.failure(path) }
            piece.removeLast(piece.count - count)
            return piece
        }
    }

    private static func failure(_ path: String) -> CommandFailure {
        CommandFailure(.usage, "\(path): \(FileContents.Failure.latest.explained)")
    }
}
