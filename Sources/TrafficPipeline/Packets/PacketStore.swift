// Wingmirror · Apache-2.0

internal import Synchronization

/// The packets that one worker keeps.
///
/// They lie in blocks, each written by the capture thread alone and read by others without its knowledge: what they share is
/// the list of blocks, for which the capture thread never waits. The oldest block makes room for the newest, and goes once
/// all of it is too old. While packets are saved a block that makes room is not written again but replaced, so that the
/// reader keeps its own: memory may exceed the bound for those milliseconds by what was captured in them.
final class PacketStore: Sendable {
    /// A block holds any packet, and a 16th of all where that is more.
    private static let leastBlock = PacketBlock.size(captured: 262_144)
    /// How far the clocks of two interfaces may be apart, in nanoseconds: that of a network card may be in TAI, 37 s ahead.
    private static let clockTolerance: Int64 = 60_000_000_000

    private let blockOctets: Int
    private let blockLimit: Int
    private let state = Mutex(State())
    private let missedPackets = Atomic<Int>(0)

    private struct State: Sendable {
        /// The blocks, the oldest first; packets are added to the last.
        var blocks: [PacketBlock] = []
        /// Blocks that have been written before, to be written again.
        var spare: [PacketBlock] = []
        /// How many read just now.
        var readers = 0

        /// Puts a block away that is not among `blocks` any more.
        mutating func retire(_ block: PacketBlock) {
            guard readers == 0 else { return }
            block.reset()
            spare.append(block)
        }
    }

    /// Makes room for packets, which takes memory as they come.
    ///
    /// - Parameter octets: The most octets that they take, at least two blocks.
    init(octets: Int) {
        blockOctets = max(octets / 16, Self.leastBlock)
        blockLimit = max(octets / blockOctets, 2)
    }

    /// How much is kept now.
    var extent: KeptPackets.Extent {
        let blocks = state.withLock { $0.blocks }
        var extent = KeptPackets.Extent()
        extent.packets = blocks.reduce(0) { $0 + $1.packets }
        extent.octets = blocks.reduce(0) { $0 + $1.octets }
        extent.missed = missedPackets.load(ordering: .relaxed)
        return extent
    }

    // MARK: - The capture thread

    /// The next block to be written; `nil` when somebody looks at the list just now.
    func nextBlock() -> PacketBlock? {
        let blockOctets = blockOctets
        let blockLimit = blockLimit
        return state.withLockIfAvailable { state -> PacketBlock in
            if state.blocks.count >= blockLimit { state.retire(state.blocks.removeFirst()) }
            let block = state.spare.popLast() ?? PacketBlock(capacity: blockOctets)
            state.blocks.append(block)
            return block
        }
    }

    /// Forgets blocks to which nothing was added for `age`, unless somebody looks at the list just now.
    ///
    /// One of the future goes too: the clock was set back, and its time would not come for as long.
    ///
    /// - Returns: Whether the block that was written last is among them.
    func forget(olderThan age: Int64, at now: Int64) -> Bool {
        let ages = -max(age, Self.clockTolerance)...age
        return state.withLockIfAvailable { state -> Bool in
            // Times of packets may be anything; a difference beyond the range wraps.
            while let first = state.blocks.first, first.packets == 0 || !ages.contains(now &- first.latestTime) {
                state.retire(state.blocks.removeFirst())
            }
            return state.blocks.isEmpty
        } ?? false
    }

    /// Forgets everything, and gives the memory back.
    ///
    /// - Returns: `false` when somebody looks at the list just now, and nothing was forgotten.
    func forgetAll() -> Bool {
        state.withLockIfAvailable { state -> Void in
            state.blocks = []
            state.spare = []
        } != nil
    }

    /// A packet was not kept.
    func packetMissed() {
        missedPackets.store(missedPackets.load(ordering: .relaxed) + 1, ordering: .relaxed)
    }

    // MARK: - Others

    /// Lends the blocks, the oldest first; none of them is written again until `body` ends, though packets may be added.
    func read<Result>(_ body: ([PacketBlock]) -> Result) -> Result {
        let blocks = state.withLock { state -> [PacketBlock] in
            state.readers += 1
            return state.blocks
        }
        defer { state.withLock { $0.readers -= 1 } }
        return body(blocks)
    }
}
