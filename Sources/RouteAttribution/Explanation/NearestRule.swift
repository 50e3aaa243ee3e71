// Wingmirror · Apache-2.0

internal import TrafficModel

/// A rule that would take a request after one small change, found by making the change and asking again.
public struct NearestRule: Sendable {
    /// The index in `RouteTable.routes`.
    public let route: Int
    /// The rule and the change in words, such as "`/products` of default/product-vs, if the path began with …".
    public let text: String
    /// The request with the change, which the rule takes.
    public let request: DescribedRequest
}

extension RouteTable {
    /// The rule that takes a request after the smallest change to it; `nil` where none of those tried helps.
    ///
    /// Changes are one condition, a path or host of similar letters, another port or scheme. Each is made and looked up,
    /// so what is claimed holds.
    func nearestRule(to request: DescribedRequest, scratch: inout RouteScratch) -> NearestRule? {
        var search = NearestSearch(table: self, request: request)
        return search.run(&scratch)
    }
}

/// One search for the nearest rule.
private struct NearestSearch {
    /// Virtual hosts and routes that are looked at; a longer search would cost more than its answer is worth.
    private static let routeLimit = 5000
    private static let hostLimit = 20_000

    let table: RouteTable
    let request: DescribedRequest
    private let draft: RequestDraft
    private var best: (cost: Int, rule: NearestRule)?

    init(table: RouteTable, request: DescribedRequest) {
        self.table = table
        self.request = request
        draft = RequestDraft(request)
    }

    mutating func run(_ scratch: inout RouteScratch) -> NearestRule? {
        tryTransports(&scratch)
        let reference = table.hostTable(for: request)
        guard reference.carriesHTTP else { return best?.rule }
        let lookup = table.index.tables[Int(reference.index)]
        tryWritings(&scratch)
        tryHosts(of: lookup, &scratch)
        // The view borrows the request, while the search itself changes.
        let request = request
        let view = request.view()
        guard case .ready(let prepared) = table.prepare(view, isTLS: lookup.isTLS, scratch: &scratch) else {
            return best?.rule
        }
        let host = table.findHost(in: lookup, view.octets, prepared.authority)
        guard host >= 0 else { return best?.rule }
        tryRoutes(of: table.index.hosts[Int(host)], prepared, &scratch)
        return best?.rule
    }

    /// Looks a changed request up and keeps it when a rule takes it and nothing smaller did.
    private mutating func attempt(
        _ changed: RequestDraft,
        cost: Int,
        _ change: String,
        _ scratch: inout RouteScratch
    ) {
        guard best.map({ cost < $0.cost }) ?? true else { return }
        let request = changed.request
        let decision = table.route(request, scratch: &scratch)
        guard decision.outcome == .route, decision.reason == .matched else { return }
        let route = table.routes[Int(decision.route)]
        let text =
            "`\(Self.label(route))` of \(route.identity.object.reference) rule \(route.identity.rule), if \(change)"
        best = (cost, NearestRule(route: Int(decision.route), text: text, request: request))
    }

    private static func label(_ route: CompiledRoute) -> String {
        for word in ["uri = ", "uri path prefix ", "uri prefix ", "uri regex "] where route.matchText.hasPrefix(word) {
            return String(route.matchText.dropFirst(word.count).prefix { $0 != "," })
        }
        return route.matchText
    }

    // MARK: Port and scheme

    private mutating func tryTransports(_ scratch: inout RouteScratch) {
        for listener in table.index.listeners {
            for port in listener.serverPorts {
                for isTLS in [request.isTLS, !request.isTLS] where port != request.port || isTLS != request.isTLS {
                    var changed = draft
                    changed.port = port
                    changed.isPodPort = false
                    changed.isTLS = isTLS
                    if isTLS, changed.serverName == nil {
                        changed.serverName = changed.authority.map { String($0.prefix { $0 != ":" }) }
                    }
                    if !isTLS { changed.serverName = nil }
                    let scheme = isTLS ? "https" : "http"
                    let change =
                        isTLS == request.isTLS
                        ? "it were sent to port \(port) instead of \(request.port)"
                        : "it were sent as \(scheme) to port \(port)"
                    attempt(changed, cost: isTLS == request.isTLS ? 40 : 42, change, &scratch)
                }
            }
        }
        if let name = request.serverName, let authority = request.authorityText {
            let host = String(authority.prefix { $0 != ":" })
            guard host != name else { return }
            var changed = draft
            changed.serverName = host
            attempt(changed, cost: 41, "the TLS name were \(host) instead of \(name)", &scratch)
        }
    }

