// Wingmirror · Apache-2.0

import Glibc

/// The processor time that this process has taken, user and system, all threads, with the children it has waited for.
enum ProcessorTime {
    /// Nanoseconds so far, as finely as the kernel tells: in microseconds.
    ///
    /// The C function is `getrusage`.
    static var nanoseconds: Int {
        [RUSAGE_SELF, RUSAGE_CHILDREN].reduce(0) { sum, whose in
            var usage = rusage()
            // The structure outlives the call, which cannot fail for these.
            _ = unsafe getrusage(whose.rawValue, &usage)
            return sum + nanoseconds(of: usage.ru_utime) + nanoseconds(of: usage.ru_stime)
        }
    }

    private static func nanoseconds(of time: timeval) -> Int {
        Int(time.tv_sec) * 1_000_000_000 + Int(time.tv_usec) * 1000
    }
}
