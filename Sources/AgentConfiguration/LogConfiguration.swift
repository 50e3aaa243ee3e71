// Wingmirror · Apache-2.0

package import Logging

/// What is logged, and how.
package struct LogConfiguration: Sendable, Equatable {
    /// How a log line looks.
    package enum Format: String, Sendable, CaseIterable {
        /// Lines for people where standard error is a terminal, and JSON elsewhere.
        case auto
        /// One JSON object a line.
        case json
        /// A line for people.
        case text
    }

    /// The least severe level that is written.
    package var level: Logger.Level = .info
    /// How lines look.
    package var format: Format = .auto
}

extension LogConfiguration {
    /// Reads the section `log`.
    init(_ section: ConfigurationSection) {
        self.init(level: .info)
        section.read("level", into: &level, as: .oneOf(Logger.Level.self))
        section.read("format", into: &format, as: .oneOf(Format.self))
    }
}
