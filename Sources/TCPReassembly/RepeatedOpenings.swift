// Wingmirror · Apache-2.0

import PacketDecoding

/// The SYNs that opened connections, to find out where two interfaces deliver the same traffic at different times.
///
/// Copies that come within `ReassemblyLimits.duplicateWindowNanoseconds` are left out, and those that come while their connection is
/// remembered change nothing. Where two clocks are further apart, as with two taps of the same wire, each connection is read
/// twice; its initial sequence number tells, which no other connection on the same addresses has (RFC 6528 §3).
struct RepeatedOpenings: ~Copyable {
    /// A SYN, by what tells it from others.
    struct Opening: BitwiseCopyable {
        var hash: UInt64 = 0
        var number: UInt32 = 0
        var interface: UInt32 = .max
    }

    /// 4,096 connections; a newer one takes the place of an older.
    private static let count = 4_096

    private var openings = FixedBuffer<Opening>(repeating: Opening(), count: count)

    /// A SYN opened a connection; answers whether another interface had delivered the same.
    mutating func synchronizeArrived(_ number: SequenceNumber, hash: UInt64, on interface: Int) -> Bool {
        let place = Int(truncatingIfNeeded: (hash ^ UInt64(number.rawValue)) & UInt64(Self.count - 1))
        let before = openings[place]
        openings[place] = Opening(hash: hash, number: number.rawValue, interface: UInt32(truncatingIfNeeded: interface))
        return before.interface != .max && before.hash == hash && before.number == number.rawValue
            && before.interface != UInt32(truncatingIfNeeded: interface)
    }
}
