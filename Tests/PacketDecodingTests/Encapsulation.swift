// Wingmirror · Apache-2.0

import PacketDecoding
import TestSupport
import Testing

/// A packet that holds the sample segment, and the standard that says how.
struct Encapsulation: CustomTestStringConvertible, Sendable {
    let label: String
    let linkType: LinkType
    let octets: [UInt8]

    init(_ label: String, _ linkType: LinkType, _ packet: PacketBuilder) {
        self.label = label
        self.linkType = linkType
        octets = packet.octets
    }

    init(_ label: String, _ frame: PacketBuilder) {
        self.init(label, .ethernet, frame)
    }

    var testDescription: String { label }

    static let all = linkLayers + ethernetPayloads + networkLayers + tunnels + pseudowires + shims

    private static let v4 = SampleSegment.overIPv4
    private static let v6 = SampleSegment.overIPv6

    private static let linkLayers: [Encapsulation] = [
        Encapsulation("Ethernet, IPv4: RFC 894", v4.ip().ethernet()),
        Encapsulation("Ethernet, IPv6: RFC 2464", v6.ip().ethernet()),
        Encapsulation("LINKTYPE_RAW, IPv4", .raw, v4.ip()),
        Encapsulation("LINKTYPE_RAW, IPv6", .raw, v6.ip()),
        Encapsulation("DLT_RAW as libpcap numbers it", .rawLibpcap, v4.ip()),
        Encapsulation("DLT_RAW as OpenBSD numbers it", .rawOpenBSD, v6.ip()),
        Encapsulation("LINKTYPE_IPV4", .ipv4, v4.ip()),
        Encapsulation("LINKTYPE_IPV6", .ipv6, v6.ip()),
        Encapsulation("LINKTYPE_LINUX_SLL", .linuxCooked, v4.ip().linuxCooked()),
        Encapsulation("LINKTYPE_LINUX_SLL, IPv6", .linuxCooked, v6.ip().linuxCooked()),
        Encapsulation("LINKTYPE_LINUX_SLL, tagged", .linuxCooked, v4.ip().vlan(7).linuxCooked()),
        Encapsulation("LINKTYPE_LINUX_SLL2", .linuxCooked2, v4.ip().linuxCooked2()),
        Encapsulation("LINKTYPE_LINUX_SLL2, IPv6", .linuxCooked2, v6.ip().linuxCooked2()),
        Encapsulation("LINKTYPE_NULL, big endian", .null, v4.ip().loopback()),
        Encapsulation("LINKTYPE_NULL, little endian", .null, v4.ip().encapsulated(in: [2, 0, 0, 0])),
        Encapsulation("LINKTYPE_NULL, Linux IPv6", .null, v6.ip().encapsulated(in: [10, 0, 0, 0])),
        Encapsulation("LINKTYPE_NULL, NetBSD IPv6", .null, v6.ip().encapsulated(in: [24, 0, 0, 0])),
        Encapsulation("LINKTYPE_NULL, FreeBSD IPv6", .null, v6.ip().encapsulated(in: [28, 0, 0, 0])),
        Encapsulation("LINKTYPE_NULL, Darwin IPv6", .null, v6.ip().encapsulated(in: [30, 0, 0, 0])),
        Encapsulation("LINKTYPE_LOOP", .loop, v4.ip().loopback()),
        Encapsulation("LINKTYPE_PPP: RFC 1661 §2", .ppp, v4.ip().ppp()),
        Encapsulation("LINKTYPE_PPP, IPv6: RFC 5072", .ppp, v6.ip().ppp()),
        Encapsulation("LINKTYPE_PPP, framed: RFC 1662 §3.1", .ppp, v4.ip().ppp(withAddress: true)),
        Encapsulation("LINKTYPE_PPP, compressed protocol: RFC 1661 §6.5", .ppp, v4.ip().encapsulated(in: [0x21])),
        Encapsulation("LINKTYPE_PPP, MPLS: RFC 3032 §4.1", .ppp, v4.ip().mpls().ppp()),
        Encapsulation("LINKTYPE_PPP_HDLC, PPP", .pppHDLC, v4.ip().ppp(withAddress: true)),
        Encapsulation("LINKTYPE_PPP_HDLC, Cisco", .pppHDLC, v4.ip().encapsulated(in: [0x0F, 0, 0x08, 0])),
        Encapsulation("LINKTYPE_PPP_WITH_DIR", .pppWithDirection, v4.ip().ppp(withAddress: true).encapsulated(in: [1])),
        Encapsulation("LINKTYPE_PPP_ETHER: RFC 2516", .pppEthernet, v4.ip().ppp().pppoe()),
        Encapsulation("LINKTYPE_C_HDLC", .ciscoHDLC, v6.ip().encapsulated(in: [0x0F, 0, 0x86, 0xDD])),
        Encapsulation("LINKTYPE_FRELAY: RFC 2427 §4", .frameRelay, v4.ip().encapsulated(in: [0x18, 0x41, 3, 0xCC])),
        Encapsulation("LINKTYPE_FRELAY, IPv6: RFC 2590", .frameRelay, v6.ip().encapsulated(in: [0x18, 0x41, 3, 0x8E])),
        Encapsulation("LINKTYPE_FRELAY, Cisco", .frameRelay, v4.ip().encapsulated(in: [0x18, 0x41, 0x08, 0])),
        Encapsulation(
            "LINKTYPE_FRELAY, four octets of address, SNAP: RFC 2427 §3.3",
            .frameRelay,
            v4.ip().encapsulated(in: [0x18, 0x40, 0x02, 0x01, 3, 0, 0x80, 0, 0, 0, 0x08, 0])
        ),
        Encapsulation("LINKTYPE_ATM_RFC1483: RFC 2684 §5.2", .atmRFC1483, v4.ip().subnetworkAccess()),
        Encapsulation(
            "LINKTYPE_ATM_RFC1483, ISO: RFC 2684 §5.1",
            .atmRFC1483,
            v4.ip().encapsulated(in: [0xFE, 0xFE, 3, 0xCC])
        ),
        Encapsulation(
            "LINKTYPE_ATM_RFC1483, bridged: RFC 2684 §5.3",
            .atmRFC1483,
            v4.ip().ethernet().encapsulated(in: [0xAA, 0xAA, 3, 0, 0x80, 0xC2, 0, 7, 0, 0])
        ),
        Encapsulation(
            "LINKTYPE_ARCNET_LINUX: RFC 1201",
            .arcnetLinux,
            v4.ip().encapsulated(in: [1, 2, 0, 0, 212, 0, 0, 1])
        ),
        Encapsulation("LINKTYPE_ARCNET_LINUX: RFC 1051", .arcnetLinux, v4.ip().encapsulated(in: [1, 2, 0, 0, 240])),
        Encapsulation(
            "LINKTYPE_NFLOG",
            .nflog,
            v4.ip().encapsulated(in: [2, 0, 0, 0, 5, 0, 10, 0, 0x61, 0, 0, 0] + [116, 0, 9, 0])
        ),
        Encapsulation(
            "LINKTYPE_NFLOG of a big-endian machine",
            .nflog,
            v4.ip().encapsulated(in: [2, 0, 0, 0, 0, 5, 0, 10, 0x61, 0, 0, 0] + [0, 116, 0, 9])
        ),
        Encapsulation(
            "LINKTYPE_PFLOG",
            .packetFilterLog,
            v4.ip().encapsulated(in: [61, 2] + Array(repeating: 0, count: 62))
        ),
        Encapsulation(
            "LINKTYPE_ENC",
            .packetFilterTunnel,
            v6.ip().encapsulated(in: [24, 0, 0, 0] + Array(repeating: 0, count: 8))
        ),
    ]

