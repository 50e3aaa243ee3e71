// Wingmirror · Apache-2.0

import Foundation
import Testing

/// The page that says where to look.
@Suite struct ArchitectureTests {
    @Test func `the table of where things are names every target with Swift sources`() throws {
        let path = try #require(Repository.documentationPages.first { $0.hasSuffix("/Architecture.md") })
        let page = try Repository.text(of: path)
        let heading = try #require(page.range(of: "\n## Where things are\n"))
        let table = page[heading.upperBound...]
        let sources = Repository.root.appending(path: "Sources")
        let targets = try FileManager.default.contentsOfDirectory(atPath: sources.path).filter { target in
            let files = FileManager.default.enumerator(atPath: sources.appending(path: target).path)
            return files?.contains { ($0 as? String)?.hasSuffix(".swift") ?? false } ?? false
        }
        #expect(!targets.isEmpty)
        for target in targets { #expect(table.contains("`\(target)`"), "\(target)") }
    }
}
