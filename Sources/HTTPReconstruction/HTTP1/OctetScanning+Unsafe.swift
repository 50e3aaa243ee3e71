// Wingmirror · Apache-2.0

internal import COctetScanning
internal import TrafficModel

/// Searches that look at eight or sixteen octets at a time.
///
/// The loads are unaligned and unchecked: each is made only where eight octets remain before the end of the span.
extension Span where Element == UInt8 {
    /// Eight octets from `index`, the first in the lowest bits; `index + 8` must not exceed the count.
    @inline(__always)
    func word(at index: Int) -> UInt64 {
        assert(index >= 0 && index + 8 <= count)
        // The assertion states the invariant: the callers below loop while eight octets remain.
        return unsafe bytes.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self).littleEndian
    }

    /// The octets in an array of their own.
    func copied() -> [UInt8] {
        // The buffer is read inside the call only.
        unsafe withUnsafeBufferPointer { unsafe [UInt8]($0) }
    }

    /// Adds the octets to the end of `array`.
    func append(to array: inout [UInt8]) {
        // The buffer is read inside the call only.
        unsafe withUnsafeBufferPointer { unsafe array.append(contentsOf: $0) }
    }

    /// The index of the first octet at or after `start` that is a control character other than HTAB, or the count.
    ///
    /// These are the octets that end a line or must not stand in one: 0x00…0x1F without 0x09, and 0x7F
    /// (RFC 9110 §5.5).
    @inline(__always)
    func indexOfControl(from start: Int) -> Int {
        unsafe firstIndex(
            from: start,
            marked: { unsafe wingmirror_controls($0) },
            isFound: { $0 == 0x7F || $0 < 0x20 && $0 != 0x09 }
        )
    }

    /// The index of the first SP or HTAB at or after `start`, or the count.
    @inline(__always)
    func indexOfBlank(from start: Int) -> Int {
        unsafe firstIndex(
            from: start,
            marked: { unsafe wingmirror_equals($0, 0x20) | wingmirror_equals($0, 0x09) },
            isFound: { $0 == 0x20 || $0 == 0x09 }
        )
    }

    /// Reads the field lines from `start` on that are as nearly all are, up to the first that is not.
    ///
    /// Their names are of letters, digits, `-` and `_`, 31 octets at most, and their values hold no control octets; in front
    /// of a value is one space or nothing, behind it nothing.
    /// - Parameters:
    ///   - start: Where a line begins.
    ///   - lines: Takes the lines.
    /// - Returns: Where the first line begins that was not read: the empty line at the end, if all is well.
    @inline(__always)
    func readPlainLines(from start: Int, into lines: inout PlainList<FieldLine>) -> Int {
        // Indices of so many octets are those of field lines.
        guard count >= 16, start >= 0, count <= Int(Int32.max) else { return start }
        return unsafe withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return start }
            let last = count &- 16
            /// One bit for each of the sixteen octets at `index`, which is below the count; 0 for those behind the end.
            @inline(__always)
            func marks(_ index: Int, _ marked: (UnsafePointer<UInt8>) -> UInt32) -> UInt32 {
                // Invariant: sixteen octets are there; of the last block, those before the index are shifted out.
                guard index > last else { return unsafe marked(base + index) }
                return unsafe marked(base + last) &>> UInt32(truncatingIfNeeded: index &- last)
            }
            var lineStart = start
            while lineStart < count {
                // The empty line at the end, for which one look at its first octet does.
                // Invariant: the index is below the count.
                if unsafe base[lineStart] == 0x0D { break }
                var colons = unsafe marks(lineStart) { unsafe wingmirror_equals($0, 0x3A) }
                var others = unsafe marks(lineStart) { unsafe wingmirror_names($0) ^ 0xFFFF }
                var nameEnd = lineStart
                if colons == 0 {
                    nameEnd &+= 16
                    guard others == 0, nameEnd < count else { break }
                    colons = unsafe marks(nameEnd) { unsafe wingmirror_equals($0, 0x3A) }
                    others = unsafe marks(nameEnd) { unsafe wingmirror_names($0) ^ 0xFFFF }
                    guard colons != 0 else { break }
                }
                // The lowest mark of both is the colon's, or the octet there has no place in a plain name.
                guard others.trailingZeroBitCount == colons.trailingZeroBitCount else { break }
                nameEnd &+= colons.trailingZeroBitCount
                guard nameEnd > lineStart else { break }

                var lineEnd = nameEnd
                var controls: UInt32 = 0
                while lineEnd <= last {
                    // Invariant: sixteen octets are there.
                    controls = unsafe wingmirror_controls(base + lineEnd)
                    if controls != 0 { break }
                    lineEnd &+= 16
                }
                if controls == 0, lineEnd < count {
                    controls = unsafe marks(lineEnd) { unsafe wingmirror_controls($0) }
                }
                lineEnd &+= controls.trailingZeroBitCount
                // Both octets of the line end are read below, so that they must be there.
                guard controls != 0, lineEnd &+ 1 < count else { break }
                var next = lineEnd &+ 1
                // Invariant: `lineStart`, `nameEnd` and `lineEnd` follow each other, and two octets are there from the last on.
                if unsafe base[lineEnd] != 0x0A {
                    guard unsafe base[lineEnd] == 0x0D, unsafe base[next] == 0x0A else { break }
                    next &+= 1
                }
                var valueStart = nameEnd &+ 1
                if unsafe base[valueStart] == 0x20 { valueStart &+= 1 }
                if valueStart < lineEnd {
                    guard unsafe !base[valueStart].isBlank, unsafe !base[lineEnd &- 1].isBlank else { break }
                }
                // Invariant: the count is below 2³¹, and each of these is no greater than the next.
                lines.append(FieldLine(unchecked: lineStart, nameEnd, valueStart, lineEnd))
                lineStart = next
            }
            return lineStart
        }
    }

    /// The index of the first octet at or after `start` that is looked for, or the count.
    ///
    /// - Parameters:
    ///   - start: Where to begin.
    ///   - marked: One bit for each of the sixteen octets at a place, the lowest for the first, set where it is looked for.
    ///   - isFound: Whether an octet is looked for, for octets that are fewer than sixteen.
    /// - Returns: Its index.
    @inline(__always)
    private func firstIndex(
        from start: Int,
        marked: (UnsafePointer<UInt8>) -> UInt32,
        isFound: (UInt8) -> Bool
    ) -> Int {
        var index = start
        guard count >= 16 else {
            while index < count {
                if isFound(self[index]) { return index }
                index &+= 1
            }
            return count
        }
        return unsafe withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return count }
            while index < count {
                // Invariant: there are sixteen octets; of the last block, those before the index are shifted out.
                let place = Swift.min(index, count &- 16)
                let found = unsafe marked(base + place) &>> UInt32(index &- place)
                if found != 0 { return index &+ found.trailingZeroBitCount }
                index &+= 16
            }
            return count
        }
    }

    /// Whether `range` is `text`, a literal in lower case that is not empty, with letters of either case taken as equal.
    ///
    /// Inlined, so that the words of the literal, and which of their bits count, are constants.
    @inline(__always)
    package func equalsIgnoringCase(_ range: Range<Int>, _ text: StaticString) -> Bool {
        let length = text.utf8CodeUnitCount
        guard range.count == length else { return false }
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "equalsIgnoringCase() beyond the octets")
        guard length >= 8 else {
            let wanted = text.shortWord
            // Shifts out the octets behind the range.
            let outside = UInt64((8 &- length) &* 8)
            return ((loadedWord(at: range.lowerBound, count: length) ^ wanted) & ~wanted.caseBits) &<< outside == 0
        }
        var offset = 0
        while true {
            // The last word overlaps the one before.
            let place = Swift.min(offset, length &- 8)
            let wanted = text.word(at: place)
            // The bit that tells the cases apart may differ in letters.
            if (word(at: range.lowerBound &+ place) ^ wanted) & ~wanted.caseBits != 0 { return false }
            offset &+= 8
            if offset >= length { return true }
        }
    }

    /// The index of the first `octet` in `start..<end`, or `end`.
    @inline(__always)
    func firstIndex(of octet: UInt8, from start: Int, to end: Int) -> Int {
        let pattern = UInt64(octet) &* 0x0101_0101_0101_0101
        var index = start
        // Octets behind `end` may be looked at, but what is found there does not count.
        while index < end, index + 8 <= count {
            let difference = word(at: index) ^ pattern
            let found = (difference &- 0x0101_0101_0101_0101) & ~difference & 0x8080_8080_8080_8080
            if found != 0 { return Swift.min(end, index &+ (found.trailingZeroBitCount &>> 3)) }
            index &+= 8
        }
        while index < end {
            if self[index] == octet { return index }
            index &+= 1
        }
        return end
    }

    /// Whether all octets of `range` may stand in a token (RFC 9110 §5.6.2); true for an empty range.
    @inline(__always)
    func isToken(_ range: Range<Int>) -> Bool {
        var index = range.lowerBound
        let end = range.upperBound
        while index < end, index + 8 <= count {
            var word = word(at: index)
            if end &- index < 8 {
                // Octets behind the range become letters.
                let inside = (UInt64(1) &<< UInt64((end &- index) &* 8)) &- 1
                word = word & inside | 0x6161_6161_6161_6161 & ~inside
            }
            if !isPlainNameWord(word) {
                for position in index..<Swift.min(end, index + 8) where !self[position].isTokenOctet { return false }
            }
            index &+= 8
        }
        while index < end {
            if !self[index].isTokenOctet { return false }
            index &+= 1
        }
        return true
    }

    /// `count` octets of a token from `start` on, but eight at most, with letters in lower case; the first in the lowest
    /// bits.
    ///
    /// Equal words mean equal names: setting the bit that tells the cases apart makes no two octets of a token alike but
    /// letters, `^` and `~`.
    @inline(__always)
    func foldedName(_ start: Int, count length: Int) -> UInt64 {
        let length = Swift.min(length, 8)
        // Shifts out the octets behind the name.
        let outside = UInt64((8 &- length) &* 8)
        return ((loadedWord(at: start, count: length) | 0x2020_2020_2020_2020) &<< outside) &>> outside
    }

    /// At most eight octets from `start` on, and whatever follows them, the first in the lowest bits.
    @inline(__always)
    func loadedWord(at start: Int, count length: Int) -> UInt64 {
        if start + 8 <= count { return word(at: start) }
        var word: UInt64 = 0
        for offset in 0..<length { word |= UInt64(self[start + offset]) &<< UInt64(offset &* 8) }
        return word
    }
}

