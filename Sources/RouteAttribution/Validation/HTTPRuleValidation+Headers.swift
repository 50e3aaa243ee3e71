// Wingmirror · Apache-2.0

extension HTTPRuleValidation {
    mutating func check(_ operations: HeaderOperations?, at place: FieldPath) {
        guard let operations else { return }
        check(operations.request, at: place.member("request"), allowsAuthority: true)
        check(operations.response, at: place.member("response"), allowsAuthority: false)
    }

    private mutating func check(_ direction: HeaderOperations.Direction, at place: FieldPath, allowsAuthority: Bool) {
        for (key, map) in [("set", direction.set), ("add", direction.add)] {
            for (name, value) in map {
                let field = place.member(key).member(name)
                let isAuthority = [":authority", "host"].contains(HostNames.lowercased(name))
                problems.require(
                    allowsAuthority && isAuthority ? true : Self.isChangeable(name),
                    field,
                    "must be a field name"
                )
                problems.require(Self.isValue(value), field, "must be a field value with every % doubled or in pairs")
            }
        }
        for (index, name) in direction.remove.enumerated() {
            problems.require(
                Self.isChangeable(name),
                place.member("remove").element(index),
                "must be a field name, not \(name)"
            )
        }
    }

    /// Whether operations may name the field: `host` and pseudo-header fields are not theirs to change.
    ///
    /// Istio asks no more of a name, which need not even be a token.
    private static func isChangeable(_ name: String) -> Bool {
        !name.isEmpty && !name.hasPrefix(":") && HostNames.lowercased(name) != "host"
    }

    /// Whether a text can be a field value: no control characters, and no lone percent sign, with which Envoy's variables
    /// begin and end.
    private static func isValue(_ value: String) -> Bool {
        let octets = Array(value.utf8)
        guard octets.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }) else { return false }
        var isOpen = false
        var index = 0
        while index < octets.count {
            if octets[index] == UInt8(ascii: "%") {
                if !isOpen, index + 1 < octets.count, octets[index + 1] == UInt8(ascii: "%") {
                    index += 1
                } else {
                    isOpen.toggle()
                }
            }
            index += 1
        }
        return !isOpen
    }

    /// The authority may be changed in one place only; of what a destination does to it Istio asks nothing.
    mutating func checkAuthorityRewrites(_ rule: HTTPRule) {
        let rewrites = rule.rewrite.map { $0.authority.isEmpty ? 0 : 1 } ?? 0
        if rewrites + Self.authorityOperations(rule.headers) > 1 {
            problems.add(path, "must not change the authority in more than one place")
        }
    }

    private static func authorityOperations(_ operations: HeaderOperations?) -> Int {
        guard let operations else { return 0 }
        return [operations.request.set, operations.request.add].reduce(0) { count, map in
            count + map.keys.count { [":authority", "host"].contains(HostNames.lowercased($0)) }
        }
    }
}
