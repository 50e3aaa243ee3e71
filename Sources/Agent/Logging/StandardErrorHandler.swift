// Wingmirror · Apache-2.0

package import AgentConfiguration
package import Logging
import Synchronization

/// Writes log lines to standard error, as JSON or for people, and counts them by level.
struct StandardErrorHandler: LogHandler {
    /// What all loggers of the program share, and a reload can change.
    private let settings: LogSettings
    private let label: String
    private var ownLevel: Logger.Level?
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?

    /// Makes a handler that follows `settings`.
    init(label: String, settings: LogSettings) {
        self.label = label
        self.settings = settings
    }

    /// The level of the settings, unless one was set for this logger alone.
    var logLevel: Logger.Level {
        get { ownLevel ?? settings.level }
        set { ownLevel = newValue }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        settings.count(event.level)
        var all = metadata
        if let provided = metadataProvider?.get() {
            all.merge(provided) { $1 }
        }
        if let given = event.metadata {
            all.merge(given) { $1 }
        }
        let line = LogLine(
            time: WallClock.now(),
            level: event.level,
            label: label,
            message: event.message.description,
            metadata: all.map { ($0.key, $0.value.description) }.sorted { $0.0 < $1.0 }
        )
        StandardError.write(settings.writesJSON ? line.json : line.text)
    }
}

/// The level and format in force, and how many lines were logged at each level.
package final class LogSettings: Sendable {
    private let current: Mutex<LogConfiguration>
    private let counts = Mutex<[Logger.Level: UInt64]>([:])

    /// Starts with a configuration.
    package init(_ configuration: LogConfiguration) {
        current = Mutex(configuration)
    }

    /// The least severe level that is written.
    package var level: Logger.Level { current.withLock { $0.level } }

    /// Whether lines are JSON, rather than for people.
    package var writesJSON: Bool {
        switch current.withLock({ $0.format }) {
        case .auto: !Terminal.isTerminal(2)
        case .json: true
        case .text: false
        }
    }

    /// Takes another configuration, for all loggers at once.
    func replace(_ configuration: LogConfiguration) {
        current.withLock { $0 = configuration }
    }

    /// A line was logged.
    package func count(_ level: Logger.Level) {
        counts.withLock { $0[level, default: 0] += 1 }
    }

    /// How many lines were logged, for every level, the least severe first.
    var messageCounts: [(level: Logger.Level, count: UInt64)] {
        counts.withLock { counts in Logger.Level.allCases.map { ($0, counts[$0] ?? 0) } }
    }

    /// A logger that follows these settings.
    package func logger(_ label: String) -> Logger {
        Logger(label: label) { StandardErrorHandler(label: $0, settings: self) }
    }
}
