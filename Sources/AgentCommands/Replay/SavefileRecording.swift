// Wingmirror · Apache-2.0

import Agent
import AgentConfiguration
import PacketCapture
import PacketDecoding
import Recordings
import RouteAttribution
import ShadowTesting
import Synchronization
import TLSDecryption
import TrafficMetrics
import TrafficModel
import TrafficPipeline

/// Reads the exchanges of a savefile, with their octets.
struct SavefileRecording {
    /// How many octets they have.
    let octets: Int
    /// What could not be read.
    let failures: [String]
    /// Why there may be less than was meant: no packets, or TLS without keys.
    let notices: [String]

    /// How much content of a message is kept; a request with more is told as not recorded whole.
    private static let contentLimit = 16 << 20

    /// Reads a savefile through the pipeline that `read` uses.
    ///
    /// - Parameters:
    ///   - path: the savefile.
    ///   - asked: which packets are taken, and where the keys of TLS are; routes play no part.
    ///   - keepsContent: whether the content of messages is kept too.
    ///   - octetLimit: the most octets of all exchanges.
    ///   - memoryLimit: the most that what is in the store may take in memory, in octets.
    ///   - store: takes the exchanges.
    /// - Throws: what cannot be read at all, or is too much.
    init(
        _ path: String,
        _ asked: Configuration,
        keepsContent: Bool,
        octetLimit: Int,
        memoryLimit: Int,
        _ store: RecordingStore
    ) throws(CommandFailure) {
        var configuration = Configuration()
        configuration.tls = asked.tls
        configuration.limits = asked.limits
        let filter = asked.capture.filter.expression
        let objects = try RouteObjects(configuration, namesServerPorts: false)
        let keys = try KeyLogFile.savefileKeys(configuration)
        let run = TrafficRun(objects, configuration, isLive: false, at: 0, keys: keys)
        let kept = KeptExchanges(store, octetLimit: octetLimit, memoryLimit: memoryLimit)
        var outputs = PipelineOutputs()
        outputs.readsTraces = false
        outputs.exchanges = ExchangeOutput(contentOctets: keepsContent ? Self.contentLimit : 0) { kept.append($0) }
        let stop = StopFlag()
        var worker = CaptureWorker(run.makePipeline(outputs: outputs))
        var capture: SavefileCapture
        do throws(CaptureError) {
            capture = try SavefileCapture(
                paths: [path],
                filter: filter,
                secrets: { keys.take(keyLog: $0) },
                stop: stop,
                progressed: { _ in if kept.excess != nil { stop.request() } }
            )
        } catch {
            throw CommandFailure(error)
        }
        capture.run(into: &worker, until: stop)
        worker.captureEnded()
        if let excess = kept.excess {
            throw CommandFailure(.usage, "\(path): its exchanges take more than \(excess); narrow it with --filter")
        }
        octets = kept.octets
        failures = capture.failures.map(\.description)
        notices = Self.notices(path, filter, run)
    }

    private static func notices(_ path: String, _ filter: String?, _ run: TrafficRun) -> [String] {
        guard run.boards.figures.interfaces.contains(where: { $0.packets > 0 }) else {
            let passing = filter.map { " that the filter \"\($0)\" lets through" } ?? ""
            return ["\(path): there are no packets\(passing)"]
        }
        return UnreadTLS(run.registry.snapshot(at: 0)).sentence.map { ["\(path): \($0)"] } ?? []
    }
}

/// What the pipeline has told so far.
private final class KeptExchanges: Sendable {
    private let store: RecordingStore
    private let octetLimit: Int
    private let memoryLimit: Int
    private let sum = Mutex(0)

    init(_ store: RecordingStore, octetLimit: Int, memoryLimit: Int) {
        self.store = store
        self.octetLimit = octetLimit
        self.memoryLimit = memoryLimit
    }

    var octets: Int { sum.withLock(\.self) }

    /// What there is more of than there may be, in words; `nil` where all is within its limits.
    var excess: String? {
        if octets > octetLimit { return "\(ByteSize(max(octetLimit, 0)))" }
        guard store.octetsInMemory > memoryLimit else { return nil }
        return "\(ByteSize(max(memoryLimit, 0))) of memory" + (store.failure.map { ", and \($0)" } ?? "")
    }

    func append(_ exchange: RecordedExchange) {
        store.append(exchange)
        let octets = exchange.request.message.octetCount + (exchange.response?.message.octetCount ?? 0)
        sum.withLock { $0 += octets }
    }
}

extension RecordedMessage {
    /// About how much memory the message takes.
    fileprivate var octetCount: Int {
        fields.reduce(content.count + 64) { $0 + $1.name.utf8.count + $1.value.count + 32 }
    }
}
