// Wingmirror · Apache-2.0

/// Figures of HTTP/2 that no exchange carries; they only grow.
public struct HTTP2Figures: Sendable, Hashable {
    /// By frame type as RFC 9113 §6 numbers them, and behind them all others.
    private var frames = SIMD16<UInt64>()
    /// Fields of requests whose names or values are not known, because octets were missed.
    public internal(set) var unknownRequestFields = 0
    /// The same of responses.
    public internal(set) var unknownResponseFields = 0
    /// Times that the places of table entries were found again behind a loss.
    public internal(set) var settledTables = 0
    /// Times that they were given up.
    public internal(set) var abandonedTables = 0

    /// Makes figures of nothing.
    init() {}

    /// The label values of frame types, in their order; the last stands for all that RFC 9113 does not have.
    public static let frameTypes = [
        "data", "headers", "priority", "rst_stream", "settings", "push_promise", "ping", "goaway", "window_update",
        "continuation", "unknown",
    ]

    /// How many frames there were of the type at an index of `frameTypes`.
    public func frames(at index: Int) -> Int { Int(truncatingIfNeeded: frames[index]) }

    /// A frame began.
    mutating func frameBegan(_ type: UInt8) {
        frames[min(Int(type), Self.frameTypes.count - 1)] &+= 1
    }

    /// Adds what was counted of other connections.
    mutating func add(_ other: HTTP2Figures) {
        frames &+= other.frames
        unknownRequestFields += other.unknownRequestFields
        unknownResponseFields += other.unknownResponseFields
        settledTables += other.settledTables
        abandonedTables += other.abandonedTables
    }
}
