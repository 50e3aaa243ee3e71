// Wingmirror · Apache-2.0

import PacketDecoding
import Testing

@testable import PacketCapture

/// Reading gzipped savefiles with the help of other threads, against reading them without.
@Suite(.timeLimit(.minutes(20)))
struct ReadAheadTests {
    private static let folder = #filePath.split(separator: "/").dropLast().map { "/\($0)" }.joined() + "/Fixtures/"
    private static let blockOctets = 64 << 10
    private let folder = TemporaryFolder()

    /// All that comes out of savefiles.
    private struct Outcome: Equatable {
        var packets: [CapturedPacket] = []
        var octets: [[UInt8]] = []
        var failures: [String] = []
        var octetsRead = 0

        init(_ paths: [String], filter: String? = nil, ahead: ReadAhead? = nil) throws {
            var merger = try SavefileMerger(paths: paths, filter: filter, pipe: nil, ahead: ahead)
            while let packet = merger.next() {
                packets.append(packet)
                octets.append(unsafe merger.octets.withUnsafeBytes { unsafe [UInt8]($0) })
            }
            failures = merger.failures.map(\.description)
            octetsRead = merger.octetsRead
        }
    }

    /// Reads with different numbers of threads and room for different numbers of blocks, and compares.
    private func expectSame(_ paths: [String], filter: String? = nil, sourceLocation: SourceLocation = #_sourceLocation)
        throws
    {
        let alone = try Outcome(paths, filter: filter)
        for (threads, blocks) in [(1, 0), (1, 1), (1, 3), (1, 100), (2, 5), (4, 100)] {
            let ahead = ReadAhead(
                threads: threads,
                octets: blocks * Self.blockOctets,
                blockOctets: Self.blockOctets
            )
            let isSame = try Outcome(paths, filter: filter, ahead: ahead) == alone
            #expect(isSame, "\(threads) threads, \(blocks) blocks", sourceLocation: sourceLocation)
            #expect(ahead.octetsHeld <= blocks * Self.blockOctets, sourceLocation: sourceLocation)
        }
    }

    /// Packets of 1,000 octets that differ, one every `step` seconds: three blocks of them, and a part of another.
    private static func packets(from second: UInt32, step: UInt32 = 1) -> [TestSavefile.Packet] {
        (0..<UInt32(blockOctets * 7 / 2 / 1016)).map { number in
            var octets = [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: 1000)
            octets[999] = UInt8(truncatingIfNeeded: second &+ number >> 8)
            return TestSavefile.Packet(seconds: second + number * step, octets: octets)
        }
    }

    private func compressed(_ name: String, _ octets: [UInt8]) -> String {
        folder.file(name, TestSavefile.gzip(octets))
    }

    // MARK: The same

    @Test func `files that follow one another are read as by one thread`() throws {
        let paths = (0..<4).map { file in
            compressed("\(file)", TestSavefile.pcap(Self.packets(from: UInt32(file) * 10_000)))
        }
        let outcome = try Outcome(paths)
        #expect(outcome.packets.count == 4 * Self.packets(from: 0).count)
        #expect(outcome.packets.map(\.interface) == outcome.packets.map(\.interface).sorted())
        try expectSame(paths)
        try expectSame(paths.reversed())
    }

    @Test func `files of the same time are merged as by one thread, also with some that are not compressed`() throws {
        let paths = [
            compressed("a", TestSavefile.pcap(Self.packets(from: 0))),
            folder.file("b", TestSavefile.pcap(Self.packets(from: 100, step: 2))),
            compressed("c", TestSavefile.pcapng(Self.packets(from: 50))),
        ]
        #expect(Set(try Outcome(paths).packets.prefix(400).map(\.interface)) == [0, 1, 2])
        try expectSame(paths)
    }

    @Test func `what libpcap reads, what a filter leaves, and several gzip members are the same`() throws {
        let packets = Self.packets(from: 0)
        let octets = TestSavefile.pcap(packets)
        let halves =
            TestSavefile.gzip(Array(octets.prefix(300_000))) + TestSavefile.gzip(Array(octets.dropFirst(300_000)))
        let paths = [
            compressed("a", TestSavefile.pcap(packets, isBigEndian: true)),
            folder.file("b", halves + [UInt8](repeating: 0, count: 512)),
            Self.folder + "lab-h1-big-endian-nano.pcap.gz",
        ]
        try expectSame(paths)
        try expectSame(paths, filter: "ether[0] = 7")
        #expect(try Outcome(paths, filter: "ether[0] = 7").packets.count < 100)
    }

    @Test func `a file that is cut, broken or no savefile is described as by one thread, and the others are read`()
        throws
    {
        let whole = TestSavefile.gzip(TestSavefile.pcap(Self.packets(from: 0)))
        var broken = whole
        broken[broken.count / 2] ^= 0xFF
        var wrongCheck = whole
        wrongCheck[whole.count - 6] ^= 1
        let good = compressed("good", TestSavefile.pcap(Self.packets(from: 300)))
        let bad: [(name: String, octets: [UInt8])] = [
            ("cut", Array(whole.dropLast(whole.count / 3))), ("broken", broken), ("check", wrongCheck),
            ("record", TestSavefile.gzip(TestSavefile.pcap(Self.packets(from: 0)).dropLast(5))),
            ("text", TestSavefile.gzip(Array("no savefile at all, but text".utf8))), ("empty", []),
        ]
        for (name, octets) in bad {
            let paths = [good, folder.file(name, octets)]
            #expect(try Outcome(paths).failures.count == 1, "\(name)")
            try expectSame(paths)
        }
    }

    // MARK: Ends

    @Test func `a stop ends the threads with files half read`() throws {
        let paths = (0..<3).map { compressed("\($0)", TestSavefile.pcap(Self.packets(from: UInt32($0) * 400))) }
        let stop = StopFlag()
        var sink = StoppingSink(stop: stop)
        do {
            var capture = try SavefileCapture(
                paths: paths,
                jobs: 3,
                aheadOctets: 2 * ReadAhead.Limits.blockOctets,
                stop: stop
            )
            let readsAhead = capture.readsAhead
            capture.run(into: &sink, until: stop)
            let failures = capture.failures
            #expect(readsAhead)
            #expect(failures.isEmpty)
        }
        #expect(sink.packets == StoppingSink.limit)
    }

    @Test func `files that are not compressed, and one job, leave nothing to read ahead`() throws {
        let plain = folder.file("plain", TestSavefile.pcap(Self.packets(from: 0)))
        let gzipped = compressed("gzipped", TestSavefile.pcap(Self.packets(from: 0)))
        #expect(try !readsAhead([plain], jobs: 2))
        #expect(try !readsAhead([gzipped], jobs: 1))
        #expect(try readsAhead([plain, gzipped], jobs: 2))
    }

    private func readsAhead(_ paths: [String], jobs: Int) throws -> Bool {
        try SavefileCapture(paths: paths, jobs: jobs, stop: StopFlag()).readsAhead
    }
}

/// Requests a stop after some packets.
private struct StoppingSink: CaptureSink {
    static let limit = 500
    let stop: StopFlag
    var packets = 0

    init(stop: StopFlag) {
        self.stop = stop
    }

    mutating func packetArrived(_ packet: CapturedPacket, octets: Span<UInt8>) {
        packets += 1
        if packets == Self.limit { stop.request() }
    }

    mutating func batchEnded() {}
    mutating func timePassed(now: PacketTime) {}
}