    // MARK: The same path, written otherwise

    private mutating func tryWritings(_ scratch: inout RouteScratch) {
        let path = draft.path
        func with(_ text: String) -> RequestDraft {
            var changed = draft
            changed.path = text
            return changed
        }
        if path.utf8.count > 1, path.hasSuffix("/") {
            attempt(with(String(path.dropLast())), cost: 10, "the path had no slash at its end", &scratch)
        } else if !path.hasSuffix("/") {
            attempt(with(path + "/"), cost: 10, "the path had a slash at its end", &scratch)
        }
        let lower = HostNames.lowercased(path)
        if lower != path { attempt(with(lower), cost: 11, "the path were in lower case", &scratch) }
        if path.contains("//") {
            var merged = ""
            for character in path where !(character == "/" && merged.hasSuffix("/")) { merged.append(character) }
            attempt(with(merged), cost: 12, "the path had single slashes", &scratch)
        }
    }

    // MARK: The host

    private mutating func tryHosts(of lookup: LookupTable, _ scratch: inout RouteScratch) {
        guard let authority = request.authorityText else { return }
        let octets = Array(authority.utf8)
        let range = RouteTable.withoutPort(octets.span, 0..<octets.count)
        let host = HostNames.lowercased(String(decoding: octets[range], as: UTF8.self))
        let port = String(decoding: octets[range.upperBound...], as: UTF8.self)
        let limit = max(2, host.utf8.count / 4)
        for number in lookup.hostRange.prefix(Self.hostLimit) {
            let name = table.text(table.index.hosts[number].name)
            guard name != "*", name != host else { continue }
            var wanted = name
            var compared = host
            if HostNames.isWildcard(name) {
                // The first label stays; what follows it is compared with what follows the asterisk.
                let suffix = name.dropFirst()
                let label = host.prefix { $0 != "." }
                compared = String(host.dropFirst(label.utf8.count))
                guard suffix.hasPrefix("."), !label.isEmpty else { continue }
                wanted = String(label + suffix)
                guard let distance = EditDistance.between(compared, String(suffix), limit: limit), distance > 0 else {
                    continue
                }
                attemptHost(wanted, port, host, distance, &scratch)
                continue
            }
            guard let distance = EditDistance.between(compared, name, limit: limit) else { continue }
            attemptHost(wanted, port, host, distance, &scratch)
        }
    }

    private mutating func attemptHost(
        _ wanted: String,
        _ port: String,
        _ host: String,
        _ distance: Int,
        _ scratch: inout RouteScratch
    ) {
        var changed = draft
        changed.authority = wanted + port
        // A client that asks for another host also gives another TLS name.
        if let name = changed.serverName, HostNames.lowercased(name) == host { changed.serverName = wanted }
        attempt(changed, cost: 20 + distance, "the host were \(wanted) instead of \(host)", &scratch)
    }

    // MARK: One condition, or the path of one route

    private mutating func tryRoutes(of host: LookupHost, _ prepared: PreparedRequest, _ scratch: inout RouteScratch) {
        let request = request
        let view = request.view()
        var target = scratch.target
        if !prepared.isRewritten {
            target = prepared.target.map { view.octets[$0] }
        }
        let path = String(decoding: target[..<prepared.pathCount], as: UTF8.self)
        var joined: [UInt8] = []
        for position in 0..<min(Int(host.routes.count), Self.routeLimit) {
            let route = table.index.routes[Int(table.index.hostRoutes[Int(host.routes.first) + position])]
            var failures: [LookupCondition] = []
            for condition in 0..<Int(route.conditionCount) {
                let single = LookupRoute(
                    gateway: route.gateway,
                    test: .any,
                    ignoresCase: false,
                    path: .empty,
                    pattern: -1,
                    firstCondition: route.firstCondition + UInt32(condition),
                    conditionCount: 1
                )
                var sawUnseen = false
                let failed = table.matcher.firstFailure(
                    single,
                    view,
                    prepared,
                    target: target.span,
                    joined: &joined,
                    sawUnseen: &sawUnseen
                )
                if failed != nil { failures.append(table.index.conditions[Int(single.firstCondition)]) }
                if failures.count > 1 { break }
            }
            let pathFits = table.matcher.pathMatches(route, target.span.extracting(first: prepared.pathCount))
            switch (pathFits, failures.count) {
            case (true, 1): tryCondition(failures[0], &scratch)
            case (false, 0): tryPath(route, path, &scratch)
            default: continue
            }
        }
    }

