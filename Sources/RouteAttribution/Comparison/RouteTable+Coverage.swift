// Wingmirror · Apache-2.0

extension RouteTable {
    /// Whether every request that `later` would take is taken by `earlier`; certain when true.
    func covers(_ earlier: Int, _ later: Int) -> Bool {
        let first = index.routes[earlier]
        let second = index.routes[later]
        return pathCovers(first, second) && conditionsCover(first, second)
    }

    private func pathCovers(_ first: LookupRoute, _ second: LookupRoute) -> Bool {
        if first.test == .any { return true }
        if first.test == .regex { return second.test == .regex && first.pattern == second.pattern }
        guard second.test != .any, second.test != .regex else { return false }
        // A route that ignores case takes more than one that does not.
        guard first.ignoresCase || !second.ignoresCase else { return false }
        var value = text(second.path)
        if first.ignoresCase { value = HostNames.lowercased(value) }
        let prefix = text(first.path)
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
        index.conditions[Int(route.firstCondition)..<Int(route.firstCondition + route.conditionCount)]
    }

    // MARK: - Common requests

    /// Whether some request fits both routes; certain when true.
    func meets(_ first: Int, _ second: Int) -> Bool {
        let first = index.routes[first]
        let second = index.routes[second]
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
        var short = (test: first.test, value: text(first.path))
        var long = (test: second.test, value: text(second.path))
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
        let values = (text(first.value).utf8, text(second.value).utf8)
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
        case (.exact, .prefix): !text(condition.value).utf8.starts(with: text(excluded.value).utf8)
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