    private static let wlanData = v4.ip().subnetworkAccess().encapsulated(
        in: [0x08, 0x01] + Array(repeating: 0, count: 22)
    )
    private static let wlanQoS = v4.ip().subnetworkAccess()
        .encapsulated(in: [0x88, 0x03] + Array(repeating: 0, count: 28) + [0, 0])
    private static let wlanQoSPadded = v4.ip().subnetworkAccess()
        .encapsulated(in: [0x88, 0x01] + Array(repeating: 0, count: 22) + [0, 0] + [0, 0])

    private static let ethernetPayloads: [Encapsulation] = [
        Encapsulation(
            "Ethernet, padded to 64 octets and more: RFC 894",
            v4.ip().padded(to: 200, with: 0xEE).ethernet()
        ),
        Encapsulation("VLAN: IEEE 802.1Q §9.6", v4.ip().vlan(7).ethernet()),
        Encapsulation("VLAN, IPv6: IEEE 802.1Q §9.6", v6.ip().vlan(7).ethernet()),
        Encapsulation("service VLAN: IEEE 802.1ad", v4.ip().vlan(7).vlan(8, protocolIdentifier: 0x88A8).ethernet()),
        Encapsulation("stacked VLAN, 0x9100", v6.ip().vlan(7).vlan(8, protocolIdentifier: 0x9100).ethernet()),
        Encapsulation("stacked VLAN, 0x9200", v4.ip().vlan(7).vlan(8, protocolIdentifier: 0x9200).ethernet()),
        Encapsulation("stacked VLAN, 0x9300", v4.ip().vlan(7).vlan(8, protocolIdentifier: 0x9300).ethernet()),
        Encapsulation("SNAP: RFC 1042", v4.ip().subnetworkAccess().ethernet()),
        Encapsulation("SNAP in a VLAN: IEEE 802.1Q §9.6", v4.ip().subnetworkAccess().vlan(7).ethernet()),
        Encapsulation("PPPoE: RFC 2516 §4", v4.ip().ppp().pppoe().ethernet()),
        Encapsulation("PPPoE in a VLAN, IPv6", v6.ip().ppp().pppoe().vlan(7).ethernet()),
        Encapsulation("MPLS: RFC 3032 §2.1", v4.ip().mpls().ethernet()),
        Encapsulation("MPLS, three labels, IPv6", v6.ip().mpls([100, 200, 2]).ethernet()),
        Encapsulation("IEEE 802.11 data: §9.3.2.1", .wlan, wlanData),
        Encapsulation("IEEE 802.11 QoS data between access points: §9.3.2.1", .wlan, wlanQoS),
        Encapsulation(
            "radiotap, padded header",
            .wlanRadiotap,
            wlanQoSPadded.encapsulated(in: [0, 0, 17, 0, 3, 0, 0, 0] + Array(repeating: 0, count: 8) + [0x20])
        ),
        Encapsulation(
            "radiotap, two words of present fields",
            .wlanRadiotap,
            wlanData.encapsulated(in: [0, 0, 12, 0, 0, 0, 0, 0x80, 0, 0, 0, 0])
        ),
        Encapsulation(
            "Prism",
            .wlanPrism,
            wlanData.encapsulated(in: [0x44, 0, 0, 0, 144, 0, 0, 0] + Array(repeating: 0, count: 136))
        ),
        Encapsulation(
            "AVS",
            .wlanAVS,
            wlanData.encapsulated(in: [0x80, 0x21, 0x10, 0x01, 0, 0, 0, 64] + Array(repeating: 0, count: 56))
        ),
        Encapsulation("PPI, Ethernet inside", .ppi, v4.ip().ethernet().encapsulated(in: [0, 0, 8, 0, 1, 0, 0, 0])),
    ]

