// Wingmirror · Apache-2.0

/// The values of the label `reason` of `http_requests_unmatched_total`: why no route accounts for a request.
public enum UnmatchedReason: UInt8, Sendable, Hashable, CaseIterable {
    /// No virtual host has the request's authority.
    case noHost
    /// The virtual host has no rule that takes the request.
    case noMatch
    /// The Gateway answers with a redirect to HTTPS before routes are asked.
    case httpsRedirect
    /// Envoy refuses the request before routes are asked.
    case rejected
    /// No Gateway server listens on the port.
    case noListener
    /// Which rule takes the request depends on what is not on the wire.
    case conditional
    /// No Gateway selects the workload.
    case noGateway
    /// Fields that would decide were not captured (HTTP/2 behind a loss or a late start).
    case unknownFields
    /// The name in the client's TLS hello would decide, and was not captured.
    case unknownServerName

    /// The label's value.
    public var text: String {
        switch self {
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

    /// Whether such a request arrived at the gateway.
    ///
    /// One to a port on which no Gateway listens did not: it passes by to another workload, or the gateway sends it on.
    public var isArrival: Bool { self != .noListener }

    /// Whether it is one that a route was missing for: the redirect to HTTPS is an answer as it should be.
    public var isMistaken: Bool { isArrival && self != .httpsRedirect }

    /// Whether the table has no route for it: if the gateway has one, the table is not the gateway's.
    var isNotInTable: Bool {
        switch self {
        case .noHost, .noMatch, .noGateway: true
        case .httpsRedirect, .rejected, .noListener, .conditional, .unknownFields, .unknownServerName: false
        }
    }

    /// The class of status that such a request most likely gets; its series exists before the first such request.
    var likeliestClass: ResponseCodeClass {
        switch self {
        case .noHost, .noMatch, .rejected, .noGateway: .clientError
        case .httpsRedirect: .redirection
        case .conditional, .unknownFields, .unknownServerName: .success
        case .noListener: .none
        }
    }
}
