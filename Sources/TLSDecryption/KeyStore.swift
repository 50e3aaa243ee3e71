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
        public var connections = 65_536
        /// How long secrets are held that no connection takes, by the time that ``KeyStore/timePassed(to:)`` says.
        ///
        /// A connection whose first records did not come within a minute of its secrets will not.
        public var lifetimeNanoseconds: Int64 = 60_000_000_000

        /// Makes limits of the defaults.
        public init() {}

        /// For savefiles, whose key log is read as a whole before the first packet.
        public static let savefile: Limits = {
            var limits = Limits()
            limits.connections = 1 << 20
            return limits
        }()
    }

    /// What is held; a capture thread only ever tries to take its lock.
    let table: Mutex<SecretTable>
    private let changes = Atomic<UInt64>(0)
    private let isExpected: Bool

    /// Makes an empty store.
    /// - Parameters:
    ///   - limits: How much is held.
    ///   - isExpected: Whether secrets are to come. Without, TLS is not taken for unreadable for want of keys until one came:
    ///     the secrets blocks of a pcapng savefile are found only when it is read.
    public init(limits: Limits = Limits(), isExpected: Bool = true) {
        table = Mutex(SecretTable(limits))
        self.isExpected = isExpected
    }

    /// Whether decryption is off: no secret came, and none was to.
    var isOff: Bool { !isExpected && changeCount == 0 }

    /// Counts what was put in, so that whoever waits for a secret knows when to look again.
    var changeCount: UInt64 { changes.load(ordering: .acquiring) }

    /// Connections whose secrets are held.
    public var count: Int { table.withLock { $0.count } }

    /// Connections whose secrets were forgotten, which only grow.
    public struct Forgotten: Sendable, Hashable {
        /// For want of room.
        public internal(set) var displaced = 0
        /// As no connection took them in time.
        public internal(set) var expired = 0
    }

    /// How many connections' secrets were forgotten.
    public var forgotten: Forgotten { table.withLock { $0.forgotten } }

    /// Time has passed: secrets are forgotten that no connection took within ``Limits/lifetime``.
    ///
    /// Without it none expire, as where a key log is read as a whole before its packets.
    /// - Parameter now: Nanoseconds since any fixed moment, the same for all calls.
    public func timePassed(to now: Int64) {
        table.withLock { $0.timePassed(to: now) }
    }

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

    /// What is known of a connection.
    /// - Parameters:
    ///   - random: The random of its client's hello.
    ///   - waits: Whether to wait while another thread is at the store, which no capture thread may before its capture is over.
    /// - Returns: The secrets, or why there are none.
    func secrets(of random: ClientRandom, waits: Bool = false) -> KeyLookup {
        if waits { return table.withLock { KeyLookup($0.secrets(of: random)) } }
        return table.withLockIfAvailable { KeyLookup($0.secrets(of: random)) } ?? .busy
    }

    /// A connection has taken its secrets, which are forgotten unless they are kept for another capture of it.
    func claim(_ random: ClientRandom, isKept: Bool) {
        table.withLockIfAvailable { $0.claim(random, isKept: isKept) }
    }

    /// Whole secrets of at most `limit` connections, those first that no connection has taken.
    ///
    /// They begin with the one that was named nearest to the latest that was taken.
    /// - Parameters:
    ///   - limit: How many there may be.
    ///   - first: The number of the connection from which on they are asked for.
    /// - Returns: They, and the number to ask from the next time; `nil` while another thread is at the store.
    func candidates(limit: Int, from first: UInt64 = 0) -> KeyCandidates? {
        table.withLockIfAvailable { $0.candidates(limit: limit, from: first) }
    }
}

/// What came of a look for the secrets of a connection.
enum KeyLookup {
    case found(ConnectionSecrets)
    /// No key log has named the connection, or it was forgotten.
    case absent
    /// Another thread is at the store, so that a later look may find them.
    case busy

