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
    /// Says something in one line, behind the program's name.
    ///
    /// Control characters, which could forge lines or move a cursor, are escaped: names of objects, hosts and files are in what
    /// is said, and others choose those.
    package static func say(_ line: String) {
        write("wingmirror: \(line.escapingControls)\n")
    }

    /// Writes text; what cannot be written is lost, as there is nowhere else to say it.
    package static func write(_ text: String) {
        var text = text
        text.withUTF8 { octets in
            // The octets are the string's own, valid within the closure.
            unsafe _ = Glibc.write(STDERR_FILENO, octets.baseAddress, octets.count)
        }
    }
}

extension String {
    /// The text with control characters, and those that turn the direction of writing, as `\\u{…}`.
    package var escapingControls: String {
        guard unicodeScalars.contains(where: \.isControlling) else { return self }
        var text = ""
        for scalar in unicodeScalars {
            if scalar.isControlling {
                text += "\\u{\(String(scalar.value, radix: 16))}"
            } else {
                text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}

extension Unicode.Scalar {
    /// Whether a terminal takes the character for a command, or shows what follows it in another order.
    fileprivate var isControlling: Bool {
        switch value {
        case 0..<0x20, 0x7F..<0xA0, 0x2028...0x202E, 0x2066...0x2069, 0x200E, 0x200F, 0x61C: true
        default: false
        }
    }
}
