// Wingmirror · Apache-2.0

extension RouteLint {
    /// Routes of different VirtualServices that want the same requests of one host, told once for two objects.
    ///
    /// Which of them gets the requests hangs on the age of the objects, and turns when one is made anew. Routes that istiod
    /// puts behind all others are left out, since their place is certain, and so are those that never get a request, which
    /// `checkShadows` tells.
    mutating func checkOverlaps() {
        var reported: Set<[ObjectIdentity]> = []
        for host in distinctHosts where host.routes.count <= Self.shadowSearchLimit {
            let routes = host.routes.filter {
                table.routes[$0].identity.object.kind == "VirtualService" && !table.routes[$0].isCatchAll
            }
            guard Set(routes.map { table.routes[$0].identity.object }).count > 1 else { continue }
            for (position, later) in routes.enumerated() {
                let object = table.routes[later].identity.object
                for earlier in routes[..<position] where table.routes[earlier].identity.object != object {
                    guard table.meets(earlier, later), !table.covers(earlier, later),
                        reported.insert([table.routes[earlier].identity.object, object]).inserted
                    else { continue }
                    reportOverlap(of: table.routes[earlier], table.routes[later], on: host.name)
                }
            }
        }
    }

    private mutating func reportOverlap(of earlier: CompiledRoute, _ later: CompiledRoute, on host: String) {
        let place = place(of: later)
        let isGuess = table.knowledge.orderDoubt(earlier.identity.object, later.identity.object) != nil
        report(
            place.object,
            .overlappingRoutes,
            place.path,
            "(\(later.matchText)) and \(earlier.identity.object) rule \(earlier.identity.rule) (\(earlier.matchText)) both "
                + "take some requests on \(host); the latter gets them, as the object that "
                + (isGuess ? "is taken by name to be older (the files give no creationTimestamp)" : "is older")
                + ", so put the "
                + "rules into one object or set them apart",
            severity: .note
        )
    }
}
