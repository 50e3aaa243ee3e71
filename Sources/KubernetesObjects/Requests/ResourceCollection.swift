// Wingmirror · Apache-2.0
// Kubernetes API concepts: resource URIs.

/// A resource of one API group version, as request paths name it.
package struct GroupVersionResource: Sendable, Hashable {
    /// The API group; empty for the core group.
    package let group: String
    /// The version, such as `v1`.
    package let version: String
    /// The plural name in lower case, such as `virtualservices`.
    package let resource: String

    /// Names a resource.
    package init(group: String, version: String, resource: String) {
        self.group = group
        self.version = version
        self.resource = resource
    }

    /// The path of the group version, such as `/apis/networking.istio.io/v1`.
    var versionPath: String { group.isEmpty ? "/api/\(version)" : "/apis/\(group)/\(version)" }

    /// What objects of it bear as `apiVersion`.
    var apiVersion: String { group.isEmpty ? version : "\(group)/\(version)" }
}

/// A set of objects that is listed and watched as one: a resource, perhaps of one namespace, perhaps narrowed by selectors.
///
/// A `resourceVersion` belongs to one of these, and is never compared with that of another.
package struct ResourceCollection: Sendable, Hashable {
    /// The resource.
    package let resource: GroupVersionResource
    /// The kind of its objects; built-in lists do not repeat it on their items.
    package let kind: String
    /// The namespace; `nil` for all.
    package let namespace: String?
    /// A condition on labels; empty for none.
    package let labelSelector: String
    /// A condition on fields; empty for none.
    package let fieldSelector: String
    /// Whether only the objects' metadata is asked for.
    package let isMetadataOnly: Bool

    /// Names a collection.
    package init(
        _ resource: GroupVersionResource,
        kind: String,
        namespace: String? = nil,
        labelSelector: String = "",
        fieldSelector: String = "",
        isMetadataOnly: Bool = false
    ) {
        self.resource = resource
        self.kind = kind
        self.namespace = namespace
        self.labelSelector = labelSelector
        self.fieldSelector = fieldSelector
        self.isMetadataOnly = isMetadataOnly
    }

    /// Whether both are the same objects, as two versions of the API show them.
    func isOtherVersion(of other: ResourceCollection) -> Bool {
        resource.group == other.resource.group && resource.resource == other.resource.resource
            && resource.version != other.resource.version && namespace == other.namespace
    }

    /// The path of its requests.
    package var path: String {
        guard let namespace else { return "\(resource.versionPath)/\(resource.resource)" }
        return "\(resource.versionPath)/namespaces/\(PercentEncoding.query(namespace))/\(resource.resource)"
    }
}

/// The encoding of a query's values, RFC 3986 §2.
enum PercentEncoding {
    /// Encodes everything but unreserved characters.
    static func query(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var octets: [UInt8] = []
        for octet in text.utf8 {
            switch octet {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                octets.append(octet)
            default:
                octets += [UInt8(ascii: "%"), digits[Int(octet >> 4)], digits[Int(octet & 15)]]
            }
        }
        return String(decoding: octets, as: UTF8.self)
    }
}
