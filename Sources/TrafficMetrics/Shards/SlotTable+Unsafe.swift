// Wingmirror · Apache-2.0

/// Counters by slot, found on the packet path without counting references.
///
/// The table holds a strong reference to each object for as long as it lives, and lends them only within a call. A shard
/// keeps its table alive while it counts, so what is lent cannot go.
///
/// `@unchecked Sendable`: immutable once made, and the objects are `Sendable`.
@safe
struct SlotTable<Cells: AnyObject & Sendable>: ~Copyable, @unchecked Sendable {
    @unsafe private struct Slot {
        let serial: UInt32
        let cells: Unmanaged<Cells>
    }

    private let slots: UnsafeMutableBufferPointer<Slot?>
    private let cells: [Cells]

    /// Makes a table; a place without an entry is a free slot.
    init(_ entries: [(serial: UInt32, cells: Cells)?]) {
        cells = entries.compactMap { $0?.cells }
        unsafe slots = .allocate(capacity: entries.count)
        for (index, entry) in entries.enumerated() {
            unsafe slots.initializeElement(
                at: index,
                to: entry.map { unsafe Slot(serial: $0.serial, cells: .passUnretained($0.cells)) }
            )
        }
    }

    deinit {
        unsafe slots.deinitialize()
        unsafe slots.deallocate()
    }

    /// Lends the counters of a slot to `body`; `false` when the slot is free or another has it now.
    @inline(__always)
    func lend(_ slot: UInt32, serial: UInt32, to body: (Cells) -> Void) -> Bool {
        guard unsafe slots.count > Int(slot), let found = unsafe slots[Int(slot)], unsafe found.serial == serial
        else {
            return false
        }
        unsafe found.cells._withUnsafeGuaranteedRef { body($0) }
        return true
    }
}
