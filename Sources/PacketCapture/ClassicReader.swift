// Wingmirror · Apache-2.0
// Savefiles: draft-ietf-opsawg-pcap.

import PacketDecoding

/// Reads the packets of an ordinary pcap savefile, first to last, once libpcap has opened it.
///
/// libpcap reads through C's streams and copies each packet, for some 500 instructions, which is more than decoding and
/// reassembly take together. This reader lends packets from the buffer that the file is read into. It takes over only what
/// it reads exactly as libpcap does (``canRead(_:linkType:)``), says the same of files that are damaged, and a test
/// compares the two, packet by packet.
struct ClassicReader: ~Copyable {
    /// Octets before the first record.
    static let fileHeaderOctets = 24
    /// Octets before those of a packet.
    private static let recordHeaderOctets = 16
    /// What libpcap reads at most of a packet of the link types that are read here.
    private static let longestPacket = 262_144

    /// When the packet was captured that `next` gave.
    private(set) var time = PacketTime(nanoseconds: 0)
    /// Its octets on the wire.
    private(set) var wireLength = 0

    private let source: SavefileSource
    private let filter: PacketFilter?
    private let snapshotLength: Int
    private let nanosecondsPerTick: Int64
    private var buffer: SavefileBuffer
    /// The record at hand, which is passed when the next one is asked for.
    private var recordOctets = 0
    private var capturedOctets = 0

    /// Takes over from libpcap where the first record begins.
    ///
    /// - Parameters:
    ///   - source: The savefile, of which no more was read than ``fileHeaderOctets``.
    ///   - head: Those octets.
    ///   - filter: Only packets that match it are read.
    ///   - snapshotLength: Packets are cut to this length, as libpcap cuts them.
    ///   - bufferOctets: How much to read at once.
    init(
        _ source: SavefileSource,
        head: [UInt8],
        filter: PacketFilter?,
        snapshotLength: Int,
        bufferOctets: Int
    ) {
        self.source = source
        self.filter = filter
        self.snapshotLength = snapshotLength
        nanosecondsPerTick = head.starts(with: Self.magicOfNanoseconds) ? 1 : 1000
        buffer = SavefileBuffer(octets: bufferOctets, position: Self.fileHeaderOctets)
    }

    // MARK: - What is read here

    /// The magic numbers of savefiles in the byte order of the machines that we run on, which is little-endian.
    private static let magicOfMicroseconds: [UInt8] = [0xD4, 0xC3, 0xB2, 0xA1]
    private static let magicOfNanoseconds: [UInt8] = [0x4D, 0x3C, 0xB2, 0xA1]

    /// Whether a savefile is read here: little-endian, of version 2.4, of a link type that libpcap gives out as stored.
    ///
    /// - Parameters:
    ///   - head: The first octets of the savefile.
    ///   - linkType: What libpcap makes of them.
    /// - Returns: Whether `head` is that of such a savefile.
    static func canRead(_ head: [UInt8], linkType: LinkType) -> Bool {
        guard head.count == fileHeaderOctets, head[4...7] == [2, 0, 4, 0],
            head.starts(with: magicOfMicroseconds) || head.starts(with: magicOfNanoseconds)
        else { return false }
        return switch linkType {
        case .ethernet, .linuxCooked, .linuxCooked2, .raw, .null: true
        default: false
        }
    }

    // MARK: - Packets

    /// The captured octets of the packet that `next` gave, borrowed until it is called again.
    var octets: Span<UInt8> {
        @_lifetime(borrow self)
        @inline(__always)
        get {
            buffer.octets(from: Self.recordHeaderOctets, count: capturedOctets)
        }
    }

    /// Reads up to the next packet; `false` at the end.
    /// - Throws: `.damaged`, with the octet where the bad record begins.
    @inline(__always)
    mutating func next() throws(CaptureError) -> Bool {
        while true {
            buffer.pass(recordOctets)
            recordOctets = 0
            capturedOctets = 0
            guard try readRecord() else { return false }
            guard let filter else { return true }
            if filter.matches(octets, wireLength: wireLength) { return true }
        }
    }

    /// Gives `take` the packets of records that lie in the buffer whole.
    ///
    /// What is the same for all of them is done once, which is most of what ``next()`` does. That goes on where this ends: at a
    /// record that is not all there, or is not as it should be, and at the first where packets are filtered.
    /// - Parameters:
    ///   - limit: How many there may be.
    ///   - stop: Ends it early.
    ///   - take: Takes a packet: its time, its octets on the wire, and those that were captured.
    /// - Returns: How many there were.
    @inline(__always)
    mutating func takeBuffered(
        upTo limit: Int,
        until stop: StopFlag,
        _ take: (PacketTime, _ wireLength: Int, Span<UInt8>) -> Void
    ) -> Int {
        guard filter == nil else { return 0 }
        buffer.pass(recordOctets)
        recordOctets = 0
        capturedOctets = 0
        let (taken, octets) = lendBuffered(upTo: limit, until: stop, take)
        buffer.pass(octets)
        return taken
    }

