// Wingmirror · Apache-2.0

/// What makes pods, or a pod itself, as far as it tells whether Istio's sidecar runs beside them.
///
/// Routing never looks at it: only destinations are checked against it, so one that does not fit its kind is passed over.
struct Workload: Sendable, Hashable {
    let identity: ObjectIdentity
    /// The pods' labels, by which Services select them.
    let labels: [String: String]
    /// The pods' annotations.
    let annotations: [String: String]
    /// Whether pods share the network of their node; no sidecar is ever injected into those.
    let usesHostNetwork: Bool
    /// The names of the pods' containers, those that start before the others included.
    let containers: [String]

    /// Whether objects of that kind are workloads.
    static func includes(group: String, kind: String) -> Bool {
        switch group {
        case "": kind == "Pod"
        case "apps": ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"].contains(kind)
        default: false
        }
    }

    /// Decodes a workload.
    ///
    /// - Parameters:
    ///   - object: The manifest.
    ///   - kind: Its kind; everything but a `Pod` describes its pods in `spec.template`.
    /// - Throws: the first field that does not fit.
    init(_ object: FieldReader, kind: String) throws(ResourceError) {
        identity = try ObjectMetadata(object, isNamespaced: true).identity(kind: kind)
        let template = kind == "Pod" ? object : try object.field("spec")?.field("template")
        let metadata = try template?.field("metadata")
        labels = try metadata?.stringMap("labels") ?? [:]
        annotations = try metadata?.stringMap("annotations") ?? [:]
        let spec = try template?.field("spec")
        usesHostNetwork = try spec?.bool("hostNetwork") ?? false
        var containers: [String] = []
        for list in ["initContainers", "containers"] {
            containers += try spec?.list(list) { entry throws(ResourceError) in try entry.string("name") ?? "" } ?? []
        }
        self.containers = containers
    }
}
