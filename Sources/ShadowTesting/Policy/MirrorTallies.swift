// Wingmirror · Apache-2.0

/// What the policies of one plan decided since somebody last looked; owned by a capture thread.
///
/// Each request that a policy looked at is counted exactly once: as filtered with a reason, as not sampled, or as sampled,
/// and at the moment at which that is known. Counting is an addition in an array made beforehand.
public struct MirrorTallies: Sendable {
    /// For each policy the counts of `FilterReason.allCases`, then those not sampled, then those sampled.
    private var counts: [UInt64]
    /// Whether nothing has been counted.
    public private(set) var isEmpty = true

    /// How many policies there are.
    public let policyCount: Int

    private static let reasonCount = FilterReason.allCases.count
    private static let stride = reasonCount + 2

    /// Makes tallies of nothing for the policies of a plan.
    public init(policyCount: Int) {
        self.policyCount = policyCount
        counts = [UInt64](repeating: 0, count: policyCount * Self.stride)
    }

    // MARK: - Counting

    mutating func requestFiltered(_ reason: FilterReason, policy: Int) {
        count(policy * Self.stride + reason.position)
    }

    mutating func requestNotSampled(policy: Int) {
        count(policy * Self.stride + Self.reasonCount)
    }

    mutating func requestSampled(policy: Int) {
        count(policy * Self.stride + Self.reasonCount + 1)
    }

    private mutating func count(_ index: Int) {
        counts[index] += 1
        isEmpty = false
    }

    /// Forgets what was counted and keeps the room.
    mutating func removeAll() {
        for index in counts.indices { counts[index] = 0 }
        isEmpty = true
    }

    // MARK: - Reading

    /// What a policy decided, in the form that is handed over.
    public func tally(ofPolicy policy: Int) -> MirrorTally {
        var tally = MirrorTally()
        for reason in FilterReason.allCases {
            let count = counts[policy * Self.stride + reason.position]
            if count > 0 { tally.filtered[reason] = count }
        }
        tally.notSampled = counts[policy * Self.stride + Self.reasonCount]
        return tally
    }

    /// How many requests passed every filter and the sampling of a policy, and are complete.
    func sampled(ofPolicy policy: Int) -> UInt64 {
        counts[policy * Self.stride + Self.reasonCount + 1]
    }

    /// How many requests a policy has decided on for good.
    func considered(ofPolicy policy: Int) -> UInt64 {
        counts[policy * Self.stride..<(policy + 1) * Self.stride].reduce(0, +)
    }
}

extension FilterReason {
    /// The place of the reason in `allCases`.
    fileprivate var position: Int {
        switch self {
        case .method: 0
        case .methodOverride: 1
        case .path: 2
        case .marked: 3
        case .integrity: 4
        case .size: 5
        case .unsendable: 6
        case .notComparable: 7
        case .redaction: 8
        case .duplicate: 9
        }
    }
}
