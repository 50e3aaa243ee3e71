// Wingmirror · Apache-2.0

public import AnswerComparison
public import TrafficModel

/// A sampled exchange that has entered the queue, shared by its copies to all targets of its policy.
public final class MirrorTicket: Sendable {
    /// The number of the exchange, in the order of entering.
    public let serial: UInt64
    /// The policy that sampled it, as it was then.
    public var policy: MirrorPolicy { shared.settings }
    /// What all tickets of a policy share.
    let shared: SharedPolicy
    /// The exchange and its key.
    public let sampled: SampledExchange
    /// When its copies were to be sent, in nanoseconds since the Unix epoch.
    public let intendedTime: Int64
    /// What it counts against the memory budget, in octets.
    let octets: Int

    init(serial: UInt64, policy: SharedPolicy, sampled: SampledExchange, intendedTime: Int64, octets: Int) {
        self.serial = serial
        shared = policy
        self.sampled = sampled
        self.intendedTime = intendedTime
        self.octets = octets
    }

    /// The exchange.
    public var exchange: RecordedExchange { sampled.exchange }
}

/// The settings of a policy, which many exchanges refer to without copying them.
final class SharedPolicy: Sendable {
    let settings: MirrorPolicy
    /// How long a copy is worth sending.
    let maximumLag: Duration

    init(_ settings: MirrorPolicy) {
        self.settings = settings
        maximumLag = settings.comparison.maximumLag
    }
}

/// One exchange on its way to one target.
public struct MirrorCopy: Sendable {
    /// The exchange.
    public let ticket: MirrorTicket
    /// The target's name.
    public let target: String
    /// Whether the copy should be sent a second time once the first is answered, to learn how far the target differs from
    /// itself (design D1).
    public let isRepeated: Bool
    /// Its place in the random order in which the targets of the exchange were told of it, from 0.
    public let turn: Int
    /// Where its counts are.
    let lane: Int
    /// Where its target is.
    let targetPlace: Int
}

/// What became of an exchange at every target of its policy; handed to the judge.
public struct FinishedExchange: Sendable {
    /// What became of it at one target.
    public struct Fate: Sendable {
        /// What can become of a copy.
        public enum Outcome: Sendable {
            /// It was sent; the answer, or why there is none.
            case sent(ShadowAnswer)
            /// It was not sent.
            case dropped(DropReason)
            /// It turned out to be not eligible when it was built.
            case filtered(FilterReason)
        }

        /// The target's name.
        public let target: String
        /// Whether the target is the policy's baseline, against which the others are judged.
        public let isBaseline: Bool
        /// Its place in the random order in which the targets were told, from 0.
        public let turn: Int
        /// What became of the copy.
        public let outcome: Outcome
        /// The answer to the second copy, where one was sent.
        public let repeated: ShadowAnswer?

        /// Why the copy was not sent; `nil` when it was, or turned out to be not eligible.
        public var dropReason: DropReason? {
            if case .dropped(let reason) = outcome { reason } else { nil }
        }
    }

    /// The exchange.
    public let ticket: MirrorTicket
    /// One for each target, in the order of the policy, the baseline last.
    public let fates: [Fate]

    /// The baseline's answer, or why it has none; `nil` when there is no baseline or its copy was not sent.
    public var baseline: ShadowAnswer? {
        guard case .sent(let answer) = fates.first(where: \.isBaseline)?.outcome else { return nil }
        return answer
    }
}
