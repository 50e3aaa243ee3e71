// Wingmirror · Apache-2.0

internal import PacketDecoding

/// Reads the packets of several savefiles in the order of their times.
///
/// The packets of one file stay in that file's order, whatever their times; files whose next packets have the same time
/// take turns in the order in which they were named. A damaged file ends where the damage begins, and the others go on:
/// `failures` says which files those were. With a single file nothing is compared, and reading costs what it costs with
/// a `SavefileReader`.
///
/// The reader whose packet comes next is kept at hand; the others are parked with their next packets, soonest last. As
/// files of one capture rarely overlap for long, the reader at hand mostly stays the same.
struct SavefileMerger: ~Copyable {
    /// What is bounded.
    enum Limits {
        /// Savefiles read at once: each takes a file descriptor, of which a process often may have 1,024.
        static let savefiles = 512
        /// Up to how many files each gets large buffers.
        static let savefilesWithLargeBuffers = 8
        /// How much is read at once from each when there are more; two such buffers belong to a file.
        static let smallBufferOctets = 16 << 10
    }

    /// The files that could not be read to their ends, in the order in which that was found.
    private(set) var failures: [CaptureError] = []

    private var atHand: SavefileReader
    /// Whether the next packet of the reader at hand has been read, and is to be given out first.
    private var firstPacket: CapturedPacket?
    /// The other readers that have a packet, soonest last.
    private var parked: [ParkedReader] = []
    private var octetsOfEndedFiles = 0

    /// The sum of the sizes of the files as stored; `nil` when one has no size, such as a pipe.
    let totalOctets: Int?

    /// Opens savefiles and reads the first packet of each.
    /// - Parameters:
    ///   - paths: Paths, or `-` for standard input; `CapturedPacket.interface` counts them from 0.
    ///   - filter: An expression of libpcap's language; only packets that match it are read.
    /// - Throws: What `SavefileReader.init` throws, when it is about a name or the filter, or holds for all files; what a
    ///   file among others holds that cannot be read is left in `failures`. `.invalidConfiguration` without a path, with
    ///   too many, or with standard input twice.
    init(paths: [String], filter: String? = nil) throws(CaptureError) {
        try self.init(paths: paths, filter: filter, pipe: nil)
    }

    /// Opens savefiles as above.
    ///
    /// - Parameters:
    ///   - paths: Paths, or `-` for standard input; `CapturedPacket.interface` counts them from 0.
    ///   - filter: An expression of libpcap's language; only packets that match it are read.
    ///   - pipe: Waits for what comes through a pipe.
    ///   - secrets: Takes the key logs that the files hold.
    ///   - ahead: Decompresses the files ahead; `nil` to do that when their octets are needed.
    /// - Throws: As above.
    init(
        paths: [String],
        filter: String?,
        pipe: PipeWait?,
        secrets: SavefileSecrets? = nil,
        ahead: ReadAhead? = nil
    ) throws(CaptureError) {
        try Self.check(paths)
        let bufferOctets =
            paths.count <= Limits.savefilesWithLargeBuffers ? SavefileSource.bufferOctets : Limits.smallBufferOctets
        var total: Int? = 0
        var opened: SavefileReader?
        var hasOpened = false
        var others: [ParkedReader] = []
        var refused: [CaptureError] = []
        for (interface, path) in paths.enumerated() {
            do throws(CaptureError) {
                let reader = try SavefileReader(
                    path: path,
                    filter: filter,
                    interface: interface,
                    bufferOctets: bufferOctets,
                    pipe: pipe,
                    ahead: ahead,
                    secrets: secrets,
                    fileCount: paths.count
                )
                total = total.flatMap { total in reader.totalOctets.map { total + $0 } }
                if hasOpened {
                    others.append(ParkedReader(reader))
                } else {
                    opened = consume reader
                    hasOpened = true
                }
            } catch {
                guard error.concernsContent else {
                    throw error
                }
                refused.append(error)
            }
        }
        guard let first = opened.take() else {
            throw refused.first ?? CaptureError(.invalidConfiguration, "no pcap file is named")
        }
        failures = refused
        totalOctets = total
        atHand = first
        guard !others.isEmpty else {
            return
        }
        for other in others {
            park(other)
        }
        firstPacket = nextOfReaderAtHand()
    }

