// Wingmirror · Apache-2.0

internal import TrafficModel

/// Tests the conditions of one route; shared by the lookup and by `explain`, so that the two cannot differ.
struct RouteMatcher: Sendable {
    let index: LookupIndex
    /// Whether each line of a repeated field is tested by itself (Envoy 1.39 and later).
    let testsLinesOneByOne: Bool

    private let get = Array("GET".utf8)
    private let trailers = Array("trailers".utf8)

    // MARK: - Path

    /// Whether a route's path condition holds.
    func pathMatches(_ route: LookupRoute, _ path: Span<UInt8>) -> Bool {
        switch route.test {
        case .any: return true
        case .regex:
            return route.pattern >= 0 && index.patterns[Int(route.pattern)].matchesWhole(path)
        case .exact:
            return path.count == Int(route.path.count) && beginsWith(path, route.path, ignoresCase: route.ignoresCase)
        case .prefix:
            return beginsWith(path, route.path, ignoresCase: route.ignoresCase)
        case .segmentPrefix:
            let count = Int(route.path.count)
            return beginsWith(path, route.path, ignoresCase: route.ignoresCase)
                && (path.count == count || path[count] == UInt8(ascii: "/"))
        }
    }

    /// Whether a route's path condition holds of every path that a request of HTTP/2 can have.
    func takesEveryPath(_ route: LookupRoute) -> Bool {
        switch route.test {
        case .any: true
        case .prefix:
            route.path.count == 0 || route.path.count == 1 && index.arena[Int(route.path.start)] == UInt8(ascii: "/")
        case .exact, .regex, .segmentPrefix: false
        }
    }

    private func beginsWith(_ text: Span<UInt8>, _ value: OctetRange, ignoresCase: Bool) -> Bool {
        let count = Int(value.count)
        guard text.count >= count else { return false }
        let expected = index.arena.span.extracting(value.indices)
        if ignoresCase {
            for offset in 0..<count where OctetHash.folded(text[offset]) != expected[offset] { return false }
        } else {
            for offset in 0..<count where text[offset] != expected[offset] { return false }
        }
        return true
    }

    // MARK: - Other conditions

    /// The first condition, by number within the route, that does not hold; `nil` when all do.
    ///
    /// `sawUnseen` is set when the answer hangs on something that the request does not show.
    func firstFailure(
        _ route: LookupRoute,
        _ request: RequestView,
        _ prepared: PreparedRequest,
        target: Span<UInt8>,
        joined: inout [UInt8],
        sawUnseen: inout Bool
    ) -> Int? {
        for number in 0..<Int(route.conditionCount) {
            let condition = index.conditions[Int(route.firstCondition) + number]
            let holds = holds(condition, request, prepared, target: target, joined: &joined, sawUnseen: &sawUnseen)
            if holds == condition.isNegated { return number }
        }
        return nil
    }

    /// Whether a condition hangs on a field of the request that is not known.
    private static func isUnknown(_ condition: LookupCondition, _ request: RequestView, _ proto: ForwardedProto) -> Bool
    {
        switch condition.subject {
        case .method: request.traits.contains(.methodUnknown)
        case .authority: request.traits.contains(.authorityUnknown)
        case .target, .parameter: request.traits.contains(.targetUnknown)
        case .forwardedProto: proto == .other && request.traits.contains(.fieldsUnknown)
        case .field, .joinedField, .referer, .upgradeField, .transferCodings:
            request.traits.contains(.fieldsUnknown)
        case .scheme: request.version == .http2 && request.scheme == nil && request.traits.contains(.fieldsUnknown)
        case .removedField, .unseenField, .claim: false
        }
    }

