// Wingmirror · Apache-2.0

import FoundationEssentials
import Recordings
import ShadowTesting
import TestSupport
import Testing
import TrafficModel

@testable import Agent
@testable import AgentCommands
@testable import AgentConfiguration

@Suite struct ReplayLoaderTests {
    private static let separator = "\n\u{1F435}\u{1F648}\u{1F649}\n"
    private static let record =
        #"{"client":"192.0.2.9:5","server":"10.0.0.1:80","connection":0,"startTime":"2026-11-23T04:06:00.000000Z","#
        + #""request":{"method":"GET","target":"/record","contentBytes":0,"fields":[["Host","h"]]},"response":null,"#
        + #""integrity":["no_response"]}"#

    private static func gor(_ target: String, at time: Int64) -> String {
        "1 \(target.dropFirst()) \(time) 0\nGET \(target) HTTP/1.1\r\nHost: h\r\n\r\n" + separator
    }

    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private func load(_ paths: String..., octetLimit: Int = RecordingLoader.octetLimit) throws -> RecordingLoader {
        try RecordingLoader(paths, octetLimit: octetLimit)
    }

    private func failure(_ body: () throws -> Void) -> String {
        do {
            try body()
            return ""
        } catch let failure as CommandFailure {
            return failure.lines.joined(separator: "\n")
        } catch {
            return "\(error)"
        }
    }

    private func write(_ octets: [UInt8], to name: String) throws -> String {
        let path = "\(folder.path)/\(name)"
        try Data(octets).write(to: URL(filePath: path))
        return path
    }

    @Test func `recordings of several kinds are merged by time`() throws {
        // 2026-11-23T04:06:00Z is 1795406760.
        let first = try folder.write(Self.gor("/after", at: 1_795_406_761_000_000_000), to: "a.gor")
        let second = try folder.write(Self.record + "\n", to: "b.ndjson")
        let third = try folder.write(Self.gor("/before", at: 1_795_406_759_000_000_000), to: "c.gor")
        let loader = try load(first, second, third)
        #expect(loader.recording.entries.map(\.exchange.request.targetText) == ["/before", "/record", "/after"])
        #expect(loader.damage == [])
    }

    @Test func `a gzipped recording is read like the plain one`() throws {
        let path = try write(Self.compressedGor, to: "a.gor.gz")
        let loader = try load(path)
        #expect(loader.recording.entries.map(\.exchange.request.targetText) == ["/zipped"])
        let cut = try write(Array(Self.compressedGor.dropLast(12)), to: "b.gor.gz")
        #expect(try load(cut).damage.contains { $0.contains("cut short") })
    }

    @Test func `a response may be in the next file of its recording`() throws {
        let first = try folder.write("1 aa 1000 0\nGET / HTTP/1.1\r\nHost: h\r\n\r\n" + Self.separator, to: "r_0.gor")
        let second = try folder.write("2 aa 2000 0\nHTTP/1.1 204 No Content\r\n\r\n" + Self.separator, to: "r_1.gor")
        let loader = try load(first, second)
        #expect(loader.recording.entries.map { $0.exchange.response?.status } == [204])
        #expect(loader.recording.losses.isEmpty)
    }

    @Test func `damage is told with its place and what is whole is read`() throws {
        let path = try folder.write(Self.record + "\nno record\n" + Self.record + "\n{}\n", to: "a.ndjson")
        let loader = try load(path)
        #expect(loader.recording.entries.count == 2)
        #expect(loader.damage.count == 1)
        #expect(loader.damage.first?.hasPrefix("\(path):2: ") == true)
        let gor = try folder.write(Self.gor("/a", at: 1) + "rubbish" + Self.separator, to: "a.gor")
        #expect(try load(gor).damage == ["\(gor): 1 record that could not be read"])
    }

