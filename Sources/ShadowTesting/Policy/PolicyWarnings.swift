// Wingmirror · Apache-2.0

internal import Redaction
public import TrafficModel

/// What somebody who starts the agent should know of its policies, in sentences.
public enum PolicyWarnings {
    /// More than this share of the requests is worth a sentence, in percent.
    static let largePercent = 50.0

    /// The sentences for policies, in their order.
    ///
    /// - Parameters:
    ///   - policies: the policies that are in force.
    ///   - routes: the routes that there are; empty while none are known.
    ///   - hosts: the hosts of those routes; may begin with `*.`.
    /// - Returns: one sentence for each thing that may not be as it was meant.
    public static func sentences(
        for policies: [MirrorPolicy],
        routes: [RouteName] = [],
        hosts: [String] = []
    ) -> [String] {
        policies.flatMap { policy in
            let sentences =
                writing(policy) + credentials(policy) + share(policy) + routing(policy, routes)
                + self.hosts(policy, hosts)
            return sentences.map { "mirror policy \(policy.name) \($0)" }
        }
    }

    private static func writing(_ policy: MirrorPolicy) -> [String] {
        let places = ListText.and(policy.targets + [policy.baseline].compactMap(\.self))
        let writing = policy.methods.filter { !SafeMethods.contains($0) }
        let refused = policy.match.methods.filter { !SafeMethods.contains($0) && !policy.methods.contains($0) }
        var sentences: [String] = []
        if !writing.isEmpty {
            sentences.append("sends requests with \(ListText.and(writing)) to \(places), which may change data there")
        }
        if !refused.isEmpty {
            sentences.append("matches \(ListText.and(refused)) but does not allow it, so none of these are mirrored")
        }
        return sentences
    }

    private static func credentials(_ policy: MirrorPolicy) -> [String] {
        let hidden = Set((policy.removedFields + policy.hashedFields).map { $0.lowercased() })
        let hiddenParameters = Set(policy.hashedParameters.map { $0.lowercased() })
        let kept =
            policy.keptFields.filter { CredentialNames.contains($0) && !hidden.contains($0.lowercased()) }
            + policy.keptParameters.filter {
                CredentialNames.contains($0) && !hiddenParameters.contains($0.lowercased())
            }
        guard !kept.isEmpty else { return [] }
        return ["sends \(ListText.and(kept.map { $0.lowercased() })) as clients sent it, so a target can act for them"]
    }

    private static func share(_ policy: MirrorPolicy) -> [String] {
        if policy.percent == 0 { return ["has a share of 0 %, so it mirrors nothing"] }
        guard policy.percent > largePercent else { return [] }
        return ["mirrors \(policy.percent) % of its requests; everything behind the targets gets that load too"]
    }

    private static func routing(_ policy: MirrorPolicy, _ routes: [RouteName]) -> [String] {
        let match = policy.match
        guard !routes.isEmpty, match.virtualService != nil || match.route != nil else { return [] }
        guard !routes.contains(where: match.concerns) else { return [] }
        let words = [
            match.route.map { "route \($0)" }, match.virtualService.map { "VirtualService \($0)" },
        ]
        return ["matches nothing: there is no \(words.compactMap(\.self).joined(separator: " of "))"]
    }

    private static func hosts(_ policy: MirrorPolicy, _ known: [String]) -> [String] {
        guard !known.isEmpty else { return [] }
        let missing = policy.match.hosts.filter { host in !known.contains { overlap(host, $0) } }
        return missing.map { "names the host \($0), which no route serves" }
    }

    /// Whether two hosts, each with or without a wildcard, have a name in common.
    static func overlap(_ first: String, _ second: String) -> Bool {
        let first = first.lowercased()
        let second = second.lowercased()
        if first == second || first == "*" || second == "*" { return true }
        let isBelowSecond = second.hasPrefix("*.") && first.hasSuffix(second.dropFirst())
        let isBelowFirst = first.hasPrefix("*.") && second.hasSuffix(first.dropFirst())
        return isBelowSecond || isBelowFirst
    }
}

/// Lists within sentences.
enum ListText {
    /// `a`, `a and b`, `a, b and c`.
    static func and(_ words: [String]) -> String {
        guard let last = words.last, words.count > 1 else { return words.first ?? "" }
        return words.dropLast().joined(separator: ", ") + " and " + last
    }
}
