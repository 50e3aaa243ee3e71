// Wingmirror · Apache-2.0

import PacketDecoding

/// Turns packet times, which may jump or go back, into a clock that only moves forward.
///
/// Every bound on time is measured on this clock. Packets that are a little late do not move it; when time goes back
/// by more than `toleratedLateness` the clock stands still and follows the new time from there, so that one packet with
/// a wrong date can expire what is idle but can not stop expiry for the rest of the capture.
struct PacketClock {
    /// How late a packet may be, in nanoseconds, before its time is taken for a clock that was set back.
    static let toleratedLateness: Int64 = 1_000_000_000
    /// Where the clock stops, far from overflow: only a capture made to do so gets there.
    static let end: Int64 = 1 << 62

    /// Nanoseconds since the first packet.
    private(set) var now: Int64 = 0
    private var latest: PacketTime?

    /// The time of a stream that was at `latest`, once octets captured at `time` are delivered; both in nanoseconds.
    ///
    /// It grows, as octets that waited are older than those they waited for; but a clock that was set back is followed, or
    /// every time would stand still until it has caught up.
    @inline(__always)
    static func streamTime(after latest: Int64, _ time: Int64) -> Int64 {
        time >= latest || latest &- time > toleratedLateness ? time : latest
    }

    /// Moves the clock to the time of a packet.
    mutating func advance(to time: PacketTime) {
        guard let latest else {
            self.latest = time
            return
        }
        let elapsed = time.nanoseconds(since: latest)
        if elapsed > 0 {
            now = min(now.addingReportingOverflow(elapsed).overflow ? Self.end : now + elapsed, Self.end)
            self.latest = time
        } else if elapsed < -Self.toleratedLateness {
            self.latest = time
        }
    }
}
