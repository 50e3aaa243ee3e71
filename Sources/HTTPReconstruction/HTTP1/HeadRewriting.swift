// Wingmirror · Apache-2.0
// Lenient reading of heads: RFC 9112 §2.2, §3 and §5.2.

/// A head, or a trailer section, written anew as Envoy reads it: each field in one line, and no CR in a value.
///
/// A recipient may take a start line whose words are parted by other white space than one SP (RFC 9112 §3), a line that is
/// folded (§5.2) and a CR alone (§2.2), and Envoy takes them all: it drops each CR and LF of a value. What is written anew
/// is parsed like any other head, so that whatever reads a value afterwards finds the one that Envoy sees. Only heads that
/// need it are.
struct HeadRewriting {
    /// What the latest head was written to.
    private(set) var octets: [UInt8] = []
    /// Whether the field whose lines are taken says how long the message is.
    private var frames = false

    /// What stands in front of the field lines.
    enum StartLine {
        /// Nothing, as in a trailer section.
        case none
        /// A line that is taken as it is.
        case asSent
        /// The three words of a request line.
        case loose
    }

    enum Outcome {
        /// The section was written anew, up to and with its empty line, which ends here.
        case complete(end: Int)
        case incomplete
        case malformed
    }

    /// Writes the section that begins with the first octet.
    mutating func rewrite(_ source: Span<UInt8>, _ startLine: StartLine) -> Outcome {
        octets.removeAll(keepingCapacity: true)
        var index = 0
        if startLine != .none {
            let lineEnd = source.firstIndex(of: 0x0A, from: 0, to: source.count)
            guard lineEnd < source.count else {
                return startLine == .asSent || source.mayBeLooseRequestLine ? .incomplete : .malformed
            }
            if startLine == .asSent {
                source.extracting(0..<lineEnd + 1).append(to: &octets)
            } else if !requestLineArrived(source, lineEnd) {
                return .malformed
            }
            index = lineEnd + 1
        }
        var hasField = false
        while index < source.count {
            if source[index] == 0x0A { return sectionEnded(at: index + 1) }
            if source[index] == 0x0D {
                guard index + 1 < source.count else { return .incomplete }
                return source[index + 1] == 0x0A ? sectionEnded(at: index + 2) : .malformed
            }
            let lineEnd = source.firstIndex(of: 0x0A, from: index, to: source.count)
            guard lineEnd < source.count else { return .incomplete }
            guard fieldLineArrived(source, index..<lineEnd, continues: hasField) else { return .malformed }
            hasField = true
            index = lineEnd + 1
        }
        return .incomplete
    }

    private mutating func sectionEnded(at end: Int) -> Outcome {
        endLine()
        return .complete(end: end)
    }

    private mutating func endLine() {
        octets.append(0x0D)
        octets.append(0x0A)
    }

    /// Takes a request line of three words; white space and CRs part them, and may follow, but not precede them.
    private mutating func requestLineArrived(_ source: Span<UInt8>, _ lineEnd: Int) -> Bool {
        var words = 0
        var index = 0
        while index < lineEnd {
            if source[index].isBlankOrCR {
                guard words > 0 else { return false }
                index += 1
                continue
            }
            var end = index
            while end < lineEnd, !source[end].isBlankOrCR {
                guard source[end] > 0x20, source[end] != 0x7F else { return false }
                end += 1
            }
            if words == 0 { guard source.isMethodInUse(index..<end) else { return false } }
            if words > 0 { octets.append(0x20) }
            source.extracting(index..<end).append(to: &octets)
            words += 1
            index = end
        }
        endLine()
        return words == 3
    }