    private static func check(_ paths: [String]) throws(CaptureError) {
        guard !paths.isEmpty else {
            throw CaptureError(.invalidConfiguration, "no pcap file is named")
        }
        guard paths.count <= Limits.savefiles else {
            let advice = "merge some first, for example with mergecap"
            throw CaptureError(
                .invalidConfiguration,
                "\(paths.count) pcap files are more than the \(Limits.savefiles) that are read at once; \(advice)"
            )
        }
        guard paths.count(where: { $0 == "-" }) <= 1 else {
            throw CaptureError(.invalidConfiguration, "standard input is named twice")
        }
    }

    /// Octets of the files read so far, as stored.
    var octetsRead: Int {
        parked.reduce(octetsOfEndedFiles + atHand.octetsRead) { $0 + $1.reader.octetsRead }
    }

    /// Reads the next packet in time; `nil` when all files are at their ends or have failed.
    @inline(__always)
    mutating func next() -> CapturedPacket? {
        _fastPath(parked.isEmpty && firstPacket == nil) ? nextOfReaderAtHand() : nextOfAll()
    }

    /// Gives `take` packets that have been read already, as ``SavefileReader/takeBuffered(upTo:until:_:)`` does; none while there
    /// are several files, whose packets are compared one by one.
    @inline(__always)
    mutating func takeBuffered(
        upTo limit: Int,
        until stop: StopFlag,
        _ take: (CapturedPacket, Span<UInt8>) -> Void
    ) -> Int {
        guard parked.isEmpty, firstPacket == nil else { return 0 }
        return atHand.takeBuffered(upTo: limit, until: stop, take)
    }

    @inline(never)
    private mutating func nextOfAll() -> CapturedPacket? {
        if let packet = firstPacket.take() {
            return soonest(packet)
        }
        return soonest(nextOfReaderAtHand())
    }

    /// The captured octets of the packet that `next` gave, borrowed until it is called again.
    var octets: Span<UInt8> {
        @_lifetime(borrow self)
        get {
            atHand.octets
        }
    }
}

// MARK: - Merging

extension SavefileMerger {
    @inline(__always)
    private mutating func nextOfReaderAtHand() -> CapturedPacket? {
        do throws(CaptureError) {
            return try atHand.next()
        } catch {
            failures.append(error)
            return nil
        }
    }

    /// Puts the reader with the soonest packet at hand, given the next packet of the one that is, and gives that packet.
    private mutating func soonest(_ packet: CapturedPacket?) -> CapturedPacket? {
        guard let next = parked.last else {
            return packet
        }
        guard let packet else {
            octetsOfEndedFiles += atHand.octetsRead
            parked.removeLast()
            swap(&atHand, &next.reader)
            return next.packet
        }
        guard next.comes(before: packet) else {
            return packet
        }
        parked.removeLast()
        let soonest = next.packet
        swap(&atHand, &next.reader)
        next.packet = packet
        insert(next)
        return soonest
    }

    /// Reads the first packet of a file and parks the reader, unless there is none.
    private mutating func park(_ other: ParkedReader) {
        do throws(CaptureError) {
            other.packet = try other.reader.next()
        } catch {
            failures.append(error)
        }
        guard other.packet != nil else {
            octetsOfEndedFiles += other.reader.octetsRead
            return
        }
        insert(other)
    }

    private mutating func insert(_ other: ParkedReader) {
        guard let packet = other.packet else {
            preconditionFailure("SavefileMerger.insert: a parked reader has no packet")
        }
        let place = parked.firstIndex { $0.comes(before: packet) } ?? parked.endIndex
        parked.insert(other, at: place)
    }
}

/// A reader that waits with its next packet, whose octets libpcap keeps for it.
private final class ParkedReader {
    var reader: SavefileReader
    var packet: CapturedPacket?

    init(_ reader: consuming SavefileReader) {
        self.reader = reader
    }

    /// Whether the packet that is waiting comes before `other`.
    func comes(before other: CapturedPacket) -> Bool {
        guard let packet else {
            return false
        }
        return packet.time == other.time ? packet.interface < other.interface : packet.time < other.time
    }
}
