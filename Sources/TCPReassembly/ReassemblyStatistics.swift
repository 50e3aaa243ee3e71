// Wingmirror · Apache-2.0

/// A count for each case of a closed set, in the order of `Key.allCases`.
public struct Tally<Key: CaseIterable & RawRepresentable & Sendable>: Sendable, Equatable where Key.RawValue == UInt8 {
    private var counts: [Int]

    /// Makes a tally of zeros.
    public init() {
        counts = Array(repeating: 0, count: Key.allCases.count)
    }

    /// The count for `key`.
    public subscript(key: Key) -> Int {
        get { counts[Int(key.rawValue)] }
        set { counts[Int(key.rawValue)] = newValue }
    }

    /// The sum over all cases.
    public var total: Int {
        counts.reduce(0, +)
    }
}

/// Why a connection was forgotten before it was closed.
public enum EvictionReason: UInt8, Sendable, Hashable, CaseIterable {
    /// The table of open connections was full.
    case capacity
    /// No packet for long, see `ReassemblyLimits.idleTimeoutNanoseconds`.
    case idle

    /// The value of the `reason` label.
    public var label: String {
        switch self {
        case .capacity: "capacity"
        case .idle: "idle"
        }
    }
}

/// A bound of `ReassemblyLimits` that makes holes final or memories short when it is met.
public enum ReassemblyLimit: UInt8, Sendable, Hashable, CaseIterable {
    case connectionOctets
    case totalOctets
    case waitingConnections
    case lingeringConnections

    /// The value of the `limit` label.
    public var label: String {
        switch self {
        case .connectionOctets: "connection_octets"
        case .totalOctets: "total_octets"
        case .waitingConnections: "waiting_connections"
        case .lingeringConnections: "lingering_connections"
        }
    }
}

/// What happened to the segments that reassembly took in.
///
/// Everything counts up, except where "now" is written.
public struct ReassemblyStatistics: Sendable, Equatable {
    /// Segments taken in.
    public var segments = 0
    /// Octets delivered to the sink.
    public var deliveredOctets = 0
    /// Connections announced to the sink.
    public var connectionsOpened = 0
    /// Connections whose end was reported, by how.
    public var connectionsClosed = Tally<ConnectionEnd>()
    /// Connections remembered now: half-open, open and lingering.
    public var entries = 0
    /// Connections open now.
    public var open = 0
    /// Connections now of which only a SYN or bare acknowledgements were seen.
    public var halfOpen = 0
    /// Connections that another interface had opened before, by the same SYN: each is read twice.
    public var repeatedConnections = 0
    /// Open connections forgotten before they were closed, by reason.
    public var evictions = Tally<EvictionReason>()
    /// Connections that went on exactly where they stood when they were forgotten, and were taken up from there.
    public var resumptions = 0
    /// Half-open connections forgotten because there were too many of them.
    public var halfOpenEvictions = 0
    /// Half-open connections forgotten because nothing followed.
    public var halfOpenExpirations = 0
    /// Half-open connections refused by a RST.
    public var refusedHandshakes = 0
    /// Connections joined without their handshake.
    public var midstreamPickups = 0
    /// Holes that became final, by reason.
    public var gaps = Tally<MissingReason>()
    /// Octets in those holes, by reason.
    public var gapOctets = Tally<MissingReason>()
    /// Segments that came before octets in front of them, or before what they acknowledge, and had to wait.
    public var outOfOrderSegments = 0
    /// Octets that came again.
    public var retransmittedOctets = 0
    /// Octets that had been given up as lost, and came after all by another interface, whose clock is behind or whose packets
    /// are late.
    public var lateOctets = 0
    /// How late those came at the most, in nanoseconds: everything acknowledged is waited for as long since then.
    public var lateness: Int64 = 0
    /// Octets that came again with another value than the copy that was still held.
    public var conflictingOctets = 0
    /// Segments with a wrong checksum whose place was taken by a copy with a right one.
    public var replacedChecksumErrors = 0
    /// Segments with a wrong checksum that their receiver took all the same, so that their octets were delivered.
    public var acceptedChecksumErrors = 0
    /// Segments with a wrong checksum of which no other copy was captured, so that their octets became a hole; and those
    /// without octets.
    public var droppedChecksumErrors = 0
    /// Urgent octets, which are not part of what an application reads.
    public var urgentOctets = 0
    /// Probes of one old octet that ask whether the other side is alive.
    public var keepAliveProbes = 0
    /// Packets seen twice, by the interface of the later sight; the last element takes all higher numbers.
    public var duplicateSegments: [Int] = []
    /// Connections on which something waits now.
    public var waiting = 0
    /// Octets that wait now.
    public var bufferedOctets = 0
    /// Octets dropped while they waited: data on a SYN whose handshake did not complete.
    public var shedOctets = 0
    /// How often a bound was met, by which.
    public var limitsMet = Tally<ReassemblyLimit>()
    /// RST segments that did not fit their connection, or that were followed by what shows that they were not taken.
    public var ignoredResets = 0
    /// Segments whose sequence or acknowledgement number lies far outside of what their connection has reached; also those
    /// that were believed later, because others agreed with them.
    public var outOfWindowSegments = 0
    /// Connections that were found again beyond a loss so large that their numbers lay out of reach.
    public var jumps = 0
    /// Connections that took the place of another on the same addresses, without a SYN that was seen.
    ///
    /// The old one is counted as superseded.
    public var unseenReplacements = 0
    /// SYN segments with another number on a live connection.
    ///
    /// Where one opened a connection after all, the old one is counted as superseded.
    public var challengedSynchronizes = 0
    /// Segments without ACK on an open connection, which every receiver drops (RFC 9293 §3.10.7.4).
    public var unacceptableSegments = 0
    /// RST and bare FIN segments of connections that are not known.
    public var straySegments = 0
    /// How far the clocks of interfaces are apart that see the two directions of connections.
    public var clockOffsets: [InterfaceClockOffset] = []
    /// Segments that came after the end of their connection, or brought octets after the end of their stream.
    public var segmentsAfterClose = 0

