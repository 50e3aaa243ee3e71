// Wingmirror · Apache-2.0

extension RouteLint {
    /// Routes of different VirtualServices that want the same requests of one host, told once for two objects.
    ///
    /// Which of them gets the requests hangs on the age of the objects, and turns when one is made anew. Routes that istiod puts behind all others are left out, since their place is certain, and so are those that never
    /// get a request, which `checkShadows` tells.
    mutating func checkOverlaps() {
        var told: Set<[ObjectIdentity]> = []
        for host in distinctHosts where host.routes.count <= Self.shadowSearchLimit {
            let routes = host.routes.filter {
                table.routes[$0].identity.object.kind == "VirtualService" && !table.routes[$0].isCatchAll
            }
            guard Set(routes.map { table.routes[$0].identity.object }).count > 1 else { continue }
            for (position, later) in routes.enumerated() {
                let object = table.routes[later].identity.object
                for earlier in routes[..<position] where table.routes[earlier].identity.object != object {
                    guard meets(earlier, later), !covers(earlier, later),
                        told.insert([table.routes[earlier].identity.object, object]).inserted
                    else { continue }
                    reportOverlap(of: table.routes[earlier], table.routes[later], on: host.name)
                }
            }
        }
    }

    private mutating func reportOverlap(of earlier: CompiledRoute, _ later: CompiledRoute, on host: String) {
        var path = "spec.http[\(later.identity.rule)]"
        if let match = later.identity.match { path += ".match[\(match)]" }
        report(
            later.identity.object,
            .overlappingRoutes,
            path,
            "(\(later.matchText)) and \(earlier.identity.object) rule \(earlier.identity.rule) (\(earlier.matchText)) both "
                + "take some requests on \(host); the latter gets them, as the object that counts as older, so put the "
                + "rules into one object or set them apart",
            severity: .note
        )
    }

    /// Whether some request fits both routes; certain when true.
    private func meets(_ first: Int, _ second: Int) -> Bool {
        let first = table.index.routes[first]
        let second = table.index.routes[second]
        guard pathsMeet(first, second) else { return false }
        return conditions(of: first).allSatisfy { one in
            conditions(of: second).allSatisfy { other in agree(one, other) }
        }
    }

    private func pathsMeet(_ first: LookupRoute, _ second: LookupRoute) -> Bool {
        if first.test == .any || second.test == .any { return true }
        if first.test == .regex || second.test == .regex {
            return first.test == second.test && first.pattern == second.pattern
        }
        var short = (test: first.test, value: table.text(first.path))
        var long = (test: second.test, value: table.text(second.path))
        if first.ignoresCase || second.ignoresCase {
            short.value = HostNames.lowercased(short.value)
            long.value = HostNames.lowercased(long.value)
        }
        if short.value.utf8.count > long.value.utf8.count { swap(&short, &long) }
        guard long.value.utf8.starts(with: short.value.utf8) else { return false }
        if long.value.utf8.count == short.value.utf8.count { return true }
        return switch short.test {
        case .prefix: true
        case .segmentPrefix: long.value.utf8.dropFirst(short.value.utf8.count).first == UInt8(ascii: "/")
        default: false
        }
    }

    /// Whether two conditions can hold of one request; certain when true, so never where expressions differ.
    private func agree(_ first: LookupCondition, _ second: LookupCondition) -> Bool {
        guard first.subject == second.subject, first.name == second.name, first != second else { return true }
        return switch (first.isNegated, second.isNegated) {
        case (false, false): valuesMeet(first, second)
        case (false, true): leavesValue(first, asideFrom: second)
        case (true, false): leavesValue(second, asideFrom: first)
        case (true, true): holdsWithoutField(first) && holdsWithoutField(second)
        }
    }

    private func valuesMeet(_ first: LookupCondition, _ second: LookupCondition) -> Bool {
        let values = (table.text(first.value).utf8, table.text(second.value).utf8)
        return switch (first.test, second.test) {
        case (.present, _), (_, .present): true
        case (.exact, .prefix): values.0.starts(with: values.1)
        case (.prefix, .exact): values.1.starts(with: values.0)
        case (.prefix, .prefix): values.0.starts(with: values.1) || values.1.starts(with: values.0)
        default: false
        }
    }

    /// Whether `condition` takes a value that `excluded`, were it not negated, does not.
    private func leavesValue(_ condition: LookupCondition, asideFrom excluded: LookupCondition) -> Bool {
        switch (condition.test, excluded.test) {
        case (.exact, .exact): condition.value != excluded.value
        case (.exact, .prefix): !table.text(condition.value).utf8.starts(with: table.text(excluded.value).utf8)
        // Of all longer values only one is excluded.
        case (.present, .exact), (.prefix, .exact): true
        default: false
        }
    }

    /// Whether a negated condition holds of a request without the field, which counts as the empty text.
    private func holdsWithoutField(_ condition: LookupCondition) -> Bool {
        switch condition.test {
        case .present: true
        case .exact, .prefix: condition.value.count > 0
        case .regex: false
        }
    }
}
