// Wingmirror · Apache-2.0

import PacketDecoding
import Testing

@testable import PacketCapture

/// Savefiles that other programs wrote.
@Suite(.timeLimit(.minutes(20)))
struct SavefileFixtureTests {
    private static let folder = #filePath.split(separator: "/").dropLast().map { "/\($0)" }.joined() + "/Fixtures/"

    @Test(
        arguments: [
            ("gopacket-pcapng-be-test001.pcapng", 4, 1), ("gopacket-pcapng-le-test001.pcapng", 4, 1),
            ("gopacket-pcapng-be-test010.pcapng", 4, 1), ("gopacket-pcapng-le-test010.pcapng", 4, 1),
            ("gopacket-pcapng-be-test012.pcapng", 4, 1), ("gopacket-pcapng-le-test012.pcapng", 4, 1),
            ("gopacket-pcapng-be-test016.pcapng", 4, 1), ("gopacket-pcapng-le-test016.pcapng", 4, 1),
            ("gopacket-pcapng-be-test018.pcapng", 4, 1), ("gopacket-pcapng-le-test018.pcapng", 4, 1),
            ("case-two-snap.pcapng", 10, 1), ("case-unused-usb.pcapng", 10, 1), ("case-two-endian.pcapng", 20, 1),
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

    @Test func `a recording of interfaces of different link types is read whole`() {
        let reading = Reading(Self.folder + "lab-mixed-link-types.pcapng")
        #expect(reading.error == nil)
        #expect(reading.packets.count == 38)
        #expect(Set(reading.packets.map(\.linkType)).count == 2)
    }

    @Test(arguments: [("case-rotated.pcap1", CaptureError.Code.emptyFile), ("case-rotated.pcap2", .damaged)])
    func `an empty or cut newest file of a rotation does not keep the others from being read`(
        name: String,
        code: CaptureError.Code
    ) throws {
        for names in [["case-rotated.pcap0", name], [name, "case-rotated.pcap0"]] {
            var merger = try SavefileMerger(paths: names.map { Self.folder + $0 })
            var packets = 0
            while merger.next() != nil { packets += 1 }
            #expect(packets == Reading(Self.folder + "case-rotated.pcap0").packets.count)
            #expect(packets > 0)
            #expect(merger.failures.map(\.code) == [code])
            #expect(merger.failures.first?.sentence.contains(name) == true)
        }
        #expect { _ = try SavefileMerger(paths: [Self.folder + name]).totalOctets } throws: { error in
            (error as? CaptureError)?.code == code
        }
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
