// Wingmirror · Apache-2.0

import Glibc

/// Lets a thread of our own sleep; never for a task, whose thread others share.
enum ThreadSleep {
    /// Sleeps for this long, or shorter when a signal interrupts.
    static func sleep(_ duration: Duration) {
        let nanoseconds = max(duration.nanoseconds, 0)
        var time = timespec(tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
        // The structure outlives the call.
        unsafe _ = nanosleep(&time, nil)
    }
}
