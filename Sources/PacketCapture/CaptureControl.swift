// Wingmirror · Apache-2.0

import Synchronization

/// Gives a running capture another filter or another set of interfaces, from any thread.
///
/// Each capture thread looks between two batches of packets, which costs it one load, and never waits: while a change is
/// being put here it looks again after the next batch. Of several changes that were not taken up yet the last one counts.
public final class CaptureControl: Sendable {
    /// What a capture is to be like.
    struct Change: Sendable {
        /// What the kernel is to hand over.
        let filter: CaptureFilter
        /// The interfaces, with the numbers of their packets.
        let interfaces: [NumberedInterface]
    }

    private let counters: CaptureCounters
    /// How many changes there were.
    private let count = Atomic<Int>(0)
    private let latest = Mutex<Change?>(nil)

    /// Makes a control of the capture that counts into `counters`.
    public init(counters: CaptureCounters) {
        self.counters = counters
    }

    /// Asks for other interfaces or another filter; taken up within about a tenth of a second.
    ///
    /// Interfaces that stay are captured on without a break. Those that go deliver what their rings hold; those that
    /// come are opened, or tried again and again like any other. An interface keeps its number and its counters if it
    /// comes back. Packets that the old filter let into a ring are still delivered. With a filter too long for the
    /// kernel, and on `any`, libpcap changes the filter, and holds back everything for some microseconds meanwhile.
    ///
    /// Not handled: the ring, the snapshot length and the promiscuous mode stay as they were at the start.
    /// - Parameters:
    ///   - interfaces: The interfaces, by name.
    ///   - filter: What the kernel is to hand over.
    /// - Throws: `.invalidConfiguration` without an interface or with one named twice; `.invalidFilter`.
    public func change(to interfaces: [String], filter: CaptureFilter) throws(CaptureError) {
        try LiveConfiguration.check(interfaces)
        try filter.validate()
        let change = Change(filter: filter, interfaces: counters.numbered(interfaces))
        latest.withLock { $0 = change }
        count.add(1, ordering: .releasing)
    }

    /// The filter that was asked for last; `nil` before the first change.
    package var wantedFilter: CaptureFilter? { latest.withLock { $0?.filter } }

    /// The latest change, if there was one since the thread has seen `seen` of them and nobody is putting another.
    ///
    /// - Parameter seen: How many changes the thread knows; brought up to date.
    /// - Returns: The change to take up, or `nil`.
    func take(after seen: inout Int) -> Change? {
        let count = count.load(ordering: .acquiring)
        guard count != seen, let change = latest.withLockIfAvailable({ $0 }) else { return nil }
        seen = count
        return change
    }
}