    /// Makes statistics of nothing.
    public init() {}
}

extension ReassemblyStatistics {
    /// How many interfaces are counted apart.
    static let interfaceLimit = 64

    mutating func duplicateArrived(on interface: Int) {
        let index = min(max(interface, 0), Self.interfaceLimit - 1)
        while duplicateSegments.count <= index {
            duplicateSegments.append(0)
        }
        duplicateSegments[index] += 1
    }
}

// MARK: - Sums

extension ReassemblyStatistics {
    /// Adds what another table counted of other connections.
    public mutating func add(_ other: ReassemblyStatistics) {
        for path in Self.counts { self[keyPath: path] += other[keyPath: path] }
        lateness = max(lateness, other.lateness)
        connectionsClosed.add(other.connectionsClosed)
        evictions.add(other.evictions)
        gaps.add(other.gaps)
        gapOctets.add(other.gapOctets)
        limitsMet.add(other.limitsMet)
        for offset in other.clockOffsets {
            if let place = clockOffsets.firstIndex(where: { $0.first == offset.first && $0.second == offset.second }) {
                clockOffsets[place].add(offset)
            } else {
                clockOffsets.append(offset)
            }
        }
        for (interface, count) in other.duplicateSegments.enumerated() {
            while duplicateSegments.count <= interface { duplicateSegments.append(0) }
            duplicateSegments[interface] += count
        }
    }

    /// Everything that is one number.
    static var counts: [WritableKeyPath<Self, Int>] {
        [
            \.segments, \.deliveredOctets, \.connectionsOpened, \.repeatedConnections, \.entries, \.open, \.halfOpen,
            \.halfOpenEvictions,
            \.halfOpenExpirations, \.refusedHandshakes, \.midstreamPickups, \.outOfOrderSegments,
            \.retransmittedOctets, \.lateOctets, \.conflictingOctets, \.urgentOctets, \.keepAliveProbes, \.waiting,
            \.bufferedOctets,
            \.shedOctets,
            \.ignoredResets, \.outOfWindowSegments, \.challengedSynchronizes, \.unacceptableSegments,
            \.straySegments, \.segmentsAfterClose, \.resumptions, \.jumps, \.unseenReplacements,
            \.replacedChecksumErrors, \.acceptedChecksumErrors, \.droppedChecksumErrors,
        ]
    }
}

extension InterfaceClockOffset {
    /// Narrows what is possible by what another table found of the same two clocks.
    fileprivate mutating func add(_ other: InterfaceClockOffset) {
        lowest = max(lowest, other.lowest)
        highest = min(highest, other.highest)
        handshakes += other.handshakes
    }
}

extension Tally {
    fileprivate mutating func add(_ other: Tally) {
        for key in Key.allCases { self[key] += other[key] }
    }
}
