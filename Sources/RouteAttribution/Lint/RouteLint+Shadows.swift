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
                if let earlier = host.routes[..<position].first(where: { covers($0, later) }) {
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
            var path = "spec.http[\(route.identity.rule)]"
            if let match = route.identity.match { path += ".match[\(match)]" }
            report(
                route.identity.object,
                .shadowedRoute,
                path,
                "never takes a request on \(route.hosts.joined(separator: ", ")), because \(taker.identity.object) rule "
                    + "\(taker.identity.rule) comes first and takes all of them (\(taker.matchText))"
            )
        }
    }

    /// Whether every request that `later` would take is taken by `earlier`; certain when true.
    func covers(_ earlier: Int, _ later: Int) -> Bool {
        let first = table.index.routes[earlier]
        let second = table.index.routes[later]
        return pathCovers(first, second) && conditionsCover(first, second)
    }

    private func pathCovers(_ first: LookupRoute, _ second: LookupRoute) -> Bool {
        if first.test == .any { return true }
        if first.test == .regex { return second.test == .regex && first.pattern == second.pattern }
        guard second.test != .any, second.test != .regex else { return false }
        // A route that ignores case takes more than one that does not.
        guard first.ignoresCase || !second.ignoresCase else { return false }
        var value = table.text(second.path)
        if first.ignoresCase { value = HostNames.lowercased(value) }
        let prefix = table.text(first.path)
        switch first.test {
        case .prefix: return value.utf8.starts(with: prefix.utf8)
        case .segmentPrefix:
            guard value.utf8.starts(with: prefix.utf8) else { return false }
            if value.utf8.count == prefix.utf8.count { return second.test != .prefix }
            return value.utf8.dropFirst(prefix.utf8.count).first == UInt8(ascii: "/")
        default: return second.test == .exact && value == prefix
        }
    }

    /// Whether all conditions of the first are also the second's.
    ///
    /// Equal texts lie in one place of the arena, so equal conditions are equal values.
    private func conditionsCover(_ first: LookupRoute, _ second: LookupRoute) -> Bool {
        let required = conditions(of: first)
        guard !required.isEmpty else { return true }
        let given = conditions(of: second)
        return required.allSatisfy(given.contains)
    }

    func conditions(of route: LookupRoute) -> ArraySlice<LookupCondition> {
        table.index.conditions[Int(route.firstCondition)..<Int(route.firstCondition + route.conditionCount)]
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
                "spec.http",
                "the route name \(name) is also used by \(objects[1]), so the access log cannot tell them apart",
                severity: .note
            )
        }
    }
}
