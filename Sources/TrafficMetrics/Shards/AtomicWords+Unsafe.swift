// Wingmirror · Apache-2.0

import Synchronization

/// A fixed run of 64-bit counters; any thread may read them.
///
/// Unless it says otherwise, a method that changes a word is for one thread only: it loads and stores, which costs a
/// fraction of an atomic addition and loses nothing while there is only one writer.
///
/// `@unchecked Sendable`: the pointer is set once, every access to what it points to is atomic, and the sole owner frees it.
@safe
struct AtomicWords: ~Copyable, @unchecked Sendable {
    /// How many words there are.
    let count: Int
    private let base: UnsafeMutablePointer<Atomic<UInt64>>

    /// Allocates words, all zero.
    init(count: Int) {
        self.count = count
        unsafe base = .allocateZeroed(count: count)
    }

    deinit {
        unsafe base.free(count: count)
    }

    /// The value of a word.
    @inline(__always)
    func load(_ index: Int) -> UInt64 {
        precondition(UInt(bitPattern: index) < UInt(bitPattern: count), "AtomicWords.load: index in range")
        return unsafe base[index].load(ordering: .relaxed)
    }

    /// Sets a word; writer only.
    @inline(__always)
    func store(_ value: UInt64, at index: Int) {
        precondition(UInt(bitPattern: index) < UInt(bitPattern: count), "AtomicWords.store: index in range")
        unsafe base[index].store(value, ordering: .relaxed)
    }

    /// Adds to a word, wrapping; writer only.
    @inline(__always)
    func add(_ amount: UInt64, at index: Int) {
        // A counter begins again at zero after 2^64, as scrapers expect of counters.
        store(load(index) &+ amount, at: index)
    }

    /// Adds to a word, from any thread; gives the value before.
    func fetchAdd(_ amount: UInt64, at index: Int) -> UInt64 {
        precondition(UInt(bitPattern: index) < UInt(bitPattern: count), "AtomicWords.fetchAdd: index in range")
        return unsafe base[index].wrappingAdd(amount, ordering: .relaxed).oldValue
    }

    /// Sets a word that still has the expected value, from any thread; gives the value found.
    func compareExchange(expected: UInt64, desired: UInt64, at index: Int) -> (exchanged: Bool, original: UInt64) {
        precondition(UInt(bitPattern: index) < UInt(bitPattern: count), "AtomicWords.compareExchange: index in range")
        return unsafe base[index].compareExchange(
            expected: expected,
            desired: desired,
            ordering: .acquiringAndReleasing
        )
    }
}

extension UnsafeMutablePointer where Pointee == Atomic<UInt64> {
    /// Allocates words, all zero.
    static func allocateZeroed(count: Int) -> UnsafeMutablePointer<Atomic<UInt64>> {
        let base = UnsafeMutablePointer<Atomic<UInt64>>.allocate(capacity: count)
        for index in 0..<count {
            unsafe (base + index).initialize(to: Atomic(0))
        }
        return unsafe base
    }

    /// Frees words that `allocateZeroed` made with the same count.
    func free(count: Int) {
        unsafe deinitialize(count: count)
        unsafe deallocate()
    }
}
