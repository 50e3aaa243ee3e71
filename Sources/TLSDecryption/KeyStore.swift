// Wingmirror · Apache-2.0

internal import Synchronization

/// The secrets of connections, by the random of their client's hello, until those connections are seen.
///
/// Shared by what reads key logs and by the capture threads. A capture thread never waits for it: a connection whose
/// secrets cannot be looked up just now is looked up again after the batch.
public final class KeyStore: Sendable {
    /// What is bounded.
    public struct Limits: Sendable, Hashable {
        /// Connections whose secrets are held; the oldest is forgotten for a new one.
        ///
        /// In `run`, a connection that did not come within a minute will not.
        public var connections = 65_536

        /// Makes limits of the defaults.
        public init() {}

        /// For savefiles, whose key log is read as a whole before the first packet.
        public static let savefile: Limits = {
            var limits = Limits()
            limits.connections = 1 << 20
            return limits
        }()
    }

    private let table: Mutex<SecretTable>
    private let changes = Atomic<UInt64>(0)
    private let isExpected: Bool

    /// Makes an empty store.
    /// - Parameters:
    ///   - limits: How much is held.
    ///   - isExpected: Whether secrets are to come. Without, TLS is not taken for unreadable for want of keys until one came:
    ///     the secrets blocks of a pcapng savefile are found only when it is read.
    public init(limits: Limits = Limits(), isExpected: Bool = true) {
        table = Mutex(SecretTable(limit: limits.connections))
        self.isExpected = isExpected
    }

    /// Whether decryption is off: no secret came, and none was to.
    public var isOff: Bool { !isExpected && changeCount == 0 }

    /// Counts what was put in, so that whoever waits for a secret knows when to look again.
    var changeCount: UInt64 { changes.load(ordering: .acquiring) }

    /// Connections whose secrets are held.
    public var count: Int { table.withLock { $0.count } }

    /// Secrets of connections that were forgotten because there were too many.
    public var forgotten: Int { table.withLock { $0.forgotten } }

    /// Puts in a secret; one of the same connection and label replaces the earlier, which was written too soon.
    func insert(_ line: KeyLogLine) {
        table.withLock { $0.insert(line) }
        changes.add(1, ordering: .releasing)
    }

    /// Puts in the secrets of a whole key log.
    public func take(keyLog: [UInt8]) {
        var reader = KeyLogReader(into: self)
        reader.octetsArrived(keyLog.span)
        reader.ended()
    }

    /// What is known of a connection; `nil` also while somebody else is at the store.
    func secrets(of random: ClientRandom) -> ConnectionSecrets? {
        table.withLockIfAvailable { $0.secrets(of: random) } ?? nil
    }

    /// A connection has taken its secrets, which are forgotten unless they are kept for another capture of it.
    func claim(_ random: ClientRandom, isKept: Bool) {
        table.withLockIfAvailable { $0.claim(random, isKept: isKept) }
    }

    /// Secrets of at most `limit` connections, those first that no connection has taken.
    ///
    /// They begin with the one that was named nearest to the latest that was taken. None while another thread is at the store.
    func candidates(limit: Int) -> [(random: ClientRandom, secrets: ConnectionSecrets)] {
        table.withLockIfAvailable { $0.candidates(limit: limit) } ?? []
    }
}

/// The secrets of one connection, as far as the key log has them.
struct ConnectionSecrets: Sendable {
    var master: SecretOctets?
    var clientTraffic: SecretOctets?
    var serverTraffic: SecretOctets?
    var clientEarlyTraffic: SecretOctets?

    /// Whether both directions can be read.
    var isComplete: Bool { master != nil || (clientTraffic != nil && serverTraffic != nil) }

    /// Whether application data of any direction can be read.
    var isUsable: Bool { master != nil || clientTraffic != nil || serverTraffic != nil }

    fileprivate mutating func insert(_ line: KeyLogLine) {
        switch line.label {
        case .clientRandom: master = line.secret
        case .clientTraffic: clientTraffic = line.secret
        case .serverTraffic: serverTraffic = line.secret
        case .clientEarlyTraffic: clientEarlyTraffic = line.secret
        }
    }
}

/// The secrets in the order in which their connections were first named, of which the oldest go first.
private struct SecretTable {
    private var secrets: [ClientRandom: (secrets: ConnectionSecrets, number: UInt64, isClaimed: Bool)] = [:]
    /// Who was named when; entries that were removed or named anew are passed over.
    private var order: [(random: ClientRandom, number: UInt64)] = []
    private var oldest = 0
    private var next: UInt64 = 0
    /// The number of the connection that took its secrets last.
    private var latestClaimed: UInt64 = 0
    private let limit: Int
    private(set) var forgotten = 0

    /// Entries that are passed over, at most, in the search for one that nobody has taken.
    private static var searchedEntries: Int { 4_096 }

    init(limit: Int) {
        self.limit = max(limit, 1)
    }

    var count: Int { secrets.count }

    func secrets(of random: ClientRandom) -> ConnectionSecrets? {
        secrets[random]?.secrets
    }

    mutating func claim(_ random: ClientRandom, isKept: Bool) {
        guard let number = secrets[random]?.number else { return }
        latestClaimed = max(latestClaimed, number)
        if isKept { secrets[random]?.isClaimed = true } else { secrets[random] = nil }
    }

    /// Looks from the latest that was taken both ways, as connections are named in about the order in which they begin.
    func candidates(limit: Int) -> [(random: ClientRandom, secrets: ConnectionSecrets)] {
        var found: [(random: ClientRandom, secrets: ConnectionSecrets)] = []
        var claimed: [(random: ClientRandom, secrets: ConnectionSecrets)] = []
        var (low, high) = (oldest, order.count)
        while low < high {
            let middle = (low + high) / 2
            if order[middle].number < latestClaimed { low = middle + 1 } else { high = middle }
        }
        var (before, behind) = (low - 1, low)
        for step in 0..<Self.searchedEntries where found.count < limit {
            let isBehind = step % 2 == 0 && behind < order.count || before < oldest
            guard isBehind ? behind < order.count : before >= oldest else { break }
            let (random, number) = order[isBehind ? behind : before]
            if isBehind { behind += 1 } else { before -= 1 }
            guard let entry = secrets[random], entry.number == number else { continue }
            if !entry.isClaimed {
                found.append((random, entry.secrets))
            } else if claimed.count < limit {
                claimed.append((random, entry.secrets))
            }
        }
        return found + claimed.prefix(limit - found.count)
    }

    mutating func insert(_ line: KeyLogLine) {
        if secrets[line.random] == nil {
            while secrets.count >= limit { forgetOldest() }
            secrets[line.random] = (ConnectionSecrets(), next, false)
            order.append((line.random, next))
            next += 1
            if oldest > 1_024, oldest * 2 > order.count || order.count > 2 * limit + 2_048 { compact() }
        }
        secrets[line.random]?.secrets.insert(line)
    }

    private mutating func forgetOldest() {
        while oldest < order.count {
            let (random, number) = order[oldest]
            oldest += 1
            if secrets[random]?.number == number {
                secrets[random] = nil
                forgotten += 1
                return
            }
        }
        // Every entry has its place in the order, so this is reached only when nothing is held.
        secrets.removeAll()
    }

    private mutating func compact() {
        order.removeSubrange(..<oldest)
        oldest = 0
        if order.count > 2 * limit + 2_048 {
            order.removeAll { secrets[$0.random]?.number != $0.number }
        }
    }
}
