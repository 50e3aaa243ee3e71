// Wingmirror · Apache-2.0

public import PacketDecoding

/// Takes a key log of TLS that a savefile holds: whole lines of the SSLKEYLOGFILE format.
public typealias SavefileSecrets = (_ keyLog: [UInt8]) -> Void

/// Reads the packets of one savefile, first to last.
///
/// Whatever libpcap reads is read: pcap and pcapng of either byte order, with times of any resolution, several interfaces
/// and sections, gzip data around them, from a file or from a pipe. A savefile that is damaged gives the packets before the
/// damage and then an error that names the octet where the bad record begins.
///
///     var savefile = try SavefileReader(path: "gateway.pcap")
///     while let packet = try savefile.next() {
///         sink.packetArrived(packet, octets: savefile.octets)
///     }
///
/// pcapng we read ourselves, since libpcap refuses it where interfaces differ, and the usual pcap files too, which libpcap
/// opens but reads more slowly (``ClassicReader``); everything else libpcap reads.
///
/// Not handled: what libpcap refuses of other formats.
public struct SavefileReader: ~Copyable {
    /// How the file is called in messages.
    public let name: String
    /// What `CapturedPacket.interface` is for its packets.
    public let interface: Int
    /// How many files are read together.
    private let fileCount: Int

    let path: String
    let source: SavefileSource
    /// What reads it.
    private let format: Format
    private var handle: PcapHandle
    /// The link type of all packets that `handle` and `records` give.
    private let linkType: LinkType
    private var records: ClassicReader
    private var blocks: PcapngReader
    /// Whether the savefile can be read a second time to find where the damage is.
    let isRereadable: Bool
    /// For what can be read only once: how far it had been read before the record that is being read.
    private var recordStart = 0
    private var hasEnded = false

    /// Which of the readers reads the savefile.
    private enum Format {
        /// `records`.
        case classic
        /// `blocks`.
        case pcapng
        /// `handle`.
        case other
    }

    /// Opens a savefile and reads its header.
    /// - Parameters:
    ///   - path: A path, or `-` for standard input.
    ///   - filter: An expression of libpcap's language; only packets that match it are read.
    ///   - interface: What to call the file in `CapturedPacket.interface`.
    ///   - secrets: Takes the key logs that a pcapng file holds, before the packets behind them.
    /// - Throws: `.noSuchFile`, `.isDirectory`, `.unreadable`, `.emptyFile`, `.notASavefile`, `.unsupported`,
    ///   `.damaged` when the header is cut, or `.invalidFilter`.
    public init(
        path: String,
        filter: String? = nil,
        interface: Int = 0,
        secrets: SavefileSecrets? = nil
    ) throws(CaptureError) {
        try self.init(
            path: path,
            filter: filter,
            interface: interface,
            bufferOctets: SavefileSource.bufferOctets,
            pipe: nil,
            secrets: secrets
        )
    }

    /// Opens a savefile to be read `bufferOctets` at once.
    ///
    /// - Parameters:
    ///   - path: A path, or `-` for standard input.
    ///   - filter: An expression of libpcap's language; only packets that match it are read.
    ///   - interface: What to call the file in `CapturedPacket.interface`.
    ///   - bufferOctets: How much to read at once.
    ///   - pipe: Waits for what comes through a pipe.
    ///   - usesLibpcap: Whether libpcap reads all that it can, to compare what it reads with what we do.
    ///   - ahead: Decompresses the file ahead, if it is compressed.
    ///   - secrets: Takes the key logs that a pcapng file holds: before any packet, or where the file is compressed or a pipe
    ///     before the packets behind them.
    ///   - fileCount: How many files are read together, so that the interfaces of all have numbers of their own.
    /// - Throws: As above.
    init(
        path: String,
        filter: String?,
        interface: Int,
        bufferOctets: Int,
        pipe: PipeWait? = nil,
        usesLibpcap: Bool = false,
        ahead: ReadAhead? = nil,
        secrets: SavefileSecrets? = nil,
        fileCount: Int = 1
    ) throws(CaptureError) {
        let source = try SavefileSource(path: path, bufferOctets: bufferOctets, pipe: pipe)
        // libpcap asks for what is peeked at first, and gets no more until it reads a packet.
        let head = source.peek(ClassicReader.fileHeaderOctets)
        let isPcapng = head.starts(with: [0x0A, 0x0D, 0x0D, 0x0A])
        if isPcapng, let filter {
            // An expression that is wrong everywhere is to be told before anything is read.
            try PcapHandle.compile(filter, for: .ethernet)
        }
        let opened = isPcapng ? try PcapHandle.openNothing() : try Self.open(source, filter: filter)
        let isClassic = !isPcapng && !usesLibpcap && ClassicReader.canRead(head, linkType: opened.linkType)
        var ownFilter: PacketFilter?
        if isClassic, let filter { ownFilter = try PacketFilter(filter, for: opened.linkType) }
        linkType = opened.linkType
        records = ClassicReader(
            source,
            head: head,
            filter: ownFilter,
            snapshotLength: opened.snapshotLength,
            bufferOctets: isClassic ? bufferOctets : 0
        )
        handle = opened
        var secrets = secrets
        if isPcapng, let takes = secrets, PcapngSecrets.read(path, takes) { secrets = nil }
        blocks = PcapngReader(
            source,
            filter: filter,
            bufferOctets: isPcapng ? bufferOctets : 0,
            secrets: secrets
        )
        format = isPcapng ? .pcapng : isClassic ? .classic : .other
        name = source.name
        isRereadable = source.totalOctets != nil && path != "-"
        self.interface = interface
        self.fileCount = fileCount
        self.path = path
        self.source = source
        if let ahead { source.readAhead(by: ahead) }
    }

