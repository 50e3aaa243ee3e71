// Wingmirror · Apache-2.0

/// One HTTP rule of a VirtualService.
struct HTTPRule: Sendable, Hashable {
    var name = ""
    /// The match entries; an empty list is no condition.
    var matches: [HTTPMatch] = []
    var route: [WeightedDestination] = []
    var redirect: HTTPRedirect?
    var directResponse: HTTPDirectResponse?
    var delegate: DelegateReference?
    var rewrite: HTTPRewrite?
    var timeout: String?
    var retries: HTTPRetry?
    var fault: HTTPFault?
    var mirror: Destination?
    /// The `mirrorPercent` or, as Istio also reads it, `mirror_percent` of old manifests.
    var mirrorPercent: Int?
    var mirrorPercentage: Double?
    var mirrors: [HTTPMirror] = []
    var corsPolicy: CORSPolicy?
    var headers: HeaderOperations?
    /// Where the rule was written.
    var origin = RuleOrigin()

    init() {}

    init(_ reader: FieldReader) throws(ResourceError) {
        name = try reader.string("name") ?? ""
        var index = 0
        matches = try reader.list("match") { entry throws(ResourceError) in
            defer { index += 1 }
            return try HTTPMatch(entry, index: index)
        }
        route = try reader.list("route") { entry throws(ResourceError) in try WeightedDestination(entry) }
        redirect = try reader.object("redirect") { field throws(ResourceError) in try HTTPRedirect(field) }
        directResponse = try reader.object("directResponse") { field throws(ResourceError) in
            try HTTPDirectResponse(field)
        }
        delegate = try reader.object("delegate") { field throws(ResourceError) in try DelegateReference(field) }
        rewrite = try reader.object("rewrite") { field throws(ResourceError) in try HTTPRewrite(field) }
        timeout = try reader.string("timeout")
        retries = try reader.object("retries") { field throws(ResourceError) in try HTTPRetry(field) }
        fault = try reader.object("fault") { field throws(ResourceError) in try HTTPFault(field) }
        mirror = try reader.object("mirror") { field throws(ResourceError) in try Destination(field) }
        mirrorPercent = try reader.integer("mirrorPercent")
        if mirrorPercent == nil { mirrorPercent = try reader.integer("mirror_percent") }
        mirrorPercentage = try reader.object("mirrorPercentage") { field throws(ResourceError) in
            try field.number("value") ?? 0
        }
        mirrors = try reader.list("mirrors") { entry throws(ResourceError) in try HTTPMirror(entry) }
        corsPolicy = try reader.object("corsPolicy") { field throws(ResourceError) in try CORSPolicy(field) }
        headers = try reader.object("headers") { field throws(ResourceError) in try HeaderOperations(field) }
    }
}

/// Which rule of which object a rule stands for.
struct RuleOrigin: Sendable, Hashable {
    /// The object to report; `nil` means the object that holds the rule.
    var object: ObjectIdentity?
    /// The index in the reported object; `nil` means the place in the list.
    var rule: Int?
    /// The delegate that supplied the rule.
    var delegate: DelegateOrigin?
    /// The namespace in which short destination names resolve; `nil` means that of the object that holds the rule.
    var namespace: String?
}

/// The delegate that supplied a rule, and which of its rules it was.
public struct DelegateOrigin: Sendable, Hashable {
    /// The delegate.
    public let object: ObjectIdentity
    /// The index among the delegate's rules.
    public let rule: Int
}

/// Names the delegate of a rule.
struct DelegateReference: Sendable, Hashable {
    var name: String
    /// The namespace; empty for the root's.
    var namespace: String

    init(_ reader: FieldReader) throws(ResourceError) {
        name = try reader.string("name") ?? ""
        namespace = try reader.string("namespace") ?? ""
    }
}
