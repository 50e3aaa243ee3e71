// Wingmirror · Apache-2.0
// Kubernetes Gateway API, apis/v1/httproute_types.go.

/// An HTTPRoute of the Gateway API, or a GRPCRoute, which Istio converts in the same way.
struct HTTPRoute: Sendable, Hashable {
    /// `HTTPRoute` or `GRPCRoute`.
    var kind: String
    var metadata: ObjectMetadata
    var parents: [ParentReference]
    var hostnames: [String]
    var rules: [Rule]
    /// Whether the manifest has rules; an HTTPRoute without gets one for every path, from the default of its definition.
    let namesRules: Bool

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
        /// Whether the list of matches is there and empty, which is not the same as absent to the resource definition.
        var hasEmptyMatches = false
        var filters: [HTTPRouteFilter]
        var backends: [BackendReference]
        var timeout: String?
        var retries: HTTPRetry?
    }

    init(_ object: FieldReader, kind: String) throws(ResourceError) {
        self.kind = kind
        let metadata = try ObjectMetadata(object, isNamespaced: true)
        self.metadata = metadata
        let spec = try object.field("spec") ?? FieldReader(.emptyObject, path: object.path.member("spec"))
        hostnames = try spec.strings("hostnames")
        parents = try ParentReference.list(spec, namespace: metadata.namespace)
        namesRules = try spec.field("rules") != nil
        rules = try spec.list("rules") { entry throws(ResourceError) in try Rule(entry, isGRPC: kind == "GRPCRoute") }
        if !namesRules, kind == "HTTPRoute" {
            rules = [Rule(name: "", matches: [HTTPRouteMatch()], filters: [], backends: [])]
        }
    }
}

extension HTTPRoute.ParentReference {
    /// Reads `parentRefs`.
    static func list(_ spec: FieldReader, namespace: String) throws(ResourceError) -> [Self] {
        try spec.list("parentRefs") { entry throws(ResourceError) in
            Self(
                group: try entry.string("group") ?? "gateway.networking.k8s.io",
                kind: try entry.string("kind") ?? "Gateway",
                namespace: try entry.string("namespace") ?? namespace,
                name: try entry.string("name") ?? "",
                sectionName: try entry.string("sectionName") ?? "",
                port: try entry.integer("port")
            )
        }
    }
}

/// A TLSRoute of the Gateway API: where connections go whose TLS the gateway does not end.
struct TLSRoute: Sendable, Hashable {
    var metadata: ObjectMetadata
    var parents: [HTTPRoute.ParentReference]
    var hostnames: [String]
    /// The backends of each rule.
    var rules: [[BackendReference]]

    init(_ object: FieldReader) throws(ResourceError) {
        metadata = try ObjectMetadata(object, isNamespaced: true)
        let spec = try object.field("spec") ?? FieldReader(.emptyObject, path: object.path.member("spec"))
        hostnames = try spec.strings("hostnames")
        parents = try HTTPRoute.ParentReference.list(spec, namespace: metadata.namespace)
        rules = try spec.list("rules") { entry throws(ResourceError) in
            try entry.list("backendRefs") { backend throws(ResourceError) in try BackendReference(backend) }
        }
    }
}

extension HTTPRoute.Rule {
    init(_ reader: FieldReader, isGRPC: Bool) throws(ResourceError) {
        try reader.requireObject()
        name = try reader.string("name") ?? ""
        var index = 0
        matches = try reader.list("matches") { entry throws(ResourceError) in
            defer { index += 1 }
            return isGRPC ? try HTTPRouteMatch(call: entry) : try HTTPRouteMatch(entry)
        }
        let list = try reader.field("matches")
        hasEmptyMatches = list != nil && matches.isEmpty
        filters = try reader.list("filters") { entry throws(ResourceError) in try HTTPRouteFilter(entry) }
        backends = try reader.list("backendRefs") { entry throws(ResourceError) in try BackendReference(entry) }
        let timeouts = try reader.field("timeouts")
        // Zero means that there is none.
        func time(_ key: String) throws(ResourceError) -> String? {
            try timeouts?.string(key).flatMap { GoDuration.nanoseconds($0) == 0 ? nil : $0 }
        }
        let perTry = try time("backendRequest")
        retries = try reader.object("retry") { field throws(ResourceError) in
            var retries = HTTPRetry(attempts: try field.integer("attempts") ?? 2)
            let codes = try field.list("codes") { code throws(ResourceError) in try code.integer() }
            retries.retryOn = codes.map(String.init).joined(separator: ",")
            retries.perTryTimeout = perTry
            return retries
        }
        let request = try time("request")
        // Without retries the time of a try is that of all (conversion.go convertHTTPRoute).
        timeout = retries == nil ? perTry ?? request : request
    }
}

/// One entry of a rule's `matches`.
struct HTTPRouteMatch: Sendable, Hashable {
    /// How the path is compared, in the order in which Istio ranks the ways.
    enum PathType: Int, Sendable, Hashable {
        /// No path condition, which only GRPCRoutes can lack.
        case any
        case regularExpression
        case pathPrefix
        case exact
    }

