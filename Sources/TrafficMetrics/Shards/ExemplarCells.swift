// Wingmirror · Apache-2.0

import Synchronization
internal import TrafficModel

/// The exemplars of one route in one shard: the newest of each bucket, as long as the one before had a while to be read.
///
/// The shard's thread writes, a scrape reads. Each place has a version of its own, odd while the place is being written,
/// so that a reader never takes the ids of one trace for those of another. A place takes 48 octets, which exist in pages
/// once a sampled request fell into one of its buckets; a route without sampled requests takes none.
struct ExemplarCells: ~Copyable, Sendable {
    private let words: PagedWords

    /// How much newer an observation must be to take the place of another: a second, so that an exemplar that was read
    /// in one scrape is not gone before anyone looks at it, and the packet path rarely writes.
    static let minimumAge: Int64 = 1_000_000_000

    /// The words of a place.
    private enum Word {
        static let version = 0
        static let traceHigh = 1
        static let traceLow = 2
        static let span = 3
        static let value = 4
        static let time = 5
        static let count = 6
    }

    /// Makes places without exemplars, allocating nothing.
    init(slotCount: Int) {
        words = PagedWords(count: slotCount * Word.count)
    }

    /// Takes an observation for the exemplar of its bucket, unless the one that is there is too new; writer only.
    @inline(never)
    func offer(_ trace: TraceContext, value: UInt64, at time: Int64, slot: Int) {
        let start = slot * Word.count
        let version = words.load(start + Word.version)
        let present = Int64(bitPattern: words.load(start + Word.time))
        // Times of packets may be anything; the version is only held against others, and may begin again.
        guard version == 0 || time &- present >= Self.minimumAge else { return }
        words.store(version &+ 1, at: start + Word.version)
        // The version must be seen odd before any of the words that follow is seen changed.
        atomicMemoryFence(ordering: .releasing)
        words.store(trace.traceHigh, at: start + Word.traceHigh)
        words.store(trace.traceLow, at: start + Word.traceLow)
        words.store(trace.span, at: start + Word.span)
        words.store(value, at: start + Word.value)
        words.store(UInt64(bitPattern: time), at: start + Word.time)
        // All words must be seen changed before the version is seen even.
        atomicMemoryFence(ordering: .releasing)
        words.store(version &+ 2, at: start + Word.version)
    }

    /// Whether there never was an exemplar.
    var isEmpty: Bool {
        words.isUntouched
    }

    /// The exemplar of a bucket, if there is one.
    ///
    /// Tries again if it changed meanwhile. It changes once a second at most, so a second try finds it whole unless the
    /// writer was interrupted in the middle; then this scrape goes without it.
    func read(slot: Int) -> Exemplar? {
        let start = slot * Word.count
        for _ in 0..<16 {
            let version = words.load(start + Word.version)
            guard version != 0 else { return nil }
            guard version & 1 == 0 else { continue }
            // The version must have been read before any of the words that follow.
            atomicMemoryFence(ordering: .acquiring)
            let trace = TraceContext(
                traceHigh: words.load(start + Word.traceHigh),
                traceLow: words.load(start + Word.traceLow),
                span: words.load(start + Word.span),
                isSampled: true
            )
            let value = words.load(start + Word.value)
            let time = Int64(bitPattern: words.load(start + Word.time))
            // What was read must have been read before the version is compared.
            atomicMemoryFence(ordering: .acquiring)
            guard words.load(start + Word.version) == version else { continue }
            return trace.map { Exemplar(trace: $0, observedAt: time, storedValue: value) }
        }
        return nil
    }
}
