// Wingmirror · Apache-2.0

/// Lays out a lookup index, table by table.
struct LookupIndexBuilder {
    private(set) var index = LookupIndex()
    var gateways: [String] = []
    var hasGateways = false
    private var places: [String: OctetRange] = [:]
    private var patternNumbers: [String: Int32] = [:]
    private let patterns: RegularExpressionCache

    var listeners: [LookupListener] {
        get { index.listeners }
        set { index.listeners = newValue }
    }

    /// Begins an index.
    ///
    /// - Parameter patterns: Patterns that need not be compiled again.
    init(_ patterns: RegularExpressionCache) {
        self.patterns = patterns
        // The two schemes lie first, `http` as the beginning of `https`, where `RouteMatcher` finds them.
        index.arena = Array("https".utf8)
    }

    // MARK: - Routes

    /// Adds the conditions of the next route.
    mutating func addRoute(_ match: HTTPMatch, gateway: Int32) {
        let first = index.conditions.count
        addConditions(match)
        let (test, path, pattern) = pathTest(match)
        index.routes.append(
            LookupRoute(
                gateway: gateway,
                test: test,
                ignoresCase: match.ignoreUriCase && test != .regex,
                path: path,
                pattern: pattern,
                firstCondition: UInt32(first),
                conditionCount: UInt32(index.conditions.count - first)
            )
        )
    }

    private mutating func pathTest(_ match: HTTPMatch) -> (PathTest, OctetRange, Int32) {
        func value(_ text: String) -> String {
            match.ignoreUriCase ? HostNames.lowercased(text) : text
        }
        return switch match.path {
        case .present: (.any, .empty, -1)
        // Every path that reaches the lookup begins with a slash.
        case .prefix(""), .prefix("/"): (.any, .empty, -1)
        case .exact(let text): (.exact, place(value(text)), -1)
        case .prefix(let text): (.prefix, place(value(text)), -1)
        case .segmentPrefix(let text): (.segmentPrefix, place(value(text)), -1)
        case .regex(let text): (.regex, .empty, pattern(text))
        }
    }

    private mutating func addConditions(_ match: HTTPMatch) {
        var conditions: [LookupCondition] = []
        if let method = match.method { conditions.append(condition(.method, "", method)) }
        if let scheme = match.scheme { conditions.append(condition(.scheme, "", scheme)) }
        if let authority = match.authority { conditions.append(condition(.authority, "", authority)) }
        for header in match.headers {
            conditions.append(condition(Self.subject(of: header.name), header.name, header.match ?? .present))
        }
        for header in match.withoutHeaders {
            // `*` is no RE2 pattern; here it is the old way to say absent.
            let test = header.match == .regex("*") ? .present : header.match ?? .present
            conditions.append(condition(Self.subject(of: header.name), header.name, test, isNegated: true))
        }
        for parameter in match.queryParams {
            conditions.append(condition(.parameter, parameter.name, parameter.match ?? .present))
        }
        // What cannot be seen is asked last, so that it only counts when all else holds.
        index.conditions += conditions.filter { !$0.subject.isUnseen } + conditions.filter { $0.subject.isUnseen }
    }

    private mutating func condition(
        _ subject: ConditionSubject,
        _ name: String,
        _ match: StringMatch,
        isNegated: Bool = false
    ) -> LookupCondition {
        let test: ValueTest
        var number: Int32 = -1
        switch match {
        case .present: test = .present
        case .exact: test = .exact
        case .prefix, .segmentPrefix: test = .prefix
        // The proxy sets these fields, whatever the request says, and never to nothing.
        case .regex(".*") where subject == .unseenField, .regex(".+") where subject == .unseenField: test = .present
        case .regex(let text):
            test = .regex
            number = pattern(text)
        }
        return LookupCondition(
            subject: subject,
            test: test,
            isNegated: isNegated,
            name: place(subject == .parameter ? name : HostNames.lowercased(name)),
            value: test == .regex ? .empty : place(match.text ?? ""),
            pattern: number
        )
    }

