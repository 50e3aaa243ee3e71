// Wingmirror · Apache-2.0

/// The DestinationRules by the hosts that they are for, so that those of one host are found without looking at all.
struct DestinationRules: Sendable {
    /// A rule with its host written out.
    struct Entry: Sendable {
        let rule: DestinationRule
        /// The host as Istio completes it.
        let pattern: String
        /// The place among the objects.
        fileprivate let order: Int
    }

    private var byName: [String: [Entry]] = [:]
    /// Those for a name with a leading wildcard, which are few.
    private var wildcards: [Entry] = []
    /// Whether there are any at all.
    let isEmpty: Bool

    init(_ rules: [DestinationRule], clusterDomain: String) {
        isEmpty = rules.isEmpty
        for (order, rule) in rules.enumerated() {
            let pattern = HostNames.expanded(
                rule.host,
                namespace: rule.metadata.namespace,
                clusterDomain: clusterDomain
            )
            let entry = Entry(rule: rule, pattern: pattern, order: order)
            if HostNames.isWildcard(pattern) {
                wildcards.append(entry)
            } else {
                byName[pattern, default: []].append(entry)
            }
        }
    }

    /// The rules that are for a host, in the order of the objects.
    subscript(host: String) -> [Entry] {
        let named = byName[host] ?? []
        let covering = wildcards.filter { HostNames.isCovered(host, by: $0.pattern) }
        return covering.isEmpty ? named : (named + covering).sorted { $0.order < $1.order }
    }
}
