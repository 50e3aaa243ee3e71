// Wingmirror · Apache-2.0

extension RouteLint {
    // MARK: - Objects that no gateway has

    /// A VirtualService without gateways whose host some Gateway admits and no other object has.
    mutating func checkMeshOnly(_ service: VirtualService) {
        // Who writes `mesh` means it.
        guard service.gateways.isEmpty else { return }
        let hosts = service.hosts.filter { host in
            host.contains(".") && !host.hasSuffix(".svc.\(environment.clusterDomain)") && host != "*"
        }
        guard !hosts.isEmpty else { return }
        let served = hosts.first { host in
            resources.gateways.contains { gateway in
                gateway.servers.indices.contains { index in
                    let server = ListenerPlan.Server(gateway: gateway, index: index)
                    return !AdmittedHosts(server.hosts(for: service.metadata.namespace)).intersection([host]).isEmpty
                }
            }
        }
        guard let served else { return }
        guard !boundHosts.contains(served) else { return }
        report(
            service.origin,
            .meshOnly,
            "spec.gateways",
            "names no gateway, so it applies to the mesh only and no ingress gateway has \(served)"
        )
    }

    /// Entries that no server of the object's Gateways can give a request to; in the mesh they may.
    mutating func checkApplicability(of service: VirtualService, _ references: [String]) {
        guard !references.contains("mesh") else { return }
        let gateways = references.compactMap { gatewaysByReference[$0] }.filter {
            $0.selector.isContained(in: environment.labels)
        }
        guard !gateways.isEmpty else { return }
        for (index, rule) in service.http.enumerated() {
            for (number, match) in (rule?.matches ?? []).enumerated() {
                var reasons: [String] = []
                let applies = gateways.contains { gateway in
                    gateway.servers.contains { server in
                        let reason = RouteKnowledge.inapplicability(
                            of: match,
                            namespace: service.metadata.namespace,
                            gateway: gateway.reference,
                            port: server.port ?? 0,
                            environment
                        )
                        if let reason, !reasons.contains(reason) { reasons.append(reason) }
                        return reason == nil
                    }
                }
                guard !applies, let reason = reasons.first else { continue }
                report(
                    service.origin,
                    .inapplicableMatch,
                    "spec.http[\(index)].match[\(number)]",
                    "takes no request at any gateway of the object: \(reason)"
                        + (match.port != nil && reason.hasPrefix("only for server port")
                            ? ", which none of them has" : "")
                        + (reason.hasPrefix("only for Gateway")
                            ? match.gateways.first.map {
                                nearestGateway(
                                    to: ObjectReferences.gateway($0, namespace: service.metadata.namespace)
                                )
                            } ?? "" : "")
                )
            }
        }
    }

    /// Rules for HTTP or TLS on servers where the other kind counts.
    mutating func checkTLSModes(of service: VirtualService, _ gateways: [Gateway]) {
        let servers = gateways.flatMap { gateway in
            gateway.servers.indices.map { ListenerPlan.Server(gateway: gateway, index: $0) }
        }.filter { server in
            !AdmittedHosts(server.hosts(for: service.metadata.namespace)).intersection(service.hosts).isEmpty
        }
        guard !servers.isEmpty else { return }
        if !service.tls.isEmpty, !servers.contains(where: { $0.settings.traffic == .opaqueTLS }) {
            let server = servers.first { $0.settings.traffic == .terminatedHTTP } ?? servers[0]
            let mode = server.settings.tls.map { ", \($0.mode)" } ?? ""
            report(
                service.origin,
                .wrongTLSMode,
                "spec.tls",
                "its tls rules have no effect on servers that end TLS or speak plain text (\(server.gateway.reference) "
                    + "\(server.place.dropFirst(5))\(mode)); use http rules, or PASSTHROUGH"
            )
        }
        let carriesHTTP = servers.contains { [.plainHTTP, .terminatedHTTP].contains($0.settings.traffic) }
        if !service.http.isEmpty, !carriesHTTP,
            let server = servers.first(where: {
                $0.settings.traffic == .opaqueTLS
            })
        {
            report(
                service.origin,
                .wrongTLSMode,
                "spec.http",
                "its http rules have no effect on servers that pass TLS through (\(server.gateway.reference) "
                    + "\(server.place.dropFirst(5)), \(server.settings.tls?.mode ?? "")); use tls rules, or a mode that ends TLS"
            )
        }
    }