    private static func subject(of header: String) -> ConditionSubject {
        let name = HostNames.lowercased(header)
        if name.hasPrefix("@request.auth.claims") { return .claim }
        return EnvoyFields.subject(of: name)
    }

    private mutating func pattern(_ text: String) -> Int32 {
        if let known = patternNumbers[text] { return known }
        // Validation has compiled every pattern before, so this cannot fail for objects that reach the table.
        let number: Int32
        if let compiled = try? patterns.pattern(text) {
            number = Int32(index.patterns.count)
            index.patterns.append(compiled)
        } else {
            number = -1
        }
        patternNumbers[text] = number
        return number
    }

    private mutating func place(_ text: String) -> OctetRange {
        if text.isEmpty { return .empty }
        if let known = places[text] { return known }
        let range = OctetRange(start: UInt32(index.arena.count), count: UInt32(text.utf8.count))
        index.arena += text.utf8
        places[text] = range
        return range
    }

    // MARK: - Hosts

    /// Begins a table; the hosts that follow are its own.
    mutating func beginTable(gateway: Int32, isTLS: Bool) -> Int {
        let first = index.hosts.count
        index.tables.append(LookupTable(gateway: gateway, isTLS: isTLS, hostRange: first..<first))
        return index.tables.count - 1
    }

    /// Adds routes in match order, for any number of virtual hosts.
    mutating func addRoutes(_ routes: [Int32]) -> HostRoutes {
        let first = UInt32(index.hostRoutes.count)
        index.hostRoutes += routes
        var result = HostRoutes(first: first, count: UInt32(routes.count))
        addPathIndex(of: routes, to: &result)
        return result
    }

    /// Adds a virtual host; its name is in lower case.
    mutating func addHost(_ name: String, routes: HostRoutes, requiresTLS: Bool) {
        index.hosts.append(LookupHost(name: place(name), requiresTLS: requiresTLS, routes: routes))
    }

    /// Ends the table begun last: makes its hosts findable.
    mutating func endTable() {
        guard var table = index.tables.popLast() else { return }
        table.hostRange = table.hostRange.lowerBound..<index.hosts.count
        let capacity = Self.capacity(table.hostRange.count)
        table.firstSlot = index.hostSlots.count
        table.slotMask = capacity - 1
        index.hostSlots += [HostSlot](repeating: HostSlot(), count: capacity)
        for number in table.hostRange {
            addSlot(of: number, to: &table)
        }
        index.tables.append(table)
    }

    private mutating func addSlot(of number: Int, to table: inout LookupTable) {
        let name = index.hosts[number].name
        let octets = index.arena[name.indices]
        let isWildcard = octets.first == UInt8(ascii: "*")
        if isWildcard, name.count == 1 {
            table.universalHost = Int32(number)
            return
        }
        let suffix = isWildcard ? octets.dropFirst() : octets
        // Longer names are refused by validation.
        guard suffix.count <= 255 else { return }
        var hash = OctetHash.start
        for octet in suffix.reversed() { hash = OctetHash.step(hash, octet) }
        if isWildcard { table.suffixLengths.insert(suffix.count) }
        var slot = OctetHash.slot(hash, mask: table.slotMask)
        while index.hostSlots[table.firstSlot + slot].host >= 0 { slot = (slot + 1) & table.slotMask }
        let key = HostSlot.key(hash, isWildcard: isWildcard)
        index.hostSlots[table.firstSlot + slot] = HostSlot(key: key, host: Int32(number))
    }

    /// The size of a table that is at most half full.
    private static func capacity(_ count: Int) -> Int {
        var capacity = 2
        while capacity < count * 2 { capacity *= 2 }
        return capacity
    }

    // MARK: - Paths

    /// Hosts with fewer routes are scanned; an index would cost more than it saves.
    private static let indexedRouteCount = 8
    /// Fewer regular expressions are asked one by one, which their literal beginnings make as quick.
    private static let patternSetCount = 8

