// Wingmirror · Apache-2.0

/// Puts the rules of delegates in the place of the root rules that name them.
struct DelegateMerging {
    private let delegates: [String: VirtualService]
    /// Objects that have hosts, and so cannot be delegates.
    private let roots: Set<String>
    private let defaultExportTo: [String]
    private(set) var findings: [RouteFinding] = []

    init(_ virtualServices: [VirtualService], defaultExportTo: [String]) {
        var delegates: [String: VirtualService] = [:]
        for service in virtualServices where service.isDelegate {
            delegates[service.origin.reference] = service
        }
        self.delegates = delegates
        roots = Set(virtualServices.filter { !$0.isDelegate }.map(\.origin.reference))
        self.defaultExportTo = defaultExportTo
    }

    /// The root's rules, each delegating one replaced; other rules keep their index as origin.
    mutating func rules(of root: VirtualService) -> [HTTPRule] {
        // Most rules delegate nothing, and one takes nearly a kilobyte.
        var result: [HTTPRule] = []
        result.reserveCapacity(root.http.count)
        for (index, rule) in root.http.enumerated() {
            guard var rule else { continue }
            if rule.origin.rule == nil { rule.origin.rule = index }
            guard let reference = rule.delegate else {
                result.append(rule)
                continue
            }
            guard let delegate = find(reference, root: root, index: index) else { continue }
            for (delegateIndex, leaf) in delegate.http.enumerated() {
                guard let leaf else { continue }
                guard
                    var merged = Self.merge(
                        root: rule,
                        leaf: leaf,
                        rootNamespace: root.metadata.namespace,
                        leafNamespace: delegate.metadata.namespace
                    )
                else {
                    report(
                        delegate.origin,
                        .warning,
                        .conflictingDelegate,
                        "spec.http[\(delegateIndex)]",
                        "the rule contradicts the conditions of \(root.origin) spec.http[\(index)] and is dropped there: "
                            + Self.contradiction(root: rule, leaf: leaf)
                    )
                    continue
                }
                merged.origin = RuleOrigin(
                    object: nil,
                    rule: index,
                    delegate: DelegateOrigin(object: delegate.origin, rule: delegateIndex),
                    namespace: delegate.metadata.namespace
                )
                result.append(merged)
            }
        }
        return result
    }

    private mutating func find(_ reference: DelegateReference, root: VirtualService, index: Int) -> VirtualService? {
        let namespace = reference.namespace.isEmpty ? root.metadata.namespace : reference.namespace
        let path = "spec.http[\(index)].delegate"
        guard let delegate = delegates["\(namespace)/\(reference.name)"] else {
            report(
                root.origin,
                .warning,
                .missingDelegate,
                path,
                roots.contains("\(namespace)/\(reference.name)")
                    ? "VirtualService \(namespace)/\(reference.name) has hosts, so it cannot be a delegate and the rule is "
                        + "dropped; remove hosts and gateways there"
                    : "no delegate VirtualService \(namespace)/\(reference.name) exists, so the rule is dropped"
            )
            return nil
        }
        let exportTo = delegate.exportTo.isEmpty ? defaultExportTo : delegate.exportTo
        guard Visibility(exportTo: exportTo, namespace: namespace).includes(root.metadata.namespace) else {
            report(
                root.origin,
                .warning,
                .missingDelegate,
                path,
                "\(delegate.origin) is not exported to \(root.metadata.namespace), so the rule is dropped"
            )
            return nil
        }
        return delegate
    }

    private mutating func report(
        _ object: ObjectIdentity,
        _ severity: RouteFinding.Severity,
        _ code: FindingCode,
        _ path: String,
        _ message: String
    ) {
        findings.append(RouteFinding(object: object, severity: severity, code: code, path: path, message: message))
    }

    // MARK: - One rule

    /// Joins a delegate's rule with the root's; `nil` when their conditions contradict each other.
    private static func merge(
        root: HTTPRule,
        leaf: HTTPRule,
        rootNamespace: String,
        leafNamespace: String
    ) -> HTTPRule? {
        guard let matches = mergedMatches(root, leaf, rootNamespace: rootNamespace, leafNamespace: leafNamespace) else {
            return nil
        }
        var rule = leaf
        rule.matches = matches
        rule.name = joined(root.name, leaf.name)
        rule.rewrite = leaf.rewrite ?? root.rewrite
        rule.directResponse = leaf.directResponse ?? root.directResponse
        rule.timeout = leaf.timeout ?? root.timeout
        rule.retries = leaf.retries ?? root.retries
        rule.fault = leaf.fault ?? root.fault
        rule.mirror = leaf.mirror ?? root.mirror
        rule.mirrorPercent = leaf.mirrorPercent ?? root.mirrorPercent
        rule.mirrorPercentage = leaf.mirrorPercentage ?? root.mirrorPercentage
        if leaf.mirrors.isEmpty { rule.mirrors = root.mirrors }
        rule.corsPolicy = leaf.corsPolicy ?? root.corsPolicy
        rule.headers = leaf.headers ?? root.headers
        return rule
    }

    private static func joined(_ root: String, _ leaf: String) -> String {
        root.isEmpty ? leaf : leaf.isEmpty ? root : "\(root)-\(leaf)"
    }

