// Wingmirror · Apache-2.0
// pcapng: draft-ietf-opsawg-pcapng.

import PacketDecoding

/// Reads the packets of a pcapng savefile, first to last.
///
/// libpcap reads pcapng too, but gives all packets one link type and one snapshot length, and so refuses files in which
/// the interfaces differ, as `mergecap` and `dumpcap` write them. Here each packet has those of its interface; sections
/// may follow one another, each in its own byte order.
struct PcapngReader: ~Copyable {
    /// What is bounded.
    enum Limits {
        /// The octets of a block: what a packet may have, with as much again for its options.
        static let blockOctets = 32 << 20
        /// The interfaces of a section; the packets of any further make the file damaged.
        static let interfaces = 65_536
    }

    /// What a section says of an interface.
    private struct Interface {
        let linkType: LinkType
        let snapshotLength: Int
        var clock = TickClock()
        /// The place of the link type's filter among `filters`.
        var filter: Int?
    }

    /// When the packet was captured that `next` gave.
    private(set) var time = PacketTime(nanoseconds: 0)
    /// Whether the packet says when it was captured.
    private(set) var hasTime = true
    /// Its link type.
    private(set) var linkType = LinkType.ethernet
    /// Its octets on the wire.
    private(set) var wireLength = 0
    /// Which interface of its section captured it, counted from 0.
    private(set) var interface = 0

    private let source: SavefileSource
    private let filter: String?
    private let secrets: SavefileSecrets?
    private var buffer: SavefileBuffer
    private var isBigEndian = false
    private var interfaces: [Interface] = []
    private var filters: [(linkType: LinkType, filter: PacketFilter?)] = []
    /// The block at hand, which is passed when the next one is asked for.
    private var blockOctets = 0
    /// Where the packet lies in it.
    private var packet = 0..<0

    /// Prepares to read; nothing is read yet.
    /// - Parameters:
    ///   - source: The savefile.
    ///   - filter: An expression of libpcap's language; only packets that match it are read.
    ///   - bufferOctets: How much to read at once.
    ///   - secrets: Takes the key logs of TLS that the file holds.
    init(_ source: SavefileSource, filter: String?, bufferOctets: Int, secrets: SavefileSecrets? = nil) {
        self.source = source
        self.filter = filter
        self.secrets = secrets
        buffer = SavefileBuffer(octets: bufferOctets)
    }

    /// The captured octets of the packet that `next` gave, borrowed until it is called again.
    var octets: Span<UInt8> {
        @_lifetime(borrow self)
        get {
            buffer.octets.extracting(packet)
        }
    }

    /// Reads up to the next packet; `false` at the end.
    /// - Throws: `.damaged`, with the octet where the bad block begins, or `.invalidFilter`.
    mutating func next() throws(CaptureError) -> Bool {
        while true {
            buffer.pass(blockOctets)
            blockOctets = 0
            packet = 0..<0
            guard let type = try readBlock() else {
                return false
            }
            if try blockArrived(type) {
                return true
            }
        }
    }

    // MARK: - Blocks

    private static let sectionHeader: UInt32 = 0x0A0D_0D0A

    /// Brings the next block into the buffer, and gives its type; `nil` at the end.
    private mutating func readBlock() throws(CaptureError) -> UInt32? {
        let available = buffer.fill(8, from: source)
        guard available > 0 || source.failure != nil else {
            return nil
        }
        guard available >= 8 else {
            throw damaged("the file ends in the header of a block")
        }
        if word(at: 0) == Self.sectionHeader {
            try sectionBegins()
        }
        let length = Int(word(at: 4))
        guard length >= 12, length % 4 == 0 else {
            throw damaged("a block cannot have \(length) bytes")
        }
        guard length <= Limits.blockOctets else {
            throw damaged("a block of \(length) bytes is longer than the \(Limits.blockOctets) that are read")
        }
        guard buffer.fill(length, from: source) >= length else {
            throw damaged("the file ends within a block of \(length) bytes")
        }
        guard Int(word(at: length - 4)) == length else {
            throw damaged("the length at a block's end is not the one at its start")
        }
        blockOctets = length
        return word(at: 0)
    }

    /// Learns the byte order of the section that begins here.
    private mutating func sectionBegins() throws(CaptureError) {
        guard buffer.fill(12, from: source) >= 12 else {
            throw damaged("the file ends in the header of a section")
        }
        let magic = bigEndianWord(at: 8)
        let isBig = magic == 0x1A2B_3C4D
        let isLittle = magic == 0x4D3C_2B1A
        guard isBig || isLittle else {
            throw damaged("a section does not say what its byte order is")
        }
        isBigEndian = isBig
        interfaces = []
    }