    private mutating func addPathIndex(of routes: [Int32], to result: inout HostRoutes) {
        var paths = PathIndex()
        var scanned: [UInt32] = []
        var byHash: [UInt64: [UInt32]] = [:]
        var lengths: Set<UInt32> = []
        for (position, number) in routes.enumerated() {
            let route = index.routes[Int(number)]
            guard routes.count >= Self.indexedRouteCount, route.test != .any, route.test != .regex, route.path.count > 0
            else {
                scanned.append(UInt32(position))
                continue
            }
            var hash = route.ignoresCase ? OctetHash.foldedStart : OctetHash.start
            for octet in index.arena[route.path.indices] { hash = OctetHash.step(hash, octet) }
            byHash[hash, default: []].append(UInt32(position))
            lengths.insert(route.path.count)
            if route.ignoresCase { paths.hasFolded = true }
        }
        takePatterns(of: routes, from: &scanned, to: &paths)
        result.scannedCount = UInt32(scanned.count)
        result.firstScanned = addCandidates(scanned, of: routes)
        guard !byHash.isEmpty || paths.patternSet >= 0 else { return }
        if !byHash.isEmpty {
            paths.firstLength = UInt32(index.lengths.count)
            paths.lengthCount = UInt32(lengths.count)
            index.lengths += lengths.sorted()
            addPathSlots(byHash, of: routes, to: &paths)
        }
        result.paths = Int32(index.pathIndexes.count)
        index.pathIndexes.append(paths)
    }

    /// Adds the routes at positions of a host, and tells where they begin.
    private mutating func addCandidates(_ positions: [UInt32], of routes: [Int32]) -> UInt32 {
        let first = UInt32(index.candidates.count)
        for position in positions {
            let number = routes[Int(position)]
            let route = index.routes[Int(number)]
            index.candidates.append(RouteCandidate(position: position, number: number, route: route))
        }
        return first
    }

    /// Takes the routes with a regular expression out of those to be scanned, where there are enough of them.
    private mutating func takePatterns(of routes: [Int32], from scanned: inout [UInt32], to paths: inout PathIndex) {
        func pattern(_ position: UInt32) -> RegularExpression? {
            let route = index.routes[Int(routes[Int(position)])]
            return route.test == .regex && route.pattern >= 0 ? index.patterns[Int(route.pattern)] : nil
        }
        let positions = Array(scanned.filter { pattern($0) != nil }.prefix(RegularExpressionSet.mostPatterns))
        guard positions.count >= Self.patternSetCount, let set = patterns.set(positions.compactMap(pattern)) else {
            return
        }
        paths.patternSet = Int32(index.patternSets.count)
        let first = addCandidates(positions, of: routes)
        index.patternSets.append(
            PatternSet(patterns: set, firstCandidate: first, count: UInt32(positions.count))
        )
        let last = positions[positions.count - 1]
        scanned.removeAll { $0 <= last && pattern($0) != nil }
    }

    private mutating func addPathSlots(_ byHash: [UInt64: [UInt32]], of routes: [Int32], to paths: inout PathIndex) {
        let capacity = Self.capacity(byHash.count)
        let first = index.pathSlots.count
        paths.firstSlot = UInt32(first)
        paths.slotMask = UInt32(capacity - 1)
        index.pathSlots += [PathSlot](repeating: PathSlot(), count: capacity)
        for (hash, positions) in byHash.sorted(by: { $0.key < $1.key }) {
            var slot = OctetHash.slot(hash, mask: capacity - 1)
            while index.pathSlots[first + slot].count > 0 { slot = (slot + 1) & (capacity - 1) }
            let candidates = addCandidates(positions, of: routes)
            index.pathSlots[first + slot] = PathSlot(hash: hash, first: candidates, count: UInt32(positions.count))
        }
    }
}

extension ConditionSubject {
    /// Whether the request does not show what the condition looks at.
    var isUnseen: Bool { self == .unseenField || self == .claim }
}
