// Wingmirror · Apache-2.0

/// How much a `TrafficHistory` keeps, and for how long.
///
/// With what is usual, ten minutes are kept in slots of five seconds and two hours behind them in slots of a minute, in
/// 32 MiB of slots, and what each route with requests has counted in all, 1 to 2 KiB: 800 busy routes take 10 MiB, and
/// 20,000 that are all busy some 70 MiB. Where that is too little for the traffic, the history reaches back less far and
/// says so (`reach`).
public struct HistoryLimits: Sendable, Hashable {
    /// How long a slot of the recent past is, in nanoseconds.
    public var fineSlotNanoseconds: Int64 = 5_000_000_000
    /// How many slots the recent past has: ten minutes.
    public var fineSlots = 120
    /// How long a slot of the time before is, in nanoseconds.
    public var coarseSlotNanoseconds: Int64 = 60_000_000_000
    /// How many slots the time before has: two hours.
    public var coarseSlots = 120
    /// How many octets all slots may hold together; the oldest go first.
    public var octets = 32 << 20
    /// How many routes are followed; those that first have requests beyond it are left out, and counted.
    public var routes = 50_000
    /// The longest time between two samples across which counts are told apart, in nanoseconds.
    ///
    /// After a longer one nobody has looked, and what was counted meanwhile belongs to no slot: the time is a gap.
    /// `nil` takes every step for what it is, which suits savefiles that are read faster than time passes in them.
    public var longestStepNanoseconds: Int64? = 15_000_000_000

    /// Makes the usual limits.
    public init() {}

    /// The usual limits, for a source whose clock is that of its packets.
    public static var packetTime: HistoryLimits {
        var limits = HistoryLimits()
        limits.longestStepNanoseconds = nil
        return limits
    }
}
