// Wingmirror · Apache-2.0

import PacketDecoding

/// Turns packet times, which may jump or go back, into a clock that only moves forward.
///
/// Every bound on time is measured on this clock; what is reported are the packets' own times. Interfaces may have
/// clocks of their own, so each is followed by itself, and the foremost leads.
///
/// Packets that are a little late do not move the clock. A time that is far off moves it only once a further packet of
/// the interface agrees: so a single wrong stamp changes nothing, a clock that was set back is followed from there, and
/// one that was set forward counts as no more than `longestStep`, which a capture that was silent for long counts as too;
/// until a second after such a step the clock stands still.
struct PacketClock: ~Copyable {
    /// How late a packet may be, in nanoseconds, before its time is taken for a clock that was set back.
    static let toleratedLateness: Int64 = 1_000_000_000
    /// How far a packet may be ahead, in nanoseconds, before the next has to agree; and the most that one step counts.
    static let longestStep: Int64 = 60_000_000_000
    /// How much later a packet of a stream may be stamped than the next, in nanoseconds, by queues that overtake each
    /// other; what goes back further is a clock that was set back.
    static let disorder: Int64 = 100_000_000
    /// Where the clock stops, far from overflow: only a capture made to do so gets there.
    static let end: Int64 = 1 << 62
    /// How many interfaces are followed apart; the last stands for all beyond.
    static let interfaceLimit = 64

    /// The clock of an interface.
    struct Source: BitwiseCopyable {
        /// The latest time that was believed, in nanoseconds since the epoch.
        var latest: Int64 = 0
        /// Where that is on our clock.
        var now: Int64 = 0
        /// A time that was far off, until the next packet.
        var suspect: Int64 = 0
        /// Whether there is such a time.
        var hasSuspect = false
        /// Whether there was any packet.
        var hasBegun = false
    }

    /// Nanoseconds since the first packet.
    private(set) var now: Int64 = 0
    /// The clock of `current`, which is kept apart because most packets come from the same interface.
    private var source = Source()
    /// Whose clock that is, as packets name it; none that they could name before the first.
    private var interface = Int.min
    /// The clocks of the others.
    private var sources = FixedBuffer<Source>(repeating: Source(), count: interfaceLimit)
    /// The interface of the latest packet.
    private(set) var current = 0
    /// Whether packets of more than one interface were seen.
    private(set) var hasSeveralSources = false

    /// Moves the clock to the time of a packet of `interface`.
    @inline(__always)
    mutating func advance(to time: PacketTime, on interface: Int) {
        if _slowPath(interface != self.interface), !isTakenUp(interface, at: time.nanoseconds) { return }
        let elapsed = time.nanoseconds &- source.latest
        guard elapsed >= 0, elapsed <= Self.longestStep else {
            timeIsFarOff(time.nanoseconds)
            return
        }
        source.latest = time.nanoseconds
        source.hasSuspect = false
        move(by: elapsed)
    }

    /// Takes up the clock of another interface; `false` where it begins with this packet.
    @inline(never)
    private mutating func isTakenUp(_ interface: Int, at time: Int64) -> Bool {
        let previous = source
        sources[current] = previous
        current = min(max(interface, 0), Self.interfaceLimit - 1)
        source = sources[current]
        self.interface = interface
        guard !source.hasBegun else { return true }
        sourceBegins(at: time, after: previous)
        return false
    }

    /// Lets time pass without a packet.
    ///
    /// `time` is the present on the clock of the interface that the latest packet came from.
    mutating func timePassed(until time: PacketTime) {
        guard source.hasBegun else {
            sourceBegins(at: time.nanoseconds, after: source)
            return
        }
        let elapsed = time.nanoseconds &- source.latest
        guard elapsed >= 0 else {
            timeIsFarOff(time.nanoseconds)
            return
        }
        source.latest = time.nanoseconds
        move(by: min(elapsed, Self.longestStep))
    }

    /// Begins the clock of an interface: where its first time lies from that of the packet before, if that is near.
    private mutating func sourceBegins(at time: Int64, after previous: Source) {
        let (elapsed, isBeyond) = time.subtractingReportingOverflow(previous.latest)
        hasSeveralSources = previous.hasBegun
        let isNear = previous.hasBegun && !isBeyond && (-Self.toleratedLateness...Self.longestStep).contains(elapsed)
        source = Source(latest: time, now: isNear ? previous.now : now, hasBegun: true)
        move(by: isNear ? elapsed : 0)
    }

    private mutating func timeIsFarOff(_ time: Int64) {
        let latest = source.latest
        let (elapsed, isBeyond) = time.subtractingReportingOverflow(latest)
        guard isBeyond || elapsed > 0 || elapsed < -Self.toleratedLateness else {
            return
        }
        let suspect = source.suspect
        let isForward = time > latest
        // A further packet agrees when it is on the same side, and no earlier than what it confirms.
        let agrees =
            source.hasSuspect && (suspect > latest) == isForward
            && time >= suspect.addingReportingOverflow(-Self.toleratedLateness).partialValue
        guard agrees else {
            source.suspect = time
            source.hasSuspect = true
            return
        }
        // What began to wait with the first of them is not given up for the silence before it.
        let settled = suspect.addingReportingOverflow(Self.toleratedLateness)
        guard !isForward || settled.overflow || time >= settled.partialValue else {
            return
        }
        source.latest = time
        source.hasSuspect = false
        if isForward {
            move(by: Self.longestStep)
        }
    }

    @inline(__always)
    private mutating func move(by elapsed: Int64) {
        let reached = min(source.now + elapsed, Self.end)
        source.now = reached
        now = max(now, reached)
    }
}
