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

/// Writes lines to a pipe, socket or terminal whose reader may stand still, and never waits for it for long.
///
/// Whoever reads the log must not be able to stop the agent. Once a reader has let a line wait for a moment, those that follow do not
/// wait at all until it reads again.
struct PatientOutput: Sendable {
    /// How long a reader may let a line wait before it is passed over, in milliseconds.
    private static let patience: Int32 = 100
    /// What a pipe that can be written to takes without waiting: PIPE_BUF.
    private static let pieceOctets = 4096

    private let descriptor: Int32
    private var isStalled = false
    /// Whether a line was begun that could not be ended.
    private var isWithinLine = false

    /// Writes to `descriptor`, which stays open.
    init(descriptor: Int32) {
        self.descriptor = descriptor
    }

    /// Writes a line with its end.
    ///
    /// The C functions are `poll` and `write`.
    ///
    /// - Parameter line: The line.
    /// - Returns: Whether all of it was written, or nothing would be by waiting, as to a disk that is full.
    mutating func write(_ line: String) -> Bool {
        let octets = Array((isWithinLine ? "\n" + line : line).utf8)
        var written = 0
        while written < octets.count {
            var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            let ready = unsafe poll(&waiting, 1, isStalled ? 0 : Self.patience)
            // Not to be taken for room: the write would wait for it.
            if ready < 0, errno == EINTR { continue }
            guard ready != 0 else {
                isStalled = true
                isWithinLine = isWithinLine || written > 0
                return false
            }
            // The range lies within the array's storage, which outlives the call.
            let count = unsafe octets.withUnsafeBytes { octets in
                unsafe Glibc.write(
                    descriptor,
                    octets.baseAddress?.advanced(by: written),
                    min(octets.count - written, Self.pieceOctets)
                )
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            written += count
        }
        isStalled = false
        isWithinLine = written < octets.count && (isWithinLine || written > 0)
        return true
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
