// Wingmirror · Apache-2.0

/// How many exchanges are kept to be looked at, and how much of each.
public struct RecentLimits: Sendable, Hashable {
    /// The most that are kept of each kind: those that a route took, those that none took, those that failed, and those that were
    /// answered with 4xx.
    ///
    /// 512 is more than a person reads, and with `headOctets` bounds the memory of all four to some 34 MiB; ordinary heads
    /// need a tenth of that.
    public var exchanges = 512
    /// How many of each kind are kept in a second of packet time.
    public var perSecond = 20
    /// How many may come at once.
    public var burst = 40
    /// The most octets kept of a head; the field lines beyond are left out.
    public var headOctets = 8192
    /// How long a route of which a request has been kept leaves the others their turn, by packet time.
    public var turnNanoseconds: Int64 = 10_000_000_000

    /// The most octets that one exchange of each kind takes: four times two heads.
    public var octetsPerExchange: Int { 8 * headOctets }

    /// Makes the defaults.
    public init() {}
}
