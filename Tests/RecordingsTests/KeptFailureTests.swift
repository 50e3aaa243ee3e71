// Wingmirror · Apache-2.0

import Recordings
import TestSupport
import Testing

/// Recordings of `Fixtures/failures`.
@Suite(.timeLimit(.minutes(20)))
struct KeptFailureTests {
    @Test func `what a reader may fail on ends in entries or in losses, wherever it is cut`() throws {
        let inputs = try KeptInputs.all(besideFile: #filePath)
        #expect(inputs.count >= 6)
        for input in inputs {
            for count in 0...input.octets.count {
                let recording = Samples.recording(Array(input.octets.prefix(count)))
                #expect(recording.entries.count <= 1, "\(input.name), \(count) octets")
            }
        }
    }
}
