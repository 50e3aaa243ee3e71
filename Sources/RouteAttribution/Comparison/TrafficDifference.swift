// Wingmirror · Apache-2.0

internal import TrafficModel

/// What a change of the objects does to real requests: each is looked up in both tables.
public struct TrafficDifference: ~Copyable {
    /// How the answer to a request changes; the raw values are part of the interface of `routes diff`.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        /// A request that got 404 and now has a route.
        case won
        /// A request that had a route and now gets 404.
        case lost
        /// A request that another rule takes, or that the same rule sends elsewhere.
        case moved
        /// Any other change, such as a redirect to https.
        case other
    }

    /// Requests that change in the same way.
    public struct Movement: Sendable {
        /// How.
        public let kind: Kind
        /// What took them before, in words.
        public let from: String
        /// What takes them now, in words.
        public let to: String
        /// How many there are.
        public internal(set) var count: Int
        /// A few of them, without query and fields.
        public internal(set) var examples: [String]
    }

    /// How many examples a movement keeps.
    private static let exampleLimit = 3

    /// Requests compared.
    public private(set) var compared = 0
    /// Requests that hang on something the request does not show, in one of the tables.
    public private(set) var uncertain = 0
    /// Requests that arrive where neither table has a listener.
    public private(set) var unlistened = 0

    private let before: RouteTable
    private let after: RouteTable
    private var scratch = RouteScratch()
    /// Where the movement of a pair of answers lies; -1 for a pair that is none.
    private var places: [Pair: Int] = [:]
    private var found: [Movement] = []

    private struct Pair: Hashable {
        let before: Answer
        let after: Answer
    }

    private struct Answer: Hashable {
        let outcome: RouteOutcome
        let route: Int32
    }

    /// Compares two tables.
    public init(before: RouteTable, after: RouteTable) {
        self.before = before
        self.after = after
    }

    /// Whether requests stay where they are: with the same object and target, by a rule that is the same by what it asks
    /// for, by its name or by its place.
    private func isSame(_ first: Answer, _ second: Answer) -> Bool {
        guard first.outcome == second.outcome else { return false }
        guard first.route >= 0, second.route >= 0 else { return first.route == second.route }
        let old = before.routes[Int(first.route)]
        let new = after.routes[Int(second.route)]
        guard old.identity.object == new.identity.object, old.targetText == new.targetText else { return false }
        return old.identity.rule == new.identity.rule || (!old.routeName.isEmpty && old.routeName == new.routeName)
            || before.contentKey(Int(first.route)) == after.contentKey(Int(second.route))
    }

    /// The movements, those with most requests first.
    public var movements: [Movement] {
        found.enumerated().sorted {
            $0.element.count != $1.element.count ? $0.element.count > $1.element.count : $0.offset < $1.offset
        }.map(\.element)
    }

    /// Looks a request up in both tables.
    public mutating func add(_ request: DescribedRequest) {
        compared += 1
        let first = before.route(request, scratch: &scratch)
        let second = after.route(request, scratch: &scratch)
        if first.reason == .conditional || second.reason == .conditional { uncertain += 1 }
        if first.outcome == .noListener, second.outcome == .noListener { unlistened += 1 }
        let old = Answer(outcome: first.outcome, route: first.route)
        let new = Answer(outcome: second.outcome, route: second.route)
        let pair = Pair(before: old, after: new)
        if let place = places[pair] {
            guard place >= 0 else { return }
            found[place].count += 1
            if found[place].examples.count < Self.exampleLimit {
                let example = request.exampleText
                if !found[place].examples.contains(example) { found[place].examples.append(example) }
            }
            return
        }
        guard !isSame(old, new) else {
            places[pair] = -1
            return
        }
        places[pair] = found.count
        found.append(
            Movement(
                kind: Self.kind(first.outcome, second.outcome),
                from: Self.name(first, in: before),
                to: Self.name(second, in: after),
                count: 1,
                examples: [request.exampleText]
            )
        )
    }

    private static func kind(_ old: RouteOutcome, _ new: RouteOutcome) -> Kind {
        let without: Set<RouteOutcome> = [.noRoute, .noListener]
        switch (old, new) {
        case (.route, .route): return .moved
        case (_, .route) where without.contains(old): return .won
        case (.route, _) where without.contains(new): return .lost
        default: return .other
        }
    }

    private static func name(_ decision: RouteDecision, in table: RouteTable) -> String {
        switch decision.outcome {
        case .route:
            let route = table.routes[Int(decision.route)]
            return "\(route.identity.object) rule \(route.identity.rule) (\(route.matchText)) \(route.targetText)"
        case .noRoute: return "404 (\(decision.reason.label))"
        case .httpsRedirect: return "301 to https"
        case .rejected: return "refused before any route"
        case .noListener: return "nothing listens"
        case .unknown: return "unknown: headers that decide were not captured"
        }
    }
}

extension DescribedRequest {
    /// Method, host and path; parameters, a user before the host and fields may hold what nobody should read.
    var exampleText: String {
        let target = Array(targetText.utf8)
        let parts = RequestTargetParts(target.span, target.indices)
        let host = parts.authority.map { String(decoding: target[$0], as: UTF8.self) } ?? authorityText ?? ""
        let segments = String(decoding: target[parts.path], as: UTF8.self)
            .prefix { $0 != "?" }
            .split(separator: "/", omittingEmptySubsequences: false)
            .map { $0.prefix { $0 != ";" } }
        let path = segments.joined(separator: "/")
        return "\(methodText) \(Self.withoutUser(host))\(parts.form == .other ? Self.withoutUser(path) : path)"
    }

    private static func withoutUser(_ host: String) -> String {
        host.lastIndex(of: "@").map { String(host[host.index(after: $0)...]) } ?? host
    }
}