    /// Takes in the block at hand, and says whether it holds a packet that is wanted.
    private mutating func blockArrived(_ type: UInt32) throws(CaptureError) -> Bool {
        switch type {
        case Self.sectionHeader:
            guard blockOctets >= 28, half(at: 12) == 1 else {
                throw damaged("the section is of a version that is not read")
            }
            return false
        case 1:
            try interfaceArrived()
            return false
        case 2:
            return try packetArrived(interface: Int(half(at: 8, in: 32)))
        case 3:
            return try simplePacketArrived()
        case 6:
            return try packetArrived(interface: Int(word(at: 8, in: 32)))
        case 10:
            secretsArrived()
            return false
        default:
            return false  // names, statistics, and what others made up
        }
    }

    // MARK: - Secrets

    /// A block of decryption secrets (draft-ietf-opsawg-pcapng §4.7), of which key logs of TLS are of use.
    private func secretsArrived() {
        guard let secrets, blockOctets >= 20, word(at: 8) == 0x544C_534B else { return }
        let length = min(Int(word(at: 12)), blockOctets - 20)
        let octets = buffer.octets
        secrets((16..<16 + length).map { octets[$0] })
    }

    // MARK: - Interfaces

    private mutating func interfaceArrived() throws(CaptureError) {
        guard blockOctets >= 20 else {
            throw damaged("the description of an interface is too short")
        }
        guard interfaces.count < Limits.interfaces else {
            throw damaged("a section has more than \(Limits.interfaces) interfaces")
        }
        let snapshotLength = Int(word(at: 12))
        var interface = Interface(
            linkType: LinkType(rawValue: Int32(half(at: 8))),
            snapshotLength: snapshotLength == 0 ? .max : snapshotLength
        )
        var position = 16
        while position + 4 <= blockOctets - 4 {
            let code = half(at: position)
            let length = Int(half(at: position + 2))
            let value = position + 4
            guard code != 0, value + length <= blockOctets - 4 else {
                break
            }
            switch (code, length) {
            case (9, 1): interface.clock.setResolution(buffer.octets[value])
            case (14, 8): interface.clock.offsetSeconds = Int64(bitPattern: double(at: value))
            default: break
            }
            position = value + (length + 3) / 4 * 4
        }
        interfaces.append(interface)
    }

    /// Whether the packet at hand matches the filter, which is compiled for each link type when it is first needed.
    private mutating func matchesFilter(_ index: Int) throws(CaptureError) -> Bool {
        guard let filter else {
            return true
        }
        let linkType = interfaces[index].linkType
        let place: Int
        if let known = interfaces[index].filter ?? filters.firstIndex(where: { $0.linkType == linkType }) {
            place = known
        } else {
            place = filters.count
            do {
                filters.append((linkType, try PacketFilter(filter, for: linkType)))
            } catch {
                // An expression can be wrong for one link type and right for another: then none of the one's match.
                guard filters.contains(where: { $0.filter != nil }) || linkType != .ethernet else {
                    throw error
                }
                filters.append((linkType, nil))
            }
        }
        interfaces[index].filter = place
        return filters[place].filter?.matches(buffer.octets.extracting(packet), wireLength: wireLength) ?? false
    }

    // MARK: - Packets

    /// A packet of an interface that its block names: from the time on both kinds of such a block are alike.
    private mutating func packetArrived(interface: Int) throws(CaptureError) -> Bool {
        let (timeAt, lengthsAt, octetsAt) = (12, 20, 28)
        guard blockOctets >= octetsAt + 4 else {
            throw damaged("a packet's block is too short")
        }
        let captured = Int(word(at: lengthsAt))
        guard captured <= blockOctets - octetsAt - 4 else {
            throw damaged("a packet of \(captured) bytes does not fit into its block")
        }
        guard interface < interfaces.count else {
            throw damaged("a packet names interface \(interface), which is not described")
        }
        let ticks = UInt64(word(at: timeAt)) << 32 | UInt64(word(at: timeAt + 4))
        // A time that cannot be said is none: the packet has that of the one before it.
        let stamp = interfaces[interface].clock.time(ofTicks: ticks)
        hasTime = stamp != nil
        time = stamp ?? time
        return try described(captured, at: octetsAt, wireLength: Int(word(at: lengthsAt + 4)), interface)
    }

