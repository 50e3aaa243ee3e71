// Wingmirror · Apache-2.0

/// The words of a text in which several values may stand, so that one that varies does not hide the others.
enum TextWords {
    /// Words of one text; the rest of a longer one is the last word.
    private static let most = 1 << 16

    /// How two texts differ, word by word.
    struct Difference: Sendable, Hashable {
        /// How many words differ, at least one.
        let count: Int
        /// Whether all words were put together; otherwise those in the middle of one text have no certain counterparts.
        let isAligned: Bool
    }

    /// Compares two texts that differ.
    ///
    /// As many words are put together in order; of texts with more words than the other those at the beginning and at the end
    /// that are equal, and what is left in between counts as a whole.
    static func difference(_ first: some Collection<UInt8>, _ second: some Collection<UInt8>) -> Difference {
        let (ours, theirs) = (words(first), words(second))
        guard ours.count != theirs.count else {
            let count = zip(ours, theirs).count { !$0.elementsEqual($1) }
            return Difference(count: max(1, count), isAligned: true)
        }
        let shorter = min(ours.count, theirs.count)
        let head = zip(ours, theirs).prefix { $0.elementsEqual($1) }.count
        let tail = min(shorter - head, zip(ours.reversed(), theirs.reversed()).prefix { $0.elementsEqual($1) }.count)
        return Difference(
            count: max(ours.count, theirs.count) - head - tail,
            isAligned: shorter == head + tail
        )
    }

    private static func words<Text: Collection<UInt8>>(_ text: Text) -> [Text.SubSequence] {
        text.split(maxSplits: most, whereSeparator: isSeparator)
    }

    /// Whether an octet stands between values, in prose, markup, JSON, and lists and parameters of fields.
    ///
    /// None that base64, times, numbers or paths contain, so that each of these stays one word; padding stands at an end.
    private static func isSeparator(_ octet: UInt8) -> Bool {
        switch octet {
        case 0x00...0x20, UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "<"), UInt8(ascii: ">"),
            UInt8(ascii: "{"), UInt8(ascii: "}"), UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "("),
            UInt8(ascii: ")"), UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "&"), UInt8(ascii: "="),
            UInt8(ascii: "|"), UInt8(ascii: "?"), UInt8(ascii: "\\"):
            true
        default: false
        }
    }
}