    private static let networkLayers: [Encapsulation] = [
        Encapsulation("IPv4 options: RFC 791 §3.1", v4.ipv4(options: [7, 7, 4, 0, 0, 0, 0]).ethernet()),
        Encapsulation("IPv4, length left to segmentation offload", v4.ipv4(totalLength: 0).ethernet()),
        Encapsulation("IPv6, length left to segmentation offload", v6.ipv6(payloadLength: 0).ethernet()),
        Encapsulation("IPv6 hop-by-hop options: RFC 8200 §4.3", v6.ipv6Extension(0).ipv6().ethernet()),
        Encapsulation(
            "IPv6 jumbogram: RFC 2675 §2",
            v6.ipv6Extension(0, content: [0xC2, 4, 0, 0, 0, 124]).ipv6(payloadLength: 0).ethernet()
        ),
        Encapsulation(
            "IPv6 routing: RFC 8200 §4.4",
            v6.ipv6Extension(43, content: [0, 0, 0, 0, 0, 0]).ipv6().ethernet()
        ),
        Encapsulation(
            "IPv6 destination options and others before them: RFC 8200 §4.1",
            v6.ipv6Extension(60, content: Array(repeating: 0, count: 22)).ipv6Extension(43).ipv6Extension(0).ipv6()
                .ethernet()
        ),
        Encapsulation(
            "IPv6 atomic fragment: RFC 6946",
            v6.ipv6Fragment(identification: 5, offset: 0, moreFollow: false).ipv6().ethernet()
        ),
        Encapsulation(
            "IPv6 authentication header: RFC 4302 §2",
            v6.encapsulated(in: [6, 4] + Array(repeating: 0, count: 22), protocolNumber: 51).ipv6().ethernet()
        ),
        Encapsulation(
            "IPv4 authentication header: RFC 4302 §2",
            v4.encapsulated(in: [6, 4] + Array(repeating: 0, count: 22), protocolNumber: 51).ipv4().ethernet()
        ),
    ]