    /// A packet of the first interface, without a time of its own: it has that of the packet before it.
    private mutating func simplePacketArrived() throws(CaptureError) -> Bool {
        guard blockOctets >= 16 else {
            throw damaged("a packet's block is too short")
        }
        guard let interface = interfaces.first else {
            throw damaged("a packet's interface is not described")
        }
        let wireLength = Int(word(at: 8))
        let captured = min(wireLength, interface.snapshotLength, blockOctets - 16)
        hasTime = false
        return try described(captured, at: 12, wireLength: wireLength, 0)
    }

    private mutating func described(
        _ captured: Int,
        at offset: Int,
        wireLength: Int,
        _ interface: Int
    ) throws(CaptureError) -> Bool {
        packet = offset..<offset + captured
        self.wireLength = wireLength
        linkType = interfaces[interface].linkType
        self.interface = interface
        return try matchesFilter(interface)
    }

    // MARK: - Numbers

    private func damaged(_ cause: String) -> CaptureError {
        let offset = buffer.position
        return CaptureError(
            .damaged,
            "\(source.name) is damaged at byte \(offset)",
            cause: source.failure ?? cause,
            offset: offset
        )
    }

    private func half(at offset: Int) -> UInt16 {
        let octets = buffer.octets
        let number = UInt16(octets[offset]) << 8 | UInt16(octets[offset + 1])
        return isBigEndian ? number : number.byteSwapped
    }

    private func word(at offset: Int) -> UInt32 {
        let number = bigEndianWord(at: offset)
        return isBigEndian ? number : number.byteSwapped
    }

    private func bigEndianWord(at offset: Int) -> UInt32 {
        let octets = buffer.octets
        return UInt32(octets[offset]) << 24 | UInt32(octets[offset + 1]) << 16 | UInt32(octets[offset + 2]) << 8
            | UInt32(octets[offset + 3])
    }

    private func double(at offset: Int) -> UInt64 {
        let (first, second) = (UInt64(word(at: offset)), UInt64(word(at: offset + 4)))
        return isBigEndian ? first << 32 | second : second << 32 | first
    }

    /// A number of a block that must have `count` octets; 0 where it has not, which is found out next.
    private func half(at offset: Int, in count: Int) -> UInt16 {
        blockOctets >= count ? half(at: offset) : 0
    }

    private func word(at offset: Int, in count: Int) -> UInt32 {
        blockOctets >= count ? word(at: offset) : 0
    }
}

/// How an interface counts time.
struct TickClock: Sendable, Hashable {
    /// Seconds to add to every time.
    var offsetSeconds: Int64 = 0
    /// Ticks in a second: a power of 10, or of 2 when `isBinary`.
    private var exponent = 6
    private var isBinary = false
    /// Nanoseconds in a tick where it is a power of 10, and one at least; else 0.
    private var tick: UInt64 = 1000

    /// Takes over the octet of the option `if_tsresol`: its highest bit says which of the two powers it is.
    mutating func setResolution(_ octet: UInt8) {
        isBinary = octet & 0x80 != 0
        exponent = Int(octet & 0x7F)
        tick = isBinary || exponent > 9 ? 0 : (exponent..<9).reduce(1) { tick, _ in tick * 10 }
    }

    /// The time that a number of ticks stands for; `nil` where it lies 146 years or more before or after 1970, so that nanoseconds
    /// cannot say the difference of any two.
    func time(ofTicks ticks: UInt64) -> PacketTime? {
        let (nanoseconds, isBeyond) = ticks.multipliedReportingOverflow(by: tick)
        if tick > 0, offsetSeconds == 0, !isBeyond, nanoseconds < Self.end {
            return PacketTime(nanoseconds: Int64(nanoseconds))
        }
        let exact = Int128(offsetSeconds) * 1_000_000_000 + (isBinary ? binary(ticks) : decimal(ticks))
        guard exact.magnitude < Self.end else { return nil }
        return PacketTime(nanoseconds: Int64(exact))
    }

    private static var end: UInt64 { 1 << 62 }

    private func decimal(_ ticks: UInt64) -> Int128 {
        guard exponent > 9 else { return Int128(ticks) * Int128(tick) }
        return Int128((9..<min(exponent, 29)).reduce(ticks) { number, _ in number / 10 })
    }

    private func binary(_ ticks: UInt64) -> Int128 {
        guard exponent < 64 else { return 0 }
        let seconds = ticks >> UInt64(exponent)
        // The power of two is at least 1.
        let (high, low) = (ticks & (1 << UInt64(exponent) &- 1)).multipliedFullWidth(by: 1_000_000_000)
        let fraction = exponent == 0 ? 0 : high << UInt64(64 - exponent) | low >> UInt64(exponent)
        return Int128(seconds) * 1_000_000_000 + Int128(fraction)
    }
}
