// Wingmirror · Apache-2.0

/// What pairs of answers of one version say of the values at a place.
enum Volatility: Sendable, Hashable {
    /// Too few pairs, or too few differences, to say.
    case unknown
    /// Equal for like requests, as far as the pairs can tell.
    case stable
    /// Another one each time, or often.
    case volatile

    /// Judges by Wilson's interval.
    ///
    /// Calling a place stable takes some hundreds of pairs, since none that differ among k still allow 3 ÷ k; a place may be
    /// called volatile earlier, when even the lower end is above the limit.
    init(differing: UInt64, of pairs: UInt64, limits: VerdictLimits) {
        if pairs >= UInt64(limits.learningPairs) {
            self = WilsonInterval.upper(differing, of: pairs) > limits.volatileShare ? .volatile : .stable
        } else if pairs >= UInt64(limits.learningPairs / 10) {
            self = WilsonInterval.lower(differing, of: pairs) > limits.volatileShare ? .volatile : .unknown
        } else {
            self = .unknown
        }
    }

    /// Whether a difference counts at a place of which this is known.
    func counts(_ difference: AnswerDifference) -> Bool {
        switch difference.expectation {
        case .infrastructure: false
        case .volatile: !difference.hasEqualShape
        case .presumedVolatile: !difference.hasEqualShape || self == .stable
        case .stable: !difference.hasEqualShape || self != .volatile
        }
    }
}

extension AnswerDifference {
    /// Whether the difference says nothing even of noise: the values are new each time by definition.
    var isExpected: Bool {
        switch expectation {
        case .infrastructure: true
        case .volatile: hasEqualShape
        case .presumedVolatile, .stable: false
        }
    }
}
