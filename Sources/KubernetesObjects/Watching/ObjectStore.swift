// Wingmirror · Apache-2.0

import Synchronization

/// Holds the objects of the collections that are watched, and what is known of how fresh they are.
package final class ObjectStore: Sendable {
    /// What is known of one collection.
    package struct CollectionState: Sendable {
        /// The objects.
        package var objects: [ObjectKey: StoredObject] = [:]
        /// The objects that could not be read and were passed over, and why.
        package var passedOver: [ObjectKey: String] = [:]
        /// Whether the state came whole at least once.
        package var isSynchronized = false
        /// Whether the server does not serve the kind.
        package var isAbsent = false
        /// Why it is not followed now; `nil` when it is.
        package var trouble: WatchTrouble?
        /// Since when it is not followed, in nanoseconds since the Unix epoch; 0 when it is.
        package var troubledSince: Int64 = 0
        /// Counts the changes of its objects.
        package var generation = 0
        /// The latest time at which it was known to be fresh: an event, a bookmark or a list.
        package var freshAt: Int64 = 0
        /// What was asked and answered.
        package var counts = WatchCounts()
    }

    /// What the server says of what it was asked for one collection.
    package struct WatchCounts: Sendable, Hashable {
        /// Lists begun, of any kind.
        package var lists: UInt64 = 0
        /// Requests sent.
        package var requests: UInt64 = 0
        /// Events by type.
        package var events: [String: UInt64] = [:]
        /// Watches and lists that did not end well, by reason.
        package var troubles: [WatchTrouble: UInt64] = [:]
        /// Items and events over the limit, or that could not be read, which were passed over.
        package var oversized: UInt64 = 0
    }

    private struct State {
        var collections: [ResourceCollection: CollectionState] = [:]
        var generation = 0
        var isDiscovered = false
        /// The API groups of which it is not known what they serve.
        var unreadGroups: [String: UnreadGroup] = [:]
        var discoveryTrouble: DiscoveryTrouble?
    }

    /// Why the server does not say what it serves.
    package struct DiscoveryTrouble: Sendable, Hashable {
        /// Why.
        package let trouble: WatchTrouble
        /// The status of the answer, where one came that was no success.
        package let status: Int?
        /// How often in a row.
        package fileprivate(set) var count = 1
    }

    /// An API group of which the server does not say what it serves.
    package struct UnreadGroup: Sendable, Hashable {
        /// The kinds that are wanted of it.
        package let kinds: [WatchedKind]
        /// Why.
        package let trouble: WatchTrouble
        /// Since when, in nanoseconds since the Unix epoch.
        package let since: Int64
    }

    private let state = Mutex(State())
    private let bell: AsyncStream<Void>.Continuation
    /// Yields after changes; several changes may come as one.
    package let changes: AsyncStream<Void>

    /// Makes an empty store.
    package init() {
        (changes, bell) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    /// Counts the changes of objects.
    package var generation: Int { state.withLock { $0.generation } }

    /// Whether it is known which kinds there are.
    package var isDiscovered: Bool { state.withLock { $0.isDiscovered } }

    /// The API groups of which the server does not say what they serve, by name.
    package var unreadGroups: [String: UnreadGroup] { state.withLock { $0.unreadGroups } }

    /// Why it is not known which kinds there are; `nil` once that is known, or before it was asked.
    package var discoveryTrouble: DiscoveryTrouble? { state.withLock { $0.discoveryTrouble } }

    /// Counts the changes of all objects but those of one collection.
    package func generation(besides collection: ResourceCollection) -> Int {
        state.withLock { $0.generation - ($0.collections[collection]?.generation ?? 0) }
    }

    /// What is known of all collections.
    package var collections: [ResourceCollection: CollectionState] { state.withLock { $0.collections } }

    /// What is known of one collection; `nil` if it is not watched.
    package subscript(collection: ResourceCollection) -> CollectionState? {
        state.withLock { $0.collections[collection] }
    }

    // MARK: - Events

    /// It is known which kinds there are, and all of them are followed.
    ///
    /// - Parameters:
    ///   - unread: The API groups of which that is not known, with the kinds that are wanted of each, and why.
    ///   - now: Nanoseconds since the Unix epoch.
    func discovered(without unread: [String: (kinds: [WatchedKind], trouble: WatchTrouble)] = [:], at now: Int64) {
        let isNews = state.withLock { state in
            let isNews = !state.isDiscovered || Set(state.unreadGroups.keys) != Set(unread.keys)
            state.isDiscovered = true
            state.discoveryTrouble = nil
            state.unreadGroups = Dictionary(
                uniqueKeysWithValues: unread.map { name, group in
                    let since = state.unreadGroups[name]?.since ?? now
                    return (name, UnreadGroup(kinds: group.kinds, trouble: group.trouble, since: since))
                }
            )
            if isNews { state.generation += 1 }
            return isNews
        }
        if isNews { bell.yield() }
    }

    /// The server did not say which kinds there are.
    func undiscovered(_ trouble: WatchTrouble, status: Int?) {
        state.withLock { state in
            let count = (state.discoveryTrouble?.count ?? 0) + 1
            state.discoveryTrouble = DiscoveryTrouble(trouble: trouble, status: status, count: count)
        }
    }

    /// A collection is going to be watched.
    func begin(_ collection: ResourceCollection) {
        state.withLock { state in
            if state.collections[collection] == nil { state.collections[collection] = CollectionState() }
        }
    }

    /// A collection is not watched any more, and what it held does not count.
    package func end(_ collection: ResourceCollection) {
        let wasHeld = state.withLock { state in
            guard state.collections.removeValue(forKey: collection) != nil else { return false }
            state.generation += 1
            return true
        }
        if wasHeld { bell.yield() }
    }

    /// A resource is watched in another version from now on: what was held of it counts until that has come.
    func succeed(_ collection: ResourceCollection, by successor: ResourceCollection) {
        state.withLock { state in
            guard let held = state.collections.removeValue(forKey: collection) else { return }
            state.collections[successor] = held
        }
    }

    /// The whole state has come, and takes the place of what was held.
    func replace(
        _ collection: ResourceCollection,
        with objects: [ObjectKey: StoredObject],
        passingOver passedOver: [ObjectKey: String] = [:],
        at now: Int64
    ) {
        change(collection) { held in
            // Objects that differ in nothing that is kept stay, with what was decoded of them.
            let kept = objects.merging(
                held.objects.filter { objects[$0.key]?.isSame(as: $0.value) ?? false },
                uniquingKeysWith: { $1 }
            )
            let isNews = !held.isSynchronized || kept != held.objects || passedOver != held.passedOver
            held.objects = kept
            held.passedOver = passedOver
            held.isSynchronized = true
            held.isAbsent = false
            held.followed(at: now)
            return isNews
        }
    }

    /// The kind is not served: there are no objects.
    func becameAbsent(_ collection: ResourceCollection, at now: Int64) {
        change(collection) { held in
            let isNews = !held.isSynchronized || !held.objects.isEmpty
            held.objects = [:]
            held.passedOver = [:]
            held.isSynchronized = true
            held.isAbsent = true
            held.freshAt = now
            return isNews
        }
    }

    /// An object is there, new or changed; one that differs in nothing that is kept is no change.
    func upsert(_ key: ObjectKey, _ object: StoredObject, in collection: ResourceCollection, at now: Int64) {
        change(collection) { held in
            held.followed(at: now)
            let wasPassedOver = held.passedOver.removeValue(forKey: key) != nil
            guard held.objects[key]?.isSame(as: object) != true else { return wasPassedOver }
            held.objects[key] = object
            return true
        }
    }

    /// An object is there, new or changed, and cannot be read: what was held of it stays.
    func passOver(_ key: ObjectKey, _ reason: String, in collection: ResourceCollection, at now: Int64) {
        change(collection) { held in
            held.followed(at: now)
            return held.passedOver.updateValue(reason, forKey: key) != reason
        }
    }

    /// An object is gone; one that was made anew under the name stays.
    func remove(_ key: ObjectKey, uid: String, from collection: ResourceCollection, at now: Int64) {
        change(collection) { held in
            held.followed(at: now)
            let wasPassedOver = held.passedOver.removeValue(forKey: key) != nil
            guard let known = held.objects[key], uid.isEmpty || known.uid.isEmpty || known.uid == uid else {
                return wasPassedOver
            }
            held.objects[key] = nil
            return true
        }
    }

    /// The server answered, and nothing has changed.
    func confirmed(_ collection: ResourceCollection, at now: Int64) {
        update(collection) { $0.followed(at: now) }
    }

    /// The collection is not followed for now.
    func troubled(_ collection: ResourceCollection, _ trouble: WatchTrouble, at now: Int64) {
        update(collection) { held in
            held.counts.troubles[trouble, default: 0] += 1
            guard trouble != .absent || !held.isAbsent else { return }
            if held.trouble == nil { held.troubledSince = now }
            held.trouble = trouble
        }
    }

    /// Counts what was asked or answered.
    func count(_ collection: ResourceCollection, _ count: (inout WatchCounts) -> Void) {
        update(collection) { count(&$0.counts) }
    }

    /// Nothing is watched any more: forgets everything, and which kinds there are.
    ///
    /// - Parameter collection: What is still watched, and stays.
    package func forget(besides collection: ResourceCollection? = nil) {
        state.withLock { state in
            state.collections = state.collections.filter { $0.key == collection }
            state.generation += 1
            state.isDiscovered = false
            state.unreadGroups = [:]
            state.discoveryTrouble = nil
        }
        bell.yield()
    }

    private func update(_ collection: ResourceCollection, _ body: (inout CollectionState) -> Void) {
        state.withLock { state in
            guard state.collections[collection] != nil else { return }
            body(&state.collections[collection, default: CollectionState()])
        }
    }

    /// Changes a collection that is watched; `body` answers whether anything is other than before.
    private func change(_ collection: ResourceCollection, _ body: (inout CollectionState) -> Bool) {
        let isNews = state.withLock { state in
            guard state.collections[collection] != nil,
                body(&state.collections[collection, default: CollectionState()])
            else { return false }
            state.collections[collection]?.generation += 1
            state.generation += 1
            return true
        }
        if isNews { bell.yield() }
    }
}

extension ObjectStore.CollectionState {
    /// Adds what was counted of another part of the same resource; the older of two times says how fresh both are.
    package mutating func add(_ other: Self) {
        freshAt = min(freshAt, other.freshAt)
        counts.lists += other.counts.lists
        counts.requests += other.counts.requests
        counts.oversized += other.counts.oversized
        counts.events.merge(other.counts.events, uniquingKeysWith: +)
        counts.troubles.merge(other.counts.troubles, uniquingKeysWith: +)
    }

    fileprivate mutating func followed(at now: Int64) {
        freshAt = now
        trouble = nil
        troubledSince = 0
    }
}
