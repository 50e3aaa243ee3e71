// Wingmirror · Apache-2.0

import TrafficMetrics
import TrafficModel

/// How many TLS connections were not read for want of keys, in a sentence.
struct UnreadTLS {
    /// Connections that no key log was named for.
    private let withoutKeyLog: UInt64
    /// Connections whose keys the key log does not have.
    private let withoutKeys: UInt64

    /// Reads what was counted of the traffic.
    init(_ counted: MetricsSnapshot) {
        let counts = counted.counts(MetricCatalogue.opaqueConnections, by: "reason")
        func count(_ reason: OpaqueReason) -> UInt64 { counts.first { $0.key == reason.text }?.count ?? 0 }
        withoutKeyLog = count(.tls)
        withoutKeys = count(.tlsNoKey)
    }

    /// What was not read, and what would read it; `nil` where there is no such connection.
    var sentence: String? {
        if withoutKeyLog > 0 {
            return "\(Self.connections(withoutKeyLog)) not read; name a key log with --key-log to decrypt them"
        }
        guard withoutKeys > 0 else { return nil }
        return "\(Self.connections(withoutKeys)) not read: the key log has no keys for them"
    }

    private static func connections(_ count: UInt64) -> String {
        count == 1 ? "1 TLS connection was" : "\(HumanUnits.count(count)) TLS connections were"
    }
}
