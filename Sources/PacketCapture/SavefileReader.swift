// Wingmirror · Apache-2.0

public import PacketDecoding

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
/// pcapng we read ourselves, since libpcap refuses it where interfaces differ; everything else libpcap reads.
///
/// Not handled: what libpcap refuses of other formats.
public struct SavefileReader: ~Copyable {
    /// How the file is called in messages.
    public let name: String
    /// What `CapturedPacket.interface` is for its packets.
    public let interface: Int

    let path: String
    let source: SavefileSource
    /// Whether the savefile is pcapng: then `blocks` is what reads it, otherwise `handle`.
    private let isPcapng: Bool
    private var handle: PcapHandle
    /// The link type of all packets that `handle` gives.
    private let linkType: LinkType
    private var blocks: PcapngReader
    /// Whether the savefile can be read a second time to find where the damage is.
    let isRereadable: Bool
    /// For what can be read only once: how far it had been read before the record that is being read.
    private var recordStart = 0
    private var hasEnded = false

    /// Opens a savefile and reads its header.
    /// - Parameters:
    ///   - path: A path, or `-` for standard input.
    ///   - filter: An expression of libpcap's language; only packets that match it are read.
    ///   - interface: What to call the file in `CapturedPacket.interface`.
    /// - Throws: `.noSuchFile`, `.isDirectory`, `.unreadable`, `.emptyFile`, `.notASavefile`, `.unsupported`,
    ///   `.damaged` when the header is cut, or `.invalidFilter`.
    public init(path: String, filter: String? = nil, interface: Int = 0) throws(CaptureError) {
        try self.init(
            path: path,
            filter: filter,
            interface: interface,
            bufferOctets: SavefileSource.bufferOctets,
            pipe: nil
        )
    }

    /// Opens a savefile to be read `bufferOctets` at once.
    init(
        path: String,
        filter: String?,
        interface: Int,
        bufferOctets: Int,
        pipe: PipeWait? = nil
    ) throws(CaptureError) {
        let source = try SavefileSource(path: path, bufferOctets: bufferOctets, pipe: pipe)
        let isPcapng = source.peek(SavefileSource.headOctets).starts(with: [0x0A, 0x0D, 0x0D, 0x0A])
        if isPcapng, let filter {
            // An expression that is wrong everywhere is to be told before anything is read.
            try PcapHandle.compile(filter, for: .ethernet)
        }
        let opened = isPcapng ? try PcapHandle.openNothing() : try Self.open(source, filter: filter)
        linkType = opened.linkType
        handle = opened
        blocks = PcapngReader(source, filter: filter, bufferOctets: isPcapng ? bufferOctets : 0)
        self.isPcapng = isPcapng
        name = source.name
        isRereadable = source.totalOctets != nil && path != "-"
        self.interface = interface
        self.path = path
        self.source = source
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
    public var octetsRead: Int {
        source.octetsRead
    }

    /// The size of the file as stored; `nil` when it has none, such as a pipe.
    public var totalOctets: Int? {
        source.totalOctets
    }

    /// Reads the next packet; `nil` at the end, and after an error.
    /// - Throws: `.damaged` or `.unsupported`.
    public mutating func next() throws(CaptureError) -> CapturedPacket? {
        guard !hasEnded else {
            return nil
        }
        guard !isPcapng else {
            return try nextOfBlocks()
        }
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
            hasEnded = true
            return nil
        case .failed:
            hasEnded = true
            // Whoever stops a pipe cuts a record in two, and knows it.
            guard !source.wasStopped else { return nil }
            throw failure(
                reason: source.failure ?? handle.lastError,
                taken: handle.position,
                readBefore: recordStart
            )
        }
    }

    private mutating func nextOfBlocks() throws(CaptureError) -> CapturedPacket? {
        do {
            guard try blocks.next() else {
                hasEnded = true
                return nil
            }
        } catch {
            hasEnded = true
            guard !source.wasStopped else { return nil }
            throw error
        }
        return CapturedPacket(
            time: blocks.time,
            linkType: blocks.linkType,
            interface: interface,
            wireLength: blocks.wireLength
        )
    }

    /// The captured octets of the packet that `next` gave, borrowed until it is called again.
    public var octets: Span<UInt8> {
        @_lifetime(borrow self)
        get {
            isPcapng ? blocks.octets : handle.octets
        }
    }
}
