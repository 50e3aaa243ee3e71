// Wingmirror · Apache-2.0
// Sequence numbers: RFC 9293 §3.4.

/// A TCP sequence number, which wraps at 2³² and so has no order, only distances.
public struct SequenceNumber: Sendable, Hashable {
    /// The number as it stands in the header, in host byte order.
    public let rawValue: UInt32

    /// Makes a sequence number of the number in the header.
    @inlinable
    public init(_ rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// How far this number lies beyond `origin`; negative when it lies before it.
    ///
    /// The shorter way round is taken, so the answer is right for distances under 2³¹.
    public func distance(from origin: SequenceNumber) -> Int {
        Int(Int32(truncatingIfNeeded: rawValue &- origin.rawValue))
    }

    /// The number `octets` further on, modulo 2³².
    public func advanced(by octets: Int) -> SequenceNumber {
        SequenceNumber(rawValue &+ UInt32(truncatingIfNeeded: octets))
    }
}
