// Wingmirror · Apache-2.0

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

    /// The members of `route` in exchange records, without the braces around them.
    func record(in tables: RouteTables) -> [UInt8] {
        switch reason {
        case .matched: tables.routes[Int(route)].record
        case .conditional where route >= 0: tables.routes[Int(route)].record + Array(#","conditional":true"#.utf8)
        case .conditional: Array(#""outcome":"no_route","conditional":true"#.utf8)
        case .noHost, .noMatch: Array(#""outcome":"no_route""#.utf8)
        case .httpsRedirect: Array(#""outcome":"https_redirect""#.utf8)
        case .rejected:
            Array(#""outcome":"rejected""#.utf8) + (refusal.map { Array(#","reason":"\#($0.word)""#.utf8) } ?? [])
        case .noListener, .noGateway: Array(#""outcome":"no_listener""#.utf8)
        case .unknownFields: Array(#""outcome":"unknown","reason":"unknown_fields""#.utf8)
        case .unknownServerName: Array(#""outcome":"unknown","reason":"unknown_server_name""#.utf8)
        }
    }
}
