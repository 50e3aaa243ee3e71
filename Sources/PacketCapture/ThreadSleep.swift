// Wingmirror · Apache-2.0

import Glibc

/// Lets a thread of our own sleep; never for a task, whose thread others share.
enum ThreadSleep {
    /// Sleeps for this long, or shorter when a signal interrupts; less than a second.
    ///
    /// The C function is `usleep`.
    static func sleep(_ duration: Duration) {
        usleep(useconds_t(max(.zero, min(duration, .milliseconds(999))) / .microseconds(1)))
    }
}
