// Wingmirror · Apache-2.0
// Pipelining: RFC 9112 §9.3.2.

/// How a client was seen to time its requests, which decides what a quiet moment proves after a loss.
///
/// A *round* is what a client sends between two moments at which, as far as acknowledgement numbers tell, everything
/// asked had been answered. A client that waits for all answers makes rounds that are complete: as many responses as
/// requests. A client that keeps a window of requests open (h2load, undici) looks alike at every such moment, but its
/// rounds are carried over, and pairing by rounds would be wrong by the width of the window.
struct RequestRhythm {
    private var latest = OptionalOffset()
    /// The longest that a request waited for its answer, among pairs that are certain; before there is one, the longest from
    /// a request to the next response, whichever request that answers.
    private var longest: Int64 = 0
    private var requests: UInt16 = 0
    private var responses: UInt16 = 0
    private(set) var habit = Habit.waits
    private var mayMissMessages = false
    /// Whether `longest` is of a pair that is certain.
    private var longestIsCertain = false

    /// How far the latest request acknowledges the responses.
    var latestAcknowledged: Int64? { latest.offset }

    enum Habit: UInt8 {
        /// One request at a time, so far.
        case waits
        /// Several requests at once; whether it then waits for all answers is not known yet.
        case pipelines
        /// Several requests at once, and the next when all are answered.
        case pipelinesInRounds
        /// Requests are sent while others are open; never left again.
        case slides
    }

    /// Whether a quiet moment proves that everything asked has been answered.
    var quietMeansAnswered: Bool {
        habit == .waits || habit == .pipelinesInRounds
    }

    /// Whether the client sends one request at a time, and was seen to wait for an answer.
    var hasWaited: Bool { habit == .waits && longestIsCertain }

    /// A request began.
    /// - Parameters:
    ///   - acknowledged: How far it acknowledges the responses.
    ///   - isQuiet: Whether everything asked before seems to be answered.
    mutating func requestBegan(acknowledged: Int64?, isQuiet: Bool) {
        if isQuiet {
            closeRound()
        } else if acknowledged != nil, acknowledged == latestAcknowledged {
            if habit == .waits { habit = .pipelines }
        } else if requests > 0, !mayMissMessages, acknowledged != nil {
            // With messages missing the answers may be among them, so that the round proves nothing.
            habit = .slides
        }
        requests &+= 1
        latest = OptionalOffset(acknowledged)
    }

    /// A final response began.
    /// - Parameters:
    ///   - answerTime: How long its request waited for it, in nanoseconds; `nil` when that is not certain.
    ///   - delay: How long ago the latest request was seen, in nanoseconds.
    @inline(__always)
    mutating func responseBegan(after answerTime: Int64?, delay: Int64) {
        responses &+= 1
        if longestIsCertain {
            longest = max(longest, answerTime ?? 0)
        } else if let answerTime, answerTime > 0 {
            (longest, longestIsCertain) = (answerTime, true)
        } else if requests > 0, responses == 1 {
            longest = max(longest, delay)
        }
    }

    /// How long a server must be silent, in nanoseconds, before nothing asked of it is taken to be open.
    ///
    /// Whatever the client's habit, a server that owes an answer gives it; eight times the longest that it took before is
    /// late enough. Without an example that is certain more is asked for, and without any a limit says.
    func patience(_ limits: HTTPLimits) -> Int64 {
        if longestIsCertain { return max(longest &* 8, limits.leastQuietNanoseconds) }
        return longest > 0 ? max(longest &* 8, limits.leastQuietNanoseconds &* 5) : limits.quietNanoseconds
    }

    /// Heads may have been lost.
    mutating func headsMayBeMissing() {
        mayMissMessages = true
    }

    private mutating func closeRound() {
        if !mayMissMessages, requests > 0 {
            if requests != responses {
                habit = .slides
            } else if requests > 1, habit == .pipelines {
                habit = .pipelinesInRounds
            }
        }
        requests = 0
        responses = 0
        mayMissMessages = false
    }
}
