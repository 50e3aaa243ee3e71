// Wingmirror · Apache-2.0

import AgentConfiguration
import OctetText
import TLSDecryption

/// What became of a key log that is followed.
struct KeyLogState: Sendable, Equatable {
    /// Whether there is a file.
    var isOpen = false
    /// Why there is none, why it is not read, or why what was read stays.
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
/// Envoy appends, and hears of nothing until it gets SIGUSR1: the log that was renamed gets its lines until then, and what it had
/// not yet written out then. So that one is read on beside the new one, until something has been in that for a minute. A log that
/// was emptied is read from its start. It is looked at each tenth of a second, which is little beside the second that Envoy
/// keeps its lines back. Nothing is ever written but the hole that `reclaim: punch` asks for.
///
/// Owned by the task that calls ``look(at:)``; what others may see of it is left with a ``KeySource``.
final class KeyLogFollower {
    /// How much of a log is read that was there before: older keys are of connections whose handshake was not seen.
    private static let rereadOctets = 1 << 20
    /// After how many octets a hole is punched.
    private static let punchedOctets = 256 << 10
    /// How long a log is read on after there was something in the one that took its place.
    private static let lingering = Duration.seconds(60)
    /// The most logs that are read on; beyond it one that is empty is given up, or the oldest.
    private static let earlierLogs = 4

    /// A log that is read.
    private final class Log {
        let file: KeyLogFile
        var offset = 0
        var punched = 0
        /// When there was something in it first.
        var begunAt: Duration?
        var reader: KeyLogReader

        init(_ file: consuming KeyLogFile, into store: KeyStore) {
            self.file = file
            reader = KeyLogReader(into: store)
        }
    }

    private let configuration: TLSConfiguration
    private let store: KeyStore
    private let publish: (KeyLogState) -> Void
    /// The one that has the log's name, or had it last.
    private var current: Log?
    /// Those that had it before, oldest first.
    private var earlier: [Log] = []
    /// What was read of logs that are closed.
    private var closed = KeyLogReader.Counts()
    private var buffer = [UInt8](repeating: 0, count: 64 << 10)
    private var state = KeyLogState()
    private var isFirst = true
    private var punchProblem: String?

    /// Makes a follower that has read nothing.
    ///
    /// - Parameters:
    ///   - configuration: Which file, and what happens to what was read.
    ///   - store: Where the secrets go.
    ///   - publish: Takes how it gets on, after each look.
    init(_ configuration: TLSConfiguration, into store: KeyStore, publish: @escaping (KeyLogState) -> Void) {
        self.configuration = configuration
        self.store = store
        self.publish = publish
    }

    deinit { SecretMemory.wipe(&buffer) }

    /// Reads what has come since the last look.
    /// - Parameter now: The time since any fixed moment, the same for all looks.
    func look(at now: Duration) {
        store.timePassed(to: now.nanoseconds)
        var isRead = true
        do {
            let named = try KeyLogFile(configuration.keyLog)
            state.problem = configuration.refusal(of: named)
            if state.problem != nil {
                isRead = current?.file.identity != named.identity
            } else if current?.file.identity != named.identity {
                take(named)
            }
        } catch {
            // Between renaming and making a new file there is none, and the old one may still be written to.
            state.problem = error.reason
        }
        for log in earlier { readOn(log, now) }
        if let current, isRead {
            readOn(current, now)
            punch(current)
        }
        if let begunAt = current?.begunAt, now - begunAt > Self.lingering { while !earlier.isEmpty { giveUp(0) } }
        state.problem = state.problem ?? punchProblem
        state.isOpen = current != nil && isRead
        state.counts = ([current].compactMap(\.self) + earlier).reduce(into: closed) { $0 += $1.reader.counts }
        publish(state)
    }

    /// Begins with a file that has the log's name now.
    private func take(_ named: consuming KeyLogFile) {
        if let current {
            state.replacements += 1
            earlier.append(current)
            if earlier.count > Self.earlierLogs { giveUp(earlier.firstIndex { $0.offset == 0 } ?? 0) }
        }
        let log = Log(named, into: store)
        if isFirst, log.file.size > Self.rereadOctets {
            log.offset = log.file.size - Self.rereadOctets
            log.reader.interrupted(startsLine: false)
        }
        isFirst = false
        punchProblem = configuration.punchProblem(log.file.identity)
        current = log
    }

    private func giveUp(_ index: Int) {
        let log = earlier.remove(at: index)
        log.reader.ended()
        closed += log.reader.counts
    }

    private func readOn(_ log: Log, _ now: Duration) {
        if log.file.size < log.offset {
            state.truncations += 1
            log.offset = 0
            log.punched = 0
            log.reader.interrupted(startsLine: true)
        }
        while case let count = log.file.read(&buffer, at: log.offset), count > 0 {
            log.reader.octetsArrived(buffer.span.extracting(..<count))
            log.offset += count
        }
        if log.begunAt == nil, log.offset > 0 { log.begunAt = now }
    }

    /// Gives back the memory of what was read of the log; what has another name now is given back when that is removed.
    private func punch(_ log: Log) {
        guard configuration.reclaim == .punch, log.offset - log.punched >= Self.punchedOctets else { return }
        punchProblem = configuration.punchProblem(log.file.identity, upTo: log.offset & ~4_095)
        if punchProblem == nil { log.punched = log.offset & ~4_095 }
    }
}

extension TLSConfiguration {
    /// What to do about a key log that everybody can read.
    static let exposureRemedy = "put it on a memory-backed volume, chmod it to 0640, or set tls.allowWorldReadable"

    /// Why a key log is not read: everybody on the machine can read it, unless it is in memory only or that is wanted.
    ///
    /// On a memory-backed volume the directory's mode protects it: Envoy makes the file readable by all.
    func refusal(of file: borrowing KeyLogFile) -> String? {
        guard file.isExposed, !allowsReadableByAll else { return nil }
        return "it can be read by every user of this machine, and with it all traffic it covers"
    }

    /// Refuses to start with such a key log.
    /// - Throws: `.usage`, with what to do about it.
    func refuseExposedKeyLog() throws(CommandFailure) {
        guard !keyLog.isEmpty, let file = try? KeyLogFile(keyLog), let reason = refusal(of: file) else { return }
        throw CommandFailure(.usage, "tls.keyLog: \(keyLog): \(reason): \(Self.exposureRemedy)")
    }

    /// Gives back the memory of a key log up to an offset, where that is wanted; with 0, finds out whether it can be.
    /// - Returns: Why it cannot.
    func punchProblem(_ identity: KeyLogFile.Identity, upTo offset: Int = 0) -> String? {
        guard reclaim == .punch else { return nil }
        do throws(FileContents.Failure) {
            _ = try KeyLogFile.punch(keyLog, of: identity, upTo: offset)
            return nil
        } catch {
            return "what was read cannot be given back, as tls.reclaim asks: \(error.reason)"
        }
    }
}
