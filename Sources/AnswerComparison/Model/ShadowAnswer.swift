// Wingmirror · Apache-2.0

public import TrafficModel

/// What became of one copy of a request at one target.
public struct ShadowAnswer: Sendable {
    /// The answer, or why there is none.
    public var result: Result<RecordedResponse, ShadowFailure>
    /// When the copy was to be sent, in nanoseconds since the Unix epoch.
    public var intendedTime: Int64
    /// How long the copy waited for its turn, in nanoseconds; not part of the latency.
    public var queueNanoseconds: Int64
    /// From sending to the head of the answer, in nanoseconds.
    public var firstByteNanoseconds: Int64
    /// From sending to the last octet of the answer, or to the failure, in nanoseconds.
    public var durationNanoseconds: Int64
    /// Whether the request was sent once more, because a connection that had been used before was closed before it was answered.
    public var isOfSecondSending = false

    /// Makes an answer of its parts.
    public init(
        result: Result<RecordedResponse, ShadowFailure>,
        intendedTime: Int64 = 0,
        queueNanoseconds: Int64 = 0,
        firstByteNanoseconds: Int64 = 0,
        durationNanoseconds: Int64 = 0
    ) {
        self.result = result
        self.intendedTime = intendedTime
        self.queueNanoseconds = queueNanoseconds
        self.firstByteNanoseconds = firstByteNanoseconds
        self.durationNanoseconds = durationNanoseconds
    }

    /// Whether the copy ran out of time where production itself took about as long as that, so that nothing follows.
    ///
    /// Production's time is from the first octet of the request to the last of the response.
    public func ranOutOfTime(beside production: RecordedExchange) -> Bool {
        guard case .failure(.timeout) = result, durationNanoseconds > 0 else { return false }
        return Double(production.durationNanoseconds ?? 0) >= Self.nearTimeout * Double(durationNanoseconds)
    }

    /// From which share of the time that a copy is given on production is as slow as that.
    private static let nearTimeout = 0.8

    /// The answer, if there is one.
    public var response: RecordedResponse? {
        switch result {
        case .success(let response): response
        case .failure: nil
        }
    }
}