    private mutating func tryPath(_ route: LookupRoute, _ path: String, _ scratch: inout RouteScratch) {
        let value = table.text(route.path)
        guard !value.isEmpty else { return }
        let letters = value.utf8.count { $0 != UInt8(ascii: "/") }
        let limit = min(5, max(2, value.utf8.count / 3), max(1, letters - 1))
        switch route.test {
        case .exact:
            guard let distance = EditDistance.between(path, value, limit: limit) else { return }
            var changed = draft
            changed.path = value
            attempt(changed, cost: 12 + distance, "the path were \(value) instead of \(path)", &scratch)
        case .prefix, .segmentPrefix:
            guard let (distance, count) = Self.leadingMatch(path, value, limit: limit) else { return }
            let octets = Array(path.utf8)
            let replaced = String(decoding: octets[..<count], as: UTF8.self)
            let rest = String(decoding: octets[count...], as: UTF8.self)
            var changed = draft
            changed.path = value + rest
            attempt(
                changed,
                cost: 12 + distance,
                "the path began with \(value) instead of \(replaced)",
                &scratch
            )
        case .any, .regex: return
        }
    }

    /// The beginning of a path that lies nearest to a prefix, by the octets it has; whole segments are preferred.
    private static func leadingMatch(_ path: String, _ value: String, limit: Int) -> (distance: Int, count: Int)? {
        let octets = Array(path.utf8)
        var best: (distance: Int, count: Int, isWhole: Bool)?
        let shortest = max(1, value.utf8.count - limit)
        guard shortest <= octets.count else { return nil }
        for count in shortest...min(octets.count, value.utf8.count + limit) {
            let leading = String(decoding: octets[..<count], as: UTF8.self)
            guard let distance = EditDistance.between(leading, value, limit: limit) else { continue }
            let isWhole = count == octets.count || octets[count] == UInt8(ascii: "/")
            let isBetter =
                best.map { known in
                    distance != known.distance ? distance < known.distance : isWhole && !known.isWhole
                } ?? true
            if isBetter { best = (distance, count, isWhole) }
        }
        return best.map { ($0.distance, $0.count) }
    }

    private mutating func tryCondition(_ condition: LookupCondition, _ scratch: inout RouteScratch) {
        let name = table.text(condition.name)
        guard !condition.isNegated else {
            guard condition.subject != .parameter else { return }
            var changed = draft
            changed.removeField(name)
            attempt(changed, cost: 14, "it had no header \(name)", &scratch)
            return
        }
        guard let value = value(of: condition) else { return }
        var changed = draft
        switch condition.subject {
        case .method:
            changed.method = value
            attempt(changed, cost: 13, "the method were \(value) instead of \(request.methodText)", &scratch)
        case .authority:
            changed.authority = value
            attempt(
                changed,
                cost: 16,
                "the authority were \(value) instead of \(request.authorityText ?? "none")",
                &scratch
            )
        case .scheme: return
        case .target: return
        case .parameter:
            changed.setParameter(name, to: value)
            attempt(changed, cost: 15, "the query had \(name)=\(value)", &scratch)
        default:
            changed.setField(name, to: value)
            attempt(changed, cost: 14, "it had the header \(name): \(value)", &scratch)
        }
    }

    /// A value that a condition takes; `nil` where none is certain.
    private func value(of condition: LookupCondition) -> String? {
        switch condition.test {
        case .present: return "1"
        case .exact, .prefix: return table.text(condition.value)
        case .regex:
            guard condition.pattern >= 0 else { return nil }
            let pattern = table.index.patterns[Int(condition.pattern)].text
            // Of a choice of plain words the first will do; anything else is left alone.
            let isPlain = pattern.utf8.allSatisfy { octet in
                switch octet {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: "-_/|".utf8.contains(octet)
                }
            }
            return isPlain ? pattern.split(separator: "|").first.map(String.init) : nil
        }
    }
}
