// Wingmirror · Apache-2.0

/// What the circuit breaker of a target has come to.
public struct BreakerState: Sendable, Hashable {
    /// How often it has opened, a probe that failed among them.
    public var openings: UInt64
    /// Whether it holds copies back.
    public var isOpen: Bool

    /// Makes a state of its parts.
    public init(openings: UInt64 = 0, isOpen: Bool = false) {
        self.openings = openings
        self.isOpen = isOpen
    }
}

/// How often the breakers of a candidate and of what it is held against have opened since a verdict began.
///
/// A breaker that opens on the candidate and never on the baseline, or while production answers, is a finding of its own:
/// what it holds back cannot be compared, so the answers alone would say less the worse the target is.
public struct BreakerCount: Sendable, Hashable {
    /// Times the candidate's has opened.
    public private(set) var candidate: UInt64 = 0
    /// Times the baseline's has; production has none.
    public private(set) var baseline: UInt64 = 0
    /// Whether the candidate's holds copies back now.
    public private(set) var isOpen = false
    /// Whether the baseline's does.
    public private(set) var baselineIsOpen = false

    private var earlierCandidate: UInt64 = 0
    private var earlierBaseline: UInt64 = 0

    /// Begins to count; openings so far are not counted.
    init(candidate: BreakerState? = nil, baseline: BreakerState? = nil) {
        earlierCandidate = candidate?.openings ?? 0
        earlierBaseline = baseline?.openings ?? 0
        seen(candidate: candidate, baseline: baseline)
    }

    /// Takes in what the breakers have come to.
    mutating func seen(candidate: BreakerState?, baseline: BreakerState?) {
        let (ours, theirs) = (candidate?.openings ?? 0, baseline?.openings ?? 0)
        self.candidate = ours - min(ours, earlierCandidate)
        self.baseline = theirs - min(theirs, earlierBaseline)
        isOpen = candidate?.isOpen ?? false
        baselineIsOpen = baseline?.isOpen ?? false
    }

    /// Whether it has opened on the candidate alone.
    var isAlone: Bool { candidate > 0 && baseline == 0 }

    /// The logarithm of the evidence that it opens on the candidate more often; each opening is one event.
    var logEvidence: Double { SignEvidence.logarithm(worse: candidate, better: baseline) }
}
