// Wingmirror · Apache-2.0

/// What the gateway did with a request, in the words of records and `explain`.
public enum RouteOutcome: String, Sendable, Hashable, CaseIterable {
    /// A rule took the request.
    case route
    /// The gateway answered 404, having no rule for it.
    case noRoute = "no_route"
    /// The gateway answered 301 because the server demands https.
    case httpsRedirect = "https_redirect"
    /// The gateway answered before it looked for a route.
    case rejected
    /// No HTTP routing takes place where the request arrived.
    case noListener = "no_listener"
    /// What would decide was not captured: fields of HTTP/2, or the name in the TLS hello.
    case unknown
}

/// Why a request is counted where it is; a closed set, used as a label.
public enum RouteReason: UInt8, Sendable, Hashable, CaseIterable, BitwiseCopyable {
    /// A rule took it.
    case matched
    /// No virtual host has the name.
    case noHost
    /// The virtual host has no rule that fits.
    case noMatch
    /// The server demands https.
    case httpsRedirect
    /// The proxy refuses such requests.
    case rejected
    /// Nothing carries HTTP there.
    case noListener
    /// The answer hangs on something that a passive observer cannot see; the route is only the likeliest.
    case conditional
    /// No Gateway selects the workload.
    case noGateway
    /// Fields that would decide are not known.
    case unknownFields
    /// The name that the client asked for in its TLS hello would decide, and was not captured.
    case unknownServerName

    /// The value of the `reason` label.
    public var label: String {
        switch self {
        case .matched: "matched"
        case .noHost: "no_host"
        case .noMatch: "no_match"
        case .httpsRedirect: "https_redirect"
        case .rejected: "rejected"
        case .noListener: "no_listener"
        case .conditional: "conditional"
        case .noGateway: "no_gateway"
        case .unknownFields: "unknown_fields"
        case .unknownServerName: "unknown_server_name"
        }
    }
}

/// The answer to one request.
public struct RouteDecision: Sendable, Hashable {
    /// What happened.
    public let outcome: RouteOutcome
    /// Why; `conditional` means that `outcome` and `route` must not be reported as certain.
    public let reason: RouteReason
    /// The index in `RouteTable.routes`; -1 without a route.
    ///
    /// With the reasons `unknownFields` and `unknownServerName`, the only route that can have taken the request, unless the
    /// gateway answered that it has none.
    public let route: Int32
    /// The index in `RouteTable.gateways`; -1 where no Gateway is concerned.
    public let gateway: Int32
    /// Why the gateway refuses the request; `nil` where it does not.
    public let refusal: RefusalReason?

    init(
        _ outcome: RouteOutcome,
        _ reason: RouteReason,
        route: Int32 = -1,
        gateway: Int32 = -1,
        refusal: RefusalReason? = nil
    ) {
        self.outcome = outcome
        self.reason = reason
        self.route = route
        self.gateway = gateway
        self.refusal = refusal
    }
}

/// Where the requests of a connection are looked up; found once per connection.
public struct HostTableReference: Sendable, Hashable {
    /// The place in the table; -1 where nothing carries HTTP, and less where it may be that of any TLS server of a listener.
    let index: Int32
    /// Why there is none.
    let reason: RouteReason

    init(index: Int32, reason: RouteReason) {
        self.index = index
        self.reason = reason
    }

    /// Any of the TLS servers of a listener, since it is not known which name the client asked for.
    init(anyServerOf listener: Int32) {
        index = -2 - listener
        reason = .unknownServerName
    }

    /// Whether HTTP is routed here for certain.
    public var carriesHTTP: Bool { index >= 0 }

    /// The listener of which it may be any TLS server.
    var listenerOfAnyServer: Int? { index < -1 ? Int(-2 - index) : nil }
}

/// The buffers that a lookup needs, kept by the thread that looks up so that it never allocates.
public struct RouteScratch: ~Copyable {
    /// A request target that had to be rewritten.
    var target: [UInt8] = []
    /// The joined values of repeated field lines.
    var joined: [UInt8] = []

    /// Makes buffers large enough for ordinary requests; they grow once for larger ones.
    public init() {
        target.reserveCapacity(8192)
        joined.reserveCapacity(8192)
    }
}