    /// Whether the condition holds, its negation left aside.
    private func holds(
        _ condition: LookupCondition,
        _ request: RequestView,
        _ prepared: PreparedRequest,
        target: Span<UInt8>,
        joined: inout [UInt8],
        sawUnseen: inout Bool
    ) -> Bool {
        if !request.traits.isDisjoint(with: .anythingUnknown),
            Self.isUnknown(condition, request, prepared.forwardedProto)
        {
            if let holds = holdsWhateverIsUnnamed(condition, request) { return holds }
            sawUnseen = true
            return false
        }
        switch condition.subject {
        case .method:
            // The proxy makes a WebSocket's CONNECT the GET of an upgrade before it looks for a route.
            if request.traits.contains(.isExtendedConnect) { return takes(condition, get.span) }
            return takes(condition, request.octets.extracting(request.method))
        case .authority:
            guard prepared.isAuthorityJoined else {
                return takes(condition, request.octets.extracting(prepared.authority))
            }
            request.joinHosts(into: &joined)
            return takes(condition, joined.span)
        case .target: return takes(condition, target)
        case .scheme: return schemeHolds(condition, request, prepared)
        case .parameter: return parameterHolds(condition, target.extracting(prepared.pathCount..<target.count))
        case .forwardedProto:
            switch prepared.forwardedProto {
            case .http: return takes(condition, schemeValue(isHTTPS: false))
            case .https: return takes(condition, schemeValue(isHTTPS: true))
            case .other, .empty: return fieldHolds(condition, request, joinsLines: true, joined: &joined)
            }
        case .field, .joinedField, .referer:
            if prepared.hidesFields, request.hides(index.arena.span.extracting(condition.name.indices)) {
                return missingHolds(condition)
            }
            let joinsLines = condition.subject != .field || !testsLinesOneByOne
            return fieldHolds(condition, request, joinsLines: joinsLines, joined: &joined)
        case .upgradeField:
            guard request.upgradeWish() == .other else { return missingHolds(condition) }
            return fieldHolds(condition, request, joinsLines: true, joined: &joined)
        case .transferCodings: return transferCodingsHold(condition, request, prepared, joined: &joined)
        case .removedField: return missingHolds(condition)
        case .unseenField:
            // The field is there for certain; its value is not known.
            if condition.test == .present { return true }
            sawUnseen = true
            return false
        case .claim:
            sawUnseen = true
            return false
        }
    }

    private func transferCodingsHold(
        _ condition: LookupCondition,
        _ request: RequestView,
        _ prepared: PreparedRequest,
        joined: inout [UInt8]
    ) -> Bool {
        if request.upgradeWish() == .other {
            return fieldHolds(condition, request, joinsLines: true, joined: &joined)
        }
        let isNamed = prepared.hidesFields && request.names("te")
        if !isNamed, request.transferCodingOctets() == 0 {
            // An empty one stays as it is.
            return fieldHolds(condition, request, joinsLines: true, joined: &joined)
        }
        return request.takesTrailers(isNamed: isNamed) ? takes(condition, trailers.span) : missingHolds(condition)
    }

    /// HTTP/2 names a scheme, which conditions see whatever the connection is; other versions do not.
    private func schemeHolds(
        _ condition: LookupCondition,
        _ request: RequestView,
        _ prepared: PreparedRequest
    ) -> Bool {
        guard let place = request.scheme else { return takes(condition, schemeValue(isHTTPS: prepared.isHTTPS)) }
        let scheme = request.octets.extracting(place)
        if scheme.isWord("https") { return takes(condition, schemeValue(isHTTPS: true)) }
        return takes(condition, scheme.isWord("http") ? schemeValue(isHTTPS: false) : scheme)
    }

    @_lifetime(borrow self)
    private func schemeValue(isHTTPS: Bool) -> Span<UInt8> {
        index.arena.span.extracting(0..<(isHTTPS ? 5 : 4))
    }

    /// Whether a value satisfies a condition.
    private func takes(_ condition: LookupCondition, _ value: Span<UInt8>) -> Bool {
        switch condition.test {
        case .present: true
        case .exact:
            value.count == Int(condition.value.count) && beginsWith(value, condition.value, ignoresCase: false)
        case .prefix: beginsWith(value, condition.value, ignoresCase: false)
        case .regex: condition.pattern >= 0 && index.patterns[Int(condition.pattern)].matchesWhole(value)
        }
    }

    /// What a missing field means: nothing holds of it, but in a negated condition it counts as the empty text.
    private func missingHolds(_ condition: LookupCondition) -> Bool {
        guard condition.isNegated, condition.test != .present else { return false }
        return takes(condition, index.arena.span.extracting(0..<0))
    }

