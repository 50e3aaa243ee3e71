// Wingmirror · Apache-2.0

import OctetText

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

    /// The openings of one breaker, those close to each other counted once.
    private struct Events: Sendable, Hashable {
        var earlier: UInt64
        var last: Int64?

        /// How many events there have been since.
        mutating func seen(_ openings: UInt64, at time: Int64, apart: Duration) -> UInt64 {
            let new = openings - min(openings, earlier)
            earlier = openings
            guard new > 0 else { return 0 }
            guard let last, time >= last else {
                self.last = time
                return 1
            }
            let passed = UInt64((time - last) / max(apart.nanoseconds, 1))
            if passed > 0 { self.last = time }
            return min(new, passed)
        }
    }

    private var candidateEvents = Events(earlier: 0)
    private var baselineEvents = Events(earlier: 0)

    /// Begins to count; openings so far are not counted.
    init(candidate: BreakerState? = nil, baseline: BreakerState? = nil) {
        candidateEvents.earlier = candidate?.openings ?? 0
        baselineEvents.earlier = baseline?.openings ?? 0
        seen(candidate: candidate, baseline: baseline, at: 0, apart: .zero)
    }

    /// Takes in what the breakers have come to by a time; openings less than `apart` after each other are one event.
    mutating func seen(candidate: BreakerState?, baseline: BreakerState?, at time: Int64, apart: Duration) {
        self.candidate += candidateEvents.seen(candidate?.openings ?? 0, at: time, apart: apart)
        self.baseline += baselineEvents.seen(baseline?.openings ?? 0, at: time, apart: apart)
        isOpen = candidate?.isOpen ?? false
        baselineIsOpen = baseline?.isOpen ?? false
    }

    /// Whether it has opened on the candidate alone.
    var isAlone: Bool { candidate > 0 && baseline == 0 }

    /// The logarithm of the evidence that it opens on the candidate more often; each opening is one event.
    var logEvidence: Double { SignEvidence.logarithm(worse: candidate, better: baseline) }
}
