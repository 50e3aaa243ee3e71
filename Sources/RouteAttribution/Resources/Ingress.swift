// Wingmirror · Apache-2.0
// Kubernetes networking.k8s.io/v1 Ingress and IngressClass.

/// A Kubernetes Ingress.
struct Ingress: Sendable, Hashable {
    var metadata: ObjectMetadata
    /// `spec.ingressClassName`.
    var className: String?
    var rules: [Rule]
    /// The `tls` entries that name a secret.
    var tls: [TLS]

    /// A secret and the hosts it is for.
    struct TLS: Sendable, Hashable {
        /// The place in `spec.tls`.
        var index: Int
        var secret: String
        var hosts: [String]
    }

    /// The paths of one host.
    struct Rule: Sendable, Hashable {
        var host: String
        /// Whether there is an `http` at all; without it the rule counts for nothing.
        var hasHTTP: Bool
        var paths: [Path]
    }

    /// One path and its backend.
    struct Path: Sendable, Hashable {
        var path: String
        /// `Exact`, `Prefix`, `ImplementationSpecific` or empty.
        var pathType: String
        var serviceName: String
        var portNumber: Int?
        var portName: String
    }

    init(_ object: FieldReader) throws(ResourceError) {
        metadata = try ObjectMetadata(object, isNamespaced: true)
        let spec = try object.field("spec") ?? FieldReader(.emptyObject, path: object.path.member("spec"))
        className = try spec.string("ingressClassName")
        var index = -1
        tls = try spec.list("tls") { entry throws(ResourceError) in
            index += 1
            return TLS(index: index, secret: try entry.string("secretName") ?? "", hosts: try entry.strings("hosts"))
        }.filter { !$0.secret.isEmpty }
        rules = try spec.list("rules") { entry throws(ResourceError) in
            let http = try entry.field("http")
            return Rule(
                host: try entry.string("host") ?? "",
                hasHTTP: http != nil,
                paths: try http?.list("paths") { path throws(ResourceError) in try Path(path) } ?? []
            )
        }
    }
}

extension Ingress.Path {
    init(_ reader: FieldReader) throws(ResourceError) {
        path = try reader.string("path") ?? ""
        pathType = try reader.string("pathType") ?? ""
        let service = try reader.field("backend")?.field("service")
        serviceName = try service?.string("name") ?? ""
        let port = try service?.field("port")
        portNumber = try port?.integer("number")
        portName = try port?.string("name") ?? ""
    }
}

/// A Kubernetes IngressClass.
struct IngressClass: Sendable, Hashable {
    var metadata: ObjectMetadata
    var controller: String

    init(_ object: FieldReader) throws(ResourceError) {
        metadata = try ObjectMetadata(object, isNamespaced: false)
        controller = try object.field("spec")?.string("controller") ?? ""
    }
}
