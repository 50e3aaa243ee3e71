// Wingmirror · Apache-2.0

package import Logging

/// Follows the kinds of a cluster that are wanted, as far as the cluster serves them, until its task is cancelled.
///
/// A kind that is not served costs one look at its API group every few minutes, and is followed from the moment it appears.
/// One that is served in another version from now on is followed in that one.
package struct ClusterWatch: Sendable {
    /// How long the first request waits at most: agents of many nodes start together.
    package static let longestStartDelay = 10.0
    /// How long until the next look at what is served, in seconds, where a wanted kind is missing.
    private static let missingInterval = 120.0
    /// The same, where all kinds are there.
    private static let completeInterval = 900.0

    /// What is followed.
    package struct Scope: Sendable {
        /// The kinds.
        package var kinds: [WatchedKind]
        /// The namespaces in which they are followed; empty for all.
        package var namespaces: [String]
        /// Collections that are followed besides, without asking whether they are served.
        package var collections: [ResourceCollection]
        /// How long the first request may wait, in seconds.
        package var startDelay: Double

        /// Names what is followed.
        package init(
            kinds: [WatchedKind],
            namespaces: [String] = [],
            collections: [ResourceCollection] = [],
            startDelay: Double = longestStartDelay
        ) {
            self.kinds = kinds
            self.namespaces = namespaces
            self.collections = collections
            self.startDelay = startDelay
        }
    }

    private let scope: Scope
    private let transport: any APITransport
    private let store: ObjectStore
    private let clock: WatchClock
    private let streaming = StreamingSupport(isOffered: false)
    private let logger: Logger

    /// Makes a watch of a cluster.
    package init(
        _ scope: Scope,
        over transport: any APITransport,
        into store: ObjectStore,
        clock: WatchClock,
        logger: Logger
    ) {
        self.scope = scope
        self.transport = transport
        self.store = store
        self.clock = clock
        self.logger = logger
    }

    /// Follows until the task is cancelled.
    package func run() async {
        var watches: [ResourceCollection: Task<Void, Never>] = [:]
        defer { for watch in watches.values { watch.cancel() } }
        var backoff = WatchBackoff()
        var isFirst = true
        do {
            try await clock.pause(.milliseconds(Int64(scope.startDelay * clock.random() * 1000)))
            for collection in scope.collections { watches[collection] = start(collection) }
            while true {
                let wait: Duration
                do {
                    let found = try await APIDiscovery(over: transport).find(scope.kinds)
                    if found.offersStreaming, isFirst { streaming.found() }
                    isFirst = false
                    follow(found, &watches)
                    if !scope.kinds.isEmpty { store.discovered(without: unread(found), at: clock.now()) }
                    let isComplete = found.versions.count == scope.kinds.count
                    let interval = isComplete ? Self.completeInterval : Self.missingInterval
                    if found.unread.isEmpty {
                        backoff = WatchBackoff()
                        wait = .milliseconds(Int64(interval * (1 + clock.random()) * 1000))
                    } else {
                        logger.info(
                            "kubernetes discovery",
                            metadata: ["groups": "\(found.unread.keys.sorted().joined(separator: ", "))"]
                        )
                        wait = backoff.next(random: clock.random())
                    }
                } catch is CancellationError {
                    return await end(watches)
                } catch {
                    logger.info("kubernetes discovery", metadata: ["reason": "\(error)"])
                    store.undiscovered(
                        APIDiscovery.trouble(error),
                        status: (error as? APIDiscovery.Refusal)?.status
                    )
                    wait = backoff.next(random: clock.random())
                }
                try await clock.pause(wait)
            }
        } catch {
            await end(watches)
        }
    }

    /// The groups of which it is not known what they serve, with the kinds that are wanted of each.
    private func unread(_ found: APIDiscovery.Found) -> [String: (kinds: [WatchedKind], trouble: WatchTrouble)] {
        Dictionary(
            uniqueKeysWithValues: found.unread.map { group, trouble in
                (group, (scope.kinds.filter { $0.group == group }, trouble))
            }
        )
    }

    private func end(_ watches: [ResourceCollection: Task<Void, Never>]) async {
        for watch in watches.values { watch.cancel() }
        for watch in watches.values { await watch.value }
    }

    /// Begins to follow what has appeared, and leaves what is not served any more.
    private func follow(_ found: APIDiscovery.Found, _ watches: inout [ResourceCollection: Task<Void, Never>]) {
        var wanted = Set(scope.collections)
        for (kind, version) in found.versions {
            if scope.namespaces.isEmpty || !kind.isNamespaced {
                wanted.insert(kind.collection(version: version))
            } else {
                for namespace in scope.namespaces {
                    wanted.insert(kind.collection(version: version, namespace: namespace))
                }
            }
        }
        for (collection, watch) in watches
        where !wanted.contains(collection) && found.unread[collection.resource.group] == nil {
            watch.cancel()
            watches[collection] = nil
            if let successor = wanted.first(where: { $0.isOtherVersion(of: collection) && watches[$0] == nil }) {
                store.succeed(collection, by: successor)
            } else {
                store.end(collection)
            }
        }
        for collection in wanted where watches[collection] == nil {
            watches[collection] = start(collection)
        }
    }

    private func start(_ collection: ResourceCollection) -> Task<Void, Never> {
        store.begin(collection)
        let watch = CollectionWatch(
            collection,
            over: transport,
            into: store,
            clock: clock,
            streaming: streaming,
            logger: logger
        )
        return Task { await watch.run() }
    }
}
