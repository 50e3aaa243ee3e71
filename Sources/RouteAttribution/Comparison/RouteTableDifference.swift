// Wingmirror · Apache-2.0

/// One thing that a change of the objects does to the routes of a gateway.
public struct RouteChange: Sendable, Hashable {
    /// What kind of change it is; the raw values are part of the interface of `routes diff`.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        /// A rule that was not there.
        case added
        /// A rule that is no longer there.
        case gone
        /// A rule that an earlier one now takes all requests from.
        case shadowed
        /// A rule whose requests go elsewhere, or in other shares.
        case destination
        /// A rule that is the same but for its timeout, retries, rewrite, fault, mirrors or name.
        case settings
        /// Two rules that want the same requests and changed places.
        case order
        /// A host that falls to another host's rules, or to none, or is redirected.
        case host
        /// A port that is opened or closed.
        case listener
    }

    /// What kind of change it is.
    public let kind: Kind
    /// The virtual hosts concerned, each with its server ports.
    public let hosts: [String]
    /// The object concerned; `nil` for a host or port as such.
    public let object: ObjectIdentity?
    /// One sentence.
    public let text: String
}

/// What differs between the tables of two sets of objects, found by reasoning alone.
public struct RouteTableDifference: Sendable {
    /// The changes, by kind, each once with all hosts that it concerns.
    public let changes: [RouteChange]
    /// The virtual hosts that have more than ``pairLimit`` routes, some of which changed: whether rules are shadowed or changed places
    /// was not searched there.
    public let unsearchedHosts: [String]

    /// Hosts with more routes are not searched for order and shadows, which compares every route with all others.
    public static let pairLimit = 600

    /// Compares two tables.
    public init(before: RouteTable, after: RouteTable) {
        var found = ChangeList()
        let old = HostList(before)
        let new = HostList(after)
        Self.comparePorts(old, new, &found)
        for key in old.order where new.hosts[key] == nil {
            Self.hostGone(key, old, new, &found)
        }
        for key in new.order where old.hosts[key] == nil {
            Self.hostAdded(key, old, new, &found)
        }
        for key in new.order {
            guard let first = old.hosts[key], let second = new.hosts[key] else { continue }
            if first.requiresTLS != second.requiresTLS, !second.isTLS {
                found.add(
                    .host,
                    key.text,
                    nil,
                    second.requiresTLS ? "is now redirected to https" : "is no longer redirected to https"
                )
            }
            Self.compare(first.routes, before, second.routes, after, key.text, &found)
        }
        changes = found.changes
        unsearchedHosts = found.unsearchedHosts
    }

    private static func comparePorts(_ old: HostList, _ new: HostList, _ found: inout ChangeList) {
        for port in old.ports.subtracting(new.ports).sorted() {
            found.add(.listener, "port \(port)", nil, "no server listens on port \(port) any more")
        }
        for port in new.ports.subtracting(old.ports).sorted() {
            found.add(.listener, "port \(port)", nil, "a server listens on port \(port)")
        }
    }

    private static func hostGone(_ key: HostKey, _ old: HostList, _ new: HostList, _ found: inout ChangeList) {
        let now = new.fallback(for: key)
        found.add(
            .host,
            key.text,
            nil,
            "has no rules of its own any more: its requests \(now.map { "fall to the rules of \($0.text)" } ?? "get 404")"
        )
        for number in old.hosts[key]?.routes ?? [] {
            let route = old.table.routes[number]
            found.add(.gone, key.text, route.identity.object, "\(route.changeName) is gone")
        }
    }

    private static func hostAdded(_ key: HostKey, _ old: HostList, _ new: HostList, _ found: inout ChangeList) {
        let before = old.fallback(for: key)
        found.add(
            .host,
            key.text,
            nil,
            "has rules of its own: its requests \(before.map { "fell to the rules of \($0.text)" } ?? "got 404") before"
        )
        for number in new.hosts[key]?.routes ?? [] {
            let route = new.table.routes[number]
            found.add(.added, key.text, route.identity.object, "\(route.changeName) is added, \(route.targetText)")
        }
    }

    private static func compare(
        _ first: [Int],
        _ before: RouteTable,
        _ second: [Int],
        _ after: RouteTable,
        _ host: String,
        _ found: inout ChangeList
    ) {
        let old = Self.keyed(first, before)
        let new = Self.keyed(second, after)
        guard
            old.order != new.order
                || first.contains(where: { number in
                    guard let other = new.numbers[old.keys[number] ?? ""] else { return true }
                    return before.routes[number].differs(from: after.routes[other])
                })
        else { return }
        for key in old.order where new.numbers[key] == nil {
            guard let number = old.numbers[key] else { continue }
            let route = before.routes[number]
            found.add(.gone, host, route.identity.object, "\(route.changeName) is gone")
        }
        for key in new.order {
            guard let number = new.numbers[key] else { continue }
            let route = after.routes[number]
            guard let earlier = old.numbers[key] else {
                found.add(.added, host, route.identity.object, "\(route.changeName) is added, \(route.targetText)")
                continue
            }
            compare(before.routes[earlier], route, host, &found)
        }
        guard first.count <= pairLimit, second.count <= pairLimit else { return found.unsearchedHosts.append(host) }
        compareShadows(old, before, second, after, new, host, &found)
        compareOrder(old, new, after, host, &found)
    }

