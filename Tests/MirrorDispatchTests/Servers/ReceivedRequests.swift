// Wingmirror · Apache-2.0

import NIOHTTP1
import Synchronization

/// A request that a test server received.
struct ReceivedRequest: Sendable {
    let method: String
    let target: String
    let version: HTTPVersion
    let fields: [(name: String, value: String)]
    let content: [UInt8]
    /// The server's address on this connection.
    let localAddress: String

    func values(of name: String) -> [String] {
        fields.filter { $0.name.lowercased() == name }.map(\.value)
    }
}

/// What a test server has seen so far, and a stream of it for tests to wait on.
final class ReceivedRequests: Sendable {
    let stream: AsyncStream<ReceivedRequest>
    private let yield: AsyncStream<ReceivedRequest>.Continuation
    private let seen = Mutex<[ReceivedRequest]>([])
    private let connections = Atomic<Int>(0)

    init() {
        (stream, yield) = AsyncStream.makeStream()
    }

    var all: [ReceivedRequest] { seen.withLock(\.self) }

    /// How many connections were accepted.
    var connectionCount: Int { connections.load(ordering: .relaxed) }

    func connectionAccepted() {
        connections.add(1, ordering: .relaxed)
    }

    func arrived(_ request: ReceivedRequest) {
        seen.withLock { $0.append(request) }
        yield.yield(request)
    }
}
