// Wingmirror · Apache-2.0

/// The table that a shard counts into, used without counting references.
///
/// `@unchecked Sendable`: only the one thread that writes to the shard calls any of this once it is made.
@safe
final class WriterTable: @unchecked Sendable {
    @exclusivity(unchecked) private var table: Unmanaged<ShardTable>

    init(_ table: ShardTable) {
        unsafe self.table = .passRetained(table)
    }

    deinit {
        unsafe table.release()
    }

    /// Takes another table; not within `lend`.
    func replace(by newTable: ShardTable) {
        let old = unsafe table
        unsafe table = .passRetained(newTable)
        unsafe old.release()
    }

    /// Lends the table to `body`; it is held as long as it is not replaced.
    @inline(__always)
    func lend(to body: (ShardTable) -> Void) {
        unsafe table._withUnsafeGuaranteedRef { body($0) }
    }
}
