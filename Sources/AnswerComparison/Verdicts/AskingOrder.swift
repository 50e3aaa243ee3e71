// Wingmirror · Apache-2.0

/// Which of candidate and baseline was asked first, kept even.
///
/// Two servers of one version answer alike only if they are asked alike. What depends on time, such as a clock, a counter or
/// a cache, differs from production's answer at whichever is asked later, so a target whose queue is always the longer one
/// would look worse. A pair whose values differ at one end only may vote only if as many of about the same distance the
/// other way have voted, give or take a few. All vote on errors, and on what time does not explain: another type or status,
/// what is missing, another order. While too many may not, nothing passes.
struct AskingOrder: Sendable, Hashable {
    /// Distances below this are none: copies that leave at once are sent in random order.
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

extension ComparedPair {
    /// How much later the candidate was asked than the baseline, in nanoseconds; `nil` when that is not known.
    var distance: Int64? {
        guard let baseline, baseline.intendedTime > 0, candidate.intendedTime > 0 else { return nil }
        let ours = candidate.intendedTime.addingReportingOverflow(candidate.queueNanoseconds)
        let theirs = baseline.intendedTime.addingReportingOverflow(baseline.queueNanoseconds)
        guard !ours.overflow, !theirs.overflow else { return nil }
        let distance = ours.partialValue.subtractingReportingOverflow(theirs.partialValue)
        return distance.overflow ? nil : distance.partialValue
    }
}