    // MARK: - Rules

    /// A wildcard where text is compared.
    mutating func checkGlob(_ match: HTTPMatch, of service: VirtualService, _ path: String) {
        switch match.uri {
        case .prefix(let text) where text.contains("*"):
            report(
                service.origin,
                .globInPath,
                "\(path).prefix",
                "prefix compares text, so * stands for itself in \(text); a prefix takes everything that begins with it anyway"
            )
        case .exact(let text) where text.contains("*"):
            report(
                service.origin,
                .globInPath,
                "\(path).exact",
                "exact compares text, so * stands for itself in \(text); use prefix or regex"
            )
        default: return
        }
    }

    /// A pattern that no path fits, as far as its text tells.
    mutating func checkPattern(_ text: String, _ match: HTTPMatch, of service: VirtualService, _ path: String) {
        if match.ignoreUriCase {
            report(
                service.origin,
                .globInPath,
                path,
                "ignoreUriCase has no effect on a regex; begin it with (?i)"
            )
        }
        if let flags = Self.scriptFlags(text) {
            report(
                service.origin,
                .globInPath,
                path,
                "the slashes around the pattern and the flags \(flags) are of JavaScript; RE2 takes them for text, so no path fits"
            )
        } else if let sign = Self.queryNeeded(text) {
            report(
                service.origin,
                .globInPath,
                path,
                "the pattern needs a \(sign), which is part of the query and not of the path that is compared; use queryParams"
            )
        }
    }

    /// The flags of a pattern that is written as in JavaScript, `/…/gi`.
    private static func scriptFlags(_ text: String) -> String? {
        guard text.hasPrefix("/^") || text.contains("\\/"), text.hasPrefix("/"), let last = text.lastIndex(of: "/"),
            last != text.startIndex
        else { return nil }
        let flags = text[text.index(after: last)...]
        let isClosed = text[..<last].hasSuffix("$") || !flags.isEmpty
        guard isClosed, flags.allSatisfy({ "gimsuy".contains($0) }), flags.count <= 4 else { return nil }
        return flags.isEmpty ? "(none)" : String(flags)
    }

