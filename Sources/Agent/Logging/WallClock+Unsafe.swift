// Wingmirror · Apache-2.0

import FoundationEssentials
import Glibc
import OctetText

/// The time of day, for what is not packet time: log lines, start and reload times.
package enum WallClock {
    /// Nanoseconds since the Unix epoch, to a quarter of a microsecond.
    package static func now() -> Int64 {
        // Not `clock_gettime`: beside FoundationEssentials an optimised build takes `timespec` for another module's.
        Int64(Date().timeIntervalSince1970 * 1e9)
    }

    /// The time in UTC with milliseconds, as RFC 3339 has it.
    package static func text(_ nanoseconds: Int64) -> String {
        InternetTime.text(nanoseconds: nanoseconds, precision: .milliseconds)
    }
}

/// Standard error, to which a whole line goes in one write so that lines of several threads do not mix.
package enum StandardError {
    /// Writes text; what cannot be written is lost, as there is nowhere else to say it.
    package static func write(_ text: String) {
        var text = text
        text.withUTF8 { octets in
            // The octets are the string's own, valid within the closure.
            unsafe _ = Glibc.write(STDERR_FILENO, octets.baseAddress, octets.count)
        }
    }
}
