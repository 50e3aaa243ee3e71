// Wingmirror · Apache-2.0
// Finding the messages of a stream again after a hole: decision 8.

internal import TrafficModel

/// A head that was found in octets of unknown meaning.
struct FoundHead {
    let index: Int
    /// Whether the whole head is there; otherwise the octets end inside it.
    let isComplete: Bool
    /// Where only what comes next can tell a request from a quoted one, how many octets lie between: content of the request,
    /// or of the last of those that follow it; -1 where they end inside the head of that one.
    var missingOctets: Int64?
}

/// Whether the octets behind a head agree with it.
enum Succession {
    /// The message ends at the end of the octets, or another begins directly behind it.
    case confirmed
    /// The message reaches beyond the octets.
    case unknown
    /// Something stands where the next message would begin: the "head" was quoted.
    case contradicted
}

/// How far octets are one request after another.
enum RequestsInARow {
    /// They end where the last one does, or so many octets before that, in its content.
    case whole(missing: Int64)
    /// They end inside the head of one.
    case partial
    /// They end inside one that says nowhere where it ends, or there are very many.
    case unbounded
    /// Something else stands among them.
    case interrupted
}

/// Methods that clients send beside those of ``RequestMethod``: the IANA's registry, and what caches and UPnP add.
private let methodsInUse: [StaticString] = [
    "ACL", "BASELINE-CONTROL", "BIND", "CHECKIN", "CHECKOUT", "COPY", "LABEL", "LINK", "LOCK", "MERGE", "MKACTIVITY",
    "MKCALENDAR", "MKCOL", "MKREDIRECTREF", "MKWORKSPACE", "MOVE", "ORDERPATCH", "PROPFIND", "PROPPATCH", "REBIND",
    "REPORT", "SEARCH", "UNBIND", "UNCHECKOUT", "UNLINK", "UNLOCK", "UPDATE", "UPDATEREDIRECTREF", "VERSION-CONTROL",
    "BAN", "M-SEARCH", "NOTIFY", "PURGE", "SUBSCRIBE", "UNSUBSCRIBE",
]

extension MessageHead {
    /// Whether the head is one that a client or server would send, and not only well-formed.
    ///
    /// A request names its host, but for the first octets seen of a connection a method that is known says enough: they
    /// are unlikely to be the middle of something else.
    func isTrustworthy(atStreamStart startsStream: Bool) -> Bool {
        if contentLength == .invalid || contentLength == .conflicting { return false }
        return kind == .response || host != nil || startsStream && knownMethod != .other
    }
}

extension Span where Element == UInt8 {
    /// The first head in the octets from `start` on that can be trusted.
    ///
    /// A head at the start of a segment is believed unless what follows contradicts it. Inside a segment more is asked
    /// for, because bodies quote HTTP: the head follows an empty line, a response one that ends chunked content, and it
    /// must be confirmed by what follows it.
    func findHead(
        _ kind: MessageKind,
        from start: Int,
        startsSegment: Bool,
        startsStream: Bool = false,
        parser: inout HeadParser
    ) -> FoundHead? {
        if startsSegment,
            let found = head(kind, at: start, isSegmentStart: true, isStreamStart: startsStream, parser: &parser)
        {
            return found
        }
        var index = start
        while true {
            let lineFeed = firstIndex(of: 0x0A, from: index, to: count)
            guard lineFeed < count else { return nil }
            index = lineFeed + 1
            guard index < count else { return nil }
            if self[index] == 0x0A {
                index += 1
            } else if self[index] == 0x0D, index + 1 < count, self[index + 1] == 0x0A {
                index += 2
            } else {
                continue
            }
            // The lookahead is cheap, so that bodies with many empty lines cost little.
            guard index < count, kind == .request ? self[index].isTokenOctet : self[index] == 0x48 else { continue }
            guard kind == .request || endsChunkedContent(before: index) else { continue }
            if let found = head(kind, at: index, isSegmentStart: false, isStreamStart: false, parser: &parser) {
                return found
            }
        }
    }

