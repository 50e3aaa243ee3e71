// Wingmirror · Apache-2.0

import TrafficModel

@testable import ShadowTesting

/// Asks a plan as a capture thread does, and keeps the tallies.
struct PlanDriver {
    let plan: MirrorPlan
    var tallies: MirrorTallies
    var recent = RecentRequests()
    var time: Int64 = 1_700_000_000_000_000_000

    init(_ policies: [MirrorPolicy], secret: String = "", edition: UInt32 = 0) throws {
        plan = try MirrorPlan(policies: policies, targets: ["staging", "baseline"], secret: secret, edition: edition)
        tallies = MirrorTallies(policyCount: policies.count)
    }

    init(_ policy: MirrorPolicy) throws {
        try self.init([policy])
    }

    /// The first half of the decision; time goes on by a millisecond.
    mutating func decide(
        _ request: RecordedRequest,
        concerned: UInt32? = nil,
        client: UInt64 = 1,
        isMarked: Bool = false
    ) -> MirrorSelection {
        time += 1_000_000
        let mask = concerned ?? (1 << UInt32(plan.policies.count)) - 1
        return request.withView { view in
            plan.decide(
                view,
                concerned: mask,
                client: (0, client),
                isMarked: isMarked,
                time: time,
                recent: &recent,
                tallies: &tallies
            )
        }
    }

    /// Why the first policy refuses a request; `nil` if it samples it.
    mutating func reason(against request: RecordedRequest, isMarked: Bool = false) -> FilterReason? {
        tallies.removeAll()
        recent = RecentRequests()
        let selection = decide(request, isMarked: isMarked)
        let filtered = tallies.tally(ofPolicy: 0).filtered
        // Whatever the fate, it is one.
        precondition(filtered.values.reduce(0, +) == (selection.isEmpty ? 1 : 0), "PlanDriver: one fate for a request")
        return filtered.keys.first
    }
}

extension MirrorPolicy {
    /// A policy that samples everything that it may.
    static func everything(_ name: String = "all", _ change: (inout MirrorPolicy) -> Void = { _ in }) -> MirrorPolicy {
        var policy = MirrorPolicy(name: name, targets: ["staging"])
        policy.percent = 100
        change(&policy)
        return policy
    }
}

extension RecordedRequest {
    /// A request with fields as text; Host is `shop.example.com` unless given.
    static func client(
        _ method: String = "GET",
        _ target: String = "/products/1",
        _ fields: [(String, String)] = [],
        content: String = ""
    ) -> RecordedRequest {
        var lines = fields.map { RecordedField(name: $0.0, value: $0.1) }
        if !lines.contains(where: { $0.isNamed("host") }) {
            lines.insert(RecordedField(name: "Host", value: "shop.example.com"), at: 0)
        }
        return RecordedRequest(
            method: method,
            target: Array(target.utf8),
            message: RecordedMessage(fields: lines, content: Array(content.utf8))
        )
    }
}
