// Wingmirror · Apache-2.0

import FoundationEssentials
import NIOPosix
import Synchronization

/// A small file that others renew, such as a token or a bundle of authorities.
///
/// It is read again at most once a minute, or at once when its content was refused. A file that cannot be read, or is empty,
/// changes nothing: the content that was good before stays in use, for kubelets replace these files while pods run.
final class RenewedFile: Sendable {
    /// After how many seconds the file is looked at again.
    static let interval: Int64 = 60
    /// The most octets of a file; a bundle of all public authorities has a quarter of that.
    static let limit: UInt64 = 1 << 20

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
    func content() async throws(APIFailure) -> [UInt8] {
        let time = now()
        let known = state.withLock { state -> [UInt8]? in
            guard let readAt = state.readAt, !state.content.isEmpty, time - readAt < Self.interval * 1_000_000_000
            else {
                return nil
            }
            return state.content
        }
        if let known { return known }
        await reread()
        let content = state.withLock { $0.content }
        guard !content.isEmpty else { throw .credentials("\(path) cannot be read, or is empty") }
        return content
    }

    /// Reads the file now, on a thread that may wait for a file system; returns whether its content has changed.
    @discardableResult
    func reread() async -> Bool {
        let time = now()
        let read = try? await NIOThreadPool.singleton.runIfActive { [path] in Self.read(path) }
        return state.withLock { state in
            state.readAt = time
            guard let content = read.flatMap(\.self), content != state.content else { return false }
            state.content = content
            return true
        }
    }

    /// The content of a file that is neither empty nor too long to be one of these.
    private static func read(_ path: String) -> [UInt8]? {
        let file = URL(filePath: path)
        let attributes = try? FileManager.default.attributesOfItem(atPath: file.resolvingSymlinksInPath().path)
        // The size is a `UInt`, or an `NSNumber` in programs that have all of Foundation, which only its text has in common.
        guard let size = attributes?[.size].flatMap({ UInt64("\($0)") }), size <= limit,
            let data = try? Data(contentsOf: file)
        else { return nil }
        let content = [UInt8](data)
        return content.allSatisfy { [0x20, 0x09, 0x0A, 0x0D].contains($0) } ? nil : content
    }
}
