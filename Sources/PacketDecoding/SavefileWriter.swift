// Wingmirror · Apache-2.0
// The classic savefile format: pcap-savefile(5).

/// Writes packets as the octets of a savefile.
public struct SavefileWriter: Sendable {
    /// The unit of the fraction of a second in time stamps.
    public enum Resolution: Sendable, Hashable, CaseIterable {
        case microseconds
        case nanoseconds
    }

    /// The byte order of the machine that is taken to have written it.
    public enum ByteOrder: Sendable, Hashable, CaseIterable {
        case littleEndian
        case bigEndian
    }

    /// The savefile so far.
    public private(set) var octets: [UInt8] = []

    private let snapshotLength: Int
    private let resolution: Resolution
    private let byteOrder: ByteOrder

    /// Begins a savefile with its file header.
    ///
    /// - Parameters:
    ///   - linkType: How its packets begin.
    ///   - snapshotLength: Octets of a packet that are written at most.
    ///   - resolution: The unit of the fraction of a second.
    ///   - byteOrder: The order of octets in the headers.
    public init(
        linkType: LinkType = .ethernet,
        snapshotLength: Int = 262_144,
        resolution: Resolution = .microseconds,
        byteOrder: ByteOrder = .littleEndian
    ) {
        self.snapshotLength = snapshotLength
        self.resolution = resolution
        self.byteOrder = byteOrder
        append(resolution == .microseconds ? 0xA1B2_C3D4 : 0xA1B2_3C4D as UInt32)
        append(2 as UInt16)
        append(4 as UInt16)
        append(0 as UInt32)
        append(0 as UInt32)
        append(UInt32(snapshotLength))
        append(UInt32(linkType.rawValue))
    }

    /// Adds a packet, cut at the snapshot length.
    ///
    /// - Parameters:
    ///   - packet: Its octets.
    ///   - time: When it was captured; not before the epoch.
    ///   - wireLength: Octets on the wire, where that is more than `packet` holds.
    public mutating func append(_ packet: [UInt8], at time: PacketTime, wireLength: Int? = nil) {
        let captured = packet.prefix(snapshotLength)
        appendHeader(at: time, captured: captured.count, wireLength: wireLength ?? packet.count)
        octets += captured
    }

    /// Adds a packet whose octets are borrowed, without the first of them.
    ///
    /// - Parameters:
    ///   - packet: What the capture says of it.
    ///   - octets: Its captured octets.
    ///   - start: The first of them that is written.
    public mutating func append(_ packet: CapturedPacket, octets: Span<UInt8>, from start: Int = 0) {
        let captured = max(min(octets.count - start, snapshotLength), 0)
        appendHeader(at: packet.time, captured: captured, wireLength: max(packet.wireLength - start, captured))
        for index in start..<start + captured { self.octets.append(octets[index]) }
    }

    private mutating func appendHeader(at time: PacketTime, captured: Int, wireLength: Int) {
        let (seconds, nanoseconds) = time.nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        append(UInt32(truncatingIfNeeded: seconds))
        append(UInt32(truncatingIfNeeded: resolution == .microseconds ? nanoseconds / 1000 : nanoseconds))
        append(UInt32(captured))
        append(UInt32(truncatingIfNeeded: wireLength))
    }

    private mutating func append(_ number: some FixedWidthInteger) {
        let ordered = byteOrder == .littleEndian ? number.littleEndian : number.bigEndian
        for shift in stride(from: 0, to: number.bitWidth, by: 8) {
            octets.append(UInt8(truncatingIfNeeded: ordered >> shift))
        }
    }
}
