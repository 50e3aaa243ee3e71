// Wingmirror · Apache-2.0

/// What says which object is meant: its kind, namespace and name.
public struct ObjectIdentity: Sendable, Hashable, CustomStringConvertible {
    /// The kind as written in manifests, such as `VirtualService`.
    public let kind: String
    /// The namespace; empty for kinds that have none.
    public let namespace: String
    /// The name.
    public let name: String

    /// Names an object.
    public init(kind: String, namespace: String, name: String) {
        self.kind = kind
        self.namespace = namespace
        self.name = name
    }

    /// `namespace/name`, or the name alone where there is no namespace.
    public var reference: String {
        namespace.isEmpty ? name : "\(namespace)/\(name)"
    }

    /// `Kind namespace/name`.
    public var description: String {
        "\(kind) \(reference)"
    }
}
