// Wingmirror · Apache-2.0

import OctetText

/// Checks that policies say something that can be done.
struct PolicyValidation {
    let targets: Set<String>

    func validate(_ policies: [MirrorPolicy]) throws(MirrorPlanError) {
        guard policies.count <= MirrorPlan.maximumPolicyCount else {
            throw MirrorPlanError(
                "there are \(policies.count) mirror policies; at most \(MirrorPlan.maximumPolicyCount) can be in force"
            )
        }
        var names: Set<String> = []
        for policy in policies {
            guard !policy.name.isEmpty else { throw MirrorPlanError("a mirror policy has no name") }
            guard names.insert(policy.name).inserted else {
                throw MirrorPlanError(policy: policy.name, "there are two policies of that name")
            }
            do throws(PolicyProblem) {
                try validate(policy)
            } catch {
                throw MirrorPlanError(policy: policy.name, error.message)
            }
        }
    }

    private struct PolicyProblem: Error {
        let message: String
    }

    private func validate(_ policy: MirrorPolicy) throws(PolicyProblem) {
        try validateTargets(policy)
        guard (0...100).contains(policy.percent) else {
            throw PolicyProblem(message: "percent is \(policy.percent); it must be between 0 and 100")
        }
        if let rate = policy.ratePerSecond, !(rate > 0 && rate.isFinite) {
            throw PolicyProblem(message: "the rate is \(rate) requests a second; it must be more than 0")
        }
        guard policy.maximumContentOctets >= 0 else {
            throw PolicyProblem(message: "the limit of content is negative")
        }
        for method in policy.methods + policy.match.methods {
            guard Self.isToken(method) else { throw PolicyProblem(message: "\(method) is no method") }
            if ["CONNECT", "TRACE"].contains(method) {
                throw PolicyProblem(message: "requests with the method \(method) are never mirrored")
            }
        }
        for path in policy.match.pathPrefixes + policy.deniedPaths where !path.hasPrefix("/") {
            throw PolicyProblem(message: "the path \(path) does not begin with a slash")
        }
        try validateMatch(policy.match)
        for case .field(let name) in policy.key where !Self.isToken(name) {
            throw PolicyProblem(message: "the key \(name) is no name of a field")
        }
        for case .cookie(let name) in policy.key where !Self.isToken(name) {
            throw PolicyProblem(message: "the key \(name) is no name of a cookie")
        }
    }

    private func validateTargets(_ policy: MirrorPolicy) throws(PolicyProblem) {
        guard !policy.targets.isEmpty else { throw PolicyProblem(message: "it names no target") }
        guard Set(policy.targets).count == policy.targets.count else {
            throw PolicyProblem(message: "it names a target twice")
        }
        for target in policy.targets + [policy.baseline].compactMap(\.self) where !targets.contains(target) {
            throw PolicyProblem(message: "there is no target \(target)")
        }
        if let baseline = policy.baseline, policy.targets.contains(baseline) {
            throw PolicyProblem(message: "the baseline \(baseline) is among the targets that are judged")
        }
    }

    private func validateMatch(_ match: MirrorMatch) throws(PolicyProblem) {
        if let virtualService = match.virtualService {
            let parts = virtualService.split(separator: "/", omittingEmptySubsequences: false)
            guard parts.count == 2, parts.allSatisfy({ !$0.isEmpty }) else {
                throw PolicyProblem(message: "the VirtualService \(virtualService) must be written as namespace/name")
            }
        }
        for name in match.fields.keys where !Self.isToken(name) {
            throw PolicyProblem(message: "\(name) is no name of a field")
        }
    }

    /// Whether a text is a token (RFC 9110 §5.6.2).
    static func isToken(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy(ASCII.isTokenOctet)
    }
}
