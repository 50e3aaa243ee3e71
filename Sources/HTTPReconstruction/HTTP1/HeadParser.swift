// Wingmirror · Apache-2.0
// Message heads of HTTP/1.x: RFC 9112 §2 to §5.

internal import TrafficModel

/// Parses heads of HTTP/1.x messages; owned by one thread, so that the list of field lines is made once.
///
/// What is accepted is what Envoy takes, and no more: CRLF or LF ends a line, a line may be folded (RFC 9112 §5.2), names
/// are tokens directly followed by a colon, and no control octet stands anywhere but HTAB in a value. A head with folded
/// lines is written anew (``HeadRewriting``), and so is one that only ``parseLoosely(_:)`` takes: ranges then lie in ``text``.
struct HeadParser: ~Copyable {
    /// What the latest head said; meaningful after `.complete`.
    private(set) var head = MessageHead()
    /// The field lines of the latest head, or of the latest trailer section.
    private var lines = PlainList<FieldLine>(capacity: 64)
    /// How many field lines there are.
    var fieldCount: Int { lines.count }
    /// Whether the ranges of the latest head, or of the latest trailer section, lie in ``text``.
    private(set) var isRewritten = false
    /// What the latest head was written to.
    var text: [UInt8] { rewriting.octets }
    var rewriting = HeadRewriting()
    /// Whether a line of the latest head, or of the latest trailer section, continues the one before.
    private(set) var hasFoldedLine = false
    /// Whether heads may be written anew; otherwise ranges lie in the octets, and folded values hold line ends.
    let rewritesHeads: Bool

    enum Outcome {
        case complete
        case incomplete
        case malformed(ParseFailure)
    }

    /// A parser that writes heads anew where it must, unless its caller needs ranges in the octets.
    init(rewritesHeads: Bool = true) {
        self.rewritesHeads = rewritesHeads
    }

    /// The field lines of the latest head, or of the latest trailer section.
    var fields: Span<FieldLine> {
        @_lifetime(borrow self)
        get { lines.span }
    }

    /// Parses the head that begins with the first octet.
    ///
    /// Cost is one pass over the head, so a head that comes in many pieces is searched for its end first
    /// (``HeadBuffer``) and parsed once.
    mutating func parse(_ octets: Span<UInt8>, as kind: MessageKind) -> Outcome {
        let outcome = parseLines(octets, as: kind)
        guard _slowPath(hasFoldedLine), rewritesHeads, case .complete = outcome else { return outcome }
        return parseRewritten(octets, .asSent, as: kind)
    }

    /// Parses the head that begins with the first octet, line by line.
    mutating func parseLines(_ octets: Span<UInt8>, as kind: MessageKind) -> Outcome {
        hasFoldedLine = false
        let lineEnd = octets.indexOfControl(from: 0)
        var next = 0
        switch Self.endOfLine(octets, at: lineEnd) {
        case .incomplete:
            return Self.mayBeStartLine(octets, as: kind) ? .incomplete : .malformed(.startLine)
        case .malformed: return .malformed(Self.mayBeStartLine(octets, as: kind) ? .controlOctet : .startLine)
        case .next(let start): next = start
        }
        head = MessageHead()
        switch kind {
        case .request: guard parseRequestLine(octets, to: lineEnd) else { return .malformed(.startLine) }
        case .response: guard parseStatusLine(octets, to: lineEnd) else { return .malformed(.startLine) }
        }
        switch parseFieldLines(octets, from: next) {
        case .complete(let end):
            head.length = end
            head.textLength = end
            head.interpret(lines, in: octets)
            return .complete
        case .incomplete: return .incomplete
        case .malformed(let failure): return .malformed(failure)
        }
    }

    /// The head was written anew: `length` octets have become `textLength`.
    mutating func rewritten(to textLength: Int, from length: Int) {
        head.length = length
        head.textLength = textLength
        isRewritten = true
    }

    /// The field lines of the trailer section were written anew.
    mutating func sectionRewritten() { isRewritten = true }

