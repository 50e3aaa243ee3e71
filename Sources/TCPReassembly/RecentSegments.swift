// Wingmirror · Apache-2.0

import PacketDecoding

/// Remembers where a segment was seen last, to tell a packet seen twice from a segment sent twice.
///
/// A direct-mapped table of one word per entry: half a fingerprint of the segment's headers, the interface, and the
/// time. A newer segment simply takes the place of an older one: what is forgotten is counted as a retransmission.
struct RecentSegments: ~Copyable {
    private static let entryCount = 4096
    /// The unit of the stored time is 2^16 ns; 24 bits of it wrap after 18 minutes.
    private static let tickShift: Int64 = 16
    private static let tickMask: UInt64 = 0xFF_FFFF

    private var entries = FixedBuffer<UInt64>(repeating: 0, count: entryCount)
    private let windowTicks: UInt64

    /// Makes an empty memory that takes a segment for the same one within `window` nanoseconds.
    init(window: Int64) {
        windowTicks = UInt64(clamping: window >> Self.tickShift)
    }

    /// Whether the same packet was just seen; if not, remembers it.
    ///
    /// On another interface it is the same when its headers are. On the same interface, as on a mirror port that copies
    /// both ways, it must carry an IPv4 identification too, since what is sent again is given a new one.
    ///
    /// `hash` is that of the connection's addresses.
    mutating func wasSeenBefore(_ segment: TCPSegment, hash: UInt64, interface: Int, now: Int64) -> Bool {
        let fingerprint = Self.fingerprint(segment, hash: hash)
        let position = Int(truncatingIfNeeded: fingerprint) & (Self.entryCount - 1)
        let tick = UInt64(bitPattern: now >> Self.tickShift) & Self.tickMask
        let known = entries[position]
        let seenOn = (known >> 24) & 0xFF
        let interface = UInt64(truncatingIfNeeded: interface) & 0xFF
        if known >> 32 == fingerprint >> 32, seenOn != interface || segment.identification != 0,
            (tick &- known) & Self.tickMask <= windowTicks
        {
            return true
        }
        entries[position] = (fingerprint >> 32) << 32 | interface << 24 | tick
        return false
    }

    /// Forgets a segment, so that a better copy of it is not taken for the same.
    mutating func forget(_ segment: TCPSegment, hash: UInt64) {
        let fingerprint = Self.fingerprint(segment, hash: hash)
        let position = Int(truncatingIfNeeded: fingerprint) & (Self.entryCount - 1)
        if entries[position] >> 32 == fingerprint >> 32 { entries[position] = 0 }
    }

    @inline(__always)
    private static func fingerprint(_ segment: TCPSegment, hash: UInt64) -> UInt64 {
        let numbers =
            UInt64(segment.sequenceNumber.rawValue) << 32 | UInt64(segment.acknowledgementNumber.rawValue)
        // Both are at most the length of an IP packet.
        let length = UInt64(truncatingIfNeeded: segment.payload.count &+ segment.truncatedOctets)
        let rest =
            UInt64(segment.identification) << 48 | UInt64(segment.source.port) << 32
            | UInt64(segment.flags.rawValue) << 24 | (length & 0xFF_FFFF)
        return ConnectionIndex.mix(numbers ^ hash, rest ^ 0x8EBC_6AF0_9C88_C6E3)
    }
}
