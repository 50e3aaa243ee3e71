// Wingmirror · Apache-2.0
// The registry of link-layer header types that savefiles use (draft-ietf-opsawg-pcaplinktype).

/// What stands before the octets of a packet: a number of the registry of link-layer header types.
///
/// The numbers are those of savefiles (LINKTYPE_…), not libpcap's DLT_ numbers where the two differ.
public struct LinkType: RawRepresentable, Sendable, Hashable {
    /// The LINKTYPE_ number.
    public let rawValue: Int32

    /// Makes a link type of its LINKTYPE_ number.
    @inlinable
    public init(rawValue: Int32) {
        self.rawValue = rawValue
    }

    /// Makes a link type of the DLT_ number that libpcap gives, which differs for some of the oldest types.
    public init(dataLinkType: Int32) {
        switch dataLinkType {
        case 11: self = .atmRFC1483
        case 12, 14: self = .raw  // 14 is OpenBSD's
        default: self.init(rawValue: dataLinkType)
        }
    }
}

// MARK: - Link types that are decoded

extension LinkType {
    /// BSD loopback: the address family in the byte order of the machine that captured.
    public static let null = LinkType(rawValue: 0)
    /// IEEE 802.3 Ethernet, from the destination address to the payload.
    public static let ethernet = LinkType(rawValue: 1)
    /// PPP, with or without the address and control octets of HDLC framing.
    public static let ppp = LinkType(rawValue: 9)
    /// As `raw`: the number of DLT_RAW on most systems, which some programs write to savefiles.
    public static let rawLibpcap = LinkType(rawValue: 12)
    /// As `raw`: the number of DLT_RAW on OpenBSD.
    public static let rawOpenBSD = LinkType(rawValue: 14)
    /// PPP in HDLC-like framing (RFC 1662).
    public static let pppHDLC = LinkType(rawValue: 50)
    /// PPPoE session packets, without an Ethernet header (RFC 2516).
    public static let pppEthernet = LinkType(rawValue: 51)
    /// RFC 2684 encapsulation over ATM.
    public static let atmRFC1483 = LinkType(rawValue: 100)
    /// An IPv4 or IPv6 packet; the version is in its first octet.
    public static let raw = LinkType(rawValue: 101)
    /// Cisco HDLC.
    public static let ciscoHDLC = LinkType(rawValue: 104)
    /// An IEEE 802.11 frame.
    public static let wlan = LinkType(rawValue: 105)
    /// Frame relay LAPF frames (RFC 2427).
    public static let frameRelay = LinkType(rawValue: 107)
    /// OpenBSD loopback: the address family in network byte order.
    public static let loop = LinkType(rawValue: 108)
    /// Linux cooked capture, version 1: what the `any` device gave before version 2.
    public static let linuxCooked = LinkType(rawValue: 113)
    /// Enclosed packets of OpenBSD's IPsec interface.
    public static let packetFilterTunnel = LinkType(rawValue: 109)
    /// What the BSD packet filter logs (pflog).
    public static let packetFilterLog = LinkType(rawValue: 117)
    /// IEEE 802.11 after a Prism header.
    public static let wlanPrism = LinkType(rawValue: 119)
    /// IEEE 802.11 after a radiotap header.
    public static let wlanRadiotap = LinkType(rawValue: 127)
    /// ARCNET as Linux gives it, without the exception frames.
    public static let arcnetLinux = LinkType(rawValue: 129)
    /// IEEE 802.11 after an AVS header.
    public static let wlanAVS = LinkType(rawValue: 163)
    /// Per-packet information (PPI), with a link type of its own inside.
    public static let ppi = LinkType(rawValue: 192)
    /// PPP after an octet that tells its direction.
    public static let pppWithDirection = LinkType(rawValue: 204)
    /// An IPv4 packet.
    public static let ipv4 = LinkType(rawValue: 228)
    /// An IPv6 packet.
    public static let ipv6 = LinkType(rawValue: 229)
    /// Ethernet after four octets of a Hilscher network analyser.
    public static let networkAnalyzer = LinkType(rawValue: 240)
    /// What macOS gives with the process that sent a packet, with a link type of its own inside (PKTAP).
    public static let packetTap = LinkType(rawValue: 258)
    /// Messages of Linux netfilter's NFLOG target.
    public static let nflog = LinkType(rawValue: 239)
    /// Linux cooked capture, version 2.
    public static let linuxCooked2 = LinkType(rawValue: 276)
}