    /// Lends whole records of what is unread, and answers how many, and how many octets they take.
    @inline(__always)
    private func lendBuffered(
        upTo limit: Int,
        until stop: StopFlag,
        _ take: (PacketTime, _ wireLength: Int, Span<UInt8>) -> Void
    ) -> (records: Int, octets: Int) {
        let unread = buffer.octets
        var taken = 0
        var place = 0
        while taken < limit, !stop.isRequested {
            let left = unread.count &- place
            guard left >= Self.recordHeaderOctets else { break }
            let header = unread.extracting(place..<place &+ Self.recordHeaderOctets)
            let stored = Int(header.littleEndian32(at: 8))
            guard stored <= Self.longestPacket, stored <= left &- Self.recordHeaderOctets else { break }
            // What is added here and below are places within the buffer.
            let start = place &+ Self.recordHeaderOctets
            take(
                packetTime(header.littleEndian32(at: 0), header.littleEndian32(at: 4)),
                Int(header.littleEndian32(at: 12)),
                unread.extracting(start..<start &+ min(stored, snapshotLength))
            )
            place = start &+ stored
            taken &+= 1
        }
        return (taken, place)
    }

    /// Brings the next record into the buffer; `false` at the end.
    @inline(__always)
    private mutating func readRecord() throws(CaptureError) -> Bool {
        if _slowPath(buffer.count < Self.recordHeaderOctets), try !fillHeader() { return false }
        let stored = Int(buffer.littleEndianWord(at: 8))
        time = packetTime(buffer.littleEndianWord(at: 0), buffer.littleEndianWord(at: 4))
        wireLength = Int(buffer.littleEndianWord(at: 12))
        if _slowPath(buffer.count < Self.recordHeaderOctets + stored) { try fillRecord(stored) }
        guard stored <= Self.longestPacket else { throw tooLong(stored) }
        capturedOctets = min(stored, snapshotLength)
        recordOctets = Self.recordHeaderOctets + stored
        return true
    }

    /// The time that a record's header names by its seconds and their fraction, which may be negative.
    @inline(__always)
    private func packetTime(_ seconds: UInt32, _ fraction: UInt32) -> PacketTime {
        // 32-bit numbers, and a thousand times one, are far from overflow in 64; the sum of both is, too.
        PacketTime(
            nanoseconds: Int64(seconds) &* 1_000_000_000 &+ Int64(Int32(bitPattern: fraction)) &* nanosecondsPerTick
        )
    }

    /// Reads the header of the next record; `false` at the end.
    @inline(never)
    private mutating func fillHeader() throws(CaptureError) -> Bool {
        let available = buffer.fill(Self.recordHeaderOctets, from: source)
        guard available < Self.recordHeaderOctets else { return true }
        guard available > 0 || source.failure != nil else { return false }
        throw damaged(
            "truncated dump file; tried to read \(Self.recordHeaderOctets) header bytes, only got \(available)"
        )
    }

    /// Reads the packet of the record whose header is at hand.
    @inline(never)
    private mutating func fillRecord(_ stored: Int) throws(CaptureError) {
        guard stored <= Self.longestPacket else { throw tooLong(stored) }
        let wanted = Self.recordHeaderOctets + stored
        let available = buffer.fill(wanted, from: source)
        guard available < wanted else { return }
        let got = available - Self.recordHeaderOctets
        let tried = got < snapshotLength ? min(stored, snapshotLength) : stored
        throw damaged("truncated dump file; tried to read \(tried) captured bytes, only got \(got)")
    }

    @inline(never)
    private func tooLong(_ stored: Int) -> CaptureError {
        let bound =
            stored > snapshotLength ? "snaplen of \(snapshotLength)" : "maximum of \(Self.longestPacket)"
        return damaged("invalid packet capture length \(stored), bigger than \(bound)")
    }

    private func damaged(_ cause: String) -> CaptureError {
        let offset = buffer.position
        return CaptureError(
            .damaged,
            "\(source.name) is damaged at byte \(offset)",
            cause: source.failure ?? cause,
            offset: offset
        )
    }
}

extension Span<UInt8> {
    /// Four octets as a number, the lowest first; the optimiser joins them into one load.
    @inline(__always)
    fileprivate func littleEndian32(at index: Int) -> UInt32 {
        UInt32(self[index]) | UInt32(self[index + 1]) << 8 | UInt32(self[index + 2]) << 16
            | UInt32(self[index + 3]) << 24
    }
}
