// Wingmirror · Apache-2.0

/// Which of candidate and baseline was asked first, kept even.
///
/// Two servers of one version answer alike only if they are asked alike. What depends on time, such as a clock, a counter or
/// a cache, differs from production's answer at whichever is asked later, so a target whose queue is always the longer one
/// would look worse. A pair whose values differ at one end only may vote only if as many of about the same distance the
/// other way have voted, give or take a few. All vote on errors, and on what time does not explain: another type or status,
/// what is missing, another order, and values that change too slowly to change between the two (`TimeExposure`). While too
/// many may not, nothing passes.
struct AskingOrder: Sendable, Hashable {
    /// Distances below this are none, in nanoseconds: copies that leave at once are sent in random order.
    static let least: Int64 = 1_000_000
    /// By how many pairs one order may be ahead, at each distance.
    static let surplusLimit = 4
    /// Each kind of distance reaches four times as far as the one before; the last has no end.
    private static let kinds = 5

    private var surplus = [Int](repeating: 0, count: Self.kinds)

    /// Whether a pair whose values differ may vote.
    /// - Parameter distance: How much later the candidate was asked than the baseline, in nanoseconds.
    /// - Returns: Whether it may; if so, it is counted.
    mutating func admits(_ distance: Int64) -> Bool {
        guard distance.magnitude >= UInt64(Self.least) else { return true }
        var (kind, bound) = (0, UInt64(Self.least) * 4)
        while kind < Self.kinds - 1, distance.magnitude >= bound { (kind, bound) = (kind + 1, bound * 4) }
        let next = surplus[kind] + (distance > 0 ? 1 : -1)
        guard abs(next) <= Self.surplusLimit else { return false }
        surplus[kind] = next
        return true
    }
}

/// Which side has values of its own at a place, in pairs that waited somewhere the agent does not see.
///
/// When a copy was sent is not when it was answered: a request, or its answer, may have waited at an agent, on a way or at a target
/// that gets too little processor time, and the one target's longer than the other's. Where values follow the time, whichever
/// waits longer differs alone; where they are noise, each side does as often as the other. Pairs that waited vote only in
/// the second case. Whether one does depends on those before it alone, so that neither side is chosen.
struct WaitedPairs: Sendable, Hashable {
    private var sides = Tally.Sides()
    /// Fewer say nothing.
    private static let least: UInt64 = 16

    /// Whether both sides have come up about equally often, within two standard deviations.
    var isEven: Bool { sides.worse + sides.better >= Self.least && sides.isEven(within: 2) }

    /// Counts a pair.
    mutating func observed(isWorse: Bool) { sides.count(isWorse ? 1 : -1) }
}