    private static let outer6 = (source: SampleSegment.client6.address, destination: SampleSegment.server6.address)

    private static let tunnels: [Encapsulation] = [
        Encapsulation("IPv4 in IPv4: RFC 2003", v4.ip().ipv4().ethernet()),
        Encapsulation("IPv6 in IPv4: RFC 4213 §3.5", v6.ip().ipv4().ethernet()),
        Encapsulation(
            "IPv4 in IPv6: RFC 2473 §3",
            v4.ip().ipv6(from: outer6.source, to: outer6.destination).ethernet()
        ),
        Encapsulation("IPv6 in IPv6: RFC 2473 §3", v6.ip().ipv6().ethernet()),
        Encapsulation("MPLS in IP: RFC 4023 §3", v4.ip().mpls().ipv4().ethernet()),
        Encapsulation(
            "Ethernet in IP: RFC 3378",
            v4.ip().ethernet().encapsulated(in: [0x30, 0], protocolNumber: 97).ipv4().ethernet()
        ),
        Encapsulation(
            "Ethernet in IP without a header of its own: RFC 8986 §9.1",
            v4.ip().vlan(7).ethernet().encapsulated(in: [], protocolNumber: 143).ipv6().ethernet()
        ),
        Encapsulation("GRE: RFC 2784 §2", v4.ip().gre().ipv4().ethernet()),
        Encapsulation(
            "GRE, checksum, key and sequence number: RFC 2890 §2",
            v6.ip().gre(key: 1, sequence: 2, hasChecksum: true).ipv4().ethernet()
        ),
        Encapsulation("GRE over IPv6: RFC 7676", v4.ip().gre(key: 1).ipv6().ethernet()),
        Encapsulation(
            "GRE, source routes: RFC 1701",
            v4.ip().encapsulated(
                in: [0x40, 0, 0x08, 0, 0, 0, 0, 0] + [0x08, 0, 0, 4, 192, 0, 2, 1] + [0, 0, 0, 0],
                protocolNumber: 47
            ).ipv4().ethernet()
        ),
        Encapsulation("GRE in GRE", v4.ip().gre().ipv4().gre().ipv4().ethernet()),
        Encapsulation("GRE, Ethernet inside: RFC 7637 §3.2", v4.ip().vlan(7).ethernet().gre(key: 9).ipv4().ethernet()),
        Encapsulation(
            "GRE version 1, PPP inside: RFC 2637 §4.1",
            v4.ip().ppp(withAddress: true)
                .encapsulated(in: [0x30, 0x81, 0x88, 0x0B, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3], protocolNumber: 47)
                .ipv4().ethernet()
        ),
        Encapsulation("ERSPAN type I", v4.ip().ethernet().gre(protocolType: 0x88BE).ipv4().ethernet()),
        Encapsulation(
            "ERSPAN type II: draft-foschiano-erspan §4.2",
            v4.ip().ethernet().encapsulated(in: Array(repeating: 0, count: 8))
                .gre(sequence: 1, protocolType: 0x88BE).ipv4().ethernet()
        ),
        Encapsulation(
            "ERSPAN type III: draft-foschiano-erspan §4.3",
            v4.ip().ethernet().encapsulated(in: [0x20] + Array(repeating: 0, count: 11))
                .gre(sequence: 1, protocolType: 0x22EB).ipv4().ethernet()
        ),
        Encapsulation(
            "ERSPAN type III with a platform's header: draft-foschiano-erspan §4.3",
            v4.ip().ethernet().encapsulated(
                in: [0x20] + Array(repeating: 0, count: 10) + [1] + Array(repeating: 0, count: 8)
            )
            .gre(sequence: 1, protocolType: 0x22EB).ipv4().ethernet()
        ),
        Encapsulation("VXLAN: RFC 7348 §5", v4.ip().ethernet().vxlan(42).ipv4().ethernet()),
        Encapsulation(
            "VXLAN on the port of Linux, over IPv6",
            v6.ip().ethernet().vxlan(42, port: 8472).ipv6().ethernet()
        ),
        Encapsulation(
            "VXLAN with protocol extension: draft-ietf-nvo3-vxlan-gpe §3",
            v6.ip().encapsulated(in: [0x0C, 0, 0, 2, 0, 0, 42, 0]).udp(to: 4790).ipv4().ethernet()
        ),
        Encapsulation("Geneve, Ethernet inside: RFC 8926 §3.4", v4.ip().ethernet().geneve(42).ipv4().ethernet()),
        Encapsulation(
            "Geneve with options, IPv6 inside: RFC 8926 §3.5",
            v6.ip().geneve(42, options: [1, 2, 3, 1, 0, 0, 0, 0]).ipv4().ethernet()
        ),
        Encapsulation("Teredo: RFC 4380 §5.1.1", v6.ip().udp(to: 3544).ipv4().ethernet()),
        Encapsulation(
            "Teredo from a server, authentication and origin: RFC 4380 §5.1.1",
            v6.ip().encapsulated(
                in: [0, 1, 0, 0] + Array(repeating: 7, count: 9) + [0, 0] + Array(repeating: 7, count: 6)
            )
            .udp(from: 3544, to: 50_000).ipv4().ethernet()
        ),
        Encapsulation("GRE in UDP: RFC 8086", v4.ip().gre().udp(to: 4754).ipv4().ethernet()),
        Encapsulation(
            "GTP-U: 3GPP TS 29.281 §5.1",
            v4.ip().encapsulated(in: gtp(0x30)).udp(to: 2152).ipv4().ethernet()
        ),
        Encapsulation(
            "GTP-U with a sequence number: 3GPP TS 29.281 §5.1",
            v6.ip().encapsulated(in: gtp(0x32) + [0, 1, 0, 0]).udp(to: 2152).ipv6().ethernet()
        ),
        Encapsulation(
            "GTP-U with extension headers: 3GPP TS 29.281 §5.2",
            v4.ip().encapsulated(in: gtp(0x34) + [0, 0, 0, 0x85] + [1, 0x10, 1, 0xC0] + [2, 0, 0, 0, 0, 0, 0, 0])
                .udp(to: 2152).ipv4().ethernet()
        ),
        Encapsulation(
            "GTP-U, Ethernet inside: 3GPP TS 29.281 §5",
            v4.ip().ethernet().encapsulated(in: gtp(0x30)).udp(to: 2152).ipv4().ethernet()
        ),
        Encapsulation(
            "GUE: draft-ietf-intarea-gue §3",
            v4.ip().encapsulated(in: [0, 4, 0, 0]).udp(to: 6080).ipv4().ethernet()
        ),
        Encapsulation(
            "GUE with fields: draft-ietf-intarea-gue §3.3",
            v6.ip().encapsulated(in: [2, 41, 0, 0] + Array(repeating: 7, count: 8)).udp(to: 6080).ipv4().ethernet()
        ),
        Encapsulation("GUE, variant 1: draft-ietf-intarea-gue §4", v4.ip().udp(to: 6080).ipv4().ethernet()),
        Encapsulation(
            "NSH after an EtherType: RFC 8300 §2",
            v4.ip().ethernet().encapsulated(in: service(3), etherType: 0x894F).ethernet()
        ),
        Encapsulation(
            "NSH in VXLAN with protocol extension: RFC 8300 §2",
            v6.ip().encapsulated(in: service(2)).encapsulated(in: [0x0C, 0, 0, 4, 0, 0, 42, 0]).udp(to: 4790).ipv4()
                .ethernet()
        ),
        Encapsulation(
            "ERSPAN type III, IP inside: draft-foschiano-erspan §4.3",
            v4.ip().encapsulated(in: [0x20] + Array(repeating: 0, count: 9) + [2 << 2, 0])
                .gre(sequence: 1, protocolType: 0x22EB).ipv4().ethernet()
        ),
        Encapsulation("MPLS in UDP: RFC 7510", v4.ip().mpls().udp(to: 6635).ipv4().ethernet()),
    ]

