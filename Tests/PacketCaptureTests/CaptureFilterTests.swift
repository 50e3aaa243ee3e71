// Wingmirror · Apache-2.0

import PacketCapture
import PacketDecoding
import Testing

@Suite struct CaptureFilterTests {
    private let folder = TemporaryFolder()

    private static let gateway = IPAddress(ipv4: 0x0A00_0001)
    private static let gatewayIPv6 = IPAddress(high: 0x2001_0DB8_0000_0000, low: 1)
    private static let other: [UInt8] = [10, 0, 0, 77]

    /// Frames by a label, and whether a filter for port 8080 is to pass them, without and with the gateway's addresses.
    private static let frames: [(label: String, octets: [UInt8], byPort: Bool, byAddress: Bool)] = [
        ("to the port", TestFrame.ethernet(TestFrame.ipv4(TestFrame.tcp(to: 8080))), true, true),
        (
            "from the port",
            TestFrame.ethernet(
                TestFrame.ipv4(TestFrame.tcp(from: 8080, to: 40_000), to: [10, 0, 0, 9], from: TestFrame.gateway)
            ),
            true, true
        ),
        (
            "from the port of someone else to the gateway",
            TestFrame.ethernet(TestFrame.ipv4(TestFrame.tcp(from: 8080, to: 40_000))), true, false
        ),
        ("to another port", TestFrame.ethernet(TestFrame.ipv4(TestFrame.tcp(to: 8081))), false, false),
        ("to another address", TestFrame.ethernet(TestFrame.ipv4(TestFrame.tcp(to: 8080), to: other)), true, false),
        ("UDP", TestFrame.ethernet(TestFrame.ipv4(TestFrame.tcp(to: 8080), proto: 17)), false, false),
        ("IPv6", TestFrame.ethernet(TestFrame.ipv6(TestFrame.tcp(to: 8080))), true, true),
        ("IPv6 to another port", TestFrame.ethernet(TestFrame.ipv6(TestFrame.tcp(to: 8081))), false, false),
        (
            "a later IPv4 fragment",
            TestFrame.ethernet(TestFrame.ipv4([1, 2, 3, 4, 5, 6, 7, 8], fragmentOffset: 185)), true, true
        ),
        (
            "a later IPv4 fragment of UDP",
            TestFrame.ethernet(TestFrame.ipv4([1, 2, 3, 4, 5, 6, 7, 8], fragmentOffset: 185, proto: 17)), false, false
        ),
        (
            "a later IPv4 fragment elsewhere",
            TestFrame.ethernet(TestFrame.ipv4([1, 2, 3, 4, 5, 6, 7, 8], to: other, fragmentOffset: 185)), true, false
        ),
        (
            "an IPv6 fragment",
            TestFrame.ethernet(TestFrame.ipv6(TestFrame.fragment(TestFrame.tcp(to: 8080)), nextHeader: 44)), true, true
        ),
        ("a tag", TestFrame.ethernet(TestFrame.ipv4(TestFrame.tcp(to: 8080)), tags: [0x8100]), true, true),
        (
            "a tag, another port", TestFrame.ethernet(TestFrame.ipv4(TestFrame.tcp(to: 81)), tags: [0x8100]), false,
            false
        ),
        ("a tag, IPv6", TestFrame.ethernet(TestFrame.ipv6(TestFrame.tcp(to: 8080)), tags: [0x8100]), true, true),
        ("a service tag", TestFrame.ethernet(TestFrame.ipv4(TestFrame.tcp(to: 8080)), tags: [0x88A8]), true, true),
        ("two tags", TestFrame.ethernet(TestFrame.ipv4(TestFrame.tcp(to: 8080)), tags: [0x88A8, 0x8100]), true, true),
        (
            "two tags, another port",
            TestFrame.ethernet(TestFrame.ipv4(TestFrame.tcp(to: 81)), tags: [0x88A8, 0x8100]), false, false
        ),
        ("ARP", TestFrame.ethernet([UInt8](repeating: 0, count: 28), type: 0x0806), false, false),
    ]

    /// The labels of the frames that a filter passes.
    private func passed(_ filter: CaptureFilter) throws -> [String] {
        let packets = Self.frames.enumerated().map { index, frame in
            TestSavefile.Packet(fraction: UInt32(index), octets: frame.octets)
        }
        let reading = Reading(folder.file("a.pcap", TestSavefile.pcap(packets)), filter: filter.text(for: .ethernet))
        try #require(reading.error == nil)
        return reading.packets.map { Self.frames[Int($0.time.nanoseconds / 1000 % 1000)].label }
    }

    @Test func `without addresses the ports alone decide, under any tags`() throws {
        #expect(try passed(CaptureFilter(ports: [8080])) == Self.frames.filter(\.byPort).map(\.label))
    }

