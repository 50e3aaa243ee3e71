// Wingmirror · Apache-2.0

/// Votes for and against a target.
struct VoteCount: Sendable, Hashable {
    var votes: UInt64 = 0
    var worse: UInt64 = 0
    var better: UInt64 = 0
}
