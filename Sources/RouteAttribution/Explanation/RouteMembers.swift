// Wingmirror · Apache-2.0

internal import JSONSyntax

/// The JSON members by which a route is described in exchange records and in the answers of `explain`.
public enum RouteMembers {
    /// The members that describe a route, without the braces around them; the same for every request it takes.
    static func members(of route: CompiledRoute) -> [UInt8] {
        var json = JSONText()
        json.key("outcome")
        json.string(RouteOutcome.route.rawValue)
        json.key("gateway")
        json.string(route.gateway)
        json.key(named: objectKey(route.identity.object))
        json.string(route.identity.object.reference)
        json.key("rule")
        json.integer(route.identity.rule)
        json.key("match")
        write(route.identity.match, to: &json)
        if let merged = route.identity.mergedMatch {
            json.key("mergedMatch")
            json.beginObject()
            json.key("root")
            write(merged.root, to: &json)
            json.key("delegate")
            write(merged.delegate, to: &json)
            json.endObject()
        }
        if let delegate = route.identity.delegate {
            json.key("delegate")
            json.beginObject()
            json.key("virtualService")
            json.string(delegate.object.reference)
            json.key("rule")
            json.integer(delegate.rule)
            json.endObject()
        }
        json.key("routeName")
        json.string(route.routeName)
        json.key("action")
        json.string(route.action.rawValue)
        if route.action == .forward {
            json.key("destinations")
            json.beginList()
            for destination in route.destinations { write(destination, to: &json) }
            json.endList()
        }
        if !route.mirrors.isEmpty {
            json.key("mirrors")
            json.beginList()
            for mirror in route.mirrors { write(mirror, to: &json) }
            json.endList()
        }
        // Kept for each route as long as the table, so without the room that it grew by.
        return Array(json.octets[...])
    }

    /// All keys under which objects are named.
    public static let objectKeys = ["virtualService", "httpRoute", "grpcRoute", "tlsRoute", "ingress"]

    /// The key under which an object is named, one of `objectKeys`.
    static func objectKey(_ object: ObjectIdentity) -> String {
        switch object.kind {
        case "HTTPRoute": "httpRoute"
        case "GRPCRoute": "grpcRoute"
        case "TLSRoute": "tlsRoute"
        case "Ingress": "ingress"
        default: "virtualService"
        }
    }

    private static func write(_ index: Int?, to json: inout JSONText) {
        if let index { json.integer(index) } else { json.null() }
    }

    static func write(_ destination: RouteDestination, to json: inout JSONText) {
        json.beginObject()
        if destination.isInvalid {
            json.key("invalid")
            json.bool(true)
        } else {
            json.key("host")
            json.string(destination.host)
            json.key("port")
            json.integer(destination.port)
            if !destination.subset.isEmpty {
                json.key("subset")
                json.string(destination.subset)
            }
        }
        json.key("share")
        json.millionths(destination.shareMillionths)
        if !destination.isInvalid {
            json.key("cluster")
            json.string(destination.cluster)
        }
        json.endObject()
    }

    private static func write(_ mirror: RouteMirror, to json: inout JSONText) {
        json.beginObject()
        json.key("host")
        json.string(mirror.host)
        json.key("port")
        json.integer(mirror.port)
        if !mirror.subset.isEmpty {
            json.key("subset")
            json.string(mirror.subset)
        }
        json.key("percent")
        json.millionths(mirror.percentMillionths)
        json.endObject()
    }
}

extension RouteTable {
    /// The members of the JSON object for a decision, without the braces around them.
    ///
    /// For a route these are octets made once with the table; for anything else the outcome and its reason.
    public func recordMembers(of decision: RouteDecision) -> [UInt8] {
        if decision.route >= 0, decision.reason != .conditional {
            return routes[Int(decision.route)].record
        }
        var json = JSONText()
        if decision.route >= 0 {
            json.rendered(routes[Int(decision.route)].record)
        } else {
            json.key("outcome")
            json.string(decision.outcome.rawValue)
            if decision.gateway >= 0 {
                json.key("gateway")
                json.string(gateways[Int(decision.gateway)])
            }
            json.key("reason")
            json.string(decision.reason.label)
        }
        if decision.reason == .conditional {
            json.key("conditional")
            json.bool(true)
        }
        return json.octets
    }
}
