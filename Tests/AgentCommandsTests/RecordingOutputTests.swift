// Wingmirror · Apache-2.0

import Agent
import Recordings
import TestSupport
import Testing
import TrafficModel

@testable import AgentCommands
@testable import AgentConfiguration

@Suite struct RecordingOutputTests {
    /// Zeros in the coding `deflate`, as raw data with one fixed block (RFC 1951 §3.2.6): a literal zero, then copies of it, 258
    /// octets in 13 bits each.
    private static func deflatedZeros(copies: Int) -> [UInt8] {
        var octets: [UInt8] = []
        var count = 0
        func add(_ bits: String) {
            for bit in bits {
                if count % 8 == 0 { octets.append(0) }
                if bit == "1" { octets[count / 8] |= 1 << (count % 8) }
                count += 1
            }
        }
        // The last block, of fixed codes; the literal 0.
        add("110" + "00110000")
        // Length 258 at distance 1.
        for _ in 0..<copies { add("11000101" + "00000") }
        // The end of the block.
        add("0000000")
        return octets
    }

    /// The text of an archive with one exchange whose response has that content.
    private func archive(of content: [UInt8], within budget: Int?) throws -> String {
        let folder = try TemporaryFolder()
        let file = RecordFile(try OctetOutput.open("\(folder.path)/a.har"))
        let recording = RecordingOutput(.har, redaction: RedactionConfiguration(), file: file, within: budget)
        let fields = [RecordedField(name: "Content-Encoding", value: Array("deflate".utf8))]
        recording.append(
            RecordedExchange(
                request: RecordedRequest(
                    method: "GET",
                    target: Array("/a".utf8),
                    message: RecordedMessage(
                        fields: [RecordedField(name: "Host", value: Array("h".utf8))],
                        content: []
                    )
                ),
                response: RecordedResponse(status: 200, message: RecordedMessage(fields: fields, content: content)),
                startTime: 1_795_406_760_000_000_000,
                firstByteNanoseconds: 1,
                durationNanoseconds: 2
            )
        )
        #expect(recording.finish().isEmpty)
        try file.finish()
        return try folder.text(of: "a.har")
    }

    @Test func `content loses its coding in an archive`() throws {
        let text = try archive(of: Self.deflatedZeros(copies: 100), within: 64 << 20)
        #expect(text.contains("\"size\":25801"))
    }

    @Test(arguments: [nil, 64 << 20, 1 << 30])
    func `content that unfolds as no content of the web does stays as it was sent`(budget: Int?) throws {
        // 8 MiB of 53 kB.
        let content = Self.deflatedZeros(copies: 32_768)
        let text = try archive(of: content, within: budget)
        #expect(text.contains("\"size\":\(content.count)"))
        #expect(text.utf8.count < 2 * content.count)
    }
}
