// Wingmirror · Apache-2.0

/// Writes a snapshot in the format that a scrape asked for.
public struct ExpositionWriter: Sendable {
    private let format: ExpositionFormat

    /// Makes a writer of a format.
    public init(_ format: ExpositionFormat) {
        self.format = format
    }

    /// Replaces what is in `body` by the whole exposition, keeping the storage.
    public func write(_ snapshot: MetricsSnapshot, into body: inout [UInt8]) {
        switch format {
        case .text: TextExposition(.text).write(snapshot, into: &body)
        case .openMetrics: TextExposition(.openMetrics).write(snapshot, into: &body)
        case .protobuf: ProtobufExposition().write(snapshot, into: &body)
        }
    }
}