    /// Whether the octets, which start a segment, begin with a request whose head is whole.
    func beginsWithRequest(_ parser: inout HeadParser) -> Bool {
        guard let found = head(.request, at: 0, isSegmentStart: true, isStreamStart: false, parser: &parser) else {
            return false
        }
        return found.isComplete
    }

    /// The head at `index`, if there is one that can be trusted.
    private func head(
        _ kind: MessageKind,
        at index: Int,
        isSegmentStart: Bool,
        isStreamStart: Bool,
        parser: inout HeadParser
    ) -> FoundHead? {
        let rest = extracting(index...)
        switch parser.parse(rest, as: kind) {
        case .malformed: return nil
        case .incomplete:
            // Enough of the start line must be there to tell it from other text.
            return rest.beginsStartLine(kind) ? FoundHead(index: index, isComplete: false) : nil
        case .complete:
            guard parser.head.isTrustworthy(atStreamStart: isStreamStart) else { return nil }
            guard kind == .response || isPlausibleMethod(parser.head, at: index) else {
                return headBehindContent(parser.head, at: index, parser: &parser)
            }
            switch rest.mayFollow(parser.head, at: parser.head.length) {
            case .contradicted: return nil
            case .unknown where !isSegmentStart && kind == .response: return nil
            case .confirmed where kind == .request:
                switch rest.requestsInARow(&parser) {
                case .interrupted: return nil
                case .unbounded: return FoundHead(index: index, isComplete: true)
                case .partial: return FoundHead(index: index, isComplete: true, missingOctets: -1)
                case .whole(let missing): return FoundHead(index: index, isComplete: true, missingOctets: missing)
                }
            case .unknown where kind == .request:
                let missing = rest.octetsMissing(ofRequest: parser.head, at: parser.head.length)
                return FoundHead(index: index, isComplete: true, missingOctets: missing)
            case .unknown, .confirmed: return FoundHead(index: index, isComplete: true)
            }
        }
    }

    /// Whether the method of a head at `index` is one that somebody sends, and not the rest of content in front of a method.
    ///
    /// Content of letters alone runs into the request behind it without a break, so that `xxxxGET` is a token; and where the
    /// octets before are missing, `EAD` is what is left of `HEAD`. So only methods that are in use are believed.
    func isPlausibleMethod(_ head: MessageHead, at index: Int) -> Bool {
        guard head.knownMethod == .other else { return true }
        let start = index + head.method.range.lowerBound
        return isMethodInUse(start..<start + head.method.range.count)
    }

    /// Whether `range` is a method that clients send.
    func isMethodInUse(_ range: Range<Int>) -> Bool {
        if RequestMethod(self, range) != .other { return true }
        let (start, length) = (range.lowerBound, range.count)
        return methodsInUse.contains { $0.utf8CodeUnitCount == length && agrees(with: $0, at: start) }
    }

    /// The head that begins inside what was taken for a method, if the octets from there on are whole requests.
    ///
    /// Once the beginning of a body is lost, its rest may stand directly in front of the next request, as clients that
    /// pipeline send it; at the start of a segment, or behind the rest of the body's own head. It must be confirmed to the
    /// end of the octets, wherever it stands.
    private func headBehindContent(_ head: MessageHead, at index: Int, parser: inout HeadParser) -> FoundHead? {
        let end = index + head.method.range.upperBound
        // The longest method that is known has seven octets.
        for start in Swift.max(index + 1, end - 7)..<end where RequestMethod(self, start..<end) != .other {
            guard
                let found = self.head(
                    .request,
                    at: start,
                    isSegmentStart: false,
                    isStreamStart: false,
                    parser: &parser
                ),
                found.isComplete, extracting(start...).mayFollow(parser.head, at: parser.head.length) == .confirmed
            else { return nil }
            return found
        }
        return nil
    }

