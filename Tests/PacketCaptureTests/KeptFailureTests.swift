// Wingmirror · Apache-2.0

import PacketCapture
import TestSupport
import Testing

/// Captures of `Fixtures/failures`, each of which once failed.
@Suite(.timeLimit(.minutes(20)))
struct KeptFailureTests {
    @Test func `what once failed is read, or refused with a reason, wherever it is cut`() throws {
        let folder = TemporaryFolder()
        let inputs = try KeptInputs.all(besideFile: #filePath)
        #expect(!inputs.isEmpty)
        for input in inputs {
            #expect(Reading(input.path).error == nil, "\(input.name)")
            for count in 0..<min(input.octets.count, 1000) {
                let reading = Reading(folder.file("\(count)-\(input.name)", input.octets.prefix(count)))
                #expect(reading.error != nil || reading.octets.count <= 1, "\(input.name), \(count) octets")
            }
        }
    }
}
