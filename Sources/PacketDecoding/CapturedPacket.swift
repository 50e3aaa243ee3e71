// Wingmirror · Apache-2.0

/// All that a capture says of a packet beside its octets.
public struct CapturedPacket: Sendable, Hashable {
    /// When it was captured.
    public let time: PacketTime
    /// How its octets begin.
    public let linkType: LinkType
    /// Which of the interfaces or savefiles being read it came from, counted from 0.
    public let interface: Int
    /// Octets on the wire; more than were captured when the snapshot length cut it.
    public let wireLength: Int
    /// Which of all interfaces captured it, each of which may have a clock of its own: that of `interface`, unless a pcapng file
    /// holds what several captured.
    ///
    /// ``withoutClock`` where nothing says when the packet came.
    public let origin: Int

    /// The origin of a packet that has no time of its own: `time` is that of the packet before it, and means nothing.
    public static let withoutClock = -1

    /// Makes a description of its parts; without an `origin` it is that of the interface or file.
    @inlinable
    public init(time: PacketTime, linkType: LinkType, interface: Int, wireLength: Int, origin: Int? = nil) {
        self.time = time
        self.linkType = linkType
        self.interface = interface
        self.wireLength = wireLength
        self.origin = origin ?? interface
    }

    /// The same packet as if it had been captured at another time.
    public func moved(to time: PacketTime) -> CapturedPacket {
        CapturedPacket(time: time, linkType: linkType, interface: interface, wireLength: wireLength, origin: origin)
    }
}

/// What takes captured packets, in the order of their times.
public protocol PacketSink: ~Copyable {
    /// A packet was captured; its octets are borrowed for the call only, and may be empty.
    mutating func packetArrived(_ packet: CapturedPacket, octets: Span<UInt8>)
}
