// Wingmirror · Apache-2.0

import Agent
import ContentDecoding

/// A gzipped recording that is read from its beginning, and decompressed a piece at a time.
struct CompressedRecording: ~Copyable {
    /// Records of traffic are made ten or twenty times smaller; what unfolds further is made to fill memory.
    private static let ratio = UnpackingRatio(free: 64 << 20, factor: 100)

    private var file: RecordingFile
    private var unpacking: Unpacking
    private let path: String

    /// Goes on with a file of which the beginning has been read.
    init(_ file: consuming RecordingFile, _ path: String, beginning: [UInt8]) throws(CommandFailure) {
        self.file = file
        self.path = path
        do throws(ContentDecodingError) {
            unpacking = try Unpacking(ratio: Self.ratio)
        } catch {
            throw Self.undecodable(path)
        }
        unpacking.append(beginning)
    }

    /// Whether the file, which has been read to its end, ends in the middle of the data.
    var isCut: Bool { unpacking.isCut }

    /// The next piece; empty at the end of the file.
    mutating func next() throws(CommandFailure) -> [UInt8] {
        while true {
            let octets: [UInt8]
            do throws(ContentDecodingError) {
                octets = try unpacking.next()
            } catch {
                throw Self.undecodable(path)
            }
            guard octets.isEmpty else { return octets }
            guard !unpacking.isExcessive else {
                throw CommandFailure(
                    .usage,
                    "\(path): unpacks to more than \(Self.ratio.factor) times its size; unpack it first if that is meant"
                )
            }
            let piece = try file.next()
            guard !piece.isEmpty else { return [] }
            unpacking.append(piece)
        }
    }

    private static func undecodable(_ path: String) -> CommandFailure {
        CommandFailure(.usage, "\(path): cannot be decompressed")
    }
}