    @Test func `with addresses the port has to be at one of them`() throws {
        let filter = CaptureFilter(ports: [8080, 8443], addresses: [Self.gateway, Self.gatewayIPv6])
        #expect(try passed(filter) == Self.frames.filter(\.byAddress).map(\.label))
    }

    @Test func `for people the expression is without what VLAN tags need`() {
        let derived = CaptureFilter(ports: [8080]).plainText
        #expect(derived.hasPrefix("(tcp port 8080 or ") && !derived.contains("vlan"))
        #expect(CaptureFilter(expression: "src port 8080").plainText == "(src port 8080)")
        #expect(
            CaptureFilter(ownEndpoints: [.init(port: 9646)], expression: "tcp").plainText
                == "not tcp port 9646 and (tcp)"
        )
    }

    @Test func `without ports all TCP passes`() throws {
        let labels = try passed(CaptureFilter())
        #expect(Set(Self.frames.map(\.label)).subtracting(labels) == ["UDP", "a later IPv4 fragment of UDP", "ARP"])
    }

    @Test func `own connections are left out under any tags, whichever end they are`() throws {
        let filter = CaptureFilter(ports: [8080, 8081, 81], ownEndpoints: [.init(port: 8080)])
        #expect(
            try passed(filter) == [
                "to another port", "IPv6 to another port", "a later IPv4 fragment", "a later IPv4 fragment elsewhere",
                "an IPv6 fragment", "a tag, another port", "two tags, another port",
            ]
        )
    }

    @Test func `an own endpoint with an address leaves out only that`() throws {
        let own = CaptureFilter.OwnEndpoint(address: Self.gateway, port: 8080)
        let labels = try passed(CaptureFilter(ports: [8080], ownEndpoints: [own]))
        #expect(labels.contains("to another address"))
        #expect(labels.contains("IPv6"))
        #expect(labels.contains("from the port of someone else to the gateway"))
        #expect(!labels.contains("to the port"))
        #expect(!labels.contains("from the port"))
        #expect(!labels.contains("two tags"))
    }

    @Test func `the user's expression replaces the derived one, and own connections stay out`() throws {
        let filter = CaptureFilter(
            ports: [8080],
            ownEndpoints: [.init(port: 8080)],
            expression: "udp or tcp port 8080 or tcp port 8081"
        )
        #expect(
            try passed(filter) == ["to another port", "UDP", "IPv6 to another port", "a later IPv4 fragment of UDP"]
        )
    }

    @Test func `an empty expression of the user's passes everything but own connections`() throws {
        #expect(CaptureFilter(expression: " ").text(for: .ethernet).isEmpty)
        let labels = try passed(CaptureFilter(ownEndpoints: [.init(port: 8080)], expression: ""))
        #expect(labels.contains("ARP"))
        #expect(!labels.contains("to the port"))
    }

    @Test(arguments: [LinkType.ethernet, .linuxCooked, .linuxCooked2, .raw, .null, .loop])
    func `derived filters compile for the link types of interfaces`(linkType: LinkType) throws {
        try CaptureFilter(
            ports: [80, 8080],
            addresses: [Self.gateway, Self.gatewayIPv6],
            ownEndpoints: [.init(port: 9646), .init(address: Self.gatewayIPv6, port: 1)]
        ).validate(for: linkType)
    }

    @Test func `on a cooked interface frames with a tag inside are let through`() throws {
        let cooked = [
            TestFrame.cooked(TestFrame.ipv4(TestFrame.tcp(to: 8080))),
            TestFrame.cooked(TestFrame.ipv4(TestFrame.tcp(to: 8081))),
            TestFrame.cooked(TestFrame.ipv4(TestFrame.tcp(to: 8080)), tags: [0x8100]),
            TestFrame.cooked(TestFrame.ipv6(TestFrame.tcp(to: 8080))),
        ]
        let octets = TestSavefile.pcap(cooked.map { TestSavefile.Packet(octets: $0) }, linkType: 276)
        let filter = CaptureFilter(ports: [8080]).text(for: .linuxCooked2)
        #expect(Reading(folder.file("a.pcap", octets), filter: filter).octets == [cooked[0], cooked[2], cooked[3]])
    }

    @Test(arguments: ["tcp prt 80", "tcp) or (udp", "port 99999", "host"])
    func `an expression that does not compile is an error that quotes it`(expression: String) {
        #expect {
            try CaptureFilter(expression: expression).validate()
        } throws: { error in
            let error = error as? CaptureError
            return error?.code == .invalidFilter && error?.sentence.contains(expression) == true && error?.cause != nil
        }
    }
}