extension StaticString {
    /// One octet of the literal.
    @inline(__always)
    func octet(at index: Int) -> UInt8 {
        precondition(index < utf8CodeUnitCount)
        // Literals live as long as the program, and the precondition holds the index inside.
        return unsafe utf8Start[index]
    }

    /// Eight octets of the literal, the first in the lowest bits.
    @inline(__always)
    func word(at index: Int) -> UInt64 {
        precondition(index >= 0 && index + 8 <= utf8CodeUnitCount)
        // As above.
        return unsafe UnsafeRawPointer(utf8Start + index).loadUnaligned(as: UInt64.self).littleEndian
    }
}

extension StaticString {
    /// The octets of a literal of fewer than eight, the first in the lowest bits, with zeros behind them.
    @inline(__always)
    fileprivate var shortWord: UInt64 {
        var word: UInt64 = 0
        for index in 0..<utf8CodeUnitCount { word |= UInt64(octet(at: index)) &<< UInt64(index &* 8) }
        return word
    }
}

extension UInt64 {
    /// The bit that tells a letter's cases apart, of those of eight octets of ASCII that are letters in lower case.
    @inline(__always)
    fileprivate var caseBits: UInt64 {
        // The highest bit of each octet says whether it is `a` or more, and whether it is more than `z`.
        let atLeastA = self &+ 0x1F1F_1F1F_1F1F_1F1F
        let beyondZ = self &+ 0x0505_0505_0505_0505
        return (atLeastA & ~beyondZ & 0x8080_8080_8080_8080) &>> 2
    }
}

