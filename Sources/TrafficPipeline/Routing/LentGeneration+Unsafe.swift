// Wingmirror · Apache-2.0

/// The newest generation, lent without a count of references.
///
/// What is passed on from where it may be replaced is counted, by two atomic operations, and every exchange would need four.
@safe
struct LentGeneration {
    private let reference: Unmanaged<RouteGeneration>

    /// Lends a generation that ``GenerationsInUse`` keeps.
    init(_ generation: RouteGeneration) {
        unsafe reference = .passUnretained(generation)
    }

    /// Lends the generation to `body`, which must not take up another.
    @inline(__always)
    func lend<Result>(to body: (RouteGeneration) -> Result) -> Result {
        // Invariant: `GenerationsInUse` holds the generation until it takes up another, which is done between two batches, and
        // makes this anew then.
        unsafe reference._withUnsafeGuaranteedRef { body($0) }
    }
}
