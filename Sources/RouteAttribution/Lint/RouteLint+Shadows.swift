// Wingmirror · Apache-2.0

extension RouteLint {
    /// Hosts with more routes are not searched for shadows: the search compares every route with all before it.
    static let shadowSearchLimit = 4000

    /// The virtual hosts, of those that share their routes the first.
    var distinctHosts: [ListedHost] {
        var seen: Set<UInt32> = []
        return table.listedHosts.filter { !$0.routes.isEmpty && seen.insert($0.routeList).inserted }
    }

    /// Routes whose requests all go to an earlier route, in every virtual host that has them.
    mutating func checkShadows() {
        var shadow: [Int: Int] = [:]
        var reachable: Set<Int> = []
        for host in distinctHosts {
            guard host.routes.count <= Self.shadowSearchLimit else {
                reachable.formUnion(host.routes)
                continue
            }
            for (position, later) in host.routes.enumerated() {
                if let earlier = host.routes[..<position].first(where: { table.covers($0, later) }) {
                    shadow[later] = earlier
                } else {
                    reachable.insert(later)
                }
            }
        }
        for (later, earlier) in shadow.sorted(by: { $0.key < $1.key }) where !reachable.contains(later) {
            let route = table.routes[later]
            let taker = table.routes[earlier]
            // The same rule through another Gateway is the same route twice, which harms nobody.
            guard route.identity != taker.identity else { continue }
            let place = place(of: route)
            let doubt = table.knowledge.orderDoubt(taker.identity.object, route.identity.object).map { "; \($0)" } ?? ""
            report(
                place.object,
                .shadowedRoute,
                place.path,
                "never takes a request on \(route.hosts.joined(separator: ", ")), because \(taker.identity.object) rule "
                    + "\(taker.identity.rule) comes first and takes all of them (\(taker.matchText))\(doubt)"
            )
        }
    }

    // MARK: - Names

    /// Names in the access log that stand for rules of several objects.
    mutating func checkNames() {
        var owners: [String: [ObjectIdentity]] = [:]
        for route in table.routes where !route.routeName.isEmpty {
            if owners[route.routeName]?.contains(route.identity.object) != true {
                owners[route.routeName, default: []].append(route.identity.object)
            }
        }
        for (name, objects) in owners.sorted(by: { $0.key < $1.key }) where objects.count > 1 {
            report(
                objects[0],
                .ambiguousRouteName,
                objects[0].kind == "VirtualService" ? "spec.http" : "spec.rules",
                "the route name \(name) is also used by \(objects[1]), so the access log cannot tell them apart",
                severity: .note
            )
        }
    }
}
