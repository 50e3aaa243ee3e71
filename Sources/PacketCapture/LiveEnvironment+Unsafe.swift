// Wingmirror · Apache-2.0

import Glibc
import PacketDecoding

/// What a live capture asks of the system: clocks, waiting, and the state of interfaces.
struct LiveEnvironment {
    /// Time since some moment, which never goes back.
    let now: () -> Duration
    /// The time by the clock that stamps packets.
    let packetTime: () -> PacketTime
    /// Waits until one of the descriptors can be read, or for so many milliseconds.
    let wait: (_ descriptors: [CInt], _ milliseconds: Int) -> Void
    /// Whether an interface is up; `nil` when there is none of that name.
    let isUp: (_ interface: String) -> Bool?

    /// The system itself.
    ///
    /// The C functions are `clock_gettime` and `poll`.
    static var system: LiveEnvironment {
        LiveEnvironment(
            now: { .nanoseconds(read(CLOCK_MONOTONIC)) },
            packetTime: { PacketTime(nanoseconds: read(CLOCK_REALTIME)) },
            wait: { descriptors, milliseconds in
                var polled = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
                _ = unsafe poll(&polled, nfds_t(polled.count), CInt(clamping: milliseconds))
            },
            isUp: { PacketSocket.isUp($0) }
        )
    }

    private static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        unsafe clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
