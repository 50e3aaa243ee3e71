// Wingmirror · Apache-2.0

import Logging
import Synchronization
import TestServers
import TestSupport

@testable import KubernetesObjects

/// One watch against a test server, with pauses that pass quickly.
final class WatchRig: Sendable {
    let store = ObjectStore()
    /// The pauses that were made.
    let pauses = Mutex<[Duration]>([])
    let streaming: StreamingSupport

    /// What the watch takes for the time.
    let time: HandClock

    private let transport: HTTPTransport
    private let collection: ResourceCollection
    /// Whether the time of a request is over, by what the store has.
    private let isOver: @Sendable (ObjectStore) -> Bool

    init(
        _ server: TestAPIServer,
        _ collection: ResourceCollection,
        streams: Bool = false,
        tls: TestCertificate? = nil,
        time: HandClock = HandClock(),
        _ access: (inout ClusterAccess) -> Void = { _ in },
        isOver: @escaping @Sendable (ObjectStore) -> Bool = { _ in false }
    ) {
        self.time = time
        var cluster = ClusterAccess(server: server.url)
        if let tls { cluster.authorityFile = tls.authority }
        access(&cluster)
        // Each look at a renewed file comes a minute after the one before.
        let clock = HandClock()
        transport = HTTPTransport(cluster) {
            clock.advance(nanoseconds: 61_000_000_000)
            return clock.now
        }
        self.collection = collection
        self.isOver = isOver
        streaming = StreamingSupport(isOffered: streams)
    }

    /// Runs the watch while `body` looks at what it does.
    func run(_ body: (ObjectStore) async -> Void) async {
        let clock = WatchClock(
            now: { [time] in time.now },
            pause: { [self] pause in
                pauses.withLock { $0.append(pause) }
                try await Task.sleep(for: .milliseconds(1))
            },
            expire: { [store, isOver] _ in
                while !isOver(store) { try await Task.sleep(for: .milliseconds(2)) }
            },
            random: { 0.5 }
        )
        var logger = Logger(label: "watch")
        logger.logLevel = .critical
        let watch = CollectionWatch(
            collection,
            over: transport,
            into: store,
            clock: clock,
            streaming: streaming,
            logger: logger
        )
        let running = Task { await watch.run() }
        await body(store)
        running.cancel()
        await running.value
        transport.close()
    }

    /// Waits until a condition is met; looks at it after each change of the store and now and then.
    func until(_ isMet: () -> Bool) async {
        while !isMet(), !Task.isCancelled {
            try? await Task.sleep(for: .milliseconds(2))
        }
    }
}
