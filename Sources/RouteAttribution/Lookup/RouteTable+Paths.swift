// Wingmirror · Apache-2.0

internal import TrafficModel

/// What the routes of a virtual host gave.
struct RouteChoice {
    /// The route's number; -1 when none fits.
    var route: Int32
    /// Whether a route before it hangs on something that the request does not show.
    var isConditional: Bool
}

extension RouteTable {
    /// The first route of a host whose conditions all hold.
    ///
    /// Candidates come from the host's path index: the routes filed under each prefix of the path, and those that no path
    /// value leads to. Each list ascends, and the least position that holds wins, so the order of the host is kept although
    /// most of its routes are never looked at.
    func choose(
        _ host: LookupHost,
        _ request: RequestView,
        _ prepared: PreparedRequest,
        _ target: Span<UInt8>,
        _ joined: inout [UInt8]
    ) -> RouteChoice {
        var search = RouteSearch(host: host)
        let path = target.extracting(first: prepared.pathCount)
        if host.paths.lengthCount > 0 {
            walk(host.paths, OctetHash.start, path, isFolded: false) { slot in
                test(slot.first, slot.count, &search, request, prepared, path, target, &joined)
            }
            if _slowPath(host.paths.hasFolded) {
                walk(host.paths, OctetHash.foldedStart, path, isFolded: true) { slot in
                    test(slot.first, slot.count, &search, request, prepared, path, target, &joined)
                }
            }
        }
        test(host.paths.firstScanned, host.paths.scannedCount, &search, request, prepared, path, target, &joined)
        let isConditional = search.unseen <= search.best
        guard search.best < UInt32.max else {
            return RouteChoice(route: -1, isConditional: search.unseen < UInt32.max)
        }
        return RouteChoice(route: index.hostRoutes[Int(host.firstRoute + search.best)], isConditional: isConditional)
    }

    /// The route that takes a request whatever its path is; -1 where the path, or another unknown field, would decide.
    func chooseWithoutPath(
        _ host: LookupHost,
        _ request: RequestView,
        _ prepared: PreparedRequest,
        _ joined: inout [UInt8]
    ) -> Int32 {
        let nothing: [UInt8] = []
        for position in 0..<host.routeCount {
            let number = index.hostRoutes[Int(host.firstRoute + position)]
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

    /// Tests positions in ascending order until one holds or none can improve on the best.
    private func test(
        _ first: UInt32,
        _ count: UInt32,
        _ search: inout RouteSearch,
        _ request: RequestView,
        _ prepared: PreparedRequest,
        _ path: Span<UInt8>,
        _ target: Span<UInt8>,
        _ joined: inout [UInt8]
    ) {
        for place in Int(first)..<Int(first + count) {
            let position = index.positions[place]
            guard position < search.best else { return }
            let route = index.routes[Int(index.hostRoutes[Int(search.host.firstRoute + position)])]
            guard matcher.pathMatches(route, path) else { continue }
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
            return
        }
    }
}

/// How far the search in one virtual host has come.
private struct RouteSearch {
    let host: LookupHost
    /// The least position whose conditions hold.
    var best = UInt32.max
    /// The least position that hangs on something unseen.
    var unseen = UInt32.max
}