    private static func open(_ source: SavefileSource, filter: String?) throws(CaptureError) -> PcapHandle {
        var handle: PcapHandle
        do {
            handle = try PcapHandle.openSavefile(source)
        } catch {
            guard !source.wasStopped else {
                throw CaptureError(.stopped, "\(source.name) was not waited for any longer")
            }
            throw CaptureError(refused: source, reason: error.reason)
        }
        if let filter {
            try handle.setFilter(filter)
        }
        return handle
    }

    /// Octets of the file read so far, as stored: a gzip file counts its compressed octets.
    var octetsRead: Int {
        source.octetsRead
    }

    /// The size of the file as stored; `nil` when it has none, such as a pipe.
    var totalOctets: Int? {
        source.totalOctets
    }

    /// Reads the next packet; `nil` at the end, and after an error.
    /// - Throws: `.damaged` or `.unsupported`.
    @inline(__always)
    public mutating func next() throws(CaptureError) -> CapturedPacket? {
        guard _fastPath(!hasEnded) else {
            return nil
        }
        // The two others are out of line, so that this is short.
        if _fastPath(format == .classic) { return try nextOfRecords() }
        switch format {
        case .classic: return try nextOfRecords()
        case .pcapng: return try nextOfBlocks()
        case .other: return try nextOfLibpcap()
        }
    }

    /// Gives `take` packets that have been read already, in their order and with their octets, and answers how many they were:
    /// as many as there are, up to `limit`, until a stop is requested; none where every packet has to be read by itself.
    @inline(__always)
    mutating func takeBuffered(
        upTo limit: Int,
        until stop: StopFlag,
        _ take: (CapturedPacket, Span<UInt8>) -> Void
    ) -> Int {
        guard format == .classic, !hasEnded else { return 0 }
        let (linkType, interface) = (linkType, interface)
        return records.takeBuffered(upTo: limit, until: stop) { time, wireLength, octets in
            take(CapturedPacket(time: time, linkType: linkType, interface: interface, wireLength: wireLength), octets)
        }
    }

    /// What ends the reading of a format that we read: its end, or an error of it.
    @inline(never)
    private mutating func ends(_ error: CaptureError? = nil) throws(CaptureError) -> CapturedPacket? {
        hasEnded = true
        // Whoever stops a pipe cuts a record in two, and knows it.
        guard let error, !source.wasStopped else { return nil }
        throw error
    }

    @inline(__always)
    private mutating func nextOfRecords() throws(CaptureError) -> CapturedPacket? {
        do throws(CaptureError) {
            guard try records.next() else { return try ends() }
        } catch {
            return try ends(error)
        }
        return CapturedPacket(
            time: records.time,
            linkType: linkType,
            interface: interface,
            wireLength: records.wireLength
        )
    }

    @inline(never)
    private mutating func nextOfLibpcap() throws(CaptureError) -> CapturedPacket? {
        if !isRereadable {
            recordStart = handle.position
        }
        switch handle.next() {
        case .packet:
            return CapturedPacket(
                time: handle.time,
                linkType: linkType,
                interface: interface,
                wireLength: handle.wireLength
            )
        case .end:
            return try ends()
        case .failed:
            return try ends(
                failure(
                    reason: source.failure ?? handle.lastError,
                    taken: handle.position,
                    readBefore: recordStart
                )
            )
        }
    }

    @inline(never)
    private mutating func nextOfBlocks() throws(CaptureError) -> CapturedPacket? {
        do throws(CaptureError) {
            guard try blocks.next() else { return try ends() }
        } catch {
            return try ends(error)
        }
        return CapturedPacket(
            time: blocks.time,
            linkType: blocks.linkType,
            interface: interface,
            wireLength: blocks.wireLength,
            origin: blocks.hasTime ? interface + blocks.interface * fileCount : CapturedPacket.withoutClock
        )
    }

    /// The captured octets of the packet that `next` gave, borrowed until it is called again.
    public var octets: Span<UInt8> {
        @_lifetime(borrow self)
        @inline(__always)
        get {
            switch format {
            case .classic: records.octets
            case .pcapng: blocks.octets
            case .other: handle.octets
            }
        }
    }
}
