// Wingmirror · Apache-2.0

import PacketDecoding

/// Segments of a connection whose numbers lie far from all that was seen of it, but close to one another.
///
/// A single such segment is not believed: anyone can send one. A few in a row, from both sides, that continue and
/// acknowledge each other can only come from the two ends: then the capture has missed a great deal, or has missed the
/// end of the connection and the handshake of the next one.
struct Jump: BitwiseCopyable {
    /// What is known of one stream where it may have come to.
    struct Stream: BitwiseCopyable {
        /// The lowest number seen or acknowledged.
        var first: UInt32 = 0
        /// The number that follows the highest.
        var next: UInt32 = 0
        /// The number of the FIN, when one was seen.
        var end: UInt32 = 0
        /// How far the other side acknowledged.
        var acknowledged: UInt32 = 0
        /// Whether `first` and `next` mean anything.
        var isKnown = false
        /// Whether `acknowledged` means anything.
        var isAcknowledged = false
        /// Whether `end` means anything.
        var hasEnd = false
        /// Whether a segment of this stream was seen, and not only acknowledgements of it.
        var isSeen = false
    }

    /// Stands for no jump.
    static var none: Jump { Jump() }

    var fromOriginator = Stream()
    var fromResponder = Stream()
    /// Segments in a row.
    var segments = 0
    /// Segments that lay exactly where those before them had said.
    var agreements = 0
    /// The octets of these segments, held in the order in which they came.
    var head = HeldSegment.none
    var tail = HeldSegment.none
    /// How many blocks those take.
    var blocks = 0
    /// When the first was captured, in nanoseconds since the epoch.
    var time: Int64 = 0

    /// Whether there is any such segment.
    var exists: Bool {
        segments > 0
    }

    /// What is known of the stream of a direction.
    subscript(direction: StreamDirection) -> Stream {
        get { direction == .fromOriginator ? fromOriginator : fromResponder }
        set {
            if direction == .fromOriginator { fromOriginator = newValue } else { fromResponder = newValue }
        }
    }

    /// Whether both sides were seen.
    var isMutual: Bool {
        fromOriginator.isSeen && fromResponder.isSeen
    }

    /// Adds a segment of a direction.
    mutating func note(_ segment: TCPSegment, _ direction: StreamDirection) {
        var own = self[direction]
        var other = self[direction.reversed]
        let first = segment.sequenceNumber
        let end = first.advanced(by: segment.payload.count + segment.truncatedOctets)
        let acknowledged = segment.acknowledgementNumber
        if own.isKnown, other.isKnown, first.rawValue == own.next, acknowledged.rawValue == other.next {
            agreements += 1
        }
        if !own.isKnown || first.distance(from: SequenceNumber(own.first)) < 0 {
            own.first = first.rawValue
        }
        if segment.flags.contains(.fin) {
            own.hasEnd = true
            own.end = end.rawValue
        }
        let next = end.advanced(by: segment.flags.contains(.fin) ? 1 : 0)
        if !own.isKnown || next.distance(from: SequenceNumber(own.next)) > 0 {
            own.next = next.rawValue
        }
        own.isKnown = true
        own.isSeen = true
        if !other.isKnown {
            other.first = acknowledged.rawValue
        }
        if !other.isKnown || acknowledged.distance(from: SequenceNumber(other.next)) > 0 {
            other.next = acknowledged.rawValue
        }
        if !other.isAcknowledged || acknowledged.distance(from: SequenceNumber(other.acknowledged)) > 0 {
            other.acknowledged = acknowledged.rawValue
            other.isAcknowledged = true
        }
        other.isKnown = true
        self[direction] = own
        self[direction.reversed] = other
        segments += 1
    }
}
