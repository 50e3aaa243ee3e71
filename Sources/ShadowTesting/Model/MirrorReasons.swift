// Wingmirror · Apache-2.0

public import AnswerComparison

/// Why a request that a policy looked at is not eligible; the label `reason` of `mirror_filtered_total`.
public enum FilterReason: String, Sendable, Hashable, CaseIterable {
    /// Neither safe nor allowed by the policy.
    case method
    /// A field or parameter says that it is really another method (X-HTTP-Method-Override, GraphQL over GET).
    case methodOverride = "method_override"
    /// On the deny list of paths.
    case path
    /// Marked as shadow traffic already.
    case marked
    /// Not seen whole.
    case integrity
    /// More content than the policy allows.
    case size
    /// Holds what a request to a target cannot carry: an upgrade, CONNECT, octets that are no text in a field.
    case unsendable
    /// A gRPC call with more or fewer than one message in a direction, whose copy would not say what was said when; or one
    /// whose final status is not known.
    case notComparable = "not_comparable"
    /// What must be redacted could not be found out, such as content that is said to be JSON and is none.
    case redaction
    /// A copy seen before: the same request on another interface or hop.
    case duplicate
}

/// Why a sampled request was not sent; the label `reason` of `mirror_dropped_total`.
public enum DropReason: String, Sendable, Hashable, CaseIterable {
    /// The queue, or the memory of all queues, was full.
    case queueFull = "queue_full"
    /// Over the rate of the target or the policy.
    case rate
    /// The breaker was open.
    case breaker
    /// Left out by the ramp.
    case ramp
    /// Left out by the back-off of a target that was pushed too hard.
    case backOff = "back_off"
    /// Mirroring was paused.
    case paused
    /// The target may not be sent to: its name or address is refused.
    case targetRefused = "target_refused"
    /// Waited longer than it is worth.
    case expired
    /// The policy or target went away with a reload.
    case reload
    /// The agent is ending.
    case shutdown
}

extension DropReason {
    /// What a request that was dropped for the reason means for a verdict: whether it was left out whatever the target does, or
    /// may have been left out because the target does badly.
    public var missedReason: MissedReason {
        switch self {
        case .ramp, .backOff, .rate, .paused, .targetRefused, .reload, .shutdown: .thinned
        case .breaker: .breaker
        case .queueFull, .expired: .dropped
        }
    }
}

/// Why mirroring is paused as a whole; the label `reason` of `mirror_paused`.
public enum PauseReason: String, Sendable, Hashable, CaseIterable {
    /// Somebody asked for it: the configuration, `POST /-/mirror/pause` or SIGUSR1.
    case request
    /// The kernel dropped packets.
    case kernelDrops = "kernel_drops"
    /// Memory ran short.
    case memory
    /// The agent used more processor time than allowed.
    case processor = "cpu"
    /// More octets were sent than allowed.
    case egress
    /// Marked requests arrived at production.
    case loop
}
