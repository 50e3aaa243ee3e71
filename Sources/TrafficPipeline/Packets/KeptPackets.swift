// Wingmirror · Apache-2.0

public import PacketDecoding
internal import Synchronization

/// The packets of the last moments, from which those of one connection can be saved.
///
/// Packets lie in blocks, each written by the capture thread alone (``PacketKeeping``) and read by others without its
/// knowledge: what they share is the list of blocks, for which the capture thread never waits. The oldest block makes room
/// for the newest, and goes once all of it is older than `age`. While packets are saved a block that makes room is not
/// written again but replaced, so that the reader keeps its own: memory may exceed `octets` for those milliseconds by what
/// was captured in them.
///
/// They hold what the wire did, credentials too; nothing else of the agent keeps any.
public final class KeptPackets: Sendable {
    /// The most octets of packets that are saved of one connection; the latest are.
    public static let savedOctets = 16 << 20
    /// A block holds any packet, and a 16th of all where that is more.
    private static let leastBlock = PacketBlock.size(captured: 262_144)

    /// The most octets that packets take.
    public let octets: Int
    /// For how long they are kept, in nanoseconds of packet time.
    public let age: Int64
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
    /// - Parameters:
    ///   - octets: The most octets that they take, at least two blocks of some 256 KiB.
    ///   - age: For how long they are kept, in nanoseconds of packet time.
    public init(octets: Int, age: Int64) {
        self.octets = octets
        self.age = age
        blockOctets = max(octets / 16, Self.leastBlock)
        blockLimit = max(octets / blockOctets, 2)
    }

    /// How much is kept.
    public struct Extent: Sendable, Hashable {
        /// How many packets there are.
        public var packets: Int
        /// How many octets they take.
        public var octets: Int
        /// How many packets were not kept though they should have been: there was no block for them just then.
        public var missed: Int
    }

    /// How much is kept now.
    public var extent: Extent {
        let blocks = state.withLock { $0.blocks }
        return Extent(
            packets: blocks.reduce(0) { $0 + $1.packets },
            octets: blocks.reduce(0) { $0 + $1.octets },
            missed: missedPackets.load(ordering: .relaxed)
        )
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

    /// Forgets blocks of which no packet is as new as `time`, unless somebody looks at the list just now.
    ///
    /// - Returns: Whether the block that was written last is among them.
    func forget(before time: Int64) -> Bool {
        state.withLockIfAvailable { state -> Bool in
            while let first = state.blocks.first, first.latestTime < time {
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

    /// Takes what is kept of a connection.
    ///
    /// - Parameter number: The connection's number, as records have it.
    /// - Returns: The packets as a savefile; `nil` where none is kept any more, or ever was.
    public func packets(ofConnection number: Int) -> SavedPackets? {
        let blocks = state.withLock { state -> [PacketBlock] in
            state.readers += 1
            return state.blocks
        }
        defer { state.withLock { $0.readers -= 1 } }
        return SavedPackets(ofConnection: Int64(number), in: blocks, age: age, limit: Self.savedOctets)
    }
}

/// Adds packets to those that are kept, on the capture thread.
public struct PacketKeeping: ~Copyable {
    private let board: KeptPackets
    private let shedding: LoadShedding?
    private var block: PacketBlock?
    private var isPaused = false

    /// Makes a writer, which must be the board's only one.
    ///
    /// - Parameters:
    ///   - board: Where packets are kept.
    ///   - shedding: Says when memory is short: then all packets are forgotten and none is kept.
    public init(_ board: KeptPackets, shedding: LoadShedding? = nil) {
        self.board = board
        self.shedding = shedding
    }

    /// Keeps a packet of a connection.
    ///
    /// - Parameters:
    ///   - packet: What the capture says of it.
    ///   - octets: Its octets, borrowed for the call only.
    ///   - connection: The connection's number; `nil` for a fragment that does not complete its datagram.
    public mutating func packetArrived(_ packet: CapturedPacket, octets: Span<UInt8>, connection: Int?) {
        guard !isPaused else { return }
        let connection = connection.map { Int64($0) } ?? PacketBlock.Header.fragment
        if let block, block.append(packet, octets: octets, connection: connection) { return }
        // The block that is full stays the one to write to until there is another.
        guard let next = board.nextBlock() else { return board.packetMissed() }
        block = next
        if !next.append(packet, octets: octets, connection: connection) { board.packetMissed() }
    }

    /// Between two batches of packets, or while none come: forgets those that are too old, or all while memory is short.
    ///
    /// - Parameter now: The latest packet time.
    public mutating func timePassed(until now: PacketTime) {
        if let shedding, shedding.level > .none {
            // What somebody was looking at is forgotten at the next call.
            if board.forgetAll() { block = nil }
            isPaused = true
            return
        }
        isPaused = false
        if board.forget(before: now.nanoseconds - board.age) { block = nil }
    }
}
