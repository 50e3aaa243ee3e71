// Wingmirror · Apache-2.0

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
    /// When the API server made the object, in seconds since 1970; `nil` sorts before every time.
    var creationTime: Int64?

    /// Makes metadata, for objects that have no manifest.
    init(
        name: String,
        namespace: String,
        labels: [String: String] = [:],
        annotations: [String: String] = [:],
        creationTime: Int64? = nil
    ) {
        self.name = name
        self.namespace = namespace
        self.labels = labels
        self.annotations = annotations
        self.creationTime = creationTime
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
        self.namespace = !isNamespaced ? "" : namespace.isEmpty ? "default" : namespace
        labels = try metadata.stringMap("labels")
        annotations = try metadata.stringMap("annotations")
        creationTime = nil
        if let text = try metadata.string("creationTimestamp") {
            guard let time = Timestamp.seconds(text) else {
                throw ResourceError(
                    metadata.path.member("creationTimestamp"),
                    "must be a time such as 2026-01-31T08:00:00Z"
                )
            }
            creationTime = time
        }
    }

    /// Istio's order of objects: by creation time, then name, then namespace.
    static func istioOrder(_ first: ObjectMetadata, _ second: ObjectMetadata) -> Bool {
        let firstTime = first.creationTime ?? .min
        let secondTime = second.creationTime ?? .min
        if firstTime != secondTime { return firstTime < secondTime }
        if first.name != second.name { return octetsPrecede(first.name, second.name) }
        return octetsPrecede(first.namespace, second.namespace)
    }
}

/// Go's order of strings, octet by octet; Swift's own follows Unicode equivalence.
func octetsPrecede(_ first: String, _ second: String) -> Bool {
    first.utf8.lexicographicallyPrecedes(second.utf8)
}