    @Test func `records made without fields are told apart from damage`() throws {
        let bare = Self.record.replacing(#","fields":[["Host","h"]]"#, with: "")
        let loader = try load(try folder.write(bare + "\n", to: "a.ndjson"))
        #expect(loader.recording.entries.isEmpty)
        #expect(loader.recording.losses[.noFields] == 1)
        #expect(loader.damage == [])
    }

    @Test func `what is no recording is refused in one line`() throws {
        let text = try folder.write("hello\n", to: "a.txt")
        #expect(failure { _ = try load(text) }.contains("neither"))
        #expect(failure { _ = try load(try folder.write("", to: "empty")) }.contains("empty"))
        #expect(failure { _ = try load("\(folder.path)/missing") }.contains("no such file or folder"))
        #expect(failure { _ = try load(try write([0x1F, 0x8B, 1, 2, 3], to: "bad.gz")) }.contains("decompressed"))
    }

    @Test func `recordings that are too large together are refused`() throws {
        let path = try folder.write(Self.gor("/a", at: 1), to: "a.gor")
        let size = Self.gor("/a", at: 1).utf8.count
        #expect(failure { _ = try load(path, octetLimit: size) } == "")
        #expect(failure { _ = try load(path, path, octetLimit: 2 * size - 1) }.contains("in parts"))
        let zipped = try write(Self.compressedGor, to: "a.gor.gz")
        #expect(failure { _ = try load(zipped, octetLimit: 50) }.contains("in parts"))
    }

    @Test func `recordings of very many small requests are refused before they take all memory`() throws {
        let gor = try folder.write((0..<100).map { Self.gor("/\($0)", at: $0) }.joined(), to: "a.gor")
        let records = try folder.write(String(repeating: Self.record + "\n", count: 100), to: "a.ndjson")
        for path in [gor, records] {
            // A place takes 96 octets of memory.
            #expect(failure { _ = try RecordingLoader([path], memoryLimit: 4 << 10) }.contains("memory"))
            #expect(try RecordingLoader([path], memoryLimit: 100 << 10).recording.entries.count == 100)
        }
    }

    @Test func `exchanges for which there is no room in memory are kept in a file`() throws {
        let content = String(repeating: "x", count: 50_000)
        let response = "HTTP/1.1 200 OK\r\nContent-Length: 50000\r\n\r\n\(content)"
        let records = (0..<20).map { Self.gor("/\($0)", at: $0) + "2 \($0) \($0) 0\n\(response)" + Self.separator }
        let path = try folder.write(records.joined(), to: "a.gor")
        let scratch = RecordingScratchFile(in: folder.path)
        let recording = try RecordingLoader([path], memoryLimit: 200 << 10, scratch: scratch).recording
        #expect(recording.entries.map(\.exchange.request.targetText) == (0..<20).map { "/\($0)" })
        #expect(recording.entries.allSatisfy { $0.exchange.response?.message.content == Array(content.utf8) })
        // The file has no name.
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["a.gor"])
        let nowhere = RecordingScratchFile(in: "\(folder.path)/missing")
        let refusal = failure { _ = try RecordingLoader([path], memoryLimit: 200 << 10, scratch: nowhere) }
        #expect(refusal.contains("memory together, and a temporary file in \(folder.path)/missing cannot be written"))
        let whole = try RecordingLoader([path], memoryLimit: 2 << 20, scratch: nowhere).recording
        #expect(
            whole.entries.map(\.exchange.request.targetText) == (0..<20).map { "/\($0)" } && whole.entries.loss == nil
        )
    }

    @Test func `a compressed archive is told by its log though much comes before it`() throws {
        let entry =
            #"{"startedDateTime":"2026-11-23T04:06:00.123Z","request":{"method":"GET","url":"http://h/a","headers":[]}}"#
        let note = String(repeating: "x", count: 200_000)
        let text = Array(#"{"note":"\#(note)","log":{"entries":[\#(entry)]}}"#.utf8)
        var zipped: [UInt8] = [0x1F, 0x8B, 0x08, 0, 0, 0, 0, 0, 0, 0x03]
        for start in stride(from: 0, to: text.count, by: 60_000) {
            // A block that is stored as it is: whether it is the last, its length, and the complement of that.
            let block = text[start..<min(start + 60_000, text.count)]
            let length = UInt16(block.count)
            zipped.append(block.endIndex == text.count ? 1 : 0)
            for number in [length, ~length] { zipped += [UInt8(truncatingIfNeeded: number), UInt8(number >> 8)] }
            zipped += block
        }
        // The check sum is left out.
        let loader = try load(try write(zipped, to: "a.har.gz"))
        #expect(loader.recording.entries.map(\.exchange.request.targetText) == ["/a"])
        #expect(loader.damage.count == 1 && loader.damage.first?.contains("cut short") == true)
    }

    @Test func `where content is not needed nothing but the heads of requests is held`() throws {
        let response = "HTTP/1.1 200 OK\r\nContent-Length: 50000\r\n\r\n" + String(repeating: "x", count: 50_000)
        let records = (0..<10).map { Self.gor("/\($0)", at: $0) + "2 \($0) \($0) 0\n\(response)" + Self.separator }
        let path = try folder.write(records.joined(), to: "a.gor")
        let heads = try RecordingLoader([path], needsContent: false, memoryLimit: 100 << 10).recording
        #expect(heads.entries.map(\.exchange.request.targetText) == (0..<10).map { "/\($0)" })
        #expect(heads.entries.allSatisfy { $0.exchange.request.authority == "h" } && heads.losses.isEmpty)
    }

    @Test func `an archive of very many small requests is refused while it is read`() throws {
        let entry =
            #"{"startedDateTime":"2026-11-23T04:06:00.123Z","request":{"method":"GET","url":"http://h/a","headers":[]}}"#
        let entries = [String](repeating: entry, count: 100).joined(separator: ",\n")
        let whole = try folder.write(#"{"log":{"entries":[\#(entries)]}}"#, to: "a.har")
        #expect(try RecordingLoader([whole], memoryLimit: 100 << 10).recording.entries.count == 100)
        // It is found before the end is, which is missing here.
        let cut = try folder.write(#"{"log":{"entries":[\#(entries),"#, to: "b.har")
        #expect(failure { _ = try RecordingLoader([cut], memoryLimit: 4 << 10) }.contains("of memory"))
        #expect(failure { _ = try RecordingLoader([cut]) }.contains("is no whole HAR file"))
    }

    @Test func `a savefile whose exchanges take too much memory is refused`() throws {
        let path = "\(Repository.path)/samples/captures/ingress.pcap"
        try #require(FileManager.default.fileExists(atPath: path))
        // It has more than ten exchanges, the place of each of which takes 96 octets.
        #expect(failure { _ = try RecordingLoader([path], memoryLimit: 640) }.contains("of memory"))
    }

    @Test func `a savefile is a recording too`() throws {
        let path = "\(Repository.path)/samples/captures/ingress.pcap"
        try #require(FileManager.default.fileExists(atPath: path))
        let loader = try load(path)
        #expect(loader.recording.entries.count > 10)
        #expect(loader.recording.entries.contains { $0.exchange.request.authority == "shop.example.com" })
        #expect(loader.recording.entries.contains { !($0.exchange.response?.message.content.isEmpty ?? true) })
        let starts = loader.recording.entries.map(\.exchange.startTime)
        #expect(starts == starts.sorted())
        #expect(failure { _ = try load(path, octetLimit: 1000) }.contains("--filter"))
    }

    /// A `.gor` file of one record for `/zipped`, compressed.
    private static let compressedGor: [UInt8] = [
        0x1F, 0x8B, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0x33, 0x54, 0xA8, 0xAA, 0x52, 0x30,
        0x55, 0x30, 0xE0, 0x72, 0x77, 0x0D, 0x51, 0xD0, 0xAF, 0xCA, 0x2C, 0x28, 0x48, 0x4D, 0x51, 0xF0,
        0x08, 0x09, 0x09, 0xD0, 0x37, 0xD4, 0x33, 0xE4, 0xE5, 0xF2, 0xC8, 0x2F, 0x2E, 0xB1, 0x52, 0xC8,
        0xE0, 0xE5, 0xE2, 0xE5, 0xE2, 0xFA, 0x30, 0x7F, 0xC2, 0xD6, 0x0F, 0xF3, 0x67, 0x76, 0x00, 0x71,
        0x27, 0x17, 0x00, 0xBD, 0x9B, 0xEA, 0x0C, 0x38, 0x00, 0x00, 0x00,
    ]
}
