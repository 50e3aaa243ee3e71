// Wingmirror · Apache-2.0

import NIOHTTP1
import Synchronization
import TestSupport

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

/// What a test server has seen so far.
final class ReceivedRequests: Sendable {
    private let seen = Mutex<[ReceivedRequest]>([])
    private let bells = Mutex<[ChangeBell]>([])
    private let connections = Atomic<Int>(0)

    var all: [ReceivedRequest] { seen.withLock(\.self) }

    /// How many connections were accepted.
    var connectionCount: Int { connections.load(ordering: .relaxed) }

    func connectionAccepted() {
        connections.add(1, ordering: .relaxed)
    }

    func arrived(_ request: ReceivedRequest) {
        seen.withLock { $0.append(request) }
        for bell in bells.withLock(\.self) { bell.ring() }
    }

    /// Has each request that arrives from now on ring a bell.
    func ring(_ bell: ChangeBell) {
        bells.withLock { $0.append(bell) }
    }
}