    // MARK: - Field lines

    /// Whether a condition on a field holds that no known line has, where all lines with unknown names would say the same of
    /// it; `nil` where one of them may be the field and decide.
    ///
    /// Costs a test for each of at most eight such lines.
    private func holdsWhateverIsUnnamed(_ condition: LookupCondition, _ request: RequestView) -> Bool? {
        guard request.traits.contains(.onlyNamesUnknown),
            condition.subject == .field || condition.subject == .joinedField,
            condition.test != .present, !request.hasLine(named: index.arena.span.extracting(condition.name.indices))
        else { return nil }
        let value = index.arena.span.extracting(condition.value.indices)
        // Several lines may be joined to one value, which has a comma.
        guard
            request.unnamed.count == 1
                || condition.test == .exact && value.indices.allSatisfy({ value[$0] != UInt8(ascii: ",") })
        else {
            return nil
        }
        let missing = missingHolds(condition)
        for number in request.unnamed.indices
        where takes(condition, request.octets.extracting(request.unnamed[number].value)) != missing {
            return nil
        }
        return missing
    }

    private func fieldHolds(
        _ condition: LookupCondition,
        _ request: RequestView,
        joinsLines: Bool,
        joined: inout [UInt8]
    ) -> Bool {
        let name = index.arena.span.extracting(condition.name.indices)
        // Fields that the proxy joins as they arrive: an empty line adds nothing to them, not even a comma
        // (HeaderMapImpl::appendToHeader). Others are joined when a condition asks, and keep their empty lines.
        let skipsEmptyLines = condition.subject != .field
        var first: Range<Int>?
        var isJoined = false
        for number in request.fields.indices {
            let line = request.fields[number]
            guard request.octets.extracting(line.name).isName(name) else { continue }
            if !joinsLines {
                if takes(condition, request.octets.extracting(line.value)) { return true }
                first = line.value
                continue
            }
            guard let earlier = first else {
                first = line.value
                continue
            }
            if skipsEmptyLines {
                if line.value.isEmpty { continue }
                if earlier.isEmpty {
                    first = line.value
                    continue
                }
            }
            if !isJoined {
                joined.removeAll(keepingCapacity: true)
                append(request.octets.extracting(earlier), to: &joined)
                isJoined = true
            }
            joined.append(UInt8(ascii: ","))
            append(request.octets.extracting(line.value), to: &joined)
        }
        guard let first else { return missingHolds(condition) }
        guard joinsLines else { return false }
        if isJoined {
            return isKept(condition, joined.span) ? takes(condition, joined.span) : missingHolds(condition)
        }
        let value = request.octets.extracting(first)
        return isKept(condition, value) ? takes(condition, value) : missingHolds(condition)
    }

    /// Whether the proxy leaves a field of this value in the request.
    private func isKept(_ condition: LookupCondition, _ value: Span<UInt8>) -> Bool {
        condition.subject != .referer || RefererValue.isKept(value)
    }

    private func append(_ octets: Span<UInt8>, to buffer: inout [UInt8]) {
        for index in octets.indices { buffer.append(octets[index]) }
    }

    // MARK: - Query

    /// Looks at the first value of a parameter in `query`, which begins with the question mark or is empty.
    private func parameterHolds(_ condition: LookupCondition, _ query: Span<UInt8>) -> Bool {
        let name = index.arena.span.extracting(condition.name.indices)
        var start = 1
        while start < query.count {
            var end = start
            while end < query.count, query[end] != UInt8(ascii: "&") { end += 1 }
            var nameEnd = start
            while nameEnd < end, query[nameEnd] != UInt8(ascii: "=") { nameEnd += 1 }
            if Self.equals(query.extracting(start..<nameEnd), name) {
                let valueStart = nameEnd < end ? nameEnd + 1 : end
                return takes(condition, query.extracting(valueStart..<end))
            }
            start = end + 1
        }
        return false
    }

    private static func equals(_ first: Span<UInt8>, _ second: Span<UInt8>) -> Bool {
        guard first.count == second.count else { return false }
        for index in first.indices where first[index] != second[index] { return false }
        return true
    }
}
