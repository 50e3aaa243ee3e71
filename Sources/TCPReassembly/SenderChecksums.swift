// Wingmirror · Apache-2.0

import PacketDecoding

/// What the checksums of senders were worth so far.
///
/// A wrong checksum means a segment that its receiver will drop, or a sender whose network card was still to sum it up.
/// Which of them is the same for all that an interface shows of a sender: of a host's own segments all are wrong where it
/// leaves them to its card, of others' none. So senders are learned one by one, each on each interface; whatever was
/// forgotten for want of room is learned again.
struct SenderChecksums: ~Copyable {
    /// What is known of a sender on an interface.
    struct Record: BitwiseCopyable {
        /// Which sender, 0 for none.
        var key: UInt32 = 0
        /// Segments whose checksum is right, up to 255.
        var right: UInt8 = 0
        /// Those of them that bring octets, up to 255.
        var rightWithOctets: UInt8 = 0
        /// Segments whose checksum is wrong and that their receiver took all the same, or that were the first seen, up to 255.
        var wrong: UInt8 = 0
        /// How many bits the length of the longest payload has whose checksum is right.
        var rightLengthBits: UInt8 = 0

        /// Whether a wrong checksum means that the receiver drops the segment.
        ///
        /// Tools that change payloads leave checksums wrong, of segments with octets only. What is held for its checksum is
        /// delivered when the receiver acknowledges it, and then counts as `wrong`, so that little is staked on one right
        /// checksum.
        var isTrusted: Bool {
            right > 0 && Int(rightWithOctets) >= Int(wrong) * 8
        }

        /// Whether there is reason to believe that, where a payload was acknowledged, that was another copy, which was not
        /// captured.
        ///
        /// A card that sums up what it cuts into segments leaves those wrong that were cut, and the short ones, which were not,
        /// right: so a payload several times as long as any that was right is not judged by those.
        func isSure(ofLength length: Int) -> Bool {
            rightWithOctets >= 2 && Int(rightWithOctets) >= Int(wrong) * 8
                && Self.bits(length) <= rightLengthBits &+ 2
        }

        /// Whether another right checksum of a payload of `length` octets would change nothing.
        @inline(__always)
        func isFull(forLength length: Int) -> Bool {
            right & rightWithOctets == .max && Self.bits(length) <= rightLengthBits
        }

        /// Counts a right checksum of a payload of `length` octets.
        @inline(__always)
        mutating func noteRight(length: Int) {
            right = right.increased
            guard length > 0 else { return }
            rightWithOctets = rightWithOctets.increased
            rightLengthBits = max(rightLengthBits, Self.bits(length))
        }

        /// How many bits a length has.
        @inline(__always)
        static func bits(_ length: Int) -> UInt8 {
            UInt8(truncatingIfNeeded: Int.bitWidth - length.leadingZeroBitCount)
        }
    }

    /// 1,024 senders, in 8 KB; a newer one takes the place of an older.
    private static let capacity = 1024

    private var records = FixedBuffer<Record>(repeating: Record(), count: capacity)

    init() {}

    /// Where the record of the sender of `segment` on `interface` is, made anew if there is none.
    @inline(__always)
    mutating func place(of segment: TCPSegment, on interface: Int) -> Int {
        let (place, key) = Self.place(of: segment, on: interface)
        if records[place].key != key { records[place] = Record(key: key) }
        return place
    }

    /// The record at a place.
    subscript(place: Int) -> Record {
        records[place]
    }

    /// Takes note of a right checksum.
    @inline(__always)
    mutating func noteRight(_ segment: TCPSegment, at place: Int) {
        // Of most senders all is known that is counted.
        if !records[place].isFull(forLength: segment.payload.count) { add(segment, at: place) }
    }

    @inline(__always)
    private mutating func add(_ segment: TCPSegment, at place: Int) {
        records[place].noteRight(length: segment.payload.count)
    }

    /// Takes note of a wrong checksum that means nothing.
    mutating func noteWrong(at place: Int) {
        records[place].wrong = records[place].wrong.increased
    }

    @inline(__always)
    private static func place(of segment: TCPSegment, on interface: Int) -> (place: Int, key: UInt32) {
        let mixed = ConnectionIndex.mix(
            segment.source.address.high ^ UInt64(truncatingIfNeeded: interface) << 56 ^ 0xE703_7ED1_A0B4_28DB,
            segment.source.address.low ^ 0x9E37_79B9_7F4A_7C15
        )
        return (Int(truncatingIfNeeded: mixed) & (capacity - 1), UInt32(truncatingIfNeeded: mixed >> 32) | 1)
    }
}

extension UInt8 {
    /// One more, and no more than there can be.
    @inline(__always)
    fileprivate var increased: UInt8 { self == .max ? self : self &+ 1 }
}
