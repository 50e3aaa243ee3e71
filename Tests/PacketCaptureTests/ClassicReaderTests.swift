// Wingmirror · Apache-2.0

import Foundation
import PacketDecoding
import Testing

@testable import PacketCapture

/// What we read ourselves of ordinary pcap files, against what libpcap reads of them: the packets, and what is said of damage.
@Suite(.timeLimit(.minutes(20)))
struct ClassicReaderTests {
    private let folder = TemporaryFolder()

    /// All that comes out of a savefile, read by us or by libpcap, with buffers of different sizes.
    private struct Outcome: Equatable {
        var packets: [CapturedPacket] = []
        var octets: [[UInt8]] = []
        var failure = ""
        var offset: Int?

        /// Reads all; `atOnce` is how many packets are taken at once of those that were read already, 0 for each by itself.
        init(
            _ path: String,
            filter: String? = nil,
            usesLibpcap: Bool,
            bufferOctets: Int = 4096,
            atOnce: Int = 0
        ) {
            do throws(CaptureError) {
                var reader = try SavefileReader(
                    path: path,
                    filter: filter,
                    interface: 3,
                    bufferOctets: bufferOctets,
                    usesLibpcap: usesLibpcap
                )
                let stop = StopFlag()
                while true {
                    let taken = reader.takeBuffered(upTo: atOnce, until: stop) { packet, lent in
                        packets.append(packet)
                        octets.append(Reading.copy(lent))
                    }
                    guard taken == 0 else { continue }
                    guard let packet = try reader.next() else { break }
                    packets.append(packet)
                    octets.append(Reading.copy(reader.octets))
                }
            } catch {
                failure = error.description
                offset = error.offset
            }
        }
    }

    private func expectSame(_ path: String, filter: String? = nil, bufferOctets: Int = 4096, _ comment: Comment? = nil)
    {
        let ours = Outcome(path, filter: filter, usesLibpcap: false, bufferOctets: bufferOctets)
        let libpcaps = Outcome(path, filter: filter, usesLibpcap: true)
        let isSame = ours == libpcaps
        #expect(isSame, comment)
        for atOnce in [2, 4096] {
            let isSameAtOnce =
                ours == Outcome(path, filter: filter, usesLibpcap: false, bufferOctets: bufferOctets, atOnce: atOnce)
            #expect(isSameAtOnce, comment)
        }
        #expect(ours.failure == libpcaps.failure, comment)
    }

    /// The captures of this repository, and of the folder that `WINGMIRROR_CAPTURES` names, if it is set.
    private static var captures: [String] {
        let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardizedFileURL
        var folders = [root.appending(path: "Tests"), root.appending(path: "samples")]
        if let further = ProcessInfo.processInfo.environment["WINGMIRROR_CAPTURES"] {
            folders.append(URL(filePath: further))
        }
        return folders.flatMap { folder in
            FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)?
                .compactMap { ($0 as? URL)?.path }
                .filter { $0.contains(".pcap") || $0.contains(".cap") } ?? []
        }
    }

    @Test func `every capture at hand is read packet by packet as libpcap reads it`() {
        let captures = Self.captures
        #expect(captures.count > 20)
        for capture in captures {
            expectSame(capture, bufferOctets: SavefileSource.bufferOctets, "\(capture)")
            expectSame(capture, filter: "tcp port 80 or tcp port 8080", "\(capture), filtered")
        }
    }

    private static let packets: [TestSavefile.Packet] = [
        .init(octets: [UInt8](repeating: 1, count: 60)),
        .init(seconds: 0, octets: []),
        .init(seconds: .max, fraction: 999_999, octets: [2], wireLength: 1514),
        .init(seconds: 0x8000_0000, fraction: .max, octets: [UInt8](repeating: 3, count: 100), wireLength: 0),
        .init(octets: [UInt8](repeating: 4, count: 5000)),
    ]

    @Test(arguments: [false, true], [0, 50, 96, 262_144, 400_000] as [UInt32])
    func `packets longer than the snapshot length, times from 2038 on and empty packets are read as libpcap reads them`(
        isNanoseconds: Bool,
        snapshotLength: UInt32
    ) {
        let octets = TestSavefile.pcap(Self.packets, isNanoseconds: isNanoseconds, snapshotLength: snapshotLength)
        let path = folder.file("a.pcap", octets)
        expectSame(path)
        expectSame(path, bufferOctets: 64)
        expectSame(folder.file("a.pcap.gz", TestSavefile.gzip(octets)))
    }

    @Test(arguments: [40, 262_144] as [UInt32])
    func `a file that is cut anywhere gives the same packets and the same complaint`(snapshotLength: UInt32) {
        let octets = TestSavefile.pcap(Array(Self.packets.prefix(4)), snapshotLength: snapshotLength)
        for count in 0..<octets.count {
            expectSame(folder.file("a.pcap", octets.prefix(count)), "cut to \(count) octets")
        }
    }

    @Test(
        arguments: [262_144, 262_145, 300_001, 0x7FFF_FFFF, 0xFFFF_FFFF] as [UInt32],
        [96, 262_144, 300_000] as [UInt32]
    )
    func `a packet of an impossible length ends the file with the same complaint`(
        length: UInt32,
        snapshotLength: UInt32
    ) {
        let packets = [TestSavefile.Packet(octets: [1, 2, 3]), TestSavefile.Packet(octets: [4, 5, 6])]
        var octets = TestSavefile.pcap(packets, snapshotLength: snapshotLength)
        let field = 24 + 16 + 3 + 8..<24 + 16 + 3 + 12
        octets.replaceSubrange(field, with: (0..<4).map { UInt8(truncatingIfNeeded: length >> ($0 * 8)) })
        expectSame(folder.file("a.pcap", octets))
    }

    @Test func `packets that were read already are taken up to a limit or a stop, and reading goes on behind`() throws {
        let packets = (1...6).map { TestSavefile.Packet(octets: [$0]) }
        var reader = try SavefileReader(path: folder.file("a.pcap", TestSavefile.pcap(packets)))
        let stop = StopFlag()
        var seen: [[UInt8]] = []
        // This reads the file into the buffer.
        let first = try reader.next()
        #expect(first != nil)
        let limited = reader.takeBuffered(upTo: 2, until: stop) { seen.append(Reading.copy($1)) }
        #expect(limited == 2)
        #expect(seen == [[2], [3]])
        let fourth = try reader.next()
        #expect(fourth != nil)
        seen.append(Reading.copy(reader.octets))
        let stopped = reader.takeBuffered(upTo: 9, until: stop) { _, octets in
            stop.request()
            seen.append(Reading.copy(octets))
        }
        #expect(stopped == 1)
        #expect(seen == [[2], [3], [4], [5]])
    }

    @Test(arguments: [0, 1, 12, 101, 113, 220, 249, 276, 0x1400_0001] as [UInt32])
    func `every link type is read as libpcap reads it`(linkType: UInt32) {
        let octets = TestSavefile.pcap([.init(octets: [UInt8](repeating: 0, count: 80))], linkType: linkType)
        expectSame(folder.file("a.pcap", octets))
    }
}
