// Wingmirror · Apache-2.0

import JSONSyntax
import TestSupport
import Testing

/// Texts of `Fixtures/failures`.
@Suite(.timeLimit(.minutes(20)))
struct KeptFailureTests {
    @Test func `what is JSON is read, all else is refused, and nothing traps`() throws {
        let inputs = try KeptInputs.all(besideFile: #filePath)
        #expect(inputs.count >= 14)
        for input in inputs {
            let value = try? JSONDocument.parse(input.octets)
            #expect((value != nil) == input.name.hasPrefix("y"), "\(input.name)")
            // Every beginning of it ends one way or the other, too.
            for count in 0..<min(input.octets.count, 200) {
                _ = try? JSONDocument.parse(Array(input.octets.prefix(count)))
            }
        }
    }
}
