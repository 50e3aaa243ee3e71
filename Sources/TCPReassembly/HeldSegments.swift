// Wingmirror · Apache-2.0

import PacketDecoding

/// A piece of a segment that waits to be delivered, at most one block long; or octets that the snapshot length cut off.
struct HeldSegment: BitwiseCopyable {
    /// Stands for no segment.
    static let none = UInt32.max

    /// The stream offset of the first octet.
    var offset: Int64
    /// How many octets.
    let count: Int
    /// Whether the octets are missing from the capture rather than held.
    let isTruncated: Bool
    /// The stream offset at which the segment begins that these octets are of.
    var segmentOffset: Int64
    /// The stream offset at which it ends.
    var segmentEnd: Int64
    /// Whether the first octet is the first of a captured segment.
    let startsSegment: Bool
    /// Whether the octets are what was sent.
    var doubt: Doubt
    /// Which way the octets flow.
    let direction: StreamDirection
    /// What the segment acknowledges in the other stream.
    var acknowledged: Int64?
    /// When it was captured, in nanoseconds since the epoch.
    let time: Int64
    /// The same on the clock.
    let arrivalTime: Int64
    /// The connection's `arrivals` then.
    let arrivals: Int
    /// The interface it was captured on.
    let interface: UInt8
    /// The held segment that follows in the stream.
    var next = none

    /// Describes a piece of a segment that arrives now, on the clock and by its interface.
    init(
        _ part: SegmentOctets,
        direction: StreamDirection,
        arrival clock: borrowing PacketClock,
        arrivals: Int,
        next: UInt32 = none
    ) {
        offset = part.offset
        count = part.count
        isTruncated = part.captured.isEmpty
        segmentOffset = part.segmentOffset
        segmentEnd = part.segmentEnd
        startsSegment = part.startsSegment
        doubt = part.doubt
        self.direction = direction
        acknowledged = part.acknowledged
        time = part.time.nanoseconds
        arrivalTime = clock.now
        interface = UInt8(clamping: clock.current)
        self.arrivals = arrivals
        self.next = next
    }

    /// The offset behind the last octet.
    var end: Int64 {
        offset + Int64(count)
    }

    /// Whether receivers take the octets of another segment where it overlaps this one.
    func yields(to other: SegmentOctets) -> Bool {
        other.segmentOffset < segmentOffset || other.segmentOffset == segmentOffset && other.segmentEnd > segmentEnd
    }
}

/// What a wrong checksum says against octets that are held.
struct Doubt: BitwiseCopyable, Equatable {
    /// The checksum is right, or says nothing.
    static let none = Doubt(sender: -1, isSure: false)

    /// Where the sender's record is in `SenderChecksums`; negative without doubt.
    let sender: Int16
    /// Whether the sender's checksums were right often enough that no receiver is believed to have taken the segment.
    let isSure: Bool

    /// Whether the octets may be other than those sent.
    var exists: Bool { sender >= 0 }
}

/// The pool of octets that wait, in blocks of one size; the headers of the segments lie in a table beside it.
struct HeldSegments: ~Copyable {
    /// Octets in a block: room for a segment of the usual size, so that most need one block.
    static let blockOctets = 2048

    private var slots: SlotPool
    private var segments: FixedBuffer<HeldSegment>
    private var octets: FixedBuffer<UInt8>
    /// Octets held at present, not counting room left in blocks.
    private(set) var octetCount = 0

    /// Makes a pool of `blocks` blocks.
    init(blocks: Int) {
        slots = SlotPool(capacity: blocks)
        segments = FixedBuffer(capacity: blocks)
        octets = FixedBuffer(capacity: blocks * Self.blockOctets)
    }

    /// How many blocks there are.
    var capacity: Int {
        slots.capacity
    }

    /// How many blocks are free.
    var availableBlocks: Int {
        slots.available
    }

    /// The held segment with a given number.
    subscript(number: UInt32) -> HeldSegment {
        segments[Int(number)]
    }

    /// Keeps a segment and a copy of its octets, and says under which number.
    mutating func insert(_ segment: HeldSegment, octets copied: Span<UInt8>) -> UInt32 {
        let number = slots.acquire()
        segments[number] = segment
        if !segment.isTruncated {
            octets.copy(copied, to: number * Self.blockOctets)
            octetCount += segment.count
        }
        return UInt32(number)
    }

    /// Changes what is said of a held segment, whose octets stay.
    mutating func replace(_ number: UInt32, by segment: HeldSegment) {
        segments[Int(number)] = segment
    }

    /// Sets what follows a held segment.
    mutating func link(_ number: UInt32, to next: UInt32) {
        segments[Int(number)].next = next
    }

    /// Places a held segment so many octets further on in its stream, as that begins earlier than was thought.
    mutating func moved(_ number: UInt32, by count: Int64) {
        segments[Int(number)].offset += count
        segments[Int(number)].segmentOffset += count
        segments[Int(number)].segmentEnd += count
    }

    /// Counts what a held segment acknowledges from an origin that lies so many octets before the old one.
    mutating func acknowledgementMoved(of number: UInt32, by count: Int64) {
        segments[Int(number)].acknowledged = segments[Int(number)].acknowledged.map { $0 + count }
    }

    /// Forgets a held segment.
    mutating func remove(_ number: UInt32) {
        if !segments[Int(number)].isTruncated {
            octetCount -= segments[Int(number)].count
        }
        slots.release(Int(number))
    }

    /// How many of `octets`, which lie at `offset` of the stream, differ from those held.
    func differences(_ number: UInt32, from offset: Int64, to octets: Span<UInt8>) -> Int {
        let segment = segments[Int(number)]
        guard !segment.isTruncated else {
            return 0
        }
        return self.octets.differences(
            from: Int(number) * Self.blockOctets + Int(offset - segment.offset),
            to: octets
        )
    }

    /// Puts `octets`, which lie at `offset` of the stream, in the place of those held.
    mutating func overwrite(_ number: UInt32, from offset: Int64, with octets: Span<UInt8>) {
        self.octets.copy(octets, to: Int(number) * Self.blockOctets + Int(offset - segments[Int(number)].offset))
    }

    /// Takes a held segment, of which `other` brings octets, for a part of that one.
    mutating func joined(_ number: UInt32, to other: SegmentOctets) {
        segments[Int(number)].segmentOffset = other.segmentOffset
        segments[Int(number)].segmentEnd = other.segmentEnd
    }

    /// Lends the held octets to `sink`.
    func deliver<Sink: StreamSink & ~Copyable>(
        _ number: UInt32,
        at position: StreamPosition,
        slot: Int,
        into sink: inout Sink
    ) {
        octets.deliver(
            from: Int(number) * Self.blockOctets,
            count: segments[Int(number)].count,
            at: position,
            slot: slot,
            into: &sink
        )
    }
}
