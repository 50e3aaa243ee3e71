// Wingmirror · Apache-2.0

/// What a capture has counted so far of its packets and of what they are worth, as its owner knows it.
public struct CaptureReading: Sendable, Hashable {
    /// Packets that reached the pipeline.
    public var packets: UInt64
    /// Their captured octets.
    public var octets: UInt64
    /// Packets that the kernel or the interface dropped before they reached it.
    public var lostPackets: UInt64
    /// Packets of which the snapshot length cut something off.
    public var truncatedPackets: UInt64
    /// Holes in streams, whatever caused them.
    public var gaps: UInt64
    /// Octets in those holes.
    public var gapOctets: UInt64
    /// Connections seen.
    public var connections: UInt64
    /// Connections that cannot be read, such as those with TLS.
    public var opaqueConnections: UInt64
    /// Answers whose requests were not seen.
    public var answersAlone: UInt64

    /// Makes a reading of its parts.
    public init(
        packets: UInt64 = 0,
        octets: UInt64 = 0,
        lostPackets: UInt64 = 0,
        truncatedPackets: UInt64 = 0,
        gaps: UInt64 = 0,
        gapOctets: UInt64 = 0,
        connections: UInt64 = 0,
        opaqueConnections: UInt64 = 0,
        answersAlone: UInt64 = 0
    ) {
        self.packets = packets
        self.octets = octets
        self.lostPackets = lostPackets
        self.truncatedPackets = truncatedPackets
        self.gaps = gaps
        self.gapOctets = gapOctets
        self.connections = connections
        self.opaqueConnections = opaqueConnections
        self.answersAlone = answersAlone
    }

    /// The share of packets that were lost, of those that were and those that were not; `nil` without any.
    public var lostShare: Double? {
        Self.share(lostPackets, of: packets &+ lostPackets)
    }

    /// The share of connections that cannot be read; `nil` without any.
    public var opaqueShare: Double? {
        Self.share(opaqueConnections, of: max(connections, opaqueConnections))
    }

    private static func share(_ part: UInt64, of whole: UInt64) -> Double? {
        whole == 0 ? nil : Double(part) / Double(whole)
    }
}

extension CaptureReading {
    /// All parts, in one order.
    private static var parts: [WritableKeyPath<CaptureReading, UInt64>] {
        [
            \.packets, \.octets, \.lostPackets, \.truncatedPackets, \.gaps, \.gapOctets, \.connections,
            \.opaqueConnections, \.answersAlone,
        ]
    }

    /// What was counted since an older reading; counters that are lower than before began again at zero.
    func counted(since older: CaptureReading) -> CaptureReading {
        var difference = CaptureReading()
        for part in Self.parts {
            let (now, before) = (self[keyPath: part], older[keyPath: part])
            difference[keyPath: part] = now >= before ? now - before : now
        }
        return difference
    }

    /// Adds what was counted at another time.
    mutating func add(_ other: CaptureReading) {
        for part in Self.parts {
            self[keyPath: part] &+= other[keyPath: part]
        }
    }
}
