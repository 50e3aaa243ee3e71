// Wingmirror · Apache-2.0

import PacketDecoding

/// The octets that a segment brings, placed in its stream.
struct SegmentOctets {
    /// The stream offset of the first octet.
    private(set) var offset: Int64
    /// Where the captured octets lie in the frame.
    private(set) var captured: Range<Int>
    /// How many octets behind them the snapshot length cut off.
    private(set) var truncated: Int
    /// The stream offset at which the segment begins.
    let segmentOffset: Int64
    /// The stream offset at which it ends.
    let segmentEnd: Int64
    /// Whether the first octet is the first of the segment.
    private(set) var startsSegment = true
    /// What a wrong checksum puts in doubt.
    var doubt = Doubt.none
    /// What the segment acknowledges in the other stream.
    let acknowledged: Int64?
    /// When the segment was captured.
    let time: PacketTime

    /// Places the payload of `segment` at `offset`.
    init(_ segment: TCPSegment, offset: Int64, acknowledged: Int64?, time: PacketTime) {
        self.offset = offset
        segmentOffset = offset
        segmentEnd = offset + Int64(segment.payload.count + segment.truncatedOctets)
        captured = segment.payload
        truncated = segment.truncatedOctets
        self.acknowledged = acknowledged
        self.time = time
    }

    /// What is behind the first octet of `segment`, which is urgent and takes no place in the stream.
    init(followingUrgentOctetOf segment: SegmentOctets) {
        self = segment
        removeFirst(1)
        offset -= 1
    }

    /// How many octets, captured or not.
    var count: Int {
        captured.count + truncated
    }

    /// The offset behind the last octet.
    var end: Int64 {
        offset + Int64(count)
    }

    /// Drops `count` octets in front.
    mutating func removeFirst(_ count: Int) {
        guard count > 0 else {
            return
        }
        offset += Int64(count)
        let fromCaptured = min(count, captured.count)
        captured = captured.lowerBound + fromCaptured..<captured.upperBound
        truncated -= count - fromCaptured
        startsSegment = false
    }

    /// Drops `count` octets at the end.
    mutating func removeLast(_ count: Int) {
        let fromTruncated = min(count, truncated)
        truncated -= fromTruncated
        captured = captured.lowerBound..<captured.upperBound - (count - fromTruncated)
    }

    /// The octets from here up to `end`, which are taken off the front.
    mutating func takeFirst(upTo end: Int64) -> SegmentOctets {
        var first = self
        first.removeLast(Int(self.end - end))
        removeFirst(Int(end - offset))
        return first
    }
}