    private static func compare(
        _ old: CompiledRoute,
        _ new: CompiledRoute,
        _ host: String,
        _ found: inout ChangeList
    ) {
        if old.targetText != new.targetText {
            found.add(
                .destination,
                host,
                new.identity.object,
                "\(new.changeName): \(old.targetText) becomes \(new.targetText)"
            )
        }
        let settings = old.settingChanges(to: new)
        if !settings.isEmpty {
            found.add(.settings, host, new.identity.object, "\(new.changeName): \(settings.joined(separator: ", "))")
        }
    }

    /// Rules that get no request any more because of an earlier one.
    private static func compareShadows(
        _ old: KeyedRoutes,
        _ before: RouteTable,
        _ second: [Int],
        _ after: RouteTable,
        _ new: KeyedRoutes,
        _ host: String,
        _ found: inout ChangeList
    ) {
        let previous = old.order.compactMap { old.numbers[$0] }
        for (position, later) in second.enumerated() {
            guard let earlier = second[..<position].first(where: { after.covers($0, later) }) else { continue }
            if let key = new.keys[later], let number = old.numbers[key],
                let place = previous.firstIndex(of: number),
                previous[..<place].contains(where: { before.covers($0, number) })
            {
                continue
            }
            found.add(
                .shadowed,
                host,
                after.routes[later].identity.object,
                "\(after.routes[later].changeName) gets no request: \(after.routes[earlier].changeName) takes all of them"
            )
        }
    }

    /// Pairs of rules that want the same requests and changed places.
    private static func compareOrder(
        _ old: KeyedRoutes,
        _ new: KeyedRoutes,
        _ after: RouteTable,
        _ host: String,
        _ found: inout ChangeList
    ) {
        let common = new.order.filter { old.numbers[$0] != nil }
        let places = Dictionary(old.order.enumerated().map { ($0.element, $0.offset) }) { first, _ in first }
        guard common.map({ places[$0] ?? 0 }) != common.map({ places[$0] ?? 0 }).sorted() else { return }
        for (index, later) in common.enumerated() {
            for earlier in common[..<index] where (places[earlier] ?? 0) > (places[later] ?? 0) {
                guard let first = new.numbers[earlier], let second = new.numbers[later], after.meets(first, second),
                    after.routes[first].targetText != after.routes[second].targetText
                else { continue }
                found.add(
                    .order,
                    host,
                    after.routes[first].identity.object,
                    "\(after.routes[first].changeName) now comes before \(after.routes[second].changeName), and both take some requests"
                )
            }
        }
    }

    /// The routes of a host by what they are rather than by their place.
    private struct KeyedRoutes {
        var order: [String] = []
        var numbers: [String: Int] = [:]
        var keys: [Int: String] = [:]
    }

    private static func keyed(_ routes: [Int], _ table: RouteTable) -> KeyedRoutes {
        var result = KeyedRoutes()
        for number in routes {
            var key = table.contentKey(number)
            // The same rule through two Gateways is there twice.
            while result.numbers[key] != nil { key += " again" }
            result.order.append(key)
            result.numbers[key] = number
            result.keys[number] = key
        }
        return result
    }
}

/// A virtual host with where it listens.
private struct HostKey: Hashable {
    let serverPorts: [Int]
    let isTLS: Bool
    let serverNames: [String]
    let name: String

    var text: String {
        let ports = serverPorts.map(String.init).joined(separator: ",")
        return "\(name):\(ports)\(isTLS ? " (TLS)" : "")"
    }
}

/// The virtual hosts of a table.
private struct HostList {
    let table: RouteTable
    private(set) var order: [HostKey] = []
    private(set) var hosts: [HostKey: ListedHost] = [:]
    private(set) var ports: Set<Int> = []
    private var names: [HostKey: [String]] = [:]

    init(_ table: RouteTable) {
        self.table = table
        ports = Set(table.index.listeners.flatMap(\.serverPorts))
        for host in table.listedHosts {
            let key = Self.key(host, host.name)
            guard hosts[key] == nil else { continue }
            order.append(key)
            hosts[key] = host
            if HostNames.isWildcard(host.name) { names[Self.key(host, ""), default: []].append(host.name) }
        }
    }

    private static func key(_ host: ListedHost, _ name: String) -> HostKey {
        HostKey(serverPorts: host.serverPorts, isTLS: host.isTLS, serverNames: host.serverNames, name: name)
    }

