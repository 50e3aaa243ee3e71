// Wingmirror · Apache-2.0

/// Bounds on what one packet, and the fragments held at one time, may cost.
public struct DecodingLimits: Sendable, Hashable {
    /// Headers read in one packet, those of tunnels and each VLAN tag, MPLS label and extension header included.
    ///
    /// Ordinary traffic has under ten, and a tunnel in a tunnel under twenty.
    public var headersPerPacket = 32

    /// Datagrams of which fragments are held; the oldest gives way to a new one.
    ///
    /// A gateway sees few fragments at all; this many are in flight at once only in an attack.
    public var fragmentedDatagrams = 1024

    /// Octets of fragments held, with a fixed charge for each fragment; the oldest datagram gives way.
    ///
    /// Holds the greatest datagrams there can be, 64 KiB, of 64 senders.
    public var fragmentOctets = 4 << 20

    /// Fragments of one datagram.
    ///
    /// The greatest datagram over links of 576 octets has 119.
    public var fragmentsPerDatagram = 256

    /// Nanoseconds of packet time for which an incomplete datagram is held, from its first fragment: 30 s, as Linux has it.
    ///
    /// RFC 8200 §4.5 allows a receiver 60 s; fragments that late are a sign of an identification used again.
    public var fragmentTimeoutNanoseconds: Int64 = 30_000_000_000

    /// The UDP ports on which VXLAN is decoded; the first eight count.
    ///
    /// 4789 is the assigned port, 8472 the one that Linux used before.
    public var vxlanPorts: [UInt16] = [4789, 8472]
    /// How many of `vxlanPorts` count.
    public static let vxlanPortLimit = PortSet.capacity
    /// Formats that are not decoded and are counted by their number.
    ///
    /// A capture has one or two of them; noise is counted without its number beyond that.
    public var undecodedFormats = 32

    /// The limits described at each property.
    public init() {}
}