    var pathType = PathType.pathPrefix
    var pathValue = "/"
    /// What counts as the path's length in ranking: a prefix without its last slash, but for a gRPC service.
    var rankedCount: Int {
        switch pathType {
        case .any: 0
        case .pathPrefix where !isCall && pathValue.utf8.count > 1 && pathValue.utf8.last == UInt8(ascii: "/"):
            pathValue.utf8.count - 1
        default: pathValue.utf8.count
        }
    }
    /// Whether the path condition was written as a gRPC service and method.
    var isCall = false
    /// Whether a gRPC method condition names neither service nor method, which Istio refuses.
    var isEmptyCall = false
    /// Whether it stands for a rule that has no entry.
    private(set) var isAbsent = false
    var method: String?
    var headers: [NamedMatch] = []
    var queryParams: [NamedMatch] = []

    /// What a rule without `matches` matches: every path.
    init() {}

    /// A GRPCRoute's rule without `matches`, which ranks below every entry.
    init(withoutConditions: Void) {
        pathType = .any
        pathValue = ""
        isCall = true
        isAbsent = true
    }

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
        headers = try Self.conditions("headers", reader)
        queryParams = try Self.conditions("queryParams", reader)
    }

    /// Reads an entry of a GRPCRoute, whose service and method are a path.
    init(call reader: FieldReader) throws(ResourceError) {
        try reader.requireObject()
        isCall = true
        pathType = .any
        pathValue = ""
        headers = try Self.conditions("headers", reader)
        guard let field = try reader.field("method") else { return }
        let service = try field.string("service") ?? ""
        let name = try field.string("method") ?? ""
        let isExact: Bool
        switch try field.string("type") ?? "Exact" {
        case "Exact": isExact = true
        case "RegularExpression": isExact = false
        default: throw ResourceError(field.path.member("type"), "must be Exact or RegularExpression")
        }
        switch (service.isEmpty, name.isEmpty) {
        case (true, true): isEmptyCall = true
        case (false, true):
            pathType = isExact ? .pathPrefix : .regularExpression
            pathValue = isExact ? "/\(service)/" : "/\(service)/.+"
        case (true, false):
            pathType = .regularExpression
            pathValue = "/[^/]+/\(name)"
        case (false, false):
            pathType = isExact ? .exact : .regularExpression
            pathValue = "/\(service)/\(name)"
        }
    }

    /// The conditions of `headers` or `queryParams`.
    private static func conditions(_ key: String, _ reader: FieldReader) throws(ResourceError) -> [NamedMatch] {
        try reader.list(key) { entry throws(ResourceError) in
            let value = try entry.string("value") ?? ""
            let match: StringMatch
            switch try entry.string("type") ?? "Exact" {
            case "Exact": match = .exact(value)
            // No RE2 pattern: Istio makes it a test for presence (route.go canBeConvertedToPresentMatch).
            case "RegularExpression" where value == "*": match = .present
            case "RegularExpression": match = .regex(value)
            default: throw ResourceError(entry.path.member("type"), "must be Exact or RegularExpression")
            }
            return NamedMatch(name: try entry.string("name") ?? "", match: match)
        }
    }
}

/// One filter of a rule.
enum HTTPRouteFilter: Sendable, Hashable {
    /// A filter that acts after the choice of the route.
    case later(kind: String)
    case rewrite(HTTPRewrite)
    case redirect(HTTPRedirect)
    case mirror(BackendReference, percent: Double)
    /// A kind that Istio does not know; the whole HTTPRoute then produces nothing.
    case unknown(kind: String)

    init(_ reader: FieldReader) throws(ResourceError) {
        let kind = try reader.string("type") ?? ""
        switch kind {
        case "RequestHeaderModifier", "ResponseHeaderModifier", "CORS":
            self = .later(kind: kind)
        case "URLRewrite":
            var rewrite = HTTPRewrite()
            if let field = try reader.field("urlRewrite") {
                rewrite.authority = try field.string("hostname") ?? ""
                if let path = try field.field("path") {
                    rewrite.replacesWholePath = try path.field("replaceFullPath") != nil
                    let prefix = try path.string("replacePrefixMatch")
                    rewrite.uri = try path.string("replaceFullPath") ?? prefix ?? ""
                    // An empty replacement of a prefix leaves what follows it, from its slash on.
                    if rewrite.uri.isEmpty { rewrite.uri = "/" }
                }
            }
            self = .rewrite(rewrite)
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

extension HTTPRouteFilter {
    /// The type as written.
    var kind: String {
        switch self {
        case .later(let kind), .unknown(let kind): kind
        case .rewrite: "URLRewrite"
        case .redirect: "RequestRedirect"
        case .mirror: "RequestMirror"
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
    /// The filters of the backend, by type.
    var filters: [String]

    init(_ reader: FieldReader) throws(ResourceError) {
        group = try reader.string("group") ?? ""
        kind = try reader.string("kind") ?? "Service"
        namespace = try reader.string("namespace") ?? ""
        name = try reader.string("name") ?? ""
        port = try reader.integer("port")
        weight = try reader.integer("weight") ?? 1
        filters = try reader.list("filters") { entry throws(ResourceError) in try entry.string("type") ?? "" }
    }
}
