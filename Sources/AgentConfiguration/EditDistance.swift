// Wingmirror · Apache-2.0

import OctetText

extension String {
    /// How many insertions, deletions, substitutions and swaps of neighbours turn this text into `other`, without regard
    /// to case.
    func editDistance(to other: String) -> Int {
        let source = Array(lowercased().unicodeScalars)
        let target = Array(other.lowercased().unicodeScalars)
        // No two texts lie further apart than the longer one is long.
        let limit = Swift.max(source.count, target.count)
        return source.editDistance(to: target, limit: limit) ?? limit
    }
}

extension [String] {
    /// The element with the smallest edit distance to `text`; the first of several; `nil` when there are none.
    package func nearest(to text: String) -> String? {
        self.min { $0.editDistance(to: text) < $1.editDistance(to: text) }
    }

    /// The nearest element, if no more than half of the letters of `text` differ; otherwise it was hardly meant.
    package func similar(to text: String) -> String? {
        nearest(to: text).flatMap { $0.editDistance(to: text) * 2 <= text.count ? $0 : nil }
    }
}
