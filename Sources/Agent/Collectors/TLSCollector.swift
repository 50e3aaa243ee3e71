// Wingmirror · Apache-2.0

import RouteAttribution
import TLSDecryption
import TrafficMetrics
import TrafficPipeline

/// Supplies the metrics of TLS, from the figures that workers leave.
struct TLSCollector: MetricCollector {
    /// Where the workers leave their figures.
    let boards: WorkerBoards

    func collect(into samples: inout SampleCollection) {
        let figures = boards.figures
        samples.collect(figures.tls)
        for passed in figures.passthrough {
            let labels = [
                passed.gateway, passed.object.kind, passed.object.namespace, passed.object.name, String(passed.rule),
            ]
            samples.count(MetricCatalogue.tlsPassthroughConnections, labels, UInt64(passed.connections))
            samples.count(MetricCatalogue.tlsPassthroughBytes, labels, UInt64(passed.octets))
        }
    }
}

/// Supplies what was read of a key log that is followed, and what came of no use.
struct KeyLogCollector: MetricCollector {
    /// Where keys come from.
    let keys: KeySource

    func collect(into samples: inout SampleCollection) {
        guard let counts = keys.state?.counts else { return }
        for (kind, count) in [
            ("secret", counts.secrets), ("not_needed", counts.notNeeded), ("malformed", counts.malformed),
        ] {
            samples.count(MetricCatalogue.tlsKeyLogLines, [kind], UInt64(count))
        }
        guard let forgotten = keys.store?.forgotten else { return }
        samples.count(MetricCatalogue.tlsKeysDropped, ["expired"], UInt64(forgotten.expired))
        samples.count(MetricCatalogue.tlsKeysDropped, ["limit"], UInt64(forgotten.displaced))
    }
}

extension SampleCollection {
    /// Adds what decryption counted.
    mutating func collect(_ figures: TLSStatistics) {
        count(MetricCatalogue.tlsConnections, [], UInt64(figures.connections))
        count(MetricCatalogue.tlsDecryptedConnections, [], UInt64(figures.decryptedConnections))
        count(MetricCatalogue.tlsRecords, ["opened"], UInt64(figures.openedRecords))
        count(MetricCatalogue.tlsRecords, ["skipped"], UInt64(figures.skippedRecords))
        count(MetricCatalogue.tlsRecords, ["failed"], UInt64(figures.failedRecords))
        count(MetricCatalogue.tlsDecryptedBytes, [], UInt64(figures.plaintextOctets))
        count(MetricCatalogue.tlsRecoveredGaps, [], UInt64(figures.bridgedHoles))
        count(MetricCatalogue.tlsTrialDecryptions, ["made"], UInt64(figures.trials))
        count(MetricCatalogue.tlsTrialDecryptions, ["refused"], UInt64(figures.refusedTrials))
        count(MetricCatalogue.tlsShedBytes, [], UInt64(figures.shedOctets))
        set(MetricCatalogue.tlsWaitingConnections, [], Double(figures.waitingConnections))
        set(MetricCatalogue.tlsHeldBytes, [], Double(figures.heldOctets))
        set(MetricCatalogue.tlsKeyDelay, [], Double(figures.longestKeyDelay) / 1_000_000_000)
        for (alert, number) in figures.alerts.counted {
            count(MetricCatalogue.tlsHandshakeAlerts, [alert], UInt64(number))
        }
    }
}

extension [UInt8: Int] {
    /// The counts by the name of the alert; those without a name together.
    fileprivate var counted: [String: Int] {
        reduce(into: [:]) { $0[TLSAlert.name(of: $1.key), default: 0] += $1.value }
    }
}
