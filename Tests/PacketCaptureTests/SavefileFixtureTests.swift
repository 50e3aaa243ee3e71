// Wingmirror · Apache-2.0

import PacketCapture
import PacketDecoding
import Testing

/// Savefiles that other programs wrote.
@Suite struct SavefileFixtureTests {
    private static let folder = #filePath.split(separator: "/").dropLast().map { "/\($0)" }.joined() + "/Fixtures/"

    @Test(
        arguments: [
            ("gopacket-pcapng-be-test001.pcapng", 4, 1), ("gopacket-pcapng-le-test001.pcapng", 4, 1),
            ("gopacket-pcapng-be-test010.pcapng", 4, 1), ("gopacket-pcapng-le-test010.pcapng", 4, 1),
            ("gopacket-pcapng-be-test012.pcapng", 4, 1), ("gopacket-pcapng-le-test012.pcapng", 4, 1),
            ("gopacket-pcapng-be-test016.pcapng", 4, 1), ("gopacket-pcapng-le-test016.pcapng", 4, 1),
            ("gopacket-pcapng-be-test018.pcapng", 4, 1), ("gopacket-pcapng-le-test018.pcapng", 4, 1),
            ("rusticata-modified-format.pcap", 1, 1), ("tcpdump-tcp-handshake-nano.pcap", 3, 113),
            ("lab-snaplen-96.pcap", 20, 1), ("lab-h1-big-endian-nano.pcap.gz", 38, 1),
        ] as [(String, Int, Int32)]
    )
    func `a savefile gives the packets that capinfos counts`(name: String, packets: Int, linkType: Int32) {
        let reading = Reading(Self.folder + name)
        #expect(reading.error == nil)
        #expect(reading.packets.count == packets)
        #expect(reading.packets.allSatisfy { $0.linkType.rawValue == linkType })
    }

    @Test func `a recording cut in its last record gives the others, and where that one begins`() {
        let reading = Reading(Self.folder + "lab-h1-cut-in-record.pcap")
        #expect(reading.packets.count == 37)
        #expect(reading.error?.offset == 5348)
    }

    @Test func `standard input is read as a file is`() async {
        await #expect(processExitsWith: .success) {
            try #require(TemporaryFolder.makeStandardInput(Self.folder + "lab-h1-big-endian-nano.pcap.gz"))
            let reading = Reading("-")
            #expect(reading.error == nil)
            #expect(reading.packets.count == 38)
        }
    }
}
