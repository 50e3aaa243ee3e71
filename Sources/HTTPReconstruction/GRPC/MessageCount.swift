// Wingmirror · Apache-2.0

public import PacketDecoding

/// The messages of one direction of a gRPC call.
public struct MessageCount: Sendable, Hashable {
    /// How many messages came whole, as far as that is known.
    public private(set) var seen = 0
    /// Whether octets were missed so that it is not known where messages begin.
    public private(set) var isUncertain = false
    /// When the last octet of the first message was captured.
    public private(set) var first = PacketTime(nanoseconds: 0)
    /// When the last octet of the latest message was captured.
    public private(set) var latest = PacketTime(nanoseconds: 0)

    init() {}

    /// How many messages there were; `nil` where that is not known.
    public var count: Int? { isUncertain ? nil : seen }

    /// A message is over.
    mutating func messageEnded(at time: PacketTime) {
        if seen == 0 { first = time }
        latest = time
        seen += 1
    }

    /// Where messages begin is not known from here on.
    mutating func lose() {
        isUncertain = true
    }
}
