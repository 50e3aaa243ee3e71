// Wingmirror · Apache-2.0

internal import HTTPReconstruction
internal import RouteAttribution
internal import ShadowTesting
internal import TrafficModel

/// The decision on a request, as it is remembered with the exchange: packed into the tag.
struct RoutedRequest {
    /// The route, or -1.
    let route: Int32
    let reason: RouteReason
    /// The Gateway, or -1.
    let gateway: Int
    /// The number of the generation that decided, modulo 256.
    let generation: UInt8
    /// Whether an agent sent the request as shadow traffic, so that it is not counted as traffic.
    let isShadow: Bool

    /// The bit beside the reason that says so.
    private static let shadowBit: UInt8 = 0x80

    init(_ decision: RouteDecision, generation: Int, isShadow: Bool) {
        route = decision.route
        reason = decision.reason
        // A table has fewer Gateways than this; were there more, the request would only lose its Gateway's name.
        gateway = decision.gateway < Int32(UInt16.max) ? Int(decision.gateway) : -1
        self.generation = UInt8(truncatingIfNeeded: generation)
        self.isShadow = isShadow
    }

    init(_ tag: RequestTag) {
        route = Int32(truncatingIfNeeded: tag.rawValue)
        let reasonOctet = UInt8(truncatingIfNeeded: tag.rawValue >> 32)
        reason = RouteReason(rawValue: reasonOctet & ~Self.shadowBit) ?? .noListener
        isShadow = reasonOctet & Self.shadowBit != 0
        gateway = Int(UInt16(truncatingIfNeeded: tag.rawValue >> 40)) - 1
        generation = UInt8(truncatingIfNeeded: tag.rawValue >> 56)
    }

    var tag: RequestTag {
        RequestTag(
            rawValue: UInt64(UInt32(bitPattern: route))
                | UInt64(reason.rawValue | (isShadow ? Self.shadowBit : 0)) << 32
                | UInt64(UInt16(gateway + 1)) << 40 | UInt64(generation) << 56
        )
    }

    /// The route, where it is certain that it took the request; else -1.
    var certainRoute: Int32 { reason == .matched ? route : -1 }

    /// The names that label the route's series; empty ones for no route.
    func name(in table: RouteTable) -> RouteName {
        route >= 0 ? RouteName(table.routes[Int(route)]) : RouteName()
    }

    /// The members of `route` in exchange records, without the braces around them.
    func record(in table: RouteTable) -> [UInt8] {
        switch reason {
        case .matched: table.routes[Int(route)].record
        case .conditional where route >= 0: table.routes[Int(route)].record + Array(#","conditional":true"#.utf8)
        case .conditional: Array(#""outcome":"no_route","conditional":true"#.utf8)
        case .noHost, .noMatch: Array(#""outcome":"no_route""#.utf8)
        case .httpsRedirect: Array(#""outcome":"https_redirect""#.utf8)
        case .rejected: Array(#""outcome":"rejected""#.utf8)
        case .noListener, .noGateway: Array(#""outcome":"no_listener""#.utf8)
        }
    }
}
