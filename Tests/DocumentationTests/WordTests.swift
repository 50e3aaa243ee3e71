// Wingmirror · Apache-2.0

import Testing

/// Pages for operators use the words that operators search for; those of the RFCs are for code.
@Suite struct WordTests {
    /// Pages about how it is made, and the one that explains the words.
    private static let others = ["Decisions/", "Glossary.md"]

    static let pages = Repository.pages.filter { page in !others.contains { page.contains($0) } }

    @Test(arguments: WordTests.pages)
    func `a page says bytes, headers, requests and pcap file`(path: String) throws {
        let prose = MarkdownPage(try Repository.text(of: path)).prose
        let words = /(?i)\b(octets?|savefiles?|whoever|nobody|somebody|of late|so many|(?:is|are) told)\b/
        for match in prose.matches(of: words) {
            Issue.record("\(match.output.1)")
        }
    }
}
