// Wingmirror · Apache-2.0

import Logging

/// One log line before it is written.
struct LogLine {
    /// When, in nanoseconds since the Unix epoch.
    var time: Int64
    /// How severe.
    var level: Logger.Level
    /// Which part of the program.
    var label: String
    /// What happened, in constant words.
    var message: String
    /// To what, in the order it is written.
    var metadata: [(key: String, value: String)]

    /// The line as a JSON object.
    var json: String {
        var line = "{\"time\":\"\(WallClock.text(time))\",\"level\":\"\(level.rawValue)\",\"logger\":"
        line += Self.quoted(label) + ",\"message\":" + Self.quoted(message)
        for entry in metadata {
            line += "," + Self.quoted(Self.reserved.contains(entry.key) ? "\(entry.key)_" : entry.key)
            line += ":" + Self.quoted(entry.value)
        }
        return line + "}\n"
    }

    /// The line for people: time, level, message, then `key=value`.
    var text: String {
        var line = "\(WallClock.text(time)) \(level.rawValue.padded(to: 8)) \(Self.oneLine(message))"
        for entry in metadata {
            let isPlain = !entry.value.isEmpty && !entry.value.contains { $0 == " " || $0 == "\"" || $0 == "=" }
            line += " \(entry.key)=" + (isPlain ? Self.oneLine(entry.value) : Self.quoted(entry.value))
        }
        return line + "\n"
    }

    private static let reserved: Set = ["time", "level", "logger", "message"]

    /// The text as a JSON string: control characters, which could forge lines or move a cursor, are escaped.
    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case "\r": quoted += "\\r"
            case "\t": quoted += "\\t"
            default:
                if scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) {
                    let digits = String(scalar.value, radix: 16)
                    quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                } else {
                    quoted.unicodeScalars.append(scalar)
                }
            }
        }
        return quoted + "\""
    }

    private static func oneLine(_ text: String) -> String {
        String(
            String.UnicodeScalarView(text.unicodeScalars.map { $0.properties.generalCategory == .control ? " " : $0 })
        )
    }
}

extension String {
    /// The text with spaces after it, as long as it is shorter than `width`.
    package func padded(to width: Int) -> String {
        self + String(repeating: " ", count: Swift.max(width - count, 0))
    }
}