    /// The sign of the query that every text which fits must have; `nil` where that is not certain.
    private static func queryNeeded(_ text: String) -> String? {
        // A choice may do without.
        guard !text.contains("|") else { return nil }
        if text.contains("[?]") || text.contains("\\?") {
            let behind = text.range(ofText: "[?]") ?? text.range(ofText: "\\?")
            if let behind, !text[behind.upperBound...].hasPrefix("*"), !text[behind.upperBound...].hasPrefix("?") {
                return "?"
            }
        }
        // A key and a value behind an unescaped question mark: the author took it for the query's.
        if let equals = text.firstIndex(of: "="), let mark = text[..<equals].lastIndex(of: "?") {
            let name = text[text.index(after: mark)..<equals]
            if !name.isEmpty, name.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "_" || $0 == "-" }) { return "=" }
        }
        return nil
    }

    /// A rewrite of a prefix whose last slash differs from the replacement's.
    mutating func checkRewrite(_ rule: HTTPRule, of service: VirtualService, _ path: String) {
        guard let rewrite = rule.rewrite, !rewrite.hasURIRegexRewrite, !rewrite.uri.isEmpty, !rewrite.replacesWholePath
        else { return }
        let place = "\(path).rewrite.uri"
        guard !rule.matches.isEmpty else {
            if rewrite.uri != "/", !rewrite.uri.hasSuffix("/") {
                report(
                    service.origin,
                    .oddRewrite,
                    place,
                    "replaces the prefix / of a rule without match, so /foo becomes \(rewrite.uri)foo; end it with a slash, or "
                        + "match a prefix"
                )
            }
            return
        }
        for match in rule.matches {
            guard case .prefix(let prefix)? = match.uri, !prefix.isEmpty else { continue }
            if !prefix.hasSuffix("/"), rewrite.uri.hasSuffix("/") {
                report(
                    service.origin,
                    .oddRewrite,
                    place,
                    "replaces \(prefix) and leaves the slash behind it, so \(prefix)/x becomes \(rewrite.uri)/x; end the "
                        + "prefix with a slash too"
                )
                return
            }
            if prefix.hasSuffix("/"), !rewrite.uri.hasSuffix("/") {
                report(
                    service.origin,
                    .oddRewrite,
                    place,
                    "replaces \(prefix) with its slash, so \(prefix)x becomes \(rewrite.uri)x; end the replacement with a slash too"
                )
                return
            }
        }
    }

    /// A CORS policy on a rule that no preflight reaches.
    mutating func checkPreflight(_ rule: HTTPRule, of service: VirtualService, _ path: String) {
        guard rule.corsPolicy != nil, !rule.matches.isEmpty else { return }
        var reason = ""
        let isReached = rule.matches.contains { match in
            if let method = match.method, !Self.takes(method, "OPTIONS") {
                reason = "every entry has a method condition that OPTIONS does not meet"
                return false
            }
            // What a browser sends with a preflight; it never sends a page's own headers or a cookie.
            let sent = ["origin", "access-control-request-method", "host", "user-agent", "accept", ":method", ":path"]
            if let header = match.headers.first(where: {
                let name = HostNames.lowercased($0.name)
                return !sent.contains(name) && !name.hasPrefix(":") && !name.hasPrefix("x-forwarded")
                    && !name.hasPrefix("sec-") && !name.hasPrefix("accept") && !name.hasPrefix("access-control")
            }) {
                reason =
                    "every entry needs a header, such as \(header.name), that browsers do not send with a preflight"
                return false
            }
            return true
        }
        guard !isReached else { return }
        report(
            service.origin,
            .preflightNotTaken,
            "\(path).corsPolicy",
            "no preflight reaches this policy: \(reason); add an entry for method OPTIONS"
        )
    }

    private static func takes(_ match: StringMatch, _ text: String) -> Bool {
        switch match {
        case .present: true
        case .exact(let value): value == text
        case .prefix(let value), .segmentPrefix(let value): text.hasPrefix(value)
        case .regex(let value): (try? RegularExpression(value))?.matchesWhole(Array(text.utf8).span) ?? true
        }
    }

    /// Rules without a name, of which metrics and the access log know the place only.
    mutating func checkRuleNames(_ service: VirtualService) {
        let unnamed = service.http.indices.filter { service.http[$0]?.name.isEmpty == true }
        guard unnamed.count > 1 else { return }
        report(
            service.origin,
            .unnamedRules,
            "spec.http[\(unnamed[0])].name",
            "\(unnamed.count) rules have no name, so metrics and access log know them by their place (#\(unnamed[0]), "
                + "#\(unnamed[1]) …), which changes when a rule is put before them",
            severity: .note
        )
    }

    // MARK: - What Istio cuts off

    /// Rules of the Gateway API that lie behind one that takes everything, on every listener that has them.
    mutating func checkCutRoutes() {
        let inTable = Set(table.routes.map { RoutePlace($0.identity) })
        var seen: Set<RoutePlace> = []
        for gateway in table.knowledge.gateways where gateway.isGenerated {
            for bound in table.knowledge.bound[gateway.reference] where bound.service.isFromGatewayAPI {
                let left = table.knowledge.leftOut(
                    bound,
                    gateway: gateway.reference,
                    port: gateway.servers.first?.port ?? 0,
                    environment: environment
                )
                for entry in left where entry.isCut && !inTable.contains(RoutePlace(entry)) {
                    guard seen.insert(RoutePlace(entry)).inserted else { continue }
                    report(cut: entry, host: bound.service.hosts.first ?? "")
                }
            }
        }
    }

    private mutating func report(cut entry: LeftOutMatch, host: String) {
        var path = "spec.rules[\(entry.rule)]"
        let rules = resources.httpRoutes.first { $0.identity == entry.object }?.rules ?? []
        if let match = entry.match, rules.indices.contains(entry.rule), !rules[entry.rule].matches.isEmpty {
            path += ".matches[\(match)]"
        }
        report(
            entry.object,
            .unreachableAfterCatchAll,
            path,
            "is never reached on \(host): \(entry.reason)"
        )
    }
}

extension String {
    /// The first place of a text.
    fileprivate func range(ofText text: String) -> Range<String.Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(text) { return start..<index(start, offsetBy: text.count) }
            start = index(after: start)
        }
        return nil
    }
}
