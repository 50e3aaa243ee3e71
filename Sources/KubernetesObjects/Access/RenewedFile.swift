// Wingmirror · Apache-2.0

import FoundationEssentials
import Synchronization

/// A small file that others renew, such as a token or a bundle of authorities.
///
/// It is read again at most once a minute, or at once when its content was refused. A file that cannot be read, or is empty,
/// changes nothing: the content that was good before stays in use, for kubelets replace these files while pods run.
final class RenewedFile: Sendable {
    /// After how many seconds the file is looked at again.
    static let interval: Int64 = 60

    private struct State {
        var content: [UInt8] = []
        var readAt: Int64?
    }

    private let path: String
    private let now: @Sendable () -> Int64
    private let state = Mutex(State())

    /// Names a file; it is read when it is asked for.
    init(_ path: String, now: @escaping @Sendable () -> Int64) {
        self.path = path
        self.now = now
    }

    /// The content.
    ///
    /// - Throws: `.credentials` where nothing was ever read of it.
    func content() throws(APIFailure) -> [UInt8] {
        let time = now()
        let content = state.withLock { state in
            if let readAt = state.readAt, !state.content.isEmpty, time - readAt < Self.interval * 1_000_000_000 {
                return state.content
            }
            read(&state, at: time)
            return state.content
        }
        guard !content.isEmpty else { throw .credentials("\(path) cannot be read, or is empty") }
        return content
    }

    /// Reads the file now; returns whether its content has changed.
    func reread() -> Bool {
        state.withLock { state in
            let before = state.content
            read(&state, at: now())
            return state.content != before
        }
    }

    private func read(_ state: inout State, at time: Int64) {
        state.readAt = time
        guard let data = try? Data(contentsOf: URL(filePath: path)) else { return }
        let content = [UInt8](data)
        guard !content.allSatisfy({ [0x20, 0x09, 0x0A, 0x0D].contains($0) }) else { return }
        state.content = content
    }
}
