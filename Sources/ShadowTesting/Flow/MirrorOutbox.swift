// Wingmirror · Apache-2.0

/// What one capture thread has for the queue: sampled exchanges, and the counts of all that was not sampled.
///
/// A plain value that its thread owns. `MirrorQueue.deliver` empties it at the end of a batch of packets; when the queue is
/// just being looked at by someone else the outbox is kept for the next batch, and its bounds hold until then.
public struct MirrorOutbox: Sendable {
    /// How much an outbox holds.
    public struct Limits: Sendable, Hashable {
        /// Exchanges; some batches' worth at high rates.
        public var exchanges = 4096
        /// Octets of exchanges.
        public var octets = 16 << 20

        /// Makes the defaults.
        public init() {}
    }

    /// The counts of one edition of the plan.
    struct Counts: Sendable {
        let edition: Int
        var tallies: [MirrorTally]
        var isEmpty: Bool
    }

    private let limits: Limits
    private(set) var exchanges: [SampledExchange] = []
    private var octets = 0
    /// By edition, the newest last; requests that began before a reload are told under the plan that they began with.
    private(set) var counts: [Counts] = []

    /// Makes an empty outbox.
    public init(limits: Limits = Limits()) {
        self.limits = limits
    }

    /// Whether there is nothing to deliver.
    public var isEmpty: Bool { exchanges.isEmpty && counts.allSatisfy(\.isEmpty) }

    /// A policy looked at a request, and it is not eligible.
    public mutating func requestFiltered(policy: Int, edition: Int, reason: FilterReason) {
        change(policy, edition) { $0.filtered[reason, default: 0] += 1 }
    }

    /// A policy looked at a request, and it is outside the share.
    public mutating func requestNotSampled(policy: Int, edition: Int) {
        change(policy, edition) { $0.notSampled += 1 }
    }

    /// A sampled exchange is complete; it is counted as dropped when there is no room.
    public mutating func exchangeSampled(_ exchange: SampledExchange) {
        let size = exchange.exchange.octetsInMemory
        guard exchanges.count < limits.exchanges, octets + size <= limits.octets else {
            change(exchange.policy, exchange.planEdition) { $0.overflowed += 1 }
            return
        }
        octets += size
        exchanges.append(exchange)
    }

    /// Everything was taken over.
    mutating func delivered() {
        exchanges.removeAll(keepingCapacity: exchanges.capacity <= limits.exchanges)
        octets = 0
        // Older editions end here; should a late request bring one back it is made anew.
        counts.removeFirst(max(counts.count - 1, 0))
        for place in counts.indices where !counts[place].isEmpty {
            for policy in counts[place].tallies.indices { counts[place].tallies[policy] = MirrorTally() }
            counts[place].isEmpty = true
        }
    }

    private mutating func change(_ policy: Int, _ edition: Int, _ body: (inout MirrorTally) -> Void) {
        let place: Int
        if let found = counts.lastIndex(where: { $0.edition == edition }) {
            place = found
        } else {
            place = counts.firstIndex { $0.edition > edition } ?? counts.endIndex
            counts.insert(Counts(edition: edition, tallies: [], isEmpty: true), at: place)
        }
        while counts[place].tallies.count <= policy { counts[place].tallies.append(MirrorTally()) }
        body(&counts[place].tallies[policy])
        counts[place].isEmpty = false
    }
}