    /// Parses a request of HTTP/0.9, `GET SP request-target`, followed by an empty line.
    ///
    /// So little tells it from other text that only the first octets of a connection can be one, only a path is taken for
    /// a target, no line end but CRLF, and the empty line that clients of our century send is asked for.
    mutating func parseSimpleRequest(_ octets: Span<UInt8>) -> Outcome {
        let lineEnd = octets.indexOfControl(from: 0)
        guard case .next(let next) = Self.endOfLine(octets, at: lineEnd), octets[lineEnd] == 0x0D, lineEnd > 4,
            octets.agrees(with: "GET /", at: 0), octets.firstIndex(of: 0x20, from: 4, to: lineEnd) == lineEnd,
            octets.agrees(with: "\r\n", at: next)
        else { return .malformed(.startLine) }
        guard next + 2 <= octets.count else { return .incomplete }
        lines.removeAll()
        isRewritten = false
        head = MessageHead()
        head.length = next + 2
        head.textLength = next + 2
        head.version = .http09
        head.method = OctetRange(0..<3)
        head.knownMethod = .get
        head.target = OctetRange(4..<lineEnd)
        return .complete
    }

    enum SectionOutcome {
        /// All lines were read; what follows begins here.
        case complete(end: Int)
        case incomplete
        case malformed(ParseFailure)
    }

    /// Parses field lines from `start` up to and with the empty line that ends them: a field section, or trailers.
    mutating func parseFieldLines(_ octets: Span<UInt8>, from start: Int) -> SectionOutcome {
        lines.removeAll()
        hasFoldedLine = false
        isRewritten = false
        var lineStart = start
        while true {
            lineStart = octets.readPlainLines(from: lineStart, into: &lines)
            if lineStart < octets.count, octets[lineStart] == 0x0D || octets[lineStart] == 0x0A {
                return switch Self.endOfLine(octets, at: lineStart) {
                case .incomplete: .incomplete
                case .malformed: .malformed(.controlOctet)
                case .next(let end): .complete(end: end)
                }
            }
            let lineEnd = octets.indexOfControl(from: lineStart)
            let next: Int
            switch Self.endOfLine(octets, at: lineEnd) {
            case .incomplete: return .incomplete
            case .malformed: return .malformed(.controlOctet)
            case .next(let start): next = start
            }
            guard uncommonLineArrived(octets, lineStart..<lineEnd) else { return .malformed(.fieldLine) }
            lineStart = next
        }
    }

    /// Takes a line that is folded, or differs from most in another way; `false` when it is no field line.
    private mutating func uncommonLineArrived(_ octets: Span<UInt8>, _ line: Range<Int>) -> Bool {
        let first = octets[line.lowerBound]
        if first == 0x20 || first == 0x09 {
            guard fieldCount > 0 else { return false }
            hasFoldedLine = true
            let folded = lines.last
            let end = Self.trimmed(octets, line).upperBound
            lines.last = FieldLine(name: folded.name, value: folded.value.lowerBound..<end)
            return true
        }
        let colon = octets.firstIndex(of: 0x3A, from: line.lowerBound, to: line.upperBound)
        guard colon < line.upperBound, colon > line.lowerBound, octets.isToken(line.lowerBound..<colon) else {
            return false
        }
        let value = Self.trimmed(octets, colon + 1..<line.upperBound)
        lines.append(FieldLine(name: line.lowerBound..<colon, value: value))
        return true
    }

    // MARK: - Lines

    private enum LineEnd {
        case next(Int)
        case incomplete
        case malformed
    }

    /// What the control octet at `index` is: a line end, or something that must not be there.
    @inline(__always)
    private static func endOfLine(_ octets: Span<UInt8>, at index: Int) -> LineEnd {
        guard index < octets.count else { return .incomplete }
        if octets[index] == 0x0A { return .next(index &+ 1) }
        guard octets[index] == 0x0D else { return .malformed }
        guard index &+ 1 < octets.count else { return .incomplete }
        return octets[index &+ 1] == 0x0A ? .next(index &+ 2) : .malformed
    }

    /// `range` without the white space at both ends (OWS, RFC 9110 §5.6.3).
    @inline(__always)
    private static func trimmed(_ octets: Span<UInt8>, _ range: Range<Int>) -> Range<Int> {
        var start = range.lowerBound
        var end = range.upperBound
        while start < end, octets[start].isBlank { start &+= 1 }
        while end > start, octets[end &- 1].isBlank { end &-= 1 }
        return start..<end
    }

