// Wingmirror · Apache-2.0

import Logging

/// Makes a message of each log line from a warning up, for where standard error cannot be written to.
struct TopLogHandler: LogHandler {
    /// Takes the messages.
    let report: @Sendable (String) -> Void
    var logLevel = Logger.Level.warning
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?

    /// Makes a handler.
    init(_ report: @escaping @Sendable (String) -> Void) {
        self.report = report
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let details = (event.metadata ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        report(([event.message.description] + details).joined(separator: " "))
    }
}
