// Wingmirror · Apache-2.0

import CAllocationCounter

/// Counts calls of `malloc` and its like, by the functions of `CAllocationCounter` that stand in front of glibc's.
enum AllocationCounter {
    /// Calls so far that asked for memory.
    static var calls: Int {
        wingmirror_allocation_calls()
    }

    /// Whether a known number of allocations is counted as such; where it is not, no count may be reported.
    static var isTrustworthy: Bool {
        let before = calls
        let objects = (0..<1000).map { Witness($0) }
        let counted = calls - before
        // The array that holds the objects is an allocation or a few, too; a debug build makes some for each of them.
        let most = Machine.isOptimizedBuild ? 1016 : 5000
        return withExtendedLifetime(objects) { 1000...most ~= counted }
    }

    private final class Witness {
        let number: Int

        init(_ number: Int) {
            self.number = number
        }
    }
}
