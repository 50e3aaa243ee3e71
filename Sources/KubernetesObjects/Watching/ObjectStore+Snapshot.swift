// Wingmirror · Apache-2.0

package import JSONSyntax

extension ObjectStore {
    /// How long a collection may stay forbidden before the rest is used without it, in nanoseconds: a server that starts
    /// refuses for some hundred milliseconds what it permits.
    private static let forbiddenPatience: Int64 = 10_000_000_000

    /// How long a kind that the server does not list is awaited while it lists others, in nanoseconds.
    private static let patience: Int64 = 30_000_000_000

    /// Whether everything that is to be had has come: each collection whole once, refused for good, or in trouble for long while
    /// the server lists others.
    ///
    /// A kind of which no routes are made is not awaited once it is in trouble, nor is a group that has no other.
    ///
    /// - Parameter now: Nanoseconds since the Unix epoch.
    /// - Returns: Whether nothing is awaited.
    package func isComplete(at now: Int64) -> Bool { missing(at: now) != nil }

    /// The kinds that are served, as far as is known, and cannot be read.
    ///
    /// - Parameter now: Nanoseconds since the Unix epoch.
    /// - Returns: The kinds in the order of their names; `nil` while some of them are awaited.
    package func missing(at now: Int64) -> [MissingKind]? {
        guard isDiscovered else { return nil }
        let collections = collections
        let listsOthers = collections.contains {
            $0.key.fieldSelector.isEmpty && $0.value.isSynchronized && $0.value.trouble == nil
        }
        func isMissed(_ trouble: WatchTrouble, _ since: Int64) -> Bool {
            trouble == .forbidden
                ? now - since >= Self.forbiddenPatience : listsOthers && now - since >= Self.patience
        }
        var missing: [String: MissingKind] = [:]
        func miss(_ kind: MissingKind) {
            missing[kind.name] = missing[kind.name].map { $0.joined(with: kind) } ?? kind
        }
        for (collection, state) in collections where !state.isSynchronized {
            guard let trouble = state.trouble else { return nil }
            let kind = MissingKind(collection, trouble, since: state.troubledSince)
            if isMissed(trouble, state.troubledSince) { miss(kind) } else if kind.makesRoutes { return nil }
        }
        for (name, group) in unreadGroups {
            guard isMissed(group.trouble, group.since) else {
                if group.kinds.contains(where: \.makesRoutes) { return nil }
                continue
            }
            for kind in group.kinds
            where !collections.contains(where: { $0.key.resource.group == name && $0.key.kind == kind.kind }) {
                miss(MissingKind(kind, group.trouble, since: group.since))
            }
        }
        return missing.values.sorted { $0.name < $1.name }
    }

    /// Whether the server has not listed objects of this one's kind and namespace, though it serves them as far as is known.
    package func awaits(_ object: JSONValue) -> Bool {
        let parts = (object["apiVersion"]?.stringValue ?? "").split(separator: "/")
        let group = parts.count == 2 ? String(parts[0]) : ""
        let namespace = object["metadata"]?["namespace"]?.stringValue
        let watched = collections.filter { collection, _ in
            collection.kind == object["kind"]?.stringValue && collection.resource.group == group
                && (collection.namespace == nil || collection.namespace == namespace)
        }
        return watched.isEmpty ? unreadGroups[group] != nil : watched.values.allSatisfy { !$0.isSynchronized }
    }

    /// Since when the objects of which routes are made may be out of date: the collection that has been without contact for the
    /// longest time.
    ///
    /// - Returns: Nanoseconds since the Unix epoch; `nil` while all are followed.
    package var troubledSince: Int64? {
        collections.filter { collection, state in
            state.trouble != nil && state.isSynchronized
                && !WatchedKind.extensions.contains { $0.isNamed(collection.kind, group: collection.resource.group) }
        }.values.map(\.troubledSince).min()
    }

    /// The objects of the collections that are not narrowed by fields, in a stable order: by resource, namespace and name.
    package var objects: [StoredObject] { orderedObjects.flatMap { $0.objects.map(\.object) } }

