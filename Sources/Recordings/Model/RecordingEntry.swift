// Wingmirror · Apache-2.0

public import TrafficModel

/// One exchange of a recording, with the answers that earlier replays of it got.
public struct RecordingEntry: Sendable {
    /// What production was asked, and answered.
    public var exchange: RecordedExchange
    /// What a target answered when the request was replayed before; only `.gor` files hold such answers.
    public var replayed: [ReplayedAnswer]

    /// Makes an entry.
    public init(exchange: RecordedExchange, replayed: [ReplayedAnswer] = []) {
        self.exchange = exchange
        self.replayed = replayed
    }
}

/// A target's answer to a recorded request.
public struct ReplayedAnswer: Sendable {
    /// When the replay began, in nanoseconds since the Unix epoch.
    public var time: Int64
    /// From sending to the last octet of the answer, in nanoseconds, where it was noted.
    public var roundTripNanoseconds: Int64?
    /// The answer; `nil` for one that is no HTTP, or that ends early.
    public var response: RecordedResponse?
    /// Whether an answer that is not there ends early.
    public var isCut = false

    /// Makes an answer of its parts.
    public init(time: Int64, roundTripNanoseconds: Int64?, response: RecordedResponse) {
        self.time = time
        self.roundTripNanoseconds = roundTripNanoseconds
        self.response = response
    }

    /// Makes an answer that cannot be read.
    public init(time: Int64, roundTripNanoseconds: Int64?, isCut: Bool) {
        self.time = time
        self.roundTripNanoseconds = roundTripNanoseconds
        self.isCut = isCut
    }
}

/// A recording that has been read whole.
public struct Recording: Sendable {
    /// Its exchanges, the earliest request first; those of one moment in the order of the files.
    public let entries: RecordingEntries
    /// What it does not hold.
    public var losses: RecordingLosses

    /// Makes a recording of exchanges in any order.
    public init(entries: [RecordingEntry], losses: RecordingLosses = RecordingLosses()) {
        self.init(RecordingEntries(entries), losses: losses)
    }

    /// Makes a recording of exchanges that are kept.
    public init(_ entries: RecordingEntries, losses: RecordingLosses = RecordingLosses()) {
        self.entries = entries
        self.losses = losses
    }
}
