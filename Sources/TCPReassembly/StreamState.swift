// Wingmirror · Apache-2.0

import PacketDecoding

/// What is kept of one direction of a connection.
struct StreamState: BitwiseCopyable {
    /// How much is known of the sequence number at offset 0.
    enum Origin: UInt8 {
        /// Nothing. Next: `assumed`, `certain`.
        case unknown
        /// A first guess, from the first sequence or acknowledgement number seen; it may still move. Next: `certain`.
        case assumed
        /// From the handshake, or because the sink was told offsets that rest on it.
        case certain
    }

    /// The offset of the next octet to deliver.
    var next: Int64 = 0
    /// How far the other side has acknowledged this stream.
    var acknowledged: Int64 = 0
    /// The latest capture time of what was delivered, before that when the connection was first seen, in nanoseconds
    /// since the epoch.
    var time: Int64 = 0
    /// The sequence number of offset 0.
    var originNumber: UInt32 = 0
    /// How much that number is worth.
    var origin = Origin.unknown
    /// Whether a segment of this direction was captured.
    var isSeen = false
    /// Whether `streamEnded` was reported.
    var isEnded = false
    /// `endIsPresumed`, `isAbsent`, `verifiesChecksums`, `isFinished` and `isSynchronized`, in one octet so that two streams and their
    /// connection fill two cache lines.
    private var marks: UInt8 = 0

    /// Whether the other side acknowledged one octet beyond the last and nothing followed: a FIN that was not captured.
    var endIsPresumed: Bool {
        get { marks & 1 != 0 }
        set { marks = newValue ? marks | 1 : marks & ~1 }
    }

    /// Whether the other direction was held back for segments of this one, and none came in time.
    var isAbsent: Bool {
        get { marks & 2 != 0 }
        set { marks = newValue ? marks | 2 : marks & ~2 }
    }

    /// Whether a wrong checksum means that the receiver will drop the segment; see `SenderChecksums`.
    var verifiesChecksums: Bool {
        @inline(__always) get { marks & 4 != 0 }
        set { marks = newValue ? marks | 4 : marks & ~4 }
    }

    /// Whether a FIN ended it, so that nothing lies beyond.
    var isFinished: Bool {
        get { marks & 8 != 0 }
        set { marks = newValue ? marks | 8 : marks & ~8 }
    }

    /// Whether a handshake says where it begins, and not only what was seen of it.
    var isSynchronized: Bool {
        get { marks & 16 != 0 }
        set { marks = newValue ? marks | 16 : marks & ~16 }
    }

    /// The sequence number that the next octet has.
    @inline(__always) var expectedNumber: UInt32 {
        originNumber &+ UInt32(truncatingIfNeeded: next)
    }

    /// As far as this stream is known to reach: no sequence number that fits lies far from it.
    @inline(__always) var frontier: Int64 {
        max(next, acknowledged)
    }

    /// Takes note of when octets were captured, and gives the time to report for them.
    ///
    /// Octets that were captured a little before those in front of them were only complete with these; where they lie
    /// further back than `tolerance`, a clock was set back, and the packet's own time is the truth.
    @inline(__always)
    mutating func timeReached(by own: Int64, tolerating tolerance: Int64) -> Int64 {
        // Times of packets may be anything: a difference beyond the range wraps.
        let lateness = time &- own
        if lateness < 0 || lateness > tolerance {
            time = own
        }
        return time
    }

    /// Where `number` lies in the stream, taking the way round that is nearer to the frontier.
    func offset(of number: SequenceNumber) -> Int64 {
        let reference = frontier
        let origin = SequenceNumber(originNumber &+ UInt32(truncatingIfNeeded: reference))
        return reference + Int64(number.distance(from: origin))
    }

    /// Sets the sequence number of offset 0 as a handshake says it.
    mutating func synchronize(to number: SequenceNumber) {
        setOrigin(number, .certain)
        isSynchronized = true
    }

    /// Sets the sequence number of offset 0, moving along what was counted from the old one.
    mutating func setOrigin(_ number: SequenceNumber, _ certainty: Origin) {
        if origin != .unknown {
            let shift = SequenceNumber(originNumber).distance(from: number)
            acknowledged = max(0, acknowledged + Int64(shift))
        }
        originNumber = number.rawValue
        origin = certainty
    }
}