    /// The same with what names them, collection by collection.
    package var orderedObjects: [(collection: ResourceCollection, objects: [(key: ObjectKey, object: StoredObject)])] {
        collections.filter { $0.key.fieldSelector.isEmpty }.sorted { first, second in
            (first.key.resource.group, first.key.resource.resource, first.key.namespace ?? "")
                < (second.key.resource.group, second.key.resource.resource, second.key.namespace ?? "")
        }.map { key, collection in
            let objects = collection.objects.map { (key: $0.key, object: $0.value) }.sorted {
                ($0.key.namespace, $0.key.name) < ($1.key.namespace, $1.key.name)
            }
            return (key, objects)
        }
    }
}

/// A kind that is served, as far as is known, and cannot be read.
package struct MissingKind: Sendable, Hashable {
    /// The kind.
    package let kind: String
    /// Its API group; empty for the core group.
    package let group: String
    /// The plural name in lower case.
    package let resource: String
    /// Why it cannot be read.
    package let trouble: WatchTrouble
    /// Since when, in nanoseconds since the Unix epoch.
    package private(set) var since: Int64

    /// Names the kind of a collection that cannot be read, and why.
    package init(_ collection: ResourceCollection, _ trouble: WatchTrouble, since: Int64) {
        kind = collection.kind
        group = collection.resource.group
        resource = collection.resource.resource
        self.trouble = trouble
        self.since = since
    }

    fileprivate init(_ kind: WatchedKind, _ trouble: WatchTrouble, since: Int64) {
        self.kind = kind.kind
        group = kind.group
        resource = kind.resource
        self.trouble = trouble
        self.since = since
    }

    /// The name of the resource with its group, such as `virtualservices.networking.istio.io`.
    package var name: String { group.isEmpty ? resource : "\(resource).\(group)" }

    /// Whether routes are made of its objects.
    package var makesRoutes: Bool { !WatchedKind.extensions.contains { $0.isNamed(kind, group: group) } }

    /// The same kind, which is missing in the namespaces of both, since it was in one.
    fileprivate func joined(with other: Self) -> Self {
        var joined = self
        joined.since = min(since, other.since)
        return joined
    }

    /// Why it cannot be read, as the end of a sentence about the agent.
    package var reason: String {
        switch trouble {
        case .forbidden: "may not read \(resource)"
        case .network, .tls, .timeout: "gets no answer for \(resource) from the API server (\(trouble.rawValue))"
        default: "cannot read \(resource): the API server refuses (\(trouble.rawValue))"
        }
    }
}

/// The objects of a cluster in a file, so that an agent that starts without the API server still knows routes.
///
/// The first line says what the file is, each further line is one object as JSON.
package enum ObjectSnapshot {
    private static let format = "wingmirror-objects-1"

    /// The text of a file.
    ///
    /// - Parameters:
    ///   - objects: The objects.
    ///   - others: More of them, as an earlier file held them.
    ///   - now: Nanoseconds since the Unix epoch.
    /// - Returns: The text.
    package static func text(of objects: [StoredObject], and others: [JSONValue] = [], at now: Int64) -> [UInt8] {
        let count = objects.count + others.count
        var text = JSONValue.object(
            JSONObject(["format": .string(format), "savedAt": JSONValue(now), "objects": JSONValue(count)])
        ).encoded()
        for octets in objects.lazy.map(\.octets) + others.lazy.map({ $0.encoded() }) {
            text.append(0x0A)
            text += octets
        }
        text.append(0x0A)
        return text
    }

    /// Reads a file.
    ///
    /// - Returns: The objects and when they were saved; `nil` for what is no such file, or one that was cut short.
    package static func read(_ text: [UInt8]) -> (objects: [JSONValue], savedAt: Int64)? {
        let lines = text.split(separator: 0x0A)
        guard let first = lines.first, let head = try? JSONDocument.parse(Array(first)),
            head["format"]?.stringValue == format, case .integer(let savedAt) = head["savedAt"] ?? .null,
            case .integer(let count) = head["objects"] ?? .null, lines.count == count + 1
        else { return nil }
        var objects: [JSONValue] = []
        for line in lines.dropFirst() {
            guard let object = try? JSONDocument.parse(Array(line)) else { return nil }
            objects.append(object)
        }
        return (objects, Int64(savedAt))
    }
}
