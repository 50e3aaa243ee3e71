// Wingmirror · Apache-2.0

/// Who may take how much of the memory budget: everything that grows with the traffic, in one place.
///
/// The shares are fixed, in 64ths, and come to the whole budget, from which packets that are kept (`capture.keep`) have been
/// taken before, where there are any: what one does not use no other takes, so that none needs to be
/// asked before another holds something, and a workload that fills one leaves the others as they were. Each holder gives up
/// within its share, in an order of its own, and counts that. What is measured of the process (`MemoryPressure`) comes on
/// top, for what is in no share: the program, route tables, series.
package enum MemoryShare: String, Sendable, Hashable, CaseIterable {
    /// The table of connections.
    case connections
    /// Octets of TCP that wait for a gap.
    case waiting = "bytes that wait for gaps"
    /// Heads, trailer sections and undecided upgrades in progress.
    case heads = "unfinished headers"
    /// Exchanges in progress.
    case exchanges = "exchanges in progress"
    /// Heads and contents kept of them.
    case retained = "kept headers and contents"
    /// HTTP/2 with its tables, WebSockets, PROXY headers.
    case readers = "HTTP/2 and WebSockets"
    /// Hellos and records of TLS, and keys that connections have taken.
    case tls = "TLS"
    /// Keys that no connection has taken yet.
    case keys = "TLS keys that wait for connections"
    /// Ciphertext that waits for keys.
    case ciphertext = "TLS that waits for keys"
    /// Shadow requests that wait, are in flight or are to be judged.
    case shadows = "shadow requests"
    /// Records that wait to be written.
    case records = "records that wait to be written"
    /// Recent exchanges to be looked at.
    case recent = "recent exchanges"
    /// The history of routes.
    case history = "history of routes"

    /// How many 64ths of the budget it has.
    private var parts: Int {
        switch self {
        case .connections: 20
        case .waiting, .readers: 8
        case .retained: 6
        case .heads, .exchanges, .shadows: 4
        case .tls: 3
        case .ciphertext, .records: 2
        case .keys, .recent, .history: 1
        }
    }

    /// Octets below which a holder is of no use; a budget so small is for tests.
    private static let least = 256 << 10

    /// Octets of a budget.
    package func octets(of budget: Int) -> Int {
        max(budget / 64 * parts, Self.least)
    }
}
