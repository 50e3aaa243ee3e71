// Wingmirror · Apache-2.0

public import PacketDecoding
internal import TCPReassembly

/// The packets of the last moments, from which those of one connection can be saved.
///
/// Each capture thread keeps its own in a ``PacketStore``, to which it alone writes (``PacketKeeping``): a connection's
/// packets come to one thread, which its number says.
///
/// They hold what the wire did, credentials too; nothing else of the agent keeps any.
public final class KeptPackets: Sendable {
    /// The most octets of packets that are saved of one connection; the latest are.
    public static let savedOctets = 16 << 20

    /// The most octets that packets take.
    public let octets: Int
    /// For how long they are kept, in nanoseconds of packet time.
    public let age: Int64
    /// Those of each worker, by its number.
    let stores: [PacketStore]

    /// Makes room for packets, which takes memory as they come.
    ///
    /// - Parameters:
    ///   - octets: The most octets that they take: for each worker at least two blocks of some 256 KiB.
    ///   - age: For how long they are kept, in nanoseconds of packet time.
    ///   - workers: How many capture threads share the room, each with its part of it.
    public init(octets: Int, age: Int64, workers: Int = 1) {
        self.octets = octets
        self.age = age
        let workers = max(workers, 1)
        stores = (0..<workers).map { _ in PacketStore(octets: octets / workers) }
    }

    /// How much is kept.
    public struct Extent: Sendable, Hashable {
        /// How many packets there are.
        public var packets = 0
        /// How many octets they take.
        public var octets = 0
        /// How many packets were not kept though they should have been: there was no block for them just then.
        public var missed = 0

        /// Makes the extent of nothing.
        public init() {}
    }

    /// How much is kept now.
    public var extent: Extent {
        stores.reduce(into: Extent()) { sum, store in
            let extent = store.extent
            sum.packets += extent.packets
            sum.octets += extent.octets
            sum.missed += extent.missed
        }
    }

    /// Takes what is kept of a connection.
    ///
    /// - Parameter number: The connection's number, as records have it.
    /// - Returns: The packets as a savefile; `nil` where none is kept any more, or ever was.
    public func packets(ofConnection number: Int) -> SavedPackets? {
        guard number >= 0 else { return nil }
        let store = stores[ConnectionNumbering.table(of: number, among: stores.count)]
        return store.read { SavedPackets(ofConnection: Int64(number), in: $0, age: age, limit: Self.savedOctets) }
    }
}

/// Adds packets to those that are kept, on the capture thread.
public struct PacketKeeping: ~Copyable {
    private let store: PacketStore
    private let age: Int64
    private let shedding: LoadShedding?
    private var block: PacketBlock?
    private var isPaused = false

    /// Makes a writer, which must be the only one of that worker.
    ///
    /// - Parameters:
    ///   - kept: Where packets are kept.
    ///   - worker: The number of the worker whose connections they are, from 0.
    ///   - shedding: Says when memory is short: then all packets are forgotten and none is kept.
    public init(_ kept: KeptPackets, worker: Int = 0, shedding: LoadShedding? = nil) {
        store = kept.stores[worker]
        age = kept.age
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
        guard let next = store.nextBlock() else { return store.packetMissed() }
        block = next
        if !next.append(packet, octets: octets, connection: connection) { store.packetMissed() }
    }

    /// Between two batches of packets, or while none come: forgets those that are too old, or all while memory is short.
    ///
    /// - Parameter now: The latest packet time.
    public mutating func timePassed(until now: PacketTime) {
        if let shedding, shedding.level > .none {
            // What somebody was looking at is forgotten at the next call.
            if store.forgetAll() { block = nil }
            isPaused = true
            return
        }
        isPaused = false
        if store.forget(olderThan: age, at: now.nanoseconds) { block = nil }
    }
}
