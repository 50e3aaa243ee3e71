// Wingmirror · Apache-2.0

package import AgentConfiguration
import Glibc
package import Logging
import Synchronization

/// Writes log lines to standard error, as JSON or for people, and counts them by level.
///
/// Lines that nobody reads are passed over rather than waited for, and counted in a line of their own once somebody does.
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
        settings.write(line)
    }
}

/// The level and format in force, and how many lines were logged at each level.
package final class LogSettings: Sendable {
    private let current: Mutex<LogConfiguration>
    private let counts = Mutex<[Logger.Level: UInt64]>([:])
    /// Where lines go, and how many of them nobody read.
    private let output: Mutex<(place: PatientOutput, lost: Int)>

    /// Starts with a configuration.
    package convenience init(_ configuration: LogConfiguration) {
        self.init(configuration, descriptor: STDERR_FILENO)
    }

    /// Starts with a configuration and the descriptor that lines are written to.
    init(_ configuration: LogConfiguration, descriptor: Int32) {
        current = Mutex(configuration)
        output = Mutex((PatientOutput(descriptor: descriptor), 0))
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

    /// Writes a line, behind one that counts those that were passed over before it.
    func write(_ line: LogLine) {
        let writesJSON = writesJSON
        output.withLock { output in
            if output.lost > 0 {
                let notice = LogLine(
                    time: line.time,
                    level: .warning,
                    label: line.label,
                    message: "log lines were lost, as standard error was not read",
                    metadata: [("count", "\(output.lost)")]
                )
                guard output.place.write(writesJSON ? notice.json : notice.text) else {
                    output.lost += 1
                    return
                }
                output.lost = 0
            }
            if !output.place.write(writesJSON ? line.json : line.text) { output.lost += 1 }
        }
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
