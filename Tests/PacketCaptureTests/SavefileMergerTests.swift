// Wingmirror · Apache-2.0

import PacketDecoding
import Testing

@testable import PacketCapture

@Suite struct SavefileMergerTests {
    private let folder = TemporaryFolder()

    /// A savefile with one packet at each of the seconds, whose only octet is `mark`.
    private func savefile(_ name: String, mark: UInt8, seconds: [UInt32]) -> String {
        folder.file(name, TestSavefile.pcap(seconds.map { TestSavefile.Packet(seconds: $0, octets: [mark]) }))
    }

    /// Reads everything: the second, the interface and the octets of each packet.
    private func read(_ paths: [String]) throws -> (packets: [[Int]], failures: [CaptureError]) {
        var merger = try SavefileMerger(paths: paths)
        var packets: [[Int]] = []
        while let packet = merger.next() {
            let seconds = Int(packet.time.nanoseconds / 1_000_000_000)
            packets.append([seconds, packet.interface] + Reading.copy(merger.octets).map { Int($0) })
        }
        #expect(merger.octetsRead == merger.totalOctets || !merger.failures.isEmpty)
        return (packets, merger.failures)
    }

    @Test func `packets of several files come in the order of their times, with their own octets`() throws {
        let a = savefile("a", mark: 7, seconds: [1, 4, 5, 9])
        let b = savefile("b", mark: 8, seconds: [2, 3, 6])
        let c = savefile("c", mark: 9, seconds: [0, 7, 8, 10])
        let merged = try read([a, b, c]).packets
        #expect(merged.map { $0[0] } == Array(0...10))
        #expect(merged.map { $0[1] } == [2, 0, 1, 1, 0, 0, 1, 2, 2, 0, 2])
        #expect(merged.allSatisfy { $0[2] == $0[1] + 7 })
    }

    @Test func `at the same time the file named first comes first`() throws {
        let a = savefile("a", mark: 0, seconds: [5, 5])
        let b = savefile("b", mark: 1, seconds: [5, 5])
        #expect(try read([a, b]).packets.map { $0[1] } == [0, 0, 1, 1])
        #expect(try read([b, a]).packets.map { $0[2] } == [1, 1, 0, 0])
    }

    @Test func `a file keeps its own order when its clock went back`() throws {
        let a = savefile("a", mark: 0, seconds: [5, 2, 7])
        let b = savefile("b", mark: 1, seconds: [3, 6])
        #expect(try read([a, b]).packets.map { $0[0] } == [3, 5, 2, 6, 7])
    }

    @Test func `a file without packets, or after all others, makes no difference`() throws {
        let a = savefile("a", mark: 0, seconds: [1, 2])
        let empty = savefile("b", mark: 1, seconds: [])
        let late = savefile("c", mark: 2, seconds: [8, 9])
        #expect(try read([empty, late, a]).packets.map { $0[0] } == [1, 2, 8, 9])
    }

    @Test func `a damaged file ends early, the others go on, and the failure is kept`() throws {
        let whole = savefile("a", mark: 0, seconds: [1, 3, 5])
        let packets = [2, 4, 6].map { TestSavefile.Packet(seconds: $0, octets: [1, 1]) }
        let damaged = folder.file("b", TestSavefile.pcap(packets).dropLast(1))
        let (merged, failures) = try read([whole, damaged])
        #expect(merged.map { $0[0] } == [1, 2, 3, 4, 5])
        #expect(failures.map(\.code) == [.damaged])
        #expect(failures.first?.offset == 24 + 2 * 18)
        #expect(failures.first?.sentence.contains(damaged) == true)
    }

    @Test func `a file that is damaged from its first record on does not hold up the others`() throws {
        let whole = savefile("a", mark: 0, seconds: [1, 3])
        let damaged = folder.file("b", TestSavefile.pcap([.init(octets: [1, 1])]).dropLast(1))
        let (merged, failures) = try read([damaged, whole])
        #expect(merged.map { $0[0] } == [1, 3])
        #expect(failures.map(\.offset) == [24])
    }

    @Test func `many files are merged`() throws {
        let paths = (0..<40).map { file in
            savefile("\(file)", mark: UInt8(file), seconds: (0..<25).map { UInt32($0 * 40 + file) })
        }
        #expect(try read(paths).packets.map { $0[0] } == Array(0..<1000))
    }

    @Test func `no file, too many, and standard input twice are refused`() {
        for paths in [[], ["-", "-"], Array(repeating: "a", count: SavefileMerger.Limits.savefiles + 1)] {
            #expect { _ = try SavefileMerger(paths: paths).totalOctets } throws: { error in
                (error as? CaptureError)?.code == .invalidConfiguration
            }
        }
    }

    @Test func `a file that cannot be opened is an error before anything is read`() {
        let whole = savefile("a", mark: 0, seconds: [1])
        #expect { _ = try SavefileMerger(paths: [whole, "/nonexistent"]).totalOctets } throws: { error in
            (error as? CaptureError)?.code == .noSuchFile
        }
    }
}
