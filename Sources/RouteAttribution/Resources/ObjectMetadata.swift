// Wingmirror · Apache-2.0

import OctetText

/// The part of an object's metadata that routing looks at.
struct ObjectMetadata: Sendable, Hashable {
    /// The object's name.
    var name: String
    /// The object's namespace; `default` where the manifest names none.
    var namespace: String
    /// Labels.
    var labels: [String: String]
    /// Annotations.
    var annotations: [String: String]
    /// When the API server made the object, in seconds since 1970; `nil` where files do not say.
    var creationTime: Int64?
    /// Whether istiod makes the object of others; without a time of its own it then precedes every object of users.
    var isGenerated = false
    /// Whether the manifest names a namespace; objects of kinds without one count as if it did.
    var namesNamespace = true

    /// Makes metadata, for objects that have no manifest.
    init(
        name: String,
        namespace: String,
        labels: [String: String] = [:],
        annotations: [String: String] = [:],
        creationTime: Int64? = nil,
        isGenerated: Bool = false
    ) {
        self.name = name
        self.namespace = namespace
        self.labels = labels
        self.annotations = annotations
        self.creationTime = creationTime
        self.isGenerated = isGenerated
    }

    init(_ object: FieldReader, isNamespaced: Bool) throws(ResourceError) {
        guard let metadata = try object.field("metadata") else {
            throw ResourceError(object.path.member("metadata"), "is missing")
        }
        guard let name = try metadata.string("name"), !name.isEmpty else {
            throw ResourceError(metadata.path.member("name"), "is missing")
        }
        self.name = name
        let namespace = try metadata.string("namespace") ?? ""
        self.namespace = !isNamespaced ? "" : namespace.isEmpty ? object.defaultNamespace : namespace
        namesNamespace = !isNamespaced || !namespace.isEmpty
        labels = try metadata.stringMap("labels")
        annotations = try metadata.stringMap("annotations")
        creationTime = nil
        if let text = try metadata.string("creationTimestamp") {
            guard let time = InternetTime.seconds(text) else {
                throw ResourceError(
                    metadata.path.member("creationTimestamp"),
                    "must be a time such as 2026-01-31T08:00:00Z"
                )
            }
            creationTime = time
        }
    }

    /// The time by which objects are ordered: what a file leaves out is later than what istiod makes, and earlier than any
    /// time that is written.
    var orderTime: Int64 { creationTime ?? (isGenerated ? .min : .min + 1) }

    /// Istio's order of objects: by creation time, then name, then namespace.
    static func istioOrder(_ first: ObjectMetadata, _ second: ObjectMetadata) -> Bool {
        let firstTime = first.orderTime
        let secondTime = second.orderTime
        if firstTime != secondTime { return firstTime < secondTime }
        if first.name != second.name { return octetsPrecede(first.name, second.name) }
        return octetsPrecede(first.namespace, second.namespace)
    }
}

/// Go's order of strings, octet by octet; Swift's own follows Unicode equivalence.
func octetsPrecede(_ first: String, _ second: String) -> Bool {
    first.utf8.lexicographicallyPrecedes(second.utf8)
}
