// Wingmirror · Apache-2.0

import Logging

/// What is logged, and how.
struct LogConfiguration: Sendable, Equatable {
    /// How a log line looks.
    enum Format: String, Sendable, CaseIterable {
        /// One JSON object a line.
        case json
        /// A line for people.
        case text
    }

    /// The least severe level that is written.
    var level: Logger.Level = .info
    /// How lines look.
    var format: Format = .json
}

extension LogConfiguration {
    /// Reads the section `log`.
    init(_ section: ConfigurationSection) {
        self.init()
        section.read("level", into: &level, as: .oneOf(Logger.Level.self))
        section.read("format", into: &format, as: .oneOf(Format.self))
    }
}
