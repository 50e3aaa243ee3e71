// Wingmirror · Apache-2.0

/// Octets that were given up as lost and came after all, on another interface, and how long to wait because of them.
///
/// Where two interfaces have two clocks, each sees one direction, and packets are merged by their stamps, one direction is
/// late by as much as the clocks differ. Without patience of that length all of its octets come when they have been given
/// up. The first that do show how late it is; from then on everything that is acknowledged is waited for as long. What
/// interface a missing octet would have come by is not known, so that the patience is that of the whole table.
struct LateOctets: ~Copyable {
    /// What was given up of one stream, from the first octet to the last, and since when that had been waited for.
    struct Loss: BitwiseCopyable {
        var connection = -1
        var direction = StreamDirection.fromOriginator
        var start: Int64 = 0
        var end: Int64 = 0
        var since: Int64 = 0
        /// The interface that showed it.
        var interface = 0
    }

    /// 1,024 streams of which something was given up; a newer one takes the place of an older.
    private static let lossCount = 1024
    /// The longest that is learned: a difference of clocks beyond it makes memory short before it is over.
    static let longest: Int64 = 5_000_000_000

    /// How late octets came on the clock that never goes back, at most; 0 while none did.
    private(set) var lateness: Int64 = 0
    private var losses = FixedBuffer<Loss>(repeating: Loss(), count: lossCount)

    /// Whether late octets teach patience: not on a live capture, whose interfaces have one clock.
    let learns: Bool

    init(learns: Bool) {
        self.learns = learns
    }

    /// How long octets are waited for that the other side has acknowledged, where `graceNanoseconds` suffice without late ones.
    func patience(_ grace: Int64) -> Int64 {
        lateness == 0 ? grace : lateness + lateness / 4 + grace
    }

    /// Octets of a stream were given up that had been waited for since `time`, or all of a direction of which none was seen.
    mutating func givenUp(_ octets: Range<Int64>, of key: LateKey, since time: Int64, shownBy interface: Int) {
        let place = key.place & (Self.lossCount - 1)
        if losses[place].connection == key.connection, losses[place].direction == key.direction {
            losses[place].end = octets.upperBound
            return
        }
        losses[place] = Loss(
            connection: key.connection,
            direction: key.direction,
            start: octets.lowerBound,
            end: octets.upperBound,
            since: time,
            interface: interface
        )
    }

    /// Octets came of a part of their stream that was passed by; answers whether they had been given up.
    mutating func arrived(_ octets: Range<Int64>, of key: LateKey, on interface: Int, now: Int64) -> Bool {
        let place = key.place & (Self.lossCount - 1)
        let loss = losses[place]
        guard loss.connection == key.connection, loss.direction == key.direction, octets.lowerBound < loss.end,
            octets.upperBound > loss.start, interface != loss.interface
        else { return false }
        // They come in order, so that what was given up first says how late they are, and what comes next nothing more.
        if learns, octets.lowerBound <= loss.start {
            lateness = max(lateness, min(now - loss.since, Self.longest))
        }
        return true
    }

    /// The first segment came of a direction that was taken to be absent; it is late if it lies in what was given up of it.
    mutating func directionArrived(_ key: LateKey, at offset: Int64, on interface: Int, now: Int64) {
        let place = key.place & (Self.lossCount - 1)
        let loss = losses[place]
        guard learns, loss.connection == key.connection, loss.direction == key.direction, interface != loss.interface,
            offset < loss.end
        else { return }
        lateness = max(lateness, min(now - loss.since, Self.longest))
        losses[place].connection = -1
    }
}

/// Which stream octets were lost of: a slot may have been another connection's before.
struct LateKey {
    let connection: Int
    let direction: StreamDirection

    /// A number that spreads streams.
    var place: Int { connection &* 2 &+ (direction == .fromOriginator ? 0 : 1) }
}
