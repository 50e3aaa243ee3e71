// Wingmirror · Apache-2.0

import JSONSyntax
package import RouteAttribution

/// A decision as a person would tell it.
package struct ExplanationReport {
    /// The text, line by line.
    package private(set) var lines: [String]

    /// Describes a decision about a request, under a title.
    package init(_ explanation: RouteExplanation, _ request: DescribedRequest, of table: RouteTable, title: String) {
        lines = [title]
        tellListener(explanation, request)
        if !explanation.path.isEmpty {
            tellHost(explanation)
            add("path", explanation.path)
        }
        tellRoutes(explanation, table)
        tellOutcome(explanation, table)
    }

    private mutating func add(_ name: String, _ text: String) {
        lines.append("  " + name + String(repeating: " ", count: max(1, 12 - name.count)) + text)
    }

    // MARK: - Where the request arrives

    private mutating func tellListener(_ explanation: RouteExplanation, _ request: DescribedRequest) {
        let transport = request.isTLS ? "TLS for \(request.serverName ?? "no name")" : "plain HTTP"
        if let podPort = explanation.podPort {
            add("listener", "server port \(request.port), pod port \(podPort), \(transport)")
        } else {
            add("listener", "none on server port \(request.port), \(transport)")
        }
    }

    private mutating func tellHost(_ explanation: RouteExplanation) {
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

    private mutating func tellRoutes(_ explanation: RouteExplanation, _ table: RouteTable) {
        for entry in explanation.considered {
            guard let failure = entry.failure else { continue }
            add("not", "\(Self.place(table.routes[entry.route])): \(failure)")
        }
    }

    /// The object and rule that a route comes from, and its match where it has several.
    package static func place(_ route: CompiledRoute) -> String {
        var text = "\(route.identity.object) rule \(route.identity.rule)"
        if let match = route.identity.match { text += " match \(match)" }
        if let delegate = route.identity.delegate { text += " (rule \(delegate.rule) of \(delegate.object))" }
        return text
    }

    private mutating func tellOutcome(_ explanation: RouteExplanation, _ table: RouteTable) {
        if explanation.decision.reason == .conditional {
            add("uncertain", "a condition looks at something that the request does not show, such as a verified token")
        }
        switch explanation.decision.outcome {
        case .route: tell(table.routes[Int(explanation.decision.route)])
        case .noRoute: add("outcome", "404: no route takes the request (\(explanation.decision.reason.label))")
        case .httpsRedirect: add("outcome", "301 to https: the server demands it, before any route")
        case .rejected: add("outcome", "refused by the gateway before it looks for a route")
        case .noListener: add("outcome", "no HTTP is routed there (\(explanation.decision.reason.label))")
        }
    }

    private mutating func tell(_ route: CompiledRoute) {
        add("route", Self.place(route))
        add("gateway", route.gateway)
        add("matched by", route.matchText)
        add("name", route.routeName.isEmpty ? "-" : route.routeName)
        switch route.action {
        case .forward:
            for destination in route.destinations { add("to", Self.describe(destination)) }
        case .redirect:
            add("redirect", "\(route.metadata.status ?? 301) \(route.metadata.redirect)")
        case .directResponse:
            add("answer", "status \(route.metadata.status ?? 0)")
        }
        for mirror in route.mirrors {
            let subset = mirror.subset.isEmpty ? "" : " subset \(mirror.subset)"
            add("mirror", "\(mirror.host):\(mirror.port)\(subset) \(Self.percent(mirror.percentMillionths)) %")
        }
        tell(route.metadata)
    }

    private mutating func tell(_ metadata: RouteMetadata) {
        if let timeout = metadata.timeout { add("timeout", timeout) }
        let policies = metadata.retryOn.isEmpty ? "" : " on \(metadata.retryOn)"
        add("retries", "\(metadata.retryAttempts)\(policies)")
        if !metadata.rewriteURI.isEmpty { add("rewrite", "path \(metadata.rewriteURI)") }
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