    /// How far the octets are one request after another; the parser holds the first, unless they are interrupted.
    ///
    /// Content may quote several requests in a row, so that each seems to confirm the one before: what stands behind the
    /// last of them tells.
    func requestsInARow(_ parser: inout HeadParser) -> RequestsInARow {
        var index = 0
        var outcome = RequestsInARow.whole(missing: 0)
        for _ in 0..<16 where index < count {
            let rest = extracting(index...)
            switch parser.parse(rest, as: .request) {
            case .malformed: return .interrupted
            case .incomplete:
                guard rest.beginsStartLine(.request) else { return .interrupted }
                (index, outcome) = (count, .partial)
            case .complete:
                let headEnd = index + parser.head.length
                let missing = octetsMissing(ofRequest: parser.head, at: headEnd)
                if missing == nil, case .octets(let length) = parser.head.requestFraming {
                    index = headEnd + Int(length)
                } else if missing == nil, parser.head.requestFraming == .none {
                    index = headEnd
                } else {
                    index = count
                    outcome = missing.map { .whole(missing: $0) } ?? .unbounded
                }
            }
        }
        _ = parser.parse(self, as: .request)
        return index < count ? .unbounded : outcome
    }

    /// How many octets of a request, whose head ends at `headEnd`, lie behind the end of these; `nil` where it ends before
    /// that, or its framing does not say.
    func octetsMissing(ofRequest head: MessageHead, at headEnd: Int) -> Int64? {
        let content: Int64
        switch head.requestFraming {
        case .none: content = 0
        case .octets(let length): content = length
        case .chunked, .untilClose, .unknown: return nil
        }
        let here = Int64(count - headEnd)
        return content >= here ? content - here : nil
    }

    /// Whether the octets before `index` are the end of a chunked message without trailers: `CRLF 0 CRLF CRLF`.
    private func endsChunkedContent(before index: Int) -> Bool {
        let ending: StaticString = "\r\n0\r\n\r\n"
        let begin = index - ending.utf8CodeUnitCount
        return begin >= 0 && agrees(with: ending, at: begin)
    }

    /// Whether the octets are the beginning of a start line beyond doubt: a version, or a method and a target.
    func beginsStartLine(_ kind: MessageKind) -> Bool {
        switch kind {
        case .response:
            return count > 12 && HeadParser.mayBeStartLine(self, as: .response)
        case .request:
            let methodEnd = firstIndex(of: 0x20, from: 0, to: Swift.min(count, 16))
            guard methodEnd > 2, methodEnd + 1 < count else { return false }
            return RequestMethod(self, 0..<methodEnd) != .other
                && (self[methodEnd + 1] == 0x2F || self[methodEnd + 1] == 0x68)
        }
    }

    /// Whether the octets after `head`, which ends at `end`, are what the head announces.
    func mayFollow(_ head: MessageHead, at end: Int) -> Succession {
        let boundaries: [Int]
        switch head.kind == .request ? head.requestFraming : head.responseFraming(to: .other) {
        case .chunked: return mayBeChunkSize(at: end, of: head.kind)
        case .untilClose, .unknown: return .unknown
        case .none: boundaries = [end]
        case .octets(let length):
            let contentEnd = length > Int64(count) ? Int.max : end + Int(length)
            // The answer to HEAD has the length of what GET would have got.
            boundaries = head.kind == .response ? [contentEnd, end] : [contentEnd]
        }
        if boundaries.contains(count) { return .confirmed }
        if boundaries.contains(where: { $0 < count && mayBeginMessage(head.kind, at: $0) }) { return .confirmed }
        return boundaries.contains { $0 > count } ? .unknown : .contradicted
    }

    private func mayBeginMessage(_ kind: MessageKind, at index: Int) -> Bool {
        let rest = extracting(index...)
        return HeadParser.mayBeStartLine(rest, as: kind) && (kind == .response || rest.beginsStartLine(.request))
    }

    private func mayBeChunkSize(at index: Int, of kind: MessageKind) -> Succession {
        guard index < count else { return .unknown }
        var line = ChunkSizeLine()
        var size: Int64 = 0
        for position in index..<count {
            switch line.take(self[position], of: kind, into: &size) {
            case .more: continue
            case .malformed: return .contradicted
            case .size: return .confirmed
            }
        }
        return .unknown
    }
}
