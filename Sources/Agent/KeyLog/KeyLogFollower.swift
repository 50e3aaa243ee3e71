// Wingmirror · Apache-2.0

import AgentConfiguration
import TLSDecryption

/// What became of a key log that is followed.
struct KeyLogState: Sendable, Equatable {
    /// Whether there is a file.
    var isOpen = false
    /// Why there is none, or why it is not read.
    var problem: String?
    /// What was read.
    var counts = KeyLogReader.Counts()
    /// How often another file took the log's place.
    var replacements = 0
    /// How often it was emptied by somebody else.
    var truncations = 0
}

/// Follows a key log while somebody writes it: reads what comes, whatever is done to the file.
///
/// Envoy appends, and is told of nothing: a log that is renamed is read to its end before the new file is; one that was
/// emptied is read from its start. It is looked at each tenth of a second, which is little beside the second that Envoy
/// keeps its lines back. Nothing is ever written but the hole that `reclaim: punch` asks for.
///
/// Owned by the task that calls ``look()``; what others may see of it is left with a ``KeySource``.
final class KeyLogFollower {
    /// How much of a log is read that was there before: older keys are of connections whose handshake was not seen.
    private static let rereadOctets = 1 << 20
    /// After how many octets a hole is punched.
    private static let punchedOctets = 256 << 10

    private let configuration: TLSConfiguration
    private let publish: (KeyLogState) -> Void
    private var file: KeyLogFile?
    private var offset = 0
    private var punched = 0
    private var reader: KeyLogReader
    private var buffer = [UInt8](repeating: 0, count: 64 << 10)
    private var state = KeyLogState()
    private var isFirst = true

    /// Makes a follower that has read nothing.
    ///
    /// - Parameters:
    ///   - configuration: Which file, and what happens to what was read.
    ///   - store: Where the secrets go.
    ///   - publish: Takes how it gets on, after each look.
    init(_ configuration: TLSConfiguration, into store: KeyStore, publish: @escaping (KeyLogState) -> Void) {
        self.configuration = configuration
        self.publish = publish
        reader = KeyLogReader(into: store)
    }

    deinit { SecretMemory.wipe(&buffer) }

    /// Reads what has come since the last look.
    func look() {
        readOn()
        do {
            let current = try KeyLogFile(configuration.keyLog)
            if file?.identity != current.identity { take(current) }
            readOn()
            state.problem = nil
        } catch {
            // Between renaming and making a new file there is none, and the old one may still be written to.
            state.problem = error.reason
        }
        state.isOpen = file != nil
        state.counts = reader.counts
        publish(state)
    }

    /// Goes on in another file, the old one having been read to its end.
    private func take(_ current: consuming KeyLogFile) {
        if file != nil {
            state.replacements += 1
            reader.ended()
        }
        offset = 0
        punched = 0
        if isFirst, current.size > Self.rereadOctets {
            offset = current.size - Self.rereadOctets
            reader.interrupted(startsLine: false)
        }
        isFirst = false
        file = consume current
    }

    private func readOn() {
        guard file != nil else { return }
        if let size = file?.size, size < offset {
            state.truncations += 1
            offset = 0
            punched = 0
            reader.interrupted(startsLine: true)
        }
        while let count = file?.read(&buffer, at: offset), count > 0 {
            reader.octetsArrived(buffer.span.extracting(..<count))
            offset += count
        }
        punch()
    }

    private func punch() {
        guard configuration.reclaim == .punch, offset - punched >= Self.punchedOctets else { return }
        let whole = offset & ~4_095
        if KeyLogFile.punch(configuration.keyLog, upTo: whole) { punched = whole }
    }
}

extension TLSConfiguration {
    /// Refuses a key log that everybody on the machine can read, unless it is in memory only or that is wanted.
    ///
    /// On a memory-backed volume the directory's mode protects it: Envoy makes the file readable by all.
    /// - Throws: `.usage`, with what to do about it.
    func refuseExposedKeyLog() throws(CommandFailure) {
        guard !keyLog.isEmpty, !allowsReadableByAll, let file = try? KeyLogFile(keyLog) else { return }
        guard file.isReadableByAll, !file.isInMemory else { return }
        throw CommandFailure(
            .usage,
            "tls.keyLog: \(keyLog) can be read by every user of this machine, and with it all traffic it covers: "
                + "put it on a memory-backed volume, chmod it to 0640, or set tls.allowWorldReadable"
        )
    }
}
