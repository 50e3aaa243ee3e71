// Wingmirror · Apache-2.0

/// One route of a table: a rule, one of its match entries, and what is done with requests that it takes.
///
/// Everything here is for reports; choosing a route never looks at it.
public struct CompiledRoute: Sendable {
    /// Which object, rule and match entry it is.
    public let identity: RouteIdentity
    /// The Gateway through which the object is bound, `namespace/name`.
    public let gateway: String
    /// What `%ROUTE_NAME%` is in the access log; empty without names.
    public let routeName: String
    /// The value of the `route` label: the rule's name, else the match entry's, else an ordinal such as `#3`.
    public let label: String
    /// What the gateway does.
    public let action: RouteAction
    /// Where requests may go, with shares; empty unless the action is `forward`.
    public let destinations: [RouteDestination]
    /// Where copies go; empty unless the action is `forward`.
    public let mirrors: [RouteMirror]
    /// The conditions in words, at most 200 octets.
    public let matchText: String
    /// The virtual hosts that have this route, in lower case.
    public internal(set) var hosts: [String] = []
    /// What else the rule asks for.
    public let metadata: RouteMetadata
    /// Whether this is the kind of route that istiod moves to the end of its host.
    public let isCatchAll: Bool
    /// The members of the JSON object that records and `explain` print, rendered once.
    public internal(set) var record: [UInt8] = []
}

/// Which object, rule and match entry a route stands for.
public struct RouteIdentity: Sendable, Hashable {
    /// The VirtualService, HTTPRoute or Ingress; for delegates the root.
    public let object: ObjectIdentity
    /// The index of the rule in the object.
    public let rule: Int
    /// The index of the match entry, for delegates in the merged list; `nil` where the rule has none.
    public let match: Int?
    /// The entries that a delegate's entry was merged from.
    public let mergedMatch: MergedMatch?
    /// The delegate that supplied the rule.
    public let delegate: DelegateOrigin?
}

/// What the gateway does with a request.
public enum RouteAction: String, Sendable, Hashable {
    case forward
    case redirect
    case directResponse = "direct_response"
}

/// A destination of a route.
public struct RouteDestination: Sendable, Hashable {
    /// The full name.
    public let host: String
    /// The port.
    public let port: Int
    /// The subset; empty without one.
    public let subset: String
    /// The share in millionths.
    public let shareMillionths: Int
    /// Whether the proxy answers 500 instead.
    public let isInvalid: Bool

    /// The part of the requests that goes here, from 0 to 1.
    public var share: Double { Double(shareMillionths) / 1_000_000 }

    /// The name of the cluster in Envoy.
    var cluster: String { "outbound|\(port)|\(subset)|\(host)" }
}

/// Where copies of a route's requests go.
public struct RouteMirror: Sendable, Hashable {
    /// The full name.
    public let host: String
    /// The port.
    public let port: Int
    /// The subset; empty without one.
    public let subset: String
    /// The percentage in millionths of one per cent.
    public let percentMillionths: Int

    /// The percentage of the requests, from 0 to 100.
    var percent: Double { Double(percentMillionths) / 1_000_000 }
}

/// What a rule asks for besides a destination.
public struct RouteMetadata: Sendable, Hashable {
    /// The timeout as written.
    public var timeout: String?
    /// The number of retries; Istio's default is 2.
    public var retryAttempts = 2
    /// The conditions for retries, as written.
    public var retryOn = ""
    /// What the path, or its matched prefix, becomes.
    public var rewriteURI = ""
    /// Whether `rewriteURI` is a pattern and its replacement.
    public var rewritesByPattern = false
    /// Whether `rewriteURI` takes the place of the whole path though the rule matches a prefix.
    public var rewritesWholePath = false
    /// The time of each try, as written; empty without one.
    public var perTryTimeout = ""
    /// What the authority becomes.
    public var rewriteAuthority = ""
    /// The fault that is injected, in words.
    public var fault = ""
    /// Where a redirect points, in words.
    public var redirect = ""
    /// The status of a redirect or direct response.
    public var status: Int?
    /// Whether preflights may be answered by the gateway.
    public var hasCORSPolicy = false
}
