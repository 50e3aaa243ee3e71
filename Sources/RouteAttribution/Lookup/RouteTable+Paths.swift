// Wingmirror · Apache-2.0

internal import TrafficModel

/// What the routes of a virtual host gave.
struct RouteChoice {
    /// The route's number; -1 when none fits.
    var route: Int32
    /// The route's Gateway, by number; -1 when none fits.
    var gateway: Int32
    /// Whether a route before it hangs on something that the request does not show.
    var isConditional: Bool
}

extension RouteTable {
    /// The first route of a host whose conditions all hold.
    ///
    /// Candidates come from the host's path index: the routes filed under each prefix of the path, those that no path value
    /// leads to, and those whose regular expressions a pass over the path found to match. Each list ascends, and the least
    /// position that holds wins, so the order of the host is kept although most of its routes are never looked at.
    func choose(
        _ host: LookupHost,
        _ request: RequestView,
        _ prepared: PreparedRequest,
        _ target: Span<UInt8>,
        _ joined: inout [UInt8]
    ) -> RouteChoice {
        var search = RouteSearch()
        let path = target.extracting(first: prepared.pathCount)
        if _slowPath(host.routes.paths >= 0) {
            let paths = index.pathIndexes[Int(host.routes.paths)]
            if paths.lengthCount > 0 {
                walk(paths, OctetHash.start, path, isFolded: false) { slot in
                    test(slot.first, slot.count, &search, request, prepared, path, target, &joined)
                }
                if _slowPath(paths.hasFolded) {
                    walk(paths, OctetHash.foldedStart, path, isFolded: true) { slot in
                        test(slot.first, slot.count, &search, request, prepared, path, target, &joined)
                    }
                }
            }
        }
        test(host.routes.firstScanned, host.routes.scannedCount, &search, request, prepared, path, target, &joined)
        if _slowPath(host.routes.paths >= 0) {
            let number = index.pathIndexes[Int(host.routes.paths)].patternSet
            if number >= 0 {
                testPatterns(index.patternSets[Int(number)], &search, request, prepared, path, target, &joined)
            }
        }
        let isConditional = search.unseen <= search.best
        guard search.best < UInt32.max else {
            return RouteChoice(route: -1, gateway: -1, isConditional: search.unseen < UInt32.max)
        }
        return RouteChoice(route: search.route, gateway: search.gateway, isConditional: isConditional)
    }

    /// The route that takes a request whatever its path is; -1 where the path, or another unknown field, would decide.
    func chooseWithoutPath(
        _ host: LookupHost,
        _ request: RequestView,
        _ prepared: PreparedRequest,
        _ joined: inout [UInt8]
    ) -> Int32 {
        let nothing: [UInt8] = []
        for position in 0..<host.routes.count {
            let number = index.hostRoutes[Int(host.routes.first + position)]
            let route = index.routes[Int(number)]
            var sawUnseen = false
            let failure =
                route.conditionCount == 0
                ? nil
                : matcher.firstFailure(
                    route,
                    request,
                    prepared,
                    target: nothing.span,
                    joined: &joined,
                    sawUnseen: &sawUnseen
                )
            if sawUnseen { return -1 }
            guard failure == nil else { continue }
            return matcher.takesEveryPath(route) ? number : -1
        }
        return -1
    }

    /// The same for a target that was rewritten; the array is borrowed, not copied.
    func choose(
        _ host: LookupHost,
        _ request: RequestView,
        _ prepared: PreparedRequest,
        rewritten: [UInt8],
        _ joined: inout [UInt8]
    ) -> RouteChoice {
        choose(host, request, prepared, rewritten.span, &joined)
    }

    /// Calls `visit` for the slot of every prefix of the path under which routes are filed.
    @inline(__always)
    private func walk(
        _ paths: PathIndex,
        _ start: UInt64,
        _ path: Span<UInt8>,
        isFolded: Bool,
        _ visit: (PathSlot) -> Void
    ) {
        var hash = start
        var position = 0
        for number in Int(paths.firstLength)..<Int(paths.firstLength + paths.lengthCount) {
            let length = Int(index.lengths[number])
            guard length <= path.count else { return }
            while position < length {
                hash = OctetHash.step(hash, isFolded ? OctetHash.folded(path[position]) : path[position])
                position += 1
            }
            var slot = OctetHash.slot(hash, mask: Int(paths.slotMask))
            while true {
                let candidate = index.pathSlots[Int(paths.firstSlot) + slot]
                if candidate.count == 0 { break }
                if candidate.hash == hash {
                    visit(candidate)
                    break
                }
                slot = (slot + 1) & Int(paths.slotMask)
            }
        }
    }

    /// Tests candidates in ascending order until one holds or none can improve on the best.
    private func test(
        _ first: UInt32,
        _ count: UInt32,
        _ search: inout RouteSearch,
        _ request: RequestView,
        _ prepared: PreparedRequest,
        _ path: Span<UInt8>,
        _ target: Span<UInt8>,
        _ joined: inout [UInt8],
        pathHolds: Bool = false
    ) {
        for place in Int(first)..<Int(first + count) {
            let candidate = index.candidates[place]
            let position = candidate.position
            guard position < search.best else { return }
            let route = candidate.route
            guard pathHolds || matcher.pathMatches(route, path) else { continue }
            var sawUnseen = false
            let failure =
                route.conditionCount == 0
                ? nil
                : matcher.firstFailure(
                    route,
                    request,
                    prepared,
                    target: target,
                    joined: &joined,
                    sawUnseen: &sawUnseen
                )
            if sawUnseen { search.unseen = min(search.unseen, position) }
            guard failure == nil else { continue }
            search.best = position
            search.route = candidate.number
            search.gateway = route.gateway
            return
        }
    }
}

extension RouteTable {
    /// Tests the routes with regular expressions: all of these in one pass, then the conditions of those that match.
    @inline(never)
    private func testPatterns(
        _ set: PatternSet,
        _ search: inout RouteSearch,
        _ request: RequestView,
        _ prepared: PreparedRequest,
        _ path: Span<UInt8>,
        _ target: Span<UInt8>,
        _ joined: inout [UInt8]
    ) {
        let first = set.firstCandidate
        guard index.candidates[Int(first)].position < search.best else { return }
        set.patterns.withMatches(path) { matches in
            guard let matches else {
                return test(first, set.count, &search, request, prepared, path, target, &joined)
            }
            for number in matches.indices {
                let place = first + UInt32(matches[number])
                guard index.candidates[Int(place)].position < search.best else { return }
                test(place, 1, &search, request, prepared, path, target, &joined, pathHolds: true)
            }
        }
    }
}

/// How far the search in one virtual host has come.
private struct RouteSearch {
    /// The least position whose conditions hold, and its route.
    var best = UInt32.max
    var route: Int32 = -1
    var gateway: Int32 = -1
    /// The least position that hangs on something unseen.
    var unseen = UInt32.max
}
