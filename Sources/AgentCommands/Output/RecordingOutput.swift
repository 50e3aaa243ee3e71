// Wingmirror · Apache-2.0

import Agent
import AgentConfiguration
import ContentDecoding
import Recordings
import ShadowTesting
import Synchronization
import TrafficModel
import TrafficPipeline

/// Writes whole exchanges in a format that other tools read, from the thread that captures them.
final class RecordingOutput: Sendable {
    /// The formats.
    enum Format: String, Sendable, CaseIterable {
        /// GoReplay's.
        case gor
        /// HTTP Archive 1.2.
        case har
    }

    /// Octets that are handed on at once.
    private static let batchOctets = 64 << 10

    private enum Writer: Sendable {
        case gor(GorWriter)
        case har(HARWriter)
    }

    private let writer: Mutex<Writer>
    private let file: RecordFile

    /// Begins a recording.
    ///
    /// - Parameters:
    ///   - format: How it is written.
    ///   - redaction: What is taken out, and what stands in its place.
    ///   - file: Where it goes.
    ///   - budget: The memory to stay within, in octets; what waits for its place has the share of records, and so has
    ///     content while its coding is taken off.
    init(_ format: Format, redaction: RedactionConfiguration, file: RecordFile, within budget: Int? = nil) {
        self.file = file
        var limits = RecordingLimits()
        let share = budget.map { MemoryShare.records.octets(of: $0) } ?? .max
        limits.waitingOctets = min(limits.waitingOctets, share)
        let decodedOctets = min(RecordsConfiguration.contentLimit.octets, share)
        let key = RecordingKey(secret: redaction.recordingSecret)
        let fields = RecordingRedaction(
            fields: Set(redaction.fields),
            replacesParameters: redaction.parameters ?? true
        )
        let writer: Writer =
            switch format {
            case .gor: .gor(GorWriter(key: key, redaction: fields, limits: limits))
            case .har:
                .har(
                    HARWriter(
                        creatorVersion: BuildInformation.version,
                        key: key,
                        redaction: fields,
                        decoder: { Self.decode($0, $1, limit: decodedOctets) },
                        limits: limits
                    )
                )
            }
        self.writer = Mutex(writer)
    }

    /// Content of the web becomes ten or twenty times larger; what unfolds further is made to fill memory and disks, and stays coded.
    private static let ratio = UnpackingRatio(free: 1 << 20, factor: 100)

    private static func decode(_ coding: String, _ content: [UInt8], limit: Int) -> [UInt8]? {
        ContentDecoding.whole(coding, content, limit: min(limit, ratio.limit(consumed: content.count)))
    }

    /// Adds an exchange.
    func append(_ exchange: RecordedExchange) {
        let octets: [UInt8] = writer.withLock { writer in
            switch writer {
            case .gor(var gor):
                writer = .har(Self.nothing)
                gor.append(exchange)
                let octets = gor.pendingOctets >= Self.batchOctets ? gor.takeOctets() : []
                writer = .gor(gor)
                return octets
            case .har(var har):
                writer = .har(Self.nothing)
                har.append(exchange)
                let octets = har.takeOctets()
                writer = .har(har)
                return octets
            }
        }
        if !octets.isEmpty { file.append(octets) }
    }

    /// Counts an exchange that is left out.
    func leaveOut(_ omission: ExchangeOutput.Omission) {
        let loss: RecordingLoss =
            switch omission {
            case .notKept: .notKept
            case .unknownHead: .notWhole
            case .noRequest: .noRequest
            }
        writer.withLock { writer in
            switch writer {
            case .gor(var gor):
                writer = .har(Self.nothing)
                gor.leaveOut(loss)
                writer = .gor(gor)
            case .har(var har):
                writer = .har(Self.nothing)
                har.leaveOut(loss)
                writer = .har(har)
            }
        }
    }

    /// Stands in a writer's place while that is changed, so that what it holds is not copied.
    private static let nothing = HARWriter(
        creatorVersion: "",
        key: RecordingKey(secret: ""),
        redaction: RecordingRedaction(fields: [])
    )

    /// Ends the recording.
    ///
    /// - Returns: What could not be recorded, and why.
    func finish() -> RecordingLosses {
        let (octets, losses) = writer.withLock { writer in
            switch writer {
            case .gor(var gor): (gor.finish(), gor.losses)
            case .har(var har): (har.finish(), har.losses)
            }
        }
        file.append(octets)
        return losses
    }
}

extension RedactionConfiguration {
    /// What replaced values of a recording are made of: the configured secret, or a new one each time.
    fileprivate var recordingSecret: String {
        guard secret.isEmpty else { return secret }
        var generator = SystemRandomNumberGenerator()
        return "\(generator.next())-\(generator.next())"
    }
}
