// Wingmirror · Apache-2.0

internal import JSONSyntax
public import RouteAttribution
internal import TrafficModel

/// The decision on a request, as it is remembered with the exchange.
public struct RoutedRequest: BitwiseCopyable, Sendable, Hashable {
    /// The number of the route in its generation's tables, or -1.
    public let route: Int32
    /// The number of the Gateway in its generation's tables, or -1.
    public let gateway: Int32
    /// The number of the generation that decided, modulo 2³².
    public let generation: UInt32
    /// Why that route, or why none.
    public private(set) var reason: RouteReason
    /// Whether an agent sent the request as shadow traffic, so that it is not counted as traffic.
    public let isShadow: Bool
    /// Why the gateway refuses it; `nil` where it does not.
    public let refusal: RefusalReason?

    init(_ decision: RouteDecision, generation: UInt32, isShadow: Bool) {
        route = decision.route
        gateway = decision.gateway
        self.generation = generation
        reason = decision.reason
        self.isShadow = isShadow
        refusal = decision.refusal
    }

    /// Whether what would decide on the route was not captured.
    var isUnknown: Bool { reason == .unknownFields || reason == .unknownServerName }

    /// Whether the route hangs on the name in the client's TLS hello, which was not captured.
    var hangsOnServerName: Bool { reason == .unknownServerName }

    /// A service answered, so that a route took the request: if only one can have, it did.
    mutating func serviceAnswered() {
        if isUnknown, route >= 0 { reason = .matched }
    }

    /// The route, where it is certain that it took the request; else -1.
    var certainRoute: Int32 { reason == .matched ? route : -1 }

    /// The names that label the route's series; empty ones for no route.
    func name(in tables: RouteTables) -> RouteName {
        route >= 0 && !isUnknown ? RouteName(tables.routes[Int(route)]) : RouteName()
    }

    /// Adds the members of `route` in exchange records, to an object that is open.
    func appendMembers(to line: inout JSONText, in tables: RouteTables) {
        switch reason {
        case .matched: line.rendered(tables.routes[Int(route)].record)
        case .conditional:
            if route >= 0 {
                line.rendered(tables.routes[Int(route)].record)
            } else {
                line.word(#""outcome":"no_route""#)
            }
            line.word(#""conditional":true"#)
        case .noHost, .noMatch: line.word(#""outcome":"no_route""#)
        case .httpsRedirect: line.word(#""outcome":"https_redirect""#)
        case .rejected:
            line.word(#""outcome":"rejected""#)
            if let refusal {
                line.key("reason")
                line.string(refusal.word)
            }
        case .noListener, .noGateway: line.word(#""outcome":"no_listener""#)
        case .unknownFields: line.word(#""outcome":"unknown","reason":"unknown_fields""#)
        case .unknownServerName: line.word(#""outcome":"unknown","reason":"unknown_server_name""#)
        }
    }
}
