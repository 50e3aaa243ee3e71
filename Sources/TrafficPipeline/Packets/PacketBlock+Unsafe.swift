// Wingmirror · Apache-2.0

internal import PacketDecoding
internal import Synchronization

/// A run of packets with their octets, to which one thread adds while others may read what was added before.
///
/// Octets are never changed once they are within `filled`, which is stored after they are written and loaded before they
/// are read. `reset` takes them all away, and is for a block that no reader has. This is why the class may be shared.
@safe
final class PacketBlock: @unchecked Sendable {
    /// What stands before the octets of a packet.
    struct Header: BitwiseCopyable {
        /// When it was captured, in nanoseconds since the epoch.
        let time: Int64
        /// The number of its connection, or ``fragment``.
        let connection: Int64
        let linkType: Int32
        let interface: UInt32
        let wireLength: UInt32
        let captured: UInt32

        /// In place of a connection's number: a fragment that does not complete its datagram.
        static let fragment: Int64 = -1

        /// What the capture said of the packet.
        var packet: CapturedPacket {
            CapturedPacket(
                time: PacketTime(nanoseconds: time),
                linkType: LinkType(rawValue: linkType),
                interface: Int(interface),
                wireLength: Int(wireLength)
            )
        }
    }

    /// How many octets there is room for, headers included.
    let capacity: Int
    private let base: UnsafeMutableRawPointer
    private let filled = Atomic<Int>(0)
    private let count = Atomic<Int>(0)
    private let latest = Atomic<Int64>(.min)

    /// Reserves room; memory becomes resident as it is written.
    init(capacity: Int) {
        self.capacity = capacity
        unsafe base = .allocate(byteCount: capacity, alignment: MemoryLayout<Header>.alignment)
    }

    deinit {
        unsafe base.deallocate()
    }

    /// How many packets there are.
    var packets: Int { count.load(ordering: .relaxed) }

    /// How many octets they take, headers included.
    var octets: Int { filled.load(ordering: .relaxed) }

    /// The time of the one that was added last, in nanoseconds since the epoch; the least of all numbers without any.
    var latestTime: Int64 { latest.load(ordering: .relaxed) }

    /// How much of a block a packet takes.
    static func size(captured: Int) -> Int {
        let alignment = MemoryLayout<Header>.alignment
        return MemoryLayout<Header>.size + (captured + alignment - 1) / alignment * alignment
    }

    /// Adds a packet, if there is room for it; for one thread.
    func append(_ packet: CapturedPacket, octets: Span<UInt8>, connection: Int64) -> Bool {
        let start = filled.load(ordering: .relaxed)
        let size = Self.size(captured: octets.count)
        guard size <= capacity - start else { return false }
        let header = Header(
            time: packet.time.nanoseconds,
            connection: connection,
            linkType: packet.linkType.rawValue,
            interface: UInt32(truncatingIfNeeded: packet.interface),
            wireLength: UInt32(clamping: packet.wireLength),
            captured: UInt32(octets.count)
        )
        // Invariant: `start` is a multiple of the alignment, and `size` octets from there lie within the memory.
        unsafe base.storeBytes(of: header, toByteOffset: start, as: Header.self)
        unsafe octets.withUnsafeBytes { source in
            guard let address = source.baseAddress else { return }
            unsafe (base + start + MemoryLayout<Header>.size).copyMemory(from: address, byteCount: source.count)
        }
        count.store(count.load(ordering: .relaxed) + 1, ordering: .relaxed)
        latest.store(header.time, ordering: .relaxed)
        filled.store(start + size, ordering: .releasing)
        return true
    }

    /// Takes all packets away; for a block that nobody reads.
    func reset() {
        count.store(0, ordering: .relaxed)
        latest.store(.min, ordering: .relaxed)
        filled.store(0, ordering: .relaxed)
    }

    /// Shows each packet that was there when it was called, in the order of capture.
    ///
    /// - Parameter body: Takes a packet's place in the block, what is known of it, and its octets for the call only.
    func visit(_ body: (_ place: Int, _ header: Header, _ octets: Span<UInt8>) -> Void) {
        let end = filled.load(ordering: .acquiring)
        var place = 0
        while place < end {
            let header = header(at: place)
            body(place, header, unsafe Span(_unsafeStart: address(at: place), count: Int(header.captured)))
            place += Self.size(captured: Int(header.captured))
        }
    }

    /// Shows the packet at a place that `visit` named.
    func withPacket<Result>(at place: Int, _ body: (_ header: Header, _ octets: Span<UInt8>) -> Result) -> Result {
        precondition(place >= 0 && place < filled.load(ordering: .acquiring), "PacketBlock: no packet at \(place)")
        let header = header(at: place)
        return body(header, unsafe Span(_unsafeStart: address(at: place), count: Int(header.captured)))
    }

    private func header(at place: Int) -> Header {
        // Invariant: a header was written at each place that is a sum of sizes below `filled`.
        unsafe base.loadUnaligned(fromByteOffset: place, as: Header.self)
    }

    /// Where the octets behind the header at a place begin; they stay as they are as long as the block is not reset.
    private func address(at place: Int) -> UnsafePointer<UInt8> {
        unsafe UnsafePointer((base + place + MemoryLayout<Header>.size).assumingMemoryBound(to: UInt8.self))
    }
}