    fileprivate init(_ secrets: ConnectionSecrets?) {
        self = secrets.map { .found($0) } ?? .absent
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

/// Secrets that may be those of a connection whose client's hello was not captured.
struct KeyCandidates: Sendable {
    fileprivate(set) var secrets: [(random: ClientRandom, secrets: ConnectionSecrets)] = []
    /// The number of the first connection that was not there, or whose secrets were not whole.
    fileprivate(set) var next: UInt64
}

/// The secrets in the order in which their connections were first named, of which the oldest go first.
struct SecretTable {
    private var secrets: [ClientRandom: (secrets: ConnectionSecrets, number: UInt64, isClaimed: Bool)] = [:]
    /// Who was named when; entries that were removed or named anew are passed over.
    private var order: [(random: ClientRandom, number: UInt64, time: Int64)] = []
    private var oldest = 0
    private var now: Int64 = 0
    private var next: UInt64 = 0
    /// The number of the connection that took its secrets last.
    private var latestClaimed: UInt64 = 0
    private let limit: Int
    private let lifetime: Int64
    private(set) var forgotten = KeyStore.Forgotten()

    /// Entries that are passed over, at most, in the search for one that nobody has taken.
    private static var searchedEntries: Int { 4_096 }

    init(_ limits: KeyStore.Limits) {
        limit = max(limits.connections, 1)
        lifetime = limits.lifetimeNanoseconds
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
    func candidates(limit: Int, from first: UInt64) -> KeyCandidates {
        var found = KeyCandidates(next: next)
        var claimed: [(random: ClientRandom, secrets: ConnectionSecrets)] = []
        let start = place(of: first)
        var behind = max(place(of: latestClaimed), start)
        var before = behind - 1
        for step in 0..<Self.searchedEntries where found.secrets.count < limit {
            let isBehind = step % 2 == 0 && behind < order.count || before < start
            guard isBehind ? behind < order.count : before >= start else { break }
            let (random, number, _) = order[isBehind ? behind : before]
            if isBehind { behind += 1 } else { before -= 1 }
            guard let entry = secrets[random], entry.number == number else { continue }
            if !entry.secrets.isComplete {
                found.next = min(found.next, number)
            } else if !entry.isClaimed {
                found.secrets.append((random, entry.secrets))
            } else if claimed.count < limit {
                claimed.append((random, entry.secrets))
            }
        }
        found.secrets += claimed.prefix(limit - found.secrets.count)
        return found
    }

    /// Where the first connection stands whose number is not less.
    private func place(of number: UInt64) -> Int {
        var (low, high) = (oldest, order.count)
        while low < high {
            let middle = (low + high) / 2
            if order[middle].number < number { low = middle + 1 } else { high = middle }
        }
        return low
    }

    mutating func insert(_ line: KeyLogLine) {
        if secrets[line.random] == nil {
            while secrets.count >= limit { forgetOldest() }
            secrets[line.random] = (ConnectionSecrets(), next, false)
            order.append((line.random, next, now))
            next += 1
            if order.count > 2 * secrets.count + 2_048 { compact() }
        }
        secrets[line.random]?.secrets.insert(line)
    }

    mutating func timePassed(to now: Int64) {
        self.now = now
        while oldest < order.count, now - order[oldest].time > lifetime {
            let (random, number, _) = order[oldest]
            oldest += 1
            guard let entry = secrets[random], entry.number == number else { continue }
            secrets[random] = nil
            if !entry.isClaimed { forgotten.expired += 1 }
        }
        if oldest > 2 * secrets.count + 2_048 { compact() }
    }

    private mutating func forgetOldest() {
        while oldest < order.count {
            let (random, number, _) = order[oldest]
            oldest += 1
            if secrets[random]?.number == number {
                secrets[random] = nil
                forgotten.displaced += 1
                return
            }
        }
        // Every entry has its place in the order, so this is reached only when nothing is held.
        secrets.removeAll()
    }

    /// Lets go of entries that are passed over; rare enough that each is looked at a few times at most.
    private mutating func compact() {
        order.removeAll { secrets[$0.random]?.number != $0.number }
        oldest = 0
    }
}
