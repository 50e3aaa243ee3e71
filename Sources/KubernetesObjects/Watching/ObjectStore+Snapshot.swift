// Wingmirror · Apache-2.0

package import JSONSyntax

extension ObjectStore {
    /// How long a collection may stay forbidden before the rest is used without it, in nanoseconds: a server that starts
    /// refuses for some hundred milliseconds what it permits.
    private static let forbiddenPatience: Int64 = 10_000_000_000

    /// Whether everything that is to be had has come: each collection whole once, or refused for good.
    ///
    /// - Parameter now: Nanoseconds since the Unix epoch.
    /// - Returns: Whether nothing is awaited.
    package func isComplete(at now: Int64) -> Bool {
        guard isDiscovered else { return false }
        return collections.values.allSatisfy { collection in
            collection.isSynchronized
                || (collection.trouble == .forbidden && now - collection.troubledSince >= Self.forbiddenPatience)
        }
    }

    /// Since when the objects may be out of date: the collection that has been without contact for the longest time.
    ///
    /// - Returns: Nanoseconds since the Unix epoch; `nil` while all are followed.
    package var troubledSince: Int64? {
        collections.values.filter { $0.trouble != nil && $0.isSynchronized }.map(\.troubledSince).min()
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

/// The objects of a cluster in a file, so that an agent that starts without the API server still knows routes.
///
/// The first line says what the file is, each further line is one object as JSON.
package enum ObjectSnapshot {
    private static let format = "wingmirror-objects-1"

    /// The text of a file.
    package static func text(of objects: [StoredObject], at now: Int64) -> [UInt8] {
        var text = JSONValue.object(
            JSONObject(["format": .string(format), "savedAt": JSONValue(now), "objects": JSONValue(objects.count)])
        ).encoded()
        for object in objects {
            text.append(0x0A)
            text += object.octets
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
