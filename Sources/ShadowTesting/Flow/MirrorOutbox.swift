// Wingmirror · Apache-2.0

internal import TrafficModel

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

    /// The counts of a plan that was replaced while requests were in progress.
    struct EarlierCounts: Sendable {
        let edition: Int
        var tallies: MirrorTallies
    }

    /// A policy of a plan.
    struct PolicyPlace: Sendable, Hashable {
        let edition: Int
        let policy: Int
    }

    /// What the policies of the plan in force decided; `MirrorPlan` counts here.
    public var tallies: MirrorTallies
    /// The number of the plan in force.
    public private(set) var edition: Int

    private let limits: Limits
    private(set) var exchanges: [SampledExchange] = []
    private var octets = 0
    private(set) var earlier: [EarlierCounts] = []
    /// Sampled exchanges that there was no room for.
    private(set) var overflowed: [PolicyPlace: UInt64] = [:]

    /// Makes an empty outbox for a plan.
    public init(edition: Int = 0, policyCount: Int = 0, limits: Limits = Limits()) {
        self.edition = edition
        self.limits = limits
        tallies = MirrorTallies(policyCount: policyCount)
    }

    /// Whether there is nothing to deliver.
    public var isEmpty: Bool { tallies.isEmpty && exchanges.isEmpty && earlier.isEmpty && overflowed.isEmpty }

    /// The capture thread goes over to another plan; what was counted under the one before stays with it.
    public mutating func planReplaced(edition: Int, policyCount: Int) {
        if !tallies.isEmpty {
            earlier.append(EarlierCounts(edition: self.edition, tallies: tallies))
        }
        self.edition = edition
        tallies = MirrorTallies(policyCount: policyCount)
    }

    /// Counts decisions of any plan: a request ends under the plan that it began with.
    public mutating func withTallies<Result>(
        ofEdition edition: Int,
        policyCount: Int,
        _ body: (inout MirrorTallies) -> Result
    ) -> Result {
        guard edition != self.edition else { return body(&tallies) }
        if let place = earlier.firstIndex(where: { $0.edition == edition }) {
            return body(&earlier[place].tallies)
        }
        var counts = EarlierCounts(edition: edition, tallies: MirrorTallies(policyCount: policyCount))
        defer {
            if !counts.tallies.isEmpty { earlier.append(counts) }
        }
        return body(&counts.tallies)
    }

    /// A sampled exchange is complete; it counts as dropped when there is no room.
    public mutating func exchangeSampled(_ exchange: SampledExchange) {
        let size = exchange.exchange.octetsInMemory
        guard exchanges.count < limits.exchanges, octets + size <= limits.octets else {
            overflowed[PolicyPlace(edition: exchange.planEdition, policy: exchange.policy), default: 0] += 1
            return
        }
        octets += size
        exchanges.append(exchange)
    }

    /// Everything was taken over.
    mutating func delivered() {
        tallies.removeAll()
        exchanges.removeAll(keepingCapacity: true)
        octets = 0
        earlier.removeAll()
        overflowed.removeAll()
    }
}
