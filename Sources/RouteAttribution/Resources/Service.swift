// Wingmirror · Apache-2.0

internal import JSONSyntax

/// A Kubernetes Service, as far as routing looks at it.
struct Service: Sendable, Hashable {
    var metadata: ObjectMetadata
    var selector: [String: String]
    var ports: [Port]
    var type: String
    var externalName: String
    /// The namespaces that see it, as its annotation says; none is for the mesh's default.
    var exportTo: [String]

    /// One port of a Service.
    struct Port: Sendable, Hashable {
        var name: String
        var number: Int
        /// The pod's port; `nil` for a named one, which only pods can resolve.
        var targetPort: Int?
        /// The name of the pod's port, where it is one.
        var targetPortName: String?
    }

    init(_ object: FieldReader) throws(ResourceError) {
        metadata = try ObjectMetadata(object, isNamespaced: true)
        let spec = try object.field("spec") ?? FieldReader(.emptyObject, path: object.path.member("spec"))
        selector = try spec.stringMap("selector")
        type = try spec.string("type") ?? ""
        externalName = try spec.string("externalName") ?? ""
        // Istio's annotation.NetworkingExportTo.
        exportTo = (metadata.annotations["networking.istio.io/exportTo"] ?? "").split { $0 == "," || $0 == " " }
            .map(String.init)
        ports = try spec.list("ports") { entry throws(ResourceError) in
            let number = try entry.integer("port") ?? 0
            var target: Int? = number
            var targetName: String?
            if let field = try entry.field("targetPort") {
                if case .string(let text) = field.value {
                    target = Int(text)
                    targetName = target == nil ? text : nil
                } else {
                    target = try field.integer()
                }
            }
            return Port(
                name: try entry.string("name") ?? "",
                number: number,
                targetPort: target,
                targetPortName: targetName
            )
        }
    }
}

/// An Istio ServiceEntry: hosts that exist though no Service names them.
struct ServiceEntry: Sendable, Hashable {
    var metadata: ObjectMetadata
    var hosts: [String]
    var ports: [Int]
    /// The namespaces that see it; none is for the mesh's default.
    var exportTo: [String]

    init(_ object: FieldReader) throws(ResourceError) {
        metadata = try ObjectMetadata(object, isNamespaced: true)
        let spec = try object.field("spec") ?? FieldReader(.emptyObject, path: object.path.member("spec"))
        hosts = try spec.strings("hosts")
        exportTo = try spec.strings("exportTo")
        ports = try spec.list("ports") { entry throws(ResourceError) in try entry.integer("number") ?? 0 }
    }
}

/// A Kubernetes Namespace; its labels decide who may attach routes.
struct Namespace: Sendable, Hashable {
    var metadata: ObjectMetadata

    init(_ object: FieldReader) throws(ResourceError) {
        metadata = try ObjectMetadata(object, isNamespaced: false)
    }
}
