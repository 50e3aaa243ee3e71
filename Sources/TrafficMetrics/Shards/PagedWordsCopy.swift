// Wingmirror · Apache-2.0

/// The pages of a `PagedWords` at one moment; keeps its storage from one copy to the next.
struct PagedWordsCopy: Sendable {
    /// The index of the first word of each page, ascending.
    private var starts: [Int] = []
    /// The words of all pages, one page after the other.
    private var words: [UInt64] = []

    /// Begins a page, whose words must be appended next.
    mutating func appendPage(startingAt index: Int) {
        starts.append(index)
    }

    /// Appends a word of the page begun last.
    mutating func append(_ word: UInt64) {
        words.append(word)
    }

    /// Forgets all pages.
    mutating func removeAll() {
        starts.removeAll(keepingCapacity: true)
        words.removeAll(keepingCapacity: true)
    }

    /// The value of a word; 0 where there is no page.
    subscript(index: Int) -> UInt64 {
        var value: UInt64 = 0
        visitNonzero(in: index..<index + 1) { value = $1 }
        return value
    }

    /// Calls `body` with the index and value of each word in a range that is not zero, in order.
    func visitNonzero(in range: Range<Int>, _ body: (Int, UInt64) -> Void) {
        for (page, start) in starts.enumerated() where start < range.upperBound {
            let end = start + PagedWords.pageWords
            guard end > range.lowerBound else { continue }
            for index in max(start, range.lowerBound)..<min(end, range.upperBound) {
                let value = words[page * PagedWords.pageWords + index - start]
                if value != 0 { body(index, value) }
            }
        }
    }
}
