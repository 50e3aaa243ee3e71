// Wingmirror · Apache-2.0

import Agent
import FoundationEssentials
import TestSupport
import Testing

@Suite struct OctetOutputTests {
    /// Long pieces are written from where they are, and short ones wait in between.
    @Test func `short and long pieces stand in the file in the order in which they were added`() throws {
        let folder = try TemporaryFolder()
        let path = "\(folder.path)/octets"
        var output = try OctetOutput.open(path)
        var expected: [UInt8] = []
        for count in [0, 5, 100_000, 32_768, 32_767, 1, 300_000, 7] {
            let piece = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ count) }
            try output.append(piece)
            try output.append(piece.span)
            expected += piece + piece
        }
        try output.flush()
        #expect(try [UInt8](Data(contentsOf: URL(filePath: path))) == expected)
    }
}
