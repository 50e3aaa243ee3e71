// Wingmirror · Apache-2.0

/// Octets of a head, or of a trailer section, that came in pieces.
///
/// A section ends with an empty line, so each octet is searched once, however many pieces there are, and the whole is
/// parsed once, when it is complete.
struct HeadBuffer {
    /// What was collected; after `append` answered with a number, exactly one section.
    private(set) var octets: [UInt8] = []

    enum Progress {
        /// The section is complete; so many of the appended octets belonged to it.
        case complete(taken: Int)
        /// All octets were taken.
        case incomplete
        /// The section is longer than the limit.
        case tooLong
    }

    var isEmpty: Bool { octets.isEmpty }

    /// Octets of memory that are taken, which are more than those collected; 0 when it is empty.
    var memory: Int { octets.capacity }

    /// Takes octets of `span` from `start` on, up to the end of the section.
    mutating func append(_ span: Span<UInt8>, from start: Int, limit: Int) -> Progress {
        let before = octets.count
        let room = min(span.count - start, limit - before)
        span.extracting(start..<start + room).append(to: &octets)
        if let end = endOfSection(appendedAt: before) {
            octets.removeLast(octets.count - end)
            return .complete(taken: end - before)
        }
        return octets.count >= limit ? .tooLong : .incomplete
    }

    /// Takes octets of unknown meaning; answers `false`, and takes none, if they do not fit the limit.
    mutating func appendAll(_ span: Span<UInt8>, from start: Int, limit: Int) -> Bool {
        guard span.count - start <= limit - octets.count else { return false }
        span.extracting(start...).append(to: &octets)
        return true
    }

    /// Whether the first line end is among the octets from `start` on.
    func firstLineEnded(after start: Int) -> Bool {
        let span = octets.span
        return span.firstIndex(of: 0x0A, from: 0, to: start) == start
            && span.firstIndex(of: 0x0A, from: start, to: span.count) < span.count
    }

    /// Forgets what was collected, and the memory with it: an idle connection holds no buffer.
    @inline(__always)
    mutating func clear() {
        if octets.capacity > 0 { octets = [] }
    }

    /// The index after the empty line, if the octets from `start` on complete it.
    private func endOfSection(appendedAt start: Int) -> Int? {
        let span = octets.span
        // An empty line is LF LF or LF CR LF, so its first LF is at most two octets back; a section of nothing but an
        // empty line begins with it.
        var index = max(0, start - 2)
        if start <= 1, let end = emptyLine(span, at: 0) { return end }
        while index < span.count {
            let lineFeed = span.firstIndex(of: 0x0A, from: index, to: span.count)
            guard lineFeed < span.count else { return nil }
            if let end = emptyLine(span, at: lineFeed + 1) { return end }
            index = lineFeed + 1
        }
        return nil
    }

    /// The index after the line end at `index`, if there is one.
    private func emptyLine(_ span: Span<UInt8>, at index: Int) -> Int? {
        guard index < span.count else { return nil }
        if span[index] == 0x0A { return index + 1 }
        return span[index] == 0x0D && index + 1 < span.count && span[index + 1] == 0x0A ? index + 2 : nil
    }
}