    private static func mergedMatches(
        _ root: HTTPRule,
        _ leaf: HTTPRule,
        rootNamespace: String,
        leafNamespace: String
    ) -> [HTTPMatch]? {
        // Names in match entries resolve where they were written, so they are made whole before the lists are joined.
        let rootMatches = root.matches.map { resolved($0, rootNamespace) }
        let leafMatches = leaf.matches.map { resolved($0, leafNamespace) }
        var result: [HTTPMatch] = []
        if rootMatches.isEmpty || leafMatches.isEmpty {
            result = rootMatches.isEmpty ? leafMatches : rootMatches
            for index in result.indices {
                let merged =
                    rootMatches.isEmpty
                    ? MergedMatch(root: nil, delegate: index) : MergedMatch(root: index, delegate: nil)
                result[index].origin = MatchOrigin(entry: index, merged: merged)
            }
            return result
        }
        for (leafIndex, leafMatch) in leafMatches.enumerated() {
            var found = false
            for (rootIndex, rootMatch) in rootMatches.enumerated() where !conflict(rootMatch, leafMatch) {
                var merged = union(rootMatch, leafMatch)
                merged.origin = MatchOrigin(
                    entry: result.count,
                    merged: MergedMatch(root: rootIndex, delegate: leafIndex)
                )
                result.append(merged)
                found = true
            }
            if !found { return nil }
        }
        return result
    }

    private static func resolved(_ match: HTTPMatch, _ namespace: String) -> HTTPMatch {
        var match = match
        match.gateways = match.gateways.map { ObjectReferences.gateway($0, namespace: namespace) }
        return match
    }

    /// What of the first entry that fits no root entry contradicts it, with both values.
    private static func contradiction(root: HTTPRule, leaf: HTTPRule) -> String {
        let unfit = leaf.matches.first { leafMatch in root.matches.allSatisfy { conflict($0, leafMatch) } }
        guard let unfit, let rootMatch = root.matches.first else { return "no entry fits one of the root's" }
        if conflict(rootMatch.uri, unfit.uri), let rootURI = rootMatch.uri, let leafURI = unfit.uri {
            let hint: String
            if case .prefix = rootURI {
                hint = "; a delegate's path must begin with the root's, because the rewrite comes after the choice"
            } else {
                hint = ""
            }
            return
                "the root has uri \(MatchText.describe(rootURI)), the delegate uri \(MatchText.describe(leafURI))\(hint)"
        }
        return "the root has \(MatchText.describe(rootMatch)), the delegate \(MatchText.describe(unfit))"
    }

    // MARK: - One pair of match entries

    private static func conflict(_ root: HTTPMatch, _ leaf: HTTPMatch) -> Bool {
        if conflict(root.uri, leaf.uri) || conflict(root.scheme, leaf.scheme) || conflict(root.method, leaf.method)
            || conflict(root.authority, leaf.authority)
        {
            return true
        }
        if conflict(root.headers, leaf.headers) || conflict(root.withoutHeaders, leaf.withoutHeaders)
            || conflict(root.queryParams, leaf.queryParams)
        {
            return true
        }
        if root.ignoreUriCase != leaf.ignoreUriCase { return true }
        if let rootPort = root.port, let leafPort = leaf.port, rootPort != leafPort { return true }
        if !root.sourceNamespace.isEmpty, root.sourceNamespace != leaf.sourceNamespace { return true }
        for (key, value) in root.sourceLabels {
            if let other = leaf.sourceLabels[key], other != value { return true }
        }
        if !root.gateways.isEmpty, !leaf.gateways.isEmpty {
            return leaf.gateways.count > root.gateways.count || !Set(leaf.gateways).isSubset(of: root.gateways)
        }
        return false
    }

    private static func conflict(_ root: [NamedMatch], _ leaf: [NamedMatch]) -> Bool {
        root.contains { rootEntry in
            guard let leafEntry = leaf.first(where: { $0.name == rootEntry.name }) else { return false }
            return conflict(rootEntry.match, leafEntry.match)
        }
    }

    private static func conflict(_ root: StringMatch?, _ leaf: StringMatch?) -> Bool {
        guard let root, let leaf else { return false }
        // istiod reads an empty text as nothing written; a root condition without a text agrees with no value at all.
        return switch (root, leaf) {
        case (.exact(let root), .exact(let leaf)) where !root.isEmpty: root != leaf
        case (.prefix(let root), .exact(let leaf)) where !root.isEmpty,
            (.prefix(let root), .prefix(let leaf)) where !root.isEmpty:
            leaf.isEmpty || !leaf.utf8.starts(with: root.utf8)
        default: true
        }
    }

    private static func union(_ root: HTTPMatch, _ leaf: HTTPMatch) -> HTTPMatch {
        var result = leaf
        result.name = joined(root.name, leaf.name)
        result.uri = leaf.uri ?? root.uri
        result.scheme = leaf.scheme ?? root.scheme
        result.method = leaf.method ?? root.method
        result.authority = leaf.authority ?? root.authority
        result.headers = union(root.headers, leaf.headers)
        result.withoutHeaders = union(root.withoutHeaders, leaf.withoutHeaders)
        result.queryParams = union(root.queryParams, leaf.queryParams)
        result.port = leaf.port ?? root.port
        if leaf.gateways.isEmpty { result.gateways = root.gateways }
        result.sourceLabels = root.sourceLabels.merging(leaf.sourceLabels) { $1 }
        if leaf.sourceNamespace.isEmpty { result.sourceNamespace = root.sourceNamespace }
        if leaf.statPrefix.isEmpty { result.statPrefix = root.statPrefix }
        return result
    }

    private static func union(_ root: [NamedMatch], _ leaf: [NamedMatch]) -> [NamedMatch] {
        root.filter { entry in !leaf.contains { $0.name == entry.name } } + leaf
    }
}
