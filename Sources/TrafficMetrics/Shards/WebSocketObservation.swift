// Wingmirror · Apache-2.0

/// What is counted of a WebSocket that is over.
public struct WebSocketObservation: Sendable {
    /// What the client sent.
    public var request: Direction
    /// What the server sent.
    public var response: Direction
    /// How it was closed.
    public var closeCode: CloseCodeLabel
    /// From the head that accepted it to its latest octet.
    public var lifetimeNanoseconds: Int64
    /// From pings to their pongs, of either side.
    public var pingNanoseconds: [Int64]
    /// When the request began, in nanoseconds since the Unix epoch.
    public var startedAt: Int64

    /// What one side sent.
    public struct Direction: Sendable {
        /// Messages of text.
        public var textMessages: Int
        /// Messages of octets.
        public var binaryMessages: Int
        /// Pings.
        public var pings: Int
        /// Pongs.
        public var pongs: Int
        /// Octets of payload, as they are on the wire.
        public var payloadBytes: Int

        /// Makes a direction of its parts.
        public init(
            textMessages: Int = 0,
            binaryMessages: Int = 0,
            pings: Int = 0,
            pongs: Int = 0,
            payloadBytes: Int = 0
        ) {
            self.textMessages = textMessages
            self.binaryMessages = binaryMessages
            self.pings = pings
            self.pongs = pongs
            self.payloadBytes = payloadBytes
        }
    }

    /// Makes an observation of its parts.
    public init(
        request: Direction,
        response: Direction,
        closeCode: CloseCodeLabel,
        lifetimeNanoseconds: Int64,
        pingNanoseconds: [Int64] = [],
        startedAt: Int64
    ) {
        self.request = request
        self.response = response
        self.closeCode = closeCode
        self.lifetimeNanoseconds = lifetimeNanoseconds
        self.pingNanoseconds = pingNanoseconds
        self.startedAt = startedAt
    }
}