    /// A GTP-U header of a packet, whose length field is not looked at.
    private static func gtp(_ flags: UInt8) -> [UInt8] {
        [flags, 255, 0, 0, 0, 0, 0, 1]
    }

    /// A network service header of 24 octets.
    private static func service(_ next: UInt8) -> [UInt8] {
        [0x0F, 0xC6, 1, next, 0, 0, 1, 255] + Array(repeating: 0, count: 16)
    }

    private static let shims: [Encapsulation] = [
        tagged("VN-tag: IEEE 802.1Qbh", 0x8926, [0, 0, 0, 1]),
        tagged("Time stamp tag of Cisco", 0x8988, [0, 0, 0, 1]),
        tagged("Metadata of Cisco", 0x8909, [1, 1, 0, 1, 0, 16]),
        tagged("E-tag: IEEE 802.1BR §12.5", 0x893F, [0, 0, 0, 1, 0, 0]),
        tagged("HSR: IEC 62439-3", 0x892F, [0, 52, 0, 1]),
        tagged("R-tag: IEEE 802.1CB §7.8", 0xF1C1, [0, 0, 0, 1]),
        Encapsulation(
            "I-tag: IEEE 802.1ah §9.7",
            v4.ip().ethernet().encapsulated(in: [0, 0, 0, 1], etherType: 0x88E7).ethernet()
        ),
        Encapsulation("FabricPath", v4.ip().ethernet().encapsulated(in: [0, 1], etherType: 0x8903).ethernet()),
        Encapsulation(
            "TRILL: RFC 6325 §3",
            v4.ip().ethernet().encapsulated(in: [0, 0x3F, 0, 1, 0, 2], etherType: 0x22F3).ethernet()
        ),
        Encapsulation(
            "Tags behind a VLAN",
            v4.ip().encapsulated(in: [0, 0, 0, 1, 8, 0], etherType: 0x8988).vlan(7).ethernet()
        ),
        Encapsulation(
            "LINKTYPE_PKTAP, Ethernet inside",
            .packetTap,
            v4.ip().ethernet().encapsulated(in: [16, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0])
        ),
        Encapsulation("LINKTYPE_NETANALYZER", .networkAnalyzer, v4.ip().ethernet().encapsulated(in: [0, 0, 0, 0])),
    ]

    private static func tagged(_ label: String, _ etherType: UInt16, _ tag: [UInt8]) -> Encapsulation {
        Encapsulation(label, v4.ip().encapsulated(in: tag + [8, 0], etherType: etherType).ethernet())
    }

    private static let pseudowires: [Encapsulation] = [
        Encapsulation(
            "Ethernet pseudowire with control word: RFC 4448 §4.6",
            v4.ip().ethernet().encapsulated(in: [0, 0, 0, 1]).mpls().ethernet()
        ),
        Encapsulation("Ethernet pseudowire without control word: RFC 4448 §4.1", v4.ip().ethernet().mpls().ethernet()),
    ]
}
