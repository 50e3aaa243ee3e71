// Wingmirror · Apache-2.0

import Foundation
import Testing

/// A test that waits for what does not come ends, and says which it is.
@Suite struct TimeLimitTests {
    @Test func `a file with tests that wait has a time limit`() throws {
        let files = FileManager.default.enumerator(atPath: Repository.root.appending(path: "Tests").path)
        var waiting = 0
        for case let file as String in files?.allObjects ?? [] where file.hasSuffix(".swift") {
            let text = try Repository.text(of: "Tests/\(file)")
            guard text.contains(/func `[^`]+`\([^{]*?\)\s+async\b/) else { continue }
            waiting += 1
            #expect(text.contains(".timeLimit("), "\(file)")
        }
        #expect(waiting > 50)
    }
}