/// Whether eight octets are all letters or hyphens, the usual stuff of field names.
///
/// Letters are folded to lower case first; each comparison leaves its answer in the top bit of its octet, which no
/// octet under 0x80 disturbs.
@inline(__always)
private func isPlainNameWord(_ word: UInt64) -> Bool {
    let tops: UInt64 = 0x8080_8080_8080_8080
    if word & tops != 0 { return false }
    let folded = word | 0x2020_2020_2020_2020
    let atLeastA = folded &+ 0x1F1F_1F1F_1F1F_1F1F
    let beyondZ = folded &+ 0x0505_0505_0505_0505
    let letters = atLeastA & ~beyondZ & tops
    let hyphens = ~((word ^ 0x2D2D_2D2D_2D2D_2D2D) &+ 0x7F7F_7F7F_7F7F_7F7F) & tops
    return letters | hyphens == tops
}

extension UInt8 {
    /// Whether the octet may stand in a token (RFC 9110 §5.6.2).
    @inline(__always)
    var isTokenOctet: Bool {
        // One bit for each octet under 0x80 that is a tchar.
        let low: UInt64 = 0x03FF_6CFA_0000_0000
        let high: UInt64 = 0x57FF_FFFF_C7FF_FFFE
        guard self < 0x80 else { return false }
        return (self < 0x40 ? low : high) &>> UInt64(self & 0x3F) & 1 == 1
    }

    /// Whether the octet is SP or HTAB.
    @inline(__always)
    var isBlank: Bool {
        self == 0x20 || self == 0x09
    }

    /// Whether the octet is a decimal digit.
    @inline(__always)
    var isDigit: Bool {
        self &- 0x30 < 10
    }
}
