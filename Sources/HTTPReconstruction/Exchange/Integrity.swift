// Wingmirror · Apache-2.0

/// What is known to be missing or wrong about an exchange; empty for one seen whole.
public struct Integrity: OptionSet, Sendable, Hashable {
    /// One bit for each mark.
    public let rawValue: UInt32

    /// Makes a set of its bits.
    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// May have begun before the capture did.
    public static let joinedMidstream = Integrity(rawValue: 1 << 0)
    /// Octets of the request were not captured.
    public static let requestGap = Integrity(rawValue: 1 << 1)
    /// Octets of the response were not captured.
    public static let responseGap = Integrity(rawValue: 1 << 2)
    /// The snapshot length cut octets off.
    public static let truncatedCapture = Integrity(rawValue: 1 << 3)
    /// The connection ended, or went on, without a response.
    public static let noResponse = Integrity(rawValue: 1 << 4)
    /// The client reset the connection before the end.
    public static let resetByClient = Integrity(rawValue: 1 << 5)
    /// The server reset the connection before the end.
    public static let resetByServer = Integrity(rawValue: 1 << 6)
    /// The connection was closed before the length that framing promises.
    public static let closedEarly = Integrity(rawValue: 1 << 7)
    /// A message broke the rules of its protocol, and could not be read to its end.
    public static let malformed = Integrity(rawValue: 1 << 8)
    /// Framing fields contradict each other, so that recipients may disagree where the message ends.
    public static let framingConflict = Integrity(rawValue: 1 << 9)
    /// A field block referred to state that was not seen (HTTP/2).
    public static let unknownFieldBlock = Integrity(rawValue: 1 << 10)
    /// Request and response were put together from acknowledgement numbers, after a loss.
    public static let pairedByInference = Integrity(rawValue: 1 << 11)
    /// A limit of the agent was met.
    public static let limitReached = Integrity(rawValue: 1 << 12)
    /// The capture ended first.
    public static let interrupted = Integrity(rawValue: 1 << 13)
    /// The agent forgot the connection first, which was idle for too long or did not fit the table.
    public static let forgotten = Integrity(rawValue: 1 << 14)
    /// Times run backwards within the exchange, its directions were captured by two clocks, or packets came without times, so
    /// that it has no durations.
    public static let clockUnreliable = Integrity(rawValue: 1 << 15)
    /// Fields rest on a vote of field blocks after a loss (HTTP/2).
    public static let fieldsByInference = Integrity(rawValue: 1 << 16)

    /// The route hangs on the name in the client's TLS hello, which was not captured.
    public static let unknownServerName = Integrity(rawValue: 1 << 17)

    /// Every mark with its word in exchange records, in the order in which they are written.
    public static let words: [(mark: Integrity, word: String)] = [
        (.joinedMidstream, "joined_midstream"), (.requestGap, "request_gap"), (.responseGap, "response_gap"),
        (.truncatedCapture, "truncated_capture"), (.noResponse, "no_response"), (.resetByClient, "reset_by_client"),
        (.resetByServer, "reset_by_server"), (.closedEarly, "closed_early"), (.malformed, "malformed"),
        (.framingConflict, "framing_conflict"), (.unknownFieldBlock, "unknown_field_block"),
        (.fieldsByInference, "fields_by_inference"), (.unknownServerName, "unknown_server_name"),
        (.pairedByInference, "paired_by_inference"), (.limitReached, "limit_reached"), (.forgotten, "forgotten"),
        (.clockUnreliable, "clock_unreliable"),
        (.interrupted, "interrupted"),
    ]
}
