// Wingmirror · Apache-2.0

/// How many entries the latest blocks of a direction inserted into the table.
///
/// An encoder inserts what is new to it: nearly all at first, and from then on as much as its requests differ. So a known
/// number of missed blocks has likely made a known number of insertions. That proves nothing, and is evidence beside names.
struct InsertionRhythm {
    /// Insertions of the latest eight blocks, an octet each, the latest the lowest.
    private var recent: UInt64 = 0
    private var blockCount: UInt8 = 0
    /// Insertions of the block in progress.
    private var inserted: UInt8 = 0
    /// Whether the block in progress is the first of all, or was seen in part.
    private var isUnlike = true

    private static var leastBlocks: Int { 2 }
    /// Insertions that missed blocks may have made beyond what the latest ones made.
    private static var slack: Int { 2 }

    mutating func entryInserted() {
        if inserted < .max { inserted += 1 }
    }

    mutating func blockEnded() {
        if !isUnlike {
            recent = recent << 8 | UInt64(inserted)
            blockCount = min(blockCount + 1, 8)
        }
        isUnlike = false
        inserted = 0
    }

    /// A part of a block was missed.
    mutating func blockBroken() {
        inserted = 0
    }

    /// The insertions that so many blocks have likely made; `nil` if too few were seen to say that.
    func insertions(of blocks: ClosedRange<Int>) -> ClosedRange<Int>? {
        guard blockCount >= Self.leastBlocks else { return nil }
        var low = Int.max
        var high = 0
        for index in 0..<UInt64(blockCount) {
            let count = Int(recent >> (index * 8) & 0xFF)
            low = min(low, count)
            high = max(high, count)
        }
        let slack = blocks.upperBound > 0 ? Self.slack : 0
        return blocks.lowerBound * low...blocks.upperBound * high + slack
    }
}
