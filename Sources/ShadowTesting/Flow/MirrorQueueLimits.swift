// Wingmirror · Apache-2.0

extension MirrorQueue {
    /// How much the queue holds, over all policies and targets; fixed when it is made.
    public struct Limits: Sendable, Hashable {
        /// Octets of exchanges that wait, are in flight or are to be judged.
        public var octets = 128 << 20
        /// Exchanges that wait, are in flight or are to be judged.
        public var exchanges = 65_536
        /// Copies that wait for one target.
        public var copiesPerTarget = 10_000
        /// How much of a target's rate may wait: more could not be sent within this time anyhow.
        public var backlog: Duration = .seconds(5)
        /// Octets sent to all targets in a second; `nil` for no bound.
        public var egressOctetsPerSecond: Int?
        /// Routes with counts of their own, for each target and each lane; others share the empty identity.
        public var routes = 1000
        /// The bounds in which waits and durations are counted, in nanoseconds and growing order.
        public var durationBounds = BucketCounts.durationBounds
        /// The bounds in which sizes of content are counted, in octets and growing order.
        public var sizeBounds = BucketCounts.sizeBounds

        /// Makes the defaults.
        public init() {}
    }
}
