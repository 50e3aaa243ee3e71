// Wingmirror · Apache-2.0

import Glibc
import PacketDecoding
import Testing

@testable import PacketCapture

@Suite(.timeLimit(.minutes(20)))
struct SavefileReaderTests {
    private let folder = TemporaryFolder()

    private static let packets = (0..<5).map { number in
        TestSavefile.Packet(
            seconds: 1_700_000_000 + UInt32(number),
            fraction: 123_456,
            octets: [UInt8](repeating: UInt8(number), count: 60 + number)
        )
    }

    // MARK: Formats

    @Test(arguments: [false, true], [false, true])
    func `a pcap file of either byte order and resolution is read`(isBigEndian: Bool, isNanoseconds: Bool) throws {
        let octets = TestSavefile.pcap(Self.packets, isBigEndian: isBigEndian, isNanoseconds: isNanoseconds)
        let reading = Reading(folder.file("a.pcap", octets))
        #expect(reading.error == nil)
        #expect(reading.octets == Self.packets.map(\.octets))
        let nanoseconds: Int64 = isNanoseconds ? 123_456 : 123_456_000
        #expect(
            reading.packets.map(\.time.nanoseconds)
                == (0..<5).map { (1_700_000_000 + $0) * 1_000_000_000 + nanoseconds }
        )
        #expect(reading.packets.allSatisfy { $0.linkType == .ethernet })
    }

    @Test(arguments: [false, true])
    func `a pcapng file of either byte order is read`(isBigEndian: Bool) {
        let octets = TestSavefile.pcapng(Self.packets, isBigEndian: isBigEndian, statisticsBeforePacket: 2)
        let reading = Reading(folder.file("a.pcapng", octets))
        #expect(reading.error == nil)
        #expect(reading.octets == Self.packets.map(\.octets))
        #expect(reading.packets.first?.time.nanoseconds == 1_700_000_000_123_456_000)
    }

    @Test func `a packet cut by the snapshot length has its length on the wire`() {
        let octets = TestSavefile.pcap([.init(octets: [1, 2, 3], wireLength: 1514)])
        let reading = Reading(folder.file("a.pcap", octets))
        #expect(reading.packets.map(\.wireLength) == [1514])
        #expect(reading.octets == [[1, 2, 3]])
    }

    @Test func `a packet may be empty`() {
        let reading = Reading(folder.file("a.pcap", TestSavefile.pcap([.init(octets: []), .init(octets: [1])])))
        #expect(reading.octets == [[], [1]])
    }

    @Test func `raw IP has the registry's number, not the one that libpcap has in memory`() {
        let reading = Reading(folder.file("a.pcap", TestSavefile.pcap([.init(octets: [0x45])], linkType: 101)))
        #expect(reading.packets.first?.linkType == .raw)
    }

    @Test func `a savefile without packets is at its end`() {
        let reading = Reading(folder.file("a.pcap", TestSavefile.pcap([])))
        #expect(reading.error == nil)
        #expect(reading.packets.isEmpty)
    }

    @Test func `a file larger than every buffer is read whole`() {
        let packets = (0..<500).map { TestSavefile.Packet(octets: [UInt8](repeating: UInt8($0 & 0xFF), count: 1500)) }
        let octets = TestSavefile.pcap(packets)
        let plain = Reading(folder.file("a.pcap", octets))
        let compressed = Reading(folder.file("a.pcap.gz", TestSavefile.gzip(octets)))
        let isWhole = (plain.octets == packets.map(\.octets), compressed.octets == plain.octets)
        #expect(isWhole == (true, true))
    }

    // MARK: gzip

    @Test func `gzip data is recognised by how it begins, not by its name`() {
        let octets = TestSavefile.gzip(TestSavefile.pcap(Self.packets))
        #expect(Reading(folder.file("a.pcap", octets)).octets == Self.packets.map(\.octets))
    }

    @Test func `several gzip members read as one, and zeros after them are padding`() {
        let octets = TestSavefile.pcap(Self.packets)
        let members = TestSavefile.gzip(Array(octets.prefix(100))) + TestSavefile.gzip(Array(octets.dropFirst(100)))
        let reading = Reading(folder.file("a.pcap.gz", members + [UInt8](repeating: 0, count: 512)))
        #expect(reading.error == nil)
        #expect(reading.octets == Self.packets.map(\.octets))
    }

    @Test func `gzip data that is cut gives what could be read, then the octet in the savefile`() {
        let octets = TestSavefile.gzip(TestSavefile.pcap(Self.packets))
        // The check at the end, 8 octets, and half of the last packet are missing.
        let reading = Reading(folder.file("a.pcap.gz", octets.dropLast(38)))
        #expect(reading.packets.count == 4)
        #expect(reading.error?.code == .damaged)
        #expect(reading.error?.offset == 24 + (60 + 61 + 62 + 63) + 4 * 16)
        #expect(reading.error?.cause?.contains("cut short") == true)
    }

    @Test func `gzip data whose check is wrong gives all packets, then an error`() {
        var octets = TestSavefile.gzip(TestSavefile.pcap(Self.packets))
        octets[octets.count - 8] ^= 0xFF
        let reading = Reading(folder.file("a.pcap.gz", octets))
        #expect(reading.packets.count == 5)
        #expect(reading.error?.code == .damaged)
        #expect(reading.error?.cause?.contains("incorrect data check") == true)
    }

    @Test func `what follows gzip data and is none is damage`() {
        let octets = TestSavefile.gzip(TestSavefile.pcap(Self.packets)) + Array("garbage".utf8)
        let reading = Reading(folder.file("a.pcap.gz", octets))
        #expect(reading.packets.count == 5)
        #expect(reading.error?.code == .damaged)
    }

    // MARK: Pipes

    @Test(arguments: [false, true])
    func `a pipe is read as a file is`(isCompressed: Bool) throws {
        let octets = TestSavefile.pcap(Self.packets)
        let path = folder.pipe("pipe")
        let sent = isCompressed ? TestSavefile.gzip(octets) : octets
        let writer = try CaptureThread.start(name: "writer") {
            // In two parts, so that the first read does not get enough to tell what it is.
            TemporaryFolder.write([Array(sent.prefix(1)), Array(sent.dropFirst())], to: path)
        }
        let reading = Reading(path)
        writer.join()
        #expect(reading.error == nil)
        #expect(reading.octets == Self.packets.map(\.octets))
    }

    @Test func `a pipe that ends within a record names the octet where the record begins`() throws {
        let path = folder.pipe("pipe")
        let writer = try CaptureThread.start(name: "writer") {
            TemporaryFolder.write([TestSavefile.pcap(Self.packets).dropLast(10)], to: path)
        }
        let reading = Reading(path)
        writer.join()
        #expect(reading.packets.count == 4)
        #expect(reading.error?.offset == 24 + (60 + 61 + 62 + 63) + 4 * 16)
    }

    // MARK: Damage

    @Test func `a savefile cut anywhere gives the packets before the cut, then where the bad record begins`() {
        let whole = TestSavefile.pcap(Self.packets)
        var recordStarts = [24]
        for packet in Self.packets {
            recordStarts.append((recordStarts.last ?? 0) + 16 + packet.octets.count)
        }
        for length in 24..<whole.count {
            let reading = Reading(folder.file("a.pcap", Array(whole.prefix(length))))
            let complete = recordStarts.count(where: { $0 <= length }) - 1
            #expect(reading.packets.count == complete)
            if recordStarts.contains(length) {
                #expect(reading.error == nil)
            } else {
                #expect(reading.error?.code == .damaged)
                #expect(reading.error?.offset == recordStarts[complete])
            }
        }
    }

    @Test func `a savefile cut within its header is damaged from the start`() {
        let reading = Reading(folder.file("a.pcap", Array(TestSavefile.pcap(Self.packets).prefix(20))))
        #expect(reading.error?.code == .damaged)
        #expect(reading.error?.offset == 0)
    }

    @Test func `an impossible length names the record that has it, and the file`() {
        var octets = TestSavefile.pcap(Self.packets)
        let start = 24 + 16 + 60
        octets.replaceSubrange(start + 8..<start + 12, with: [0xFF, 0xFF, 0xFF, 0x7F])
        let path = folder.file("a.pcap", octets)
        let reading = Reading(path)
        #expect(reading.packets.count == 1)
        #expect(reading.error?.offset == start)
        #expect(reading.error?.description.hasPrefix("\(path) is damaged at byte \(start): ") == true)
    }

    @Test(arguments: [false, true])
    func `a bad pcapng block is named, not the good one before it`(isBigEndian: Bool) throws {
        var octets = TestSavefile.pcapng(Self.packets, isBigEndian: isBigEndian, statisticsBeforePacket: 4)
        // The last packet's block: 32 octets around 64.
        let start = octets.count - 96
        octets.removeLast(5)
        let reading = Reading(folder.file("a.pcapng", octets))
        #expect(reading.packets.count == 4)
        #expect(reading.error?.code == .damaged)
        #expect(reading.error?.offset == start)
    }

    @Test func `damage behind packets that the filter leaves out is still named exactly`() {
        let octets = TestSavefile.pcap(Self.packets)
        let reading = Reading(folder.file("a.pcap", octets.dropLast(3)), filter: "greater 1000")
        #expect(reading.packets.isEmpty)
        #expect(reading.error?.offset == 24 + (60 + 61 + 62 + 63) + 4 * 16)
    }

    @Test func `after an error there is no packet, and no second error`() throws {
        var savefile = try SavefileReader(path: folder.file("a.pcap", TestSavefile.pcap(Self.packets).dropLast(1)))
        var errors = 0
        var packets = 0
        for _ in 0..<10 {
            do {
                packets += try savefile.next() == nil ? 0 : 1
            } catch {
                errors += 1
            }
        }
        #expect(packets == 4)
        #expect(errors == 1)
    }

    // MARK: What is no savefile

    @Test func `a file that does not exist is told apart`() {
        #expect(Reading("/nonexistent/a.pcap").error?.code == .noSuchFile)
    }

    @Test func `a directory is told apart`() {
        #expect(Reading(folder.path).error?.code == .isDirectory)
    }

    @Test func `a file without octets is told apart`() {
        #expect(Reading(folder.file("a.pcap", [])).error?.code == .emptyFile)
    }

    @Test func `text is told apart`() {
        let error = Reading(folder.file("a.pcap", Array("GET / HTTP/1.1\r\n\r\n".utf8))).error
        #expect(error?.code == .notASavefile)
        #expect(error?.sentence.hasSuffix("is text, not a pcap file") == true)
    }

    @Test func `octets that mean nothing are told apart`() {
        let error = Reading(folder.file("a.pcap", (0..<64).map { UInt8($0) })).error
        #expect(error?.code == .notASavefile)
        #expect(error?.sentence.hasSuffix("is not a pcap file") == true)
    }

    @Test(
        arguments: [
            ("zstd", [0x28, 0xB5, 0x2F, 0xFD]), ("xz", [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00]),
            ("bzip2", [0x42, 0x5A, 0x68]),
            ("snoop", [0x73, 0x6E, 0x6F, 0x6F, 0x70, 0x00, 0x00, 0x00]),
        ] as [(String, [UInt8])]
    )
    func `a format that others read is named`(name: String, magic: [UInt8]) {
        let error = Reading(folder.file("a", magic + [UInt8](repeating: 7, count: 32))).error
        #expect(error?.code == .unsupported)
        #expect(error?.sentence.contains(name) == true)
    }

    @Test func `a file that may not be read is told apart`() {
        let path = folder.file("a.pcap", TestSavefile.pcap([]))
        TemporaryFolder.lock(path)
        #expect(FileUser.withoutRights { Reading(path).error?.code } == .unreadable)
    }

    @Test func `a pcapng file whose interfaces differ is read, each packet with its own link type`() {
        let octets = TestSavefile.pcapng(Self.packets, linkTypes: [101, 220, 1])
        let reading = Reading(folder.file("a.pcapng", octets))
        #expect(reading.error == nil)
        #expect(reading.octets == Self.packets.map(\.octets))
        #expect(reading.packets.allSatisfy { $0.linkType == .raw })
    }

    @Test func `the interfaces of a pcapng file are told apart, and those of several files from each other`() throws {
        let octets = TestSavefile.pcapng(Self.packets, linkTypes: [1, 1], takesTurns: true)
        let path = folder.file("a.pcapng", octets)
        #expect(Reading(path).packets.map(\.origin) == [0, 1, 0, 1, 0])
        #expect(Reading(path).packets.allSatisfy { $0.interface == 0 })
        var merger = try SavefileMerger(paths: [path, folder.file("b.pcapng", octets)])
        var origins: [Int: Set<Int>] = [:]
        while let packet = merger.next() { origins[packet.interface, default: []].insert(packet.origin) }
        #expect(origins == [0: [0, 2], 1: [1, 3]])
    }

    @Test(arguments: [false, true])
    func `a key log behind the packets is there before the first, unless the file is compressed`(
        isBigEndian: Bool
    ) throws {
        let octets = TestSavefile.pcapng(Self.packets, isBigEndian: isBigEndian, keyLog: "CLIENT_RANDOM 01 02\n")
        for (name, octets) in [("a.pcapng", octets), ("a.pcapng.gz", TestSavefile.gzip(octets))] {
            var found: [String] = []
            var savefile = try SavefileReader(path: folder.file(name, octets)) {
                found.append(String(decoding: $0, as: UTF8.self))
            }
            #expect(found.count == (name.hasSuffix("gz") ? 0 : 1))
            while try savefile.next() != nil {}
            #expect(found == ["CLIENT_RANDOM 01 02\n"])
        }
    }

    @Test func `a file that ends within its key log, or has wrong lengths, is looked through to there`() throws {
        let whole = TestSavefile.pcapng(Self.packets, keyLog: "CLIENT_RANDOM 01 02\n")
        for index in 0..<whole.count {
            var octets = whole
            octets[index] ^= 0xFF
            for octets in [octets, Array(whole.prefix(index))] where octets.count > 4 {
                var found = 0
                // An optional reader would not be ended by Swift 6.3 without optimization, and would keep its descriptor.
                do {
                    var savefile = try SavefileReader(path: folder.file("a.pcapng", octets)) { _ in found += 1 }
                    while try savefile.next() != nil {}
                } catch {
                    #expect(error.code != .unreadable)
                }
                #expect(found <= 1)
            }
        }
    }

    @Test(arguments: [false, true])
    func `a pcapng file cut anywhere gives the packets before the cut, then where the bad block begins`(
        isCompressed: Bool
    ) {
        let whole = TestSavefile.pcapng(Self.packets)
        // A section header of 28 octets, an interface of 20, then the packets in blocks of 32 and more.
        var starts = [0, 28, 48]
        for packet in Self.packets {
            starts.append((starts.last ?? 0) + 32 + (packet.octets.count + 3) / 4 * 4)
        }
        for length in 4..<whole.count {
            let cut = Array(whole.prefix(length))
            let reading = Reading(folder.file("a.pcapng", isCompressed ? TestSavefile.gzip(cut) : cut))
            let begun = starts.last { $0 <= length } ?? 0
            #expect(reading.packets.count == max(starts.count { $0 <= length } - 3, 0))
            #expect(reading.error?.code == (begun == length ? nil : .damaged))
            #expect(reading.error?.offset == (begun == length ? nil : begun))
        }
    }

    @Test func `whatever octets change in a pcapng file, it is read or damaged`() {
        let whole = TestSavefile.pcapng(Self.packets, statisticsBeforePacket: 1)
        for index in 4..<whole.count {
            for change: UInt8 in [0xFF, 0x01, 0x80] {
                var octets = whole
                octets[index] ^= change
                let reading = Reading(folder.file("a.pcapng", octets))
                #expect(reading.error == nil || reading.error?.code == .damaged)
                #expect(reading.packets.count <= 5)
            }
        }
    }

    @Test func `files put one behind the other are read, each section in its own byte order`() {
        let octets = TestSavefile.pcapng(Self.packets) + TestSavefile.pcapng(Self.packets, isBigEndian: true)
        let reading = Reading(folder.file("a.pcapng", octets))
        #expect(reading.error == nil)
        #expect(reading.octets == Self.packets.map(\.octets) + Self.packets.map(\.octets))
        #expect(Set(reading.packets.map(\.time)).count == 5)
    }

    @Test(
        arguments: [
            ([0x09, 0, 1, 0, 9, 0, 0, 0], 1_700_000_000, 1_700_000_000 as Int64),
            ([0x09, 0, 1, 0, 0, 0, 0, 0], 17, 17_000_000_000),
            ([0x09, 0, 1, 0, 0x81, 0, 0, 0], 7, 3_500_000_000),
            ([0x09, 0, 1, 0, 0x94, 0, 0, 0], 3 << 19, 1_500_000_000),
            ([0x09, 0, 1, 0, 12, 0, 0, 0], 5_000_000, 5_000),
            ([0x0E, 0, 8, 0, 100, 0, 0, 0, 0, 0, 0, 0], 1_000_000, 101_000_000_000),
            ([0x0E, 0, 8, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], 2_000_000, 1_000_000_000),
            // Tenths of microseconds since 1601, -11,644,473,600 s.
            (
                [0x09, 0, 1, 0, 7, 0, 0, 0, 0x0E, 0, 8, 0, 0, 0x6F, 0xEF, 0x49, 0xFD, 0xFF, 0xFF, 0xFF],
                133_444_736_000_000_000, 1_700_000_000_000_000_000
            ),
        ] as [([UInt8], UInt64, Int64)]
    )
    func `times are in the ticks, and from the offset, of their interface`(
        options: [UInt8],
        ticks: UInt64,
        nanoseconds: Int64
    ) {
        let octets = TestSavefile.pcapng([.init(octets: [1])], options: options, ticks: ticks)
        let reading = Reading(folder.file("a.pcapng", octets))
        #expect(reading.packets.map(\.time.nanoseconds) == [nanoseconds])
    }

    @Test(
        arguments: [([0x09, 0, 1, 0, 0, 0, 0, 0], 1 << 40), ([0x09, 0, 1, 0, 9, 0, 0, 0], 1 << 62)]
            as [([UInt8], UInt64)]
    )
    func `a time that nanoseconds cannot say is none`(options: [UInt8], ticks: UInt64) {
        let octets = TestSavefile.pcapng([.init(octets: [1])], options: options, ticks: ticks)
        let reading = Reading(folder.file("a.pcapng", octets))
        #expect(reading.packets.map(\.origin) == [CapturedPacket.withoutClock])
    }

    @Test(arguments: [false, true], [1, 228] as [UInt32])
    func `the seconds of a pcap file have no sign`(isBigEndian: Bool, linkType: UInt32) {
        let packet = TestSavefile.Packet(seconds: 0x8000_0001, octets: [1])
        let octets = TestSavefile.pcap([packet], isBigEndian: isBigEndian, linkType: linkType)
        let reading = Reading(folder.file("a.pcap", octets))
        #expect(reading.packets.map(\.time.nanoseconds) == [0x8000_0001 * 1_000_000_000])
    }

    @Test func `a filter looks at each packet by its own link type`() {
        let frame = [UInt8](repeating: 2, count: 12) + [8, 0] + TestSavefile.emptyPacket
        let octets =
            TestSavefile.pcapng([.init(octets: frame)])
            + TestSavefile.pcapng(
                [.init(octets: TestSavefile.emptyPacket)],
                linkTypes: [101]
            ) + TestSavefile.pcapng([.init(octets: [1, 2, 3])], linkTypes: [220])
        let path = folder.file("a.pcapng", octets)
        #expect(Reading(path, filter: "ip").packets.map(\.linkType) == [.ethernet, .raw])
        #expect(Reading(path, filter: "ip6").packets.isEmpty)
        #expect(Reading(path, filter: "tcp prt 80").error?.code == .invalidFilter)
    }

    // MARK: Filter and progress

    @Test func `a filter leaves packets out`() {
        let reading = Reading(folder.file("a.pcap", TestSavefile.pcap(Self.packets)), filter: "greater 63")
        #expect(reading.octets.map(\.count) == [63, 64])
    }

    @Test func `a filter that does not compile is an error with what libpcap says`() {
        let error = Reading(folder.file("a.pcap", TestSavefile.pcap(Self.packets)), filter: "tcp prt 80").error
        #expect(error?.code == .invalidFilter)
        #expect(error?.cause?.contains("syntax error") == true)
    }

    @Test func `progress ends with the size of the file, compressed or not`() throws {
        let octets = TestSavefile.pcap(Self.packets)
        let blocks = TestSavefile.pcapng(Self.packets)
        for content in [octets, TestSavefile.gzip(octets), blocks, TestSavefile.gzip(blocks)] {
            var savefile = try SavefileReader(path: folder.file("a.pcap", content))
            #expect(savefile.totalOctets == content.count)
            while try savefile.next() != nil {}
            #expect(savefile.octetsRead == content.count)
        }
    }
}
