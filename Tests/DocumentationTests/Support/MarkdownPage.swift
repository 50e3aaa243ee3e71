// Wingmirror · Apache-2.0

import Foundation

/// What of a Markdown page leads elsewhere, and what in it can be led to.
struct MarkdownPage {
    /// A link or a picture as it is written.
    struct Reference {
        let target: String
        let isPicture: Bool
    }

    /// Inline and reference links and pictures, outside of code.
    let references: [Reference]
    /// The anchors that repository browsers give to headings.
    let anchors: Set<String>
    /// The page without its code blocks and code spans.
    let prose: String

    init(_ text: String) {
        let unfenced = text.replacing(/(?m)^ *```[\s\S]*?^ *```/, with: "")
        prose = unfenced.replacing(/``[^\n]+?``|`[^`\n]+`/, with: "")
        let inline = prose.matches(of: /(!?)\[[^\]]*\]\(([^)\s]+)[^)]*\)/).map { match in
            Reference(target: String(match.output.2), isPicture: match.output.1 == "!")
        }
        let defined = prose.matches(of: /(?m)^ {0,3}\[[^\]]+\]: +(\S+)/).map { match in
            Reference(target: String(match.output.1), isPicture: false)
        }
        references = inline + defined
        anchors = Self.anchors(of: unfenced.matches(of: /(?m)^#{1,6} +(.+?) *$/).map { String($0.output.1) })
    }

    /// Letters, digits, hyphens and underscores in lower case, blanks as hyphens; the second of equal ones ends in `-1`.
    private static func anchors(of headings: [String]) -> Set<String> {
        var anchors: Set<String> = []
        for heading in headings {
            let kept = heading.lowercased().filter { $0.isLetter || $0.isNumber || "-_ ".contains($0) }
            let anchor = kept.replacingOccurrences(of: " ", with: "-")
            var candidate = anchor
            var number = 0
            while !anchors.insert(candidate).inserted {
                number += 1
                candidate = "\(anchor)-\(number)"
            }
        }
        return anchors
    }
}
