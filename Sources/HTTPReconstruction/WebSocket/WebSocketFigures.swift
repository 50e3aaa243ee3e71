// Wingmirror · Apache-2.0
// What a WebSocket carried, RFC 6455.

public import PacketDecoding

/// Frames, octets and the end of a WebSocket.
public struct WebSocketFigures: Sendable, Hashable {
    /// What the client sent.
    public internal(set) var request = Direction()
    /// What the server sent.
    public internal(set) var response = Direction()
    /// The first close frame, if one was seen.
    public internal(set) var close: Close?
    /// From the last octet of a ping to the last of the pong that answers it, in nanoseconds; the latest few.
    public internal(set) var pingNanoseconds: [Int64] = []
    /// When the WebSocket began: with the head that accepts it.
    public internal(set) var began = PacketTime(nanoseconds: 0)
    /// When its latest octet was captured.
    public internal(set) var latest = PacketTime(nanoseconds: 0)

    /// What one side sent.
    public struct Direction: Sendable, Hashable {
        /// Frames that begin a message of text.
        public internal(set) var textFrames = 0
        /// Frames that begin a message of octets.
        public internal(set) var binaryFrames = 0
        /// Frames that continue a message.
        public internal(set) var continuationFrames = 0
        /// Frames that end the WebSocket.
        public internal(set) var closeFrames = 0
        /// Pings.
        public internal(set) var pingFrames = 0
        /// Pongs, asked for or not.
        public internal(set) var pongFrames = 0
        /// Messages of text that came to their last frame.
        public internal(set) var textMessages = 0
        /// The same of octets.
        public internal(set) var binaryMessages = 0
        /// Octets of payload, as they are on the wire: compressed, where an extension compresses.
        public internal(set) var payloadBytes = 0
        /// Octets with the frame headers.
        public internal(set) var wireBytes = 0
        /// Whether octets were missed, so that the counts are too low.
        public internal(set) var isUncertain = false
        /// Whether something came that is no frame.
        public internal(set) var isMalformed = false

        init() {}

        var frameCount: Int {
            textFrames + binaryFrames + continuationFrames + closeFrames + pingFrames + pongFrames
        }
    }

    /// How a WebSocket was ended by one side.
    public struct Close: Sendable, Hashable {
        /// The code; `nil` where the frame has none (RFC 6455 §7.1.5).
        public let code: UInt16?
        /// Whether the client said it first.
        public let isByClient: Bool
    }

    init() {}

    /// From the head that accepts it to the latest octet, in nanoseconds.
    public var lifetimeNanoseconds: Int64 { latest.nanoseconds(since: began) }
}
