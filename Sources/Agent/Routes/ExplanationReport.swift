// Wingmirror · Apache-2.0

import JSONSyntax
package import RouteAttribution

/// A decision in lines for people.
package struct ExplanationReport {
    /// The text, line by line.
    package private(set) var lines: [String]

    /// Describes a decision about a request, under a title.
    package init(_ explanation: RouteExplanation, _ request: DescribedRequest, of table: RouteTable, title: String) {
        lines = [title.escapingControls]
        addListener(explanation, request)
        if !explanation.path.isEmpty {
            addHost(explanation)
            add("path", explanation.path)
        }
        addRoutes(explanation, table)
        addOutcome(explanation, request, table)
        addCauses(explanation)
    }

    private mutating func add(_ name: String, _ text: String) {
        // Whoever writes objects chooses their names and what they match.
        let visible = text.escapingControls
        lines.append("  " + name + String(repeating: " ", count: max(1, 12 - name.count)) + visible)
    }

    // MARK: - Where the request arrives

    private mutating func addListener(_ explanation: RouteExplanation, _ request: DescribedRequest) {
        let transport = request.isTLS ? "TLS for \(request.serverName ?? "no name")" : "plain HTTP"
        let servers = explanation.serverPorts.map(String.init).joined(separator: ", ")
        let pods = explanation.podPorts.map(String.init).joined(separator: " or ")
        if pods.isEmpty {
            add("listener", "none on server port \(request.port), \(transport)")
        } else if explanation.serverPorts.contains(request.port) {
            add("listener", "server port \(request.port), pod port \(pods), \(transport)")
        } else {
            add("listener", "pod port \(pods), which is server port \(servers), \(transport)")
        }
    }

    private mutating func addHost(_ explanation: RouteExplanation) {
        guard let host = explanation.host else {
            add("host", "no virtual host has or covers \(explanation.hostLookedUp)")
            return
        }
        add("host", host == explanation.hostLookedUp ? host : "\(host), which covers \(explanation.hostLookedUp)")
        for lost in explanation.lostHosts {
            add("", "\(lost) covers it too, but is less specific and never asked")
        }
    }

    // MARK: - Routes

    private mutating func addRoutes(_ explanation: RouteExplanation, _ table: RouteTable) {
        for entry in explanation.considered {
            guard let failure = entry.failure else { continue }
            add("not", "\(Self.place(table.routes[entry.route])): \(failure)")
        }
        for text in explanation.leftOut { add("not", text) }
    }

    /// The object and rule that a route comes from, and its match where it has several.
    package static func place(_ route: CompiledRoute) -> String {
        var text = "\(route.identity.object) rule \(route.identity.rule)"
        if let match = route.identity.match { text += " match \(match)" }
        if let delegate = route.identity.delegate { text += " (rule \(delegate.rule) of \(delegate.object))" }
        return text
    }

    private mutating func addOutcome(
        _ explanation: RouteExplanation,
        _ request: DescribedRequest,
        _ table: RouteTable
    ) {
        if explanation.decision.reason == .conditional {
            add("uncertain", "a condition looks at something that the request does not show, such as a verified token")
        }
        switch explanation.decision.outcome {
        case .route:
            add(table.routes[Int(explanation.decision.route)], explanation, table)
            if let doubt = explanation.doubt { add("uncertain", doubt) }
        case .noRoute: add("outcome", "404: no route takes the request (\(explanation.decision.reason.label))")
        case .httpsRedirect:
            add("outcome", "301 to https: the server demands it, before any route")
            if request.claimsHTTPS {
                add(
                    "",
                    "X-Forwarded-Proto is set anew by the gateway, which trusts "
                        + (table.environment.trustedProxies == 0
                            ? "no proxy" : "\(table.environment.trustedProxies) proxies")
                        + " (gateway.trustedProxies)"
                )
            }
        case .rejected: add("outcome", "refused by the gateway before it looks for a route")
        case .unknown: add("outcome", "unknown: headers that decide were not captured")
        case .noListener:
            guard let passed = explanation.passedThrough else {
                add("outcome", "no HTTP is routed there (\(explanation.decision.reason.label))")
                return
            }
            add("outcome", "TLS is passed through, so the gateway sees no HTTP (\(explanation.decision.reason.label))")
            let field = passed.object.kind == "VirtualService" ? "tls rule" : "rule"
            add("connection", "\(passed.object) \(field) \(passed.rule), for the TLS name \(passed.name)")
            add("gateway", passed.gateway)
            for destination in passed.destinations { add("to", Self.describe(destination)) }
        }
    }

    private mutating func addCauses(_ explanation: RouteExplanation) {
        for (number, cause) in explanation.causes.enumerated() { add(number == 0 ? "why" : "", cause) }
        if let nearest = explanation.nearest { add("nearest", nearest.text) }
    }

    private mutating func add(_ route: CompiledRoute, _ explanation: RouteExplanation, _ table: RouteTable) {
        add("route", Self.place(route))
        add("gateway", route.gateway)
        add("matched by", route.matchText)
        add("name", route.routeName.isEmpty ? "-" : route.routeName)
        switch route.action {
        case .forward:
            for destination in route.destinations {
                add("to", Self.describe(destination))
                for doubt in table.doubts(about: destination, of: route) { add("", doubt) }
            }
        case .redirect:
            add("redirect", "\(route.metadata.status ?? 301) \(route.metadata.redirect)")
        case .directResponse:
            add("answer", "status \(route.metadata.status ?? 0)")
        }
        for mirror in route.mirrors {
            let subset = mirror.subset.isEmpty ? "" : " subset \(mirror.subset)"
            add("mirror", "\(mirror.host):\(mirror.port)\(subset) \(Self.percent(mirror.percentMillionths)) %")
        }
        add(route.metadata, route, explanation.path, table)
    }

    private mutating func add(
        _ metadata: RouteMetadata,
        _ route: CompiledRoute,
        _ path: String,
        _ table: RouteTable
    ) {
        if let timeout = metadata.timeout { add("timeout", timeout) }
        let policies = metadata.retryOn.isEmpty ? "" : " on \(metadata.retryOn)"
        let perTry = metadata.perTryTimeout.isEmpty ? "" : ", \(metadata.perTryTimeout) each"
        add("retries", "\(metadata.retryAttempts)\(policies)\(perTry)")
        if !metadata.rewriteURI.isEmpty {
            add("rewrite", "path \(metadata.rewriteURI)")
            if let rewritten = table.rewrittenPath(path, by: route) { add("", "\(path) becomes \(rewritten)") }
        }
        if !metadata.rewriteAuthority.isEmpty { add("rewrite", "authority \(metadata.rewriteAuthority)") }
        if !metadata.fault.isEmpty { add("fault", metadata.fault) }
        if metadata.hasCORSPolicy { add("cors", "the gateway may answer preflights itself") }
    }

    /// Where a route's requests go, in words.
    package static func target(_ route: CompiledRoute) -> String {
        switch route.action {
        case .forward: route.destinations.map(describe).joined(separator: ", ")
        case .redirect: "redirect \(route.metadata.status ?? 301) \(route.metadata.redirect)"
        case .directResponse: "answer with status \(route.metadata.status ?? 0)"
        }
    }

    static func describe(_ destination: RouteDestination) -> String {
        let share = "\(percent(destination.shareMillionths * 100)) %"
        if destination.isInvalid { return "status 500 \(share)" }
        let subset = destination.subset.isEmpty ? "" : " subset \(destination.subset)"
        return "\(destination.host):\(destination.port)\(subset) \(share)"
    }

    private static func percent(_ millionths: Int) -> String {
        var json = JSONText()
        json.millionths(millionths)
        return String(decoding: json.octets, as: UTF8.self)
    }
}
