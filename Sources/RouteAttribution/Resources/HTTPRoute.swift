// Wingmirror · Apache-2.0
// Kubernetes Gateway API, apis/v1/httproute_types.go.

/// An HTTPRoute of the Gateway API.
struct HTTPRoute: Sendable, Hashable {
    var metadata: ObjectMetadata
    var parents: [ParentReference]
    var hostnames: [String]
    var rules: [Rule]

    /// A Gateway, or one of its listeners, that the route wants to attach to.
    struct ParentReference: Sendable, Hashable {
        var group: String
        var kind: String
        var namespace: String
        var name: String
        var sectionName: String
        var port: Int?
    }

    /// One rule.
    struct Rule: Sendable, Hashable {
        var name: String
        var matches: [HTTPRouteMatch]
        var filters: [HTTPRouteFilter]
        var backends: [BackendReference]
        var timeout: String?
    }

    init(_ object: FieldReader) throws(ResourceError) {
        let metadata = try ObjectMetadata(object, isNamespaced: true)
        self.metadata = metadata
        let spec = try object.field("spec") ?? FieldReader(.emptyObject, path: object.path.member("spec"))
        hostnames = try spec.strings("hostnames")
        parents = try spec.list("parentRefs") { entry throws(ResourceError) in
            ParentReference(
                group: try entry.string("group") ?? "gateway.networking.k8s.io",
                kind: try entry.string("kind") ?? "Gateway",
                namespace: try entry.string("namespace") ?? metadata.namespace,
                name: try entry.string("name") ?? "",
                sectionName: try entry.string("sectionName") ?? "",
                port: try entry.integer("port")
            )
        }
        rules = try spec.list("rules") { entry throws(ResourceError) in try Rule(entry) }
    }
}

extension HTTPRoute.Rule {
    init(_ reader: FieldReader) throws(ResourceError) {
        try reader.requireObject()
        name = try reader.string("name") ?? ""
        var index = 0
        matches = try reader.list("matches") { entry throws(ResourceError) in
            defer { index += 1 }
            return try HTTPRouteMatch(entry)
        }
        filters = try reader.list("filters") { entry throws(ResourceError) in try HTTPRouteFilter(entry) }
        backends = try reader.list("backendRefs") { entry throws(ResourceError) in try BackendReference(entry) }
        timeout = try reader.field("timeouts")?.string("request")
    }
}

/// One entry of a rule's `matches`.
struct HTTPRouteMatch: Sendable, Hashable {
    /// How the path is compared, in the order in which Istio ranks the ways.
    enum PathType: Int, Sendable, Hashable {
        case regularExpression
        case pathPrefix
        case exact
    }

    var pathType = PathType.pathPrefix
    var pathValue = "/"
    var method: String?
    var headers: [NamedMatch] = []
    var queryParams: [NamedMatch] = []

    /// What a rule without `matches` matches: every path.
    init() {}

    init(_ reader: FieldReader) throws(ResourceError) {
        try reader.requireObject()
        if let path = try reader.field("path") {
            pathValue = try path.string("value") ?? "/"
            switch try path.string("type") ?? "PathPrefix" {
            case "Exact": pathType = .exact
            case "PathPrefix": pathType = .pathPrefix
            case "RegularExpression": pathType = .regularExpression
            default: throw ResourceError(path.path.member("type"), "must be Exact, PathPrefix or RegularExpression")
            }
        }
        method = try reader.string("method")
        func conditions(_ key: String) throws(ResourceError) -> [NamedMatch] {
            try reader.list(key) { entry throws(ResourceError) in
                let value = try entry.string("value") ?? ""
                let match: StringMatch
                switch try entry.string("type") ?? "Exact" {
                case "Exact": match = .exact(value)
                case "RegularExpression": match = .regex(value)
                default: throw ResourceError(entry.path.member("type"), "must be Exact or RegularExpression")
                }
                return NamedMatch(name: try entry.string("name") ?? "", match: match)
            }
        }
        headers = try conditions("headers")
        queryParams = try conditions("queryParams")
    }
}

/// One filter of a rule.
enum HTTPRouteFilter: Sendable, Hashable {
    /// A filter that acts after the choice of the route.
    case later(kind: String)
    case redirect(HTTPRedirect)
    case mirror(BackendReference, percent: Double)
    /// A kind that Istio does not know; the whole HTTPRoute then produces nothing.
    case unknown(kind: String)

    init(_ reader: FieldReader) throws(ResourceError) {
        let kind = try reader.string("type") ?? ""
        switch kind {
        case "RequestHeaderModifier", "ResponseHeaderModifier", "URLRewrite", "CORS":
            self = .later(kind: kind)
        case "RequestRedirect":
            var redirect = HTTPRedirect()
            if let field = try reader.field("requestRedirect") {
                redirect.scheme = try field.string("scheme") ?? ""
                redirect.authority = try field.string("hostname") ?? ""
                redirect.port = try field.integer("port")
                redirect.redirectCode = try field.integer("statusCode") ?? 302
                if let path = try field.field("path") {
                    redirect.uri = try path.string("replaceFullPath") ?? ""
                    redirect.prefixRewrite = try path.string("replacePrefixMatch") ?? ""
                }
            }
            self = .redirect(redirect)
        case "RequestMirror":
            guard let field = try reader.field("requestMirror"), let backend = try field.field("backendRef") else {
                throw ResourceError(reader.path.member("requestMirror").member("backendRef"), "is missing")
            }
            var percent = 100.0
            if let value = try field.integer("percent") {
                percent = Double(value)
            } else if let fraction = try field.field("fraction") {
                let denominator = try fraction.number("denominator") ?? 100
                guard denominator > 0 else {
                    throw ResourceError(fraction.path.member("denominator"), "must be greater than 0")
                }
                percent = (try fraction.number("numerator") ?? 0) / denominator * 100
            }
            self = .mirror(try BackendReference(backend), percent: percent)
        default:
            self = .unknown(kind: kind)
        }
    }
}

/// A backend of a rule or of a mirror filter.
struct BackendReference: Sendable, Hashable {
    var group: String
    var kind: String
    /// The namespace; empty for the route's.
    var namespace: String
    var name: String
    var port: Int?
    var weight: Int

    init(_ reader: FieldReader) throws(ResourceError) {
        group = try reader.string("group") ?? ""
        kind = try reader.string("kind") ?? "Service"
        namespace = try reader.string("namespace") ?? ""
        name = try reader.string("name") ?? ""
        port = try reader.integer("port")
        weight = try reader.integer("weight") ?? 1
    }
}
