// Wingmirror · Apache-2.0

public import PacketDecoding

/// Reads the packets of one savefile, first to last.
///
/// Whatever libpcap reads is read: pcap and pcapng of either byte order, with times in microseconds or nanoseconds,
/// gzip data around them, from a file or from a pipe. A savefile that is damaged gives the packets before the damage
/// and then an error that names the octet where the bad record begins.
///
///     var savefile = try SavefileReader(path: "gateway.pcap")
///     while let packet = try savefile.next() {
///         sink.packetArrived(packet, octets: savefile.octets)
///     }
///
/// Not handled: what libpcap refuses, above all a pcapng file whose interfaces differ in link type or snapshot length.
/// That is an error which says so, after the packets before the interface that differs.
public struct SavefileReader: ~Copyable {
    /// How the file is called in messages.
    public let name: String
    /// The link type of its packets.
    public let linkType: LinkType
    /// What `CapturedPacket.interface` is for its packets.
    public let interface: Int

    let path: String
    let source: SavefileSource
    private var handle: PcapHandle
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
        let opened = try Self.open(source, filter: filter)
        linkType = opened.linkType
        handle = opened
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

    /// The captured octets of the packet that `next` gave, borrowed until it is called again.
    public var octets: Span<UInt8> {
        @_lifetime(borrow self)
        get {
            handle.octets
        }
    }
}