    // MARK: - Start lines

    /// The longest method that is believed while the rest of its line has not come.
    private static let methodLimit = 64

    /// Whether the octets, which hold no whole line, could still become one.
    static func mayBeStartLine(_ octets: Span<UInt8>, as kind: MessageKind) -> Bool {
        switch kind {
        case .response:
            let version: StaticString = "HTTP/1."
            return octets.agrees(with: version, at: 0)
        case .request:
            let end = min(octets.count, methodLimit + 1)
            let space = octets.firstIndex(of: 0x20, from: 0, to: end)
            return space > 0 && space <= methodLimit && octets.isToken(0..<space) || octets.count == 0
        }
    }

    /// `method SP request-target SP HTTP-version` (RFC 9112 §3), ending at `end`.
    private mutating func parseRequestLine(_ octets: Span<UInt8>, to end: Int) -> Bool {
        let methodEnd = octets.firstIndex(of: 0x20, from: 0, to: end)
        guard methodEnd > 0 else { return false }
        let method = RequestMethod(octets, 0..<methodEnd)
        guard method != .other || octets.isToken(0..<methodEnd) else { return false }
        // The version is where the line ends; what lies between is the target, if there is no white space in it.
        let targetEnd = end - 9
        guard targetEnd > methodEnd + 1, octets[targetEnd] == 0x20,
            let version = Self.version(octets, at: targetEnd + 1),
            octets.indexOfBlank(from: methodEnd + 1) == targetEnd
        else { return false }
        head.kind = .request
        head.version = version
        head.method = OctetRange(0..<methodEnd)
        head.knownMethod = method
        head.target = OctetRange(methodEnd + 1..<targetEnd)
        return true
    }

    /// `HTTP-version SP status-code [ SP reason-phrase ]` (RFC 9112 §4), ending at `end`.
    private mutating func parseStatusLine(_ octets: Span<UInt8>, to end: Int) -> Bool {
        guard end >= 12, let version = Self.version(octets, at: 0), octets[8] == 0x20, end == 12 || octets[12] == 0x20,
            octets[9].isDigit, octets[10].isDigit, octets[11].isDigit
        else { return false }
        let status = Int(octets[9] &- 0x30) * 100 + Int(octets[10] &- 0x30) * 10 + Int(octets[11] &- 0x30)
        guard status >= 100 else { return false }
        head.kind = .response
        head.version = version
        head.status = status
        return true
    }

    /// The version that the eight octets at `index` name.
    @inline(__always)
    private static func version(_ octets: Span<UInt8>, at index: Int) -> HTTPVersion? {
        switch octets.word(at: index) {
        case 0x312E_312F_5054_5448: .http11
        case 0x302E_312F_5054_5448: .http10
        default: nil
        }
    }
}

extension Span where Element == UInt8 {
    /// Whether the octets from `index` are `text`, as far as there are octets; case matters.
    @inline(__always)
    func agrees(with text: StaticString, at index: Int) -> Bool {
        let compared = Swift.min(text.utf8CodeUnitCount, count - index)
        for offset in 0..<compared where self[index + offset] != text.octet(at: offset) { return false }
        return true
    }
}

extension RequestMethod {
    /// The method that `range` names; case matters (RFC 9110 §9.1).
    @inline(__always)
    init(_ octets: Span<UInt8>, _ range: Range<Int>) {
        guard range.count <= 7 else {
            self = .other
            return
        }
        let outside = UInt64((8 &- range.count) &* 8)
        // The octets of the known methods, the first in the lowest bits.
        switch (octets.loadedWord(at: range.lowerBound, count: range.count) &<< outside) &>> outside {
        case 0x54_4547: self = .get
        case 0x4441_4548: self = .head
        case 0x5453_4F50: self = .post
        case 0x54_5550: self = .put
        case 0x4554_454C_4544: self = .delete
        case 0x54_4345_4E4E_4F43: self = .connect
        case 0x53_4E4F_4954_504F: self = .options
        case 0x45_4341_5254: self = .trace
        case 0x48_4354_4150: self = .patch
        case 0x59_5245_5551: self = .query
        default: self = .other
        }
    }
}
