// Wingmirror · Apache-2.0

import OctetText

/// A set of words in which octets are looked up without a string made of them, and without an allocation.
///
/// Clients choose the names that are looked up, and how many: a lookup costs about as much as reading the name.
struct OctetWords: Sendable {
    /// Where a word lies; of an empty slot the count is negative.
    private struct Slot {
        var start = 0
        var count = -1
    }

    private var octets: [UInt8] = []
    /// A power of two, at most half of them in use.
    private var slots: [Slot]
    private var longest = 0

    /// Makes a set of words, which are in lower case.
    init(_ words: some Collection<String>) {
        var size = 2
        while size < words.count * 2 { size *= 2 }
        slots = [Slot](repeating: Slot(), count: size)
        for word in words {
            let new = Array(word.utf8)
            var index = Self.hash(new.span) & (size - 1)
            while slots[index].count >= 0 { index = (index + 1) & (size - 1) }
            slots[index] = Slot(start: octets.count, count: new.count)
            octets += new
            longest = max(longest, new.count)
        }
    }

    /// Whether `word` is in the set, whatever the case of its ASCII letters.
    func contains(_ word: Span<UInt8>) -> Bool {
        guard word.count <= longest else { return false }
        var index = Self.hash(word) & (slots.count - 1)
        while slots[index].count >= 0 {
            if stands(slots[index], as: word) { return true }
            index = (index + 1) & (slots.count - 1)
        }
        return false
    }

    private func stands(_ slot: Slot, as word: Span<UInt8>) -> Bool {
        guard slot.count == word.count else { return false }
        for place in 0..<word.count where octets[slot.start + place] != ASCII.lowered(word[place]) { return false }
        return true
    }

    /// FNV-1a: the words are ours, so how many share a slot does not depend on who asks.
    private static func hash(_ word: Span<UInt8>) -> Int {
        var hash = FNV1a32.start
        for index in 0..<word.count { hash = FNV1a32.step(hash, ASCII.lowered(word[index])) }
        return Int(hash ^ hash >> 15)
    }
}

/// Words that are looked for anywhere in a name.
struct OctetWordSearch: Sendable {
    /// All words, those with the same first letter behind one another, and where each begins; one more at the end.
    private var octets: [UInt8] = []
    private var starts: [Int] = []
    /// For each letter the words that begin with it, as indices of `starts`.
    private var byLetter: [Range<Int>] = []

    /// Makes a search for words, which begin with letters in lower case.
    init(_ words: [[UInt8]]) {
        precondition(
            words.allSatisfy { $0.first.map { $0 &- UInt8(ascii: "a") < 26 } ?? false },
            "OctetWordSearch: a word that begins with no letter"
        )
        for letter in UInt8(ascii: "a")...UInt8(ascii: "z") {
            let first = starts.count
            for word in words where word.first == letter {
                starts.append(octets.count)
                octets += word
            }
            byLetter.append(first..<starts.count)
        }
        starts.append(octets.count)
    }

    /// Whether one of the words stands anywhere in `name`, which is in lower case.
    func findsWord(in name: Span<UInt8>) -> Bool {
        for start in 0..<name.count {
            let letter = name[start] &- UInt8(ascii: "a")
            guard letter < 26 else { continue }
            for word in byLetter[Int(letter)] where stands(word, in: name, at: start) { return true }
        }
        return false
    }

    private func stands(_ word: Int, in name: Span<UInt8>, at start: Int) -> Bool {
        let range = starts[word]..<starts[word + 1]
        guard start + range.count <= name.count else { return false }
        for index in range where octets[index] != name[start + index - range.lowerBound] { return false }
        return true
    }
}