    /// The host whose rules requests for a name get that has none here.
    func fallback(for key: HostKey) -> HostKey? {
        let place = HostKey(serverPorts: key.serverPorts, isTLS: key.isTLS, serverNames: key.serverNames, name: "")
        let covering = (names[place] ?? []).filter { $0 != key.name && HostNames.isCovered(key.name, by: $0) }
        return covering.max { $0.utf8.count < $1.utf8.count }.map {
            HostKey(serverPorts: key.serverPorts, isTLS: key.isTLS, serverNames: key.serverNames, name: $0)
        }
    }
}

/// Changes while they are collected: one that concerns several hosts is one.
private struct ChangeList {
    private struct Key: Hashable {
        let kind: RouteChange.Kind
        let object: ObjectIdentity?
        let text: String
    }

    private struct Place: Hashable {
        let key: Key
        let host: String
    }

    private var order: [Key] = []
    private var hosts: [Key: [String]] = [:]
    private var seen: Set<Place> = []
    var unsearchedHosts: [String] = []

    mutating func add(_ kind: RouteChange.Kind, _ host: String, _ object: ObjectIdentity?, _ text: String) {
        let key = Key(kind: kind, object: object, text: text)
        if hosts[key] == nil { order.append(key) }
        if seen.insert(Place(key: key, host: host)).inserted { hosts[key, default: []].append(host) }
    }

    var changes: [RouteChange] {
        RouteChange.Kind.allCases.flatMap { kind in
            order.filter { $0.kind == kind }.map {
                RouteChange(kind: kind, hosts: hosts[$0] ?? [], object: $0.object, text: $0.text)
            }
        }
    }
}

extension CompiledRoute {
    /// The rule in words that do not change when a rule is put before it.
    var changeName: String {
        "\(identity.object) (\(matchText))"
    }

    /// Where requests go, in words.
    var targetText: String {
        switch action {
        case .forward:
            let parts = destinations.map { destination in
                let share =
                    destination.shareMillionths == 1_000_000 ? "" : " \(Double(destination.shareMillionths) / 10_000) %"
                if destination.isInvalid { return "status 500\(share)" }
                let subset = destination.subset.isEmpty ? "" : " subset \(destination.subset)"
                return "\(destination.host):\(destination.port)\(subset)\(share)"
            }
            return "to \(parts.joined(separator: " and "))"
        case .redirect: return "redirect \(metadata.status ?? 301) \(metadata.redirect)"
        case .directResponse: return "answer with status \(metadata.status ?? 0)"
        }
    }

    func differs(from other: CompiledRoute) -> Bool {
        targetText != other.targetText || metadata != other.metadata || mirrors != other.mirrors
            || routeName != other.routeName
    }

    func settingChanges(to new: CompiledRoute) -> [String] {
        var result: [String] = []
        func note(_ name: String, _ old: String, _ new: String) {
            if old != new {
                result.append("\(name) \(old.isEmpty ? "none" : old) becomes \(new.isEmpty ? "none" : new)")
            }
        }
        note("timeout", metadata.timeout ?? "", new.metadata.timeout ?? "")
        note(
            "retries",
            "\(metadata.retryAttempts) \(metadata.retryOn)",
            "\(new.metadata.retryAttempts) \(new.metadata.retryOn)"
        )
        note("time of each try", metadata.perTryTimeout, new.metadata.perTryTimeout)
        note("path rewrite", metadata.rewriteURI, new.metadata.rewriteURI)
        note("authority rewrite", metadata.rewriteAuthority, new.metadata.rewriteAuthority)
        note("fault", metadata.fault, new.metadata.fault)
        note("name", routeName, new.routeName)
        func text(_ mirrors: [RouteMirror]) -> String {
            mirrors.map { "\($0.host):\($0.port) \($0.subset) \($0.percent) %" }.joined(separator: ", ")
        }
        note("mirror", text(mirrors), text(new.mirrors))
        if metadata.hasCORSPolicy != new.metadata.hasCORSPolicy {
            result.append(new.metadata.hasCORSPolicy ? "a CORS policy is added" : "the CORS policy is gone")
        }
        return result
    }
}

extension RouteTable {
    /// What a route is, whatever its place and its rule's index: its object and all of its conditions.
    func contentKey(_ number: Int) -> String {
        let identity = routes[number].identity
        let route = index.routes[number]
        var key = "\(identity.object)|\(route.test)|\(text(route.path))"
        if route.ignoresCase { key += "|i" }
        if route.pattern >= 0 { key += "|\(index.patterns[Int(route.pattern)].text)" }
        for place in 0..<Int(route.conditionCount) {
            let condition = index.conditions[Int(route.firstCondition) + place]
            key +=
                "|\(condition.subject) \(text(condition.name)) \(condition.isNegated) \(condition.test) \(text(condition.value))"
            if condition.pattern >= 0 { key += index.patterns[Int(condition.pattern)].text }
        }
        return key
    }
}
