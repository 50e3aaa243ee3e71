// Wingmirror · Apache-2.0

/// Finds the number of a combination: the writer's own table, which readers never see.
///
/// Open addressing with linear probing, at most half full. An entry is the number plus one in the upper half and the
/// combination in the lower; 0 is free.
///
/// `@unchecked Sendable`: only the one thread that writes to a shard calls any of this.
@safe
final class CombinationIndex: @unchecked Sendable {
    @exclusivity(unchecked) private var entries: UnsafeMutablePointer<UInt64>?
    @exclusivity(unchecked) private var capacity = 0
    @exclusivity(unchecked) private var count = 0

    deinit {
        unsafe entries?.deallocate()
    }

    /// The number of a combination, if it has one.
    @inline(__always)
    func find(_ combination: UInt32) -> Int? {
        guard let entries = unsafe entries else { return nil }
        let mask = unsafe capacity - 1
        var slot = Self.hash(combination) & mask
        while true {
            // The mask keeps the slot within the capacity.
            let entry = unsafe entries[slot]
            if entry == 0 { return nil }
            if UInt32(truncatingIfNeeded: entry) == combination { return Int(entry >> 32) - 1 }
            slot = (slot + 1) & mask
        }
    }

    /// Gives a combination that has none the next number.
    func insert(_ combination: UInt32) {
        if unsafe count * 2 >= capacity { grow() }
        unsafe count += 1
        put(UInt64(unsafe count) << 32 | UInt64(combination))
    }

    private func put(_ entry: UInt64) {
        guard let entries = unsafe entries else { preconditionFailure("CombinationIndex.put: there is room") }
        let mask = unsafe capacity - 1
        var slot = Self.hash(UInt32(truncatingIfNeeded: entry)) & mask
        while unsafe entries[slot] != 0 {
            slot = (slot + 1) & mask
        }
        unsafe entries[slot] = entry
    }

    private func grow() {
        let old = unsafe entries
        let oldCapacity = unsafe capacity
        unsafe capacity = max(16, oldCapacity * 2)
        unsafe entries = .allocate(capacity: capacity)
        unsafe entries?.initialize(repeating: 0, count: capacity)
        guard let old = unsafe old else { return }
        for slot in 0..<oldCapacity {
            let entry = unsafe old[slot]
            if entry != 0 { put(entry) }
        }
        unsafe old.deallocate()
    }

    /// Spreads combinations, which differ in few bits, over the table.
    @inline(__always)
    private static func hash(_ combination: UInt32) -> Int {
        Int((UInt64(combination) &* 0x9E37_79B9_7F4A_7C15) >> 40)
    }
}
