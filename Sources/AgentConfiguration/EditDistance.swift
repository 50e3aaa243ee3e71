// Wingmirror · Apache-2.0

extension String {
    /// How many insertions, deletions, substitutions and swaps of neighbours turn this text into `other`, without regard
    /// to case.
    func editDistance(to other: String) -> Int {
        let source = Array(lowercased().unicodeScalars)
        let target = Array(other.lowercased().unicodeScalars)
        var beforeLast: [Int] = []
        var last = Array(0...target.count)
        for row in source.indices {
            var current = [row + 1]
            for column in target.indices {
                let substitution = last[column] + (source[row] == target[column] ? 0 : 1)
                var best = Swift.min(substitution, last[column + 1] + 1, current[column] + 1)
                if row > 0, column > 0, source[row] == target[column - 1], source[row - 1] == target[column] {
                    best = Swift.min(best, beforeLast[column - 1] + 1)
                }
                current.append(best)
            }
            (beforeLast, last) = (last, current)
        }
        return last[target.count]
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