    /// Takes a field line, or one that continues the line before; `false` when it is neither.
    private mutating func fieldLineArrived(_ source: Span<UInt8>, _ line: Range<Int>, continues: Bool) -> Bool {
        if source[line.lowerBound] == 0x20 || source[line.lowerBound] == 0x09 {
            guard continues else { return false }
            octets.removeLast(2)
            return valueArrived(source, line, replacingCR: frames)
        }
        let colon = source.firstIndex(of: 0x3A, from: line.lowerBound, to: line.upperBound)
        let name = line.lowerBound..<colon
        guard colon < line.upperBound, !name.isEmpty, source.isToken(name) else { return false }
        source.extracting(line.lowerBound..<colon + 1).append(to: &octets)
        // Envoy drops the CR after it has framed the message: `chun<CR>ked` frames nothing, and no number is `1<CR>2`.
        frames =
            source.equalsIgnoringCase(name, "transfer-encoding") || source.equalsIgnoringCase(name, "content-length")
        return valueArrived(source, colon + 1..<line.upperBound, replacingCR: frames)
    }

    /// Adds the octets of a value; `false` where a control octet stands among them that Envoy refuses.
    private mutating func valueArrived(_ source: Span<UInt8>, _ value: Range<Int>, replacingCR: Bool) -> Bool {
        for index in value {
            let octet = source[index]
            if octet == 0x0D {
                if replacingCR { octets.append(0x20) }
                continue
            }
            guard octet >= 0x20 && octet != 0x7F || octet == 0x09 else { return false }
            octets.append(octet)
        }
        endLine()
        return true
    }
}

extension HeadParser {
    /// Parses a request's head that is malformed by the letter, as Envoy reads it (``HeadRewriting``).
    ///
    /// Only where a head must begin: among octets of unknown meaning the strict form is asked for, because content that quotes
    /// HTTP has the loose one too. Only methods in use are believed; Envoy refuses others.
    mutating func parseLoosely(_ octets: Span<UInt8>) -> Outcome {
        guard rewritesHeads else { return .malformed(.startLine) }
        return parseRewritten(octets, .loose, as: .request)
    }

    /// Writes the head anew and parses that.
    mutating func parseRewritten(
        _ octets: Span<UInt8>,
        _ startLine: HeadRewriting.StartLine,
        as kind: MessageKind
    ) -> Outcome {
        switch rewriting.rewrite(octets, startLine) {
        case .incomplete: return .incomplete
        case .malformed: return .malformed(.startLine)
        case .complete(let end):
            let text = rewriting.octets
            let outcome = parseLines(text.span, as: kind)
            guard case .complete = outcome else { return outcome }
            rewritten(to: text.count, from: end)
            return .complete
        }
    }

    /// Parses a trailer section from `start` on, which Envoy reads as it does the field lines of a request's head.
    mutating func parseTrailers(_ octets: Span<UInt8>, from start: Int, as kind: MessageKind) -> SectionOutcome {
        let outcome = parseFieldLines(octets, from: start)
        switch outcome {
        case .complete: guard hasFoldedLine, rewritesHeads else { return outcome }
        case .malformed: guard kind == .request, rewritesHeads else { return outcome }
        case .incomplete: return outcome
        }
        switch rewriting.rewrite(octets.extracting(start...), .none) {
        case .incomplete: return .incomplete
        case .malformed: return outcome
        case .complete(let end):
            let text = rewriting.octets
            guard case .complete = parseFieldLines(text.span, from: 0) else { return outcome }
            sectionRewritten()
            return .complete(end: start + end)
        }
    }
}

extension Span where Element == UInt8 {
    /// Whether the octets, which hold no whole line, could become a request line that ``HeadRewriting`` takes.
    var mayBeLooseRequestLine: Bool {
        var end = 0
        while end < Swift.min(count, 32), self[end].isTokenOctet { end += 1 }
        return end > 0 && end < count && self[end].isBlankOrCR && isMethodInUse(0..<end)
    }
}

extension UInt8 {
    /// SP, HTAB or CR: what Envoy parts the words of a start line by.
    @inline(__always)
    fileprivate var isBlankOrCR: Bool { self == 0x20 || self == 0x09 || self == 0x0D }
}
