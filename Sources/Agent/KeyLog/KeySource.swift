// Wingmirror · Apache-2.0

package import AgentConfiguration
package import Logging
import ServiceLifecycle
import Synchronization
package import TLSDecryption

/// Where the secrets of a capture's TLS connections come from: a key log that is followed, for a live capture; for pcap files
/// their key log, read as a whole, and what they hold themselves.
package final class KeySource: Sendable {
    /// What the capture threads ask; `nil` where decryption is off.
    package let store: KeyStore?
    private let configuration: TLSConfiguration
    private let isFollowed: Bool
    private let latest = Mutex(KeyLogState())

    /// Reads the key log of pcap files; opens nothing yet for a live capture.
    ///
    /// - Parameters:
    ///   - configuration: Which key log, if any.
    ///   - isLive: Whether packets come as they are captured.
    /// - Throws: `.usage` where the key log is open to everybody, `.failed` where that of pcap files cannot be read.
    package init(_ configuration: Configuration, isLive: Bool) throws(CommandFailure) {
        self.configuration = configuration.tls
        isFollowed = isLive && !configuration.tls.keyLog.isEmpty
        if isFollowed {
            try configuration.tls.refuseExposedKeyLog()
            SecretMemory.protect()
            store = KeyStore(limits: configuration.keyLimits(isLive: true))
        } else {
            store = isLive ? nil : try KeyLogFile.savefileKeys(configuration)
        }
    }

    /// What is known of the key log that is followed; `nil` where none is.
    var state: KeyLogState? { isFollowed ? latest.withLock { $0 } : nil }

    /// Follows the key log until the task is cancelled; returns at once where there is none to follow.
    package func follow(_ logger: Logger) async {
        guard isFollowed, let store else { return }
        let follower = KeyLogFollower(configuration, into: store) { state in self.latest.withLock { $0 = state } }
        var known: KeyLogState?
        let start = ContinuousClock.now
        while !Task.isCancelled {
            follower.look(at: ContinuousClock.now - start)
            let state = latest.withLock { $0 }
            report(state, before: known, logger)
            known = state
            try? await Task.sleep(for: .milliseconds(100))
        }
    }

    /// Says once what has changed about the file.
    private func report(_ state: KeyLogState, before: KeyLogState?, _ logger: Logger) {
        if state.problem != before?.problem, let problem = state.problem {
            logger.warning("key log: \(problem)", metadata: ["file": "\(configuration.keyLog)"])
        }
        if state.isOpen, before?.isOpen != true { logger.info("key log opened, TLS is decrypted") }
        if let before, state.replacements > before.replacements { logger.info("key log replaced") }
        if let before, state.truncations > before.truncations { logger.info("key log emptied") }
    }
}

/// Follows a key log until the agent ends.
struct KeyLogService: Service {
    let keys: KeySource
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await keys.follow(logger)
            // A service that returns would end the others.
            while !Task.isCancelled { try? await Task.sleep(for: .seconds(3_600)) }
        }
    }
}
