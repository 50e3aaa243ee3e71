// Wingmirror · Apache-2.0

import OctetText
internal import TrafficModel

/// Whether a policy looks at a request; what its route is has been asked before.
extension PolicyRules {
    func matches(_ rule: PolicyRule, _ request: borrowing RequestView, _ target: RequestTargetParts) -> Bool {
        methodMatches(rule.methods, request) && hostMatches(rule.hosts, request, target)
            && pathMatches(rule.paths, request, target) && fieldsMatch(rule.fields, request)
    }

    /// Whether a method, which is told from others by case too, is in a list.
    func contains(_ list: Range<Int>, _ request: borrowing RequestView) -> Bool {
        for number in list
        where request.octets.equals(request.method, arena.span, texts[number].range, ignoringCase: false) {
            return true
        }
        return false
    }

    private func methodMatches(_ list: Range<Int>, _ request: borrowing RequestView) -> Bool {
        list.isEmpty || contains(list, request)
    }

    // MARK: - Host

    private func hostMatches(
        _ list: Range<Int>,
        _ request: borrowing RequestView,
        _ target: RequestTargetParts
    ) -> Bool {
        guard !list.isEmpty else { return true }
        // The authority of an absolute target goes before the Host field (RFC 9112 §3.2.2).
        guard let authority = target.authority ?? request.authority else { return false }
        let host = Self.withoutPort(request.octets, authority)
        for number in list where hostMatches(hosts[number], request.octets, host) { return true }
        return false
    }

    private func hostMatches(_ pattern: HostPattern, _ octets: Span<UInt8>, _ host: Range<Int>) -> Bool {
        let text = pattern.text.range
        guard pattern.isWildcard else {
            return octets.equals(host, arena.span, text, ignoringCase: true)
        }
        // The asterisk stands for one octet at least, unless it stands alone.
        guard host.count > text.count || text.isEmpty else { return false }
        return octets.equals(host.suffix(text.count), arena.span, text, ignoringCase: true)
    }

    /// An authority without the port; the brackets of an IPv6 address stay.
    private static func withoutPort(_ octets: Span<UInt8>, _ authority: Range<Int>) -> Range<Int> {
        let start = authority.lowerBound
        guard start < authority.upperBound else { return authority }
        if octets[start] == UInt8(ascii: "[") {
            let end = octets.find(UInt8(ascii: "]"), in: authority)
            return start..<min(end + 1, authority.upperBound)
        }
        return start..<octets.find(UInt8(ascii: ":"), in: authority)
    }

    // MARK: - Path

    private func pathMatches(
        _ list: Range<Int>,
        _ request: borrowing RequestView,
        _ target: RequestTargetParts
    ) -> Bool {
        guard !list.isEmpty else { return true }
        let octets = request.octets
        for number in list {
            let prefix = texts[number].range
            guard target.path.count >= prefix.count,
                octets.equals(target.path.prefix(prefix.count), arena.span, prefix, ignoringCase: false)
            else { continue }
            if target.path.count == prefix.count { return true }
            if octets[target.path.lowerBound + prefix.count] == UInt8(ascii: "/") { return true }
        }
        return false
    }

    // MARK: - Fields

    private func fieldsMatch(_ list: Range<Int>, _ request: borrowing RequestView) -> Bool {
        for number in list where !fieldMatches(fields[number], request) { return false }
        return true
    }

    /// Whether one of the lines with the name has the value.
    private func fieldMatches(_ condition: FieldCondition, _ request: borrowing RequestView) -> Bool {
        let octets = request.octets
        for index in request.fields.indices {
            let line = request.fields[index]
            guard octets.equals(line.name, arena.span, condition.name.range, ignoringCase: true) else {
                continue
            }
            let value = condition.value.range
            if value.isEmpty || octets.equals(line.value, arena.span, value, ignoringCase: false) {
                return true
            }
        }
        return false
    }
}
