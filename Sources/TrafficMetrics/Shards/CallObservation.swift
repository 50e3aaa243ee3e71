// Wingmirror · Apache-2.0

/// What is counted of a gRPC call beside what every exchange has.
public struct CallObservation: Sendable {
    /// Messages of the client, as far as they were seen.
    public var requestMessages: Int
    /// Messages of the server, as far as they were seen.
    public var responseMessages: Int
    /// When the messages of a stream came; `nil` of a call with one message in each direction at most.
    public var stream: Stream?

    /// The times of a streaming call, all from the first octet of its request, in nanoseconds; below 0 counts as 0.
    public struct Stream: Sendable {
        /// To the first message of the response; `nil` where none was seen.
        public var firstMessageNanoseconds: Int64?
        /// To the last message of the response; `nil` where none was seen.
        public var lastMessageNanoseconds: Int64?
        /// To the last octet of the response; `nil` where that is not known.
        public var lifetimeNanoseconds: Int64?

        /// Makes the times of a stream.
        public init(
            firstMessageNanoseconds: Int64? = nil,
            lastMessageNanoseconds: Int64? = nil,
            lifetimeNanoseconds: Int64? = nil
        ) {
            self.firstMessageNanoseconds = firstMessageNanoseconds
            self.lastMessageNanoseconds = lastMessageNanoseconds
            self.lifetimeNanoseconds = lifetimeNanoseconds
        }
    }

    /// Makes an observation of its parts.
    public init(requestMessages: Int, responseMessages: Int, stream: Stream? = nil) {
        self.requestMessages = requestMessages
        self.responseMessages = responseMessages
        self.stream = stream
    }
}
