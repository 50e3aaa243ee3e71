// Wingmirror · Apache-2.0
// Finding the messages of a stream again after a hole: design.md, deliberate choices, "Resync".

internal import TrafficModel

/// A head that was found in octets of unknown meaning.
struct FoundHead {
    let index: Int
    /// Whether the whole head is there; otherwise the octets end inside it.
    let isComplete: Bool
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
            case .confirmed where kind == .request && !rest.holdsOnlyRequests(&parser): return nil
            case .unknown, .confirmed: return FoundHead(index: index, isComplete: true)
            }
        }
    }

    /// Whether the method of a head at `index` is one that somebody sends, and not the rest of content in front of a method.
    ///
    /// Content of letters alone runs into the request behind it without a break, so that `xxxxGET` is a token. Methods that
    /// are not known are believed only as they are registered: short, in capitals, and not ending as a known one.
    func isPlausibleMethod(_ head: MessageHead, at index: Int) -> Bool {
        guard head.knownMethod == .other else { return true }
        let start = index + head.method.range.lowerBound
        let end = index + head.method.range.upperBound
        guard (3...24).contains(end - start) else { return false }
        for position in start..<end where self[position] &- 0x41 > 25 && self[position] != 0x2D { return false }
        for suffix in start + 1..<end where RequestMethod(self, suffix..<end) != .other { return false }
        return true
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

    /// Whether the octets are one request after another, as far as they reach; the parser then holds the first.
    ///
    /// Content may quote several requests in a row, so that each seems to confirm the one before: what stands behind the
    /// last of them tells.
    private func holdsOnlyRequests(_ parser: inout HeadParser) -> Bool {
        var index = 0
        for _ in 0..<16 where index < count {
            let rest = extracting(index...)
            switch parser.parse(rest, as: .request) {
            case .malformed: return false
            case .incomplete:
                guard rest.beginsStartLine(.request) else { return false }
                index = count
            case .complete:
                switch parser.head.requestFraming {
                case .none: index += parser.head.length
                case .octets(let length):
                    let end = Int64(index + parser.head.length).addingReportingOverflow(length)
                    index = end.overflow || end.partialValue >= Int64(count) ? count : Int(end.partialValue)
                case .chunked, .untilClose, .unknown: index = count
                }
            }
        }
        _ = parser.parse(self, as: .request)
        return true
    }

    /// Whether the octets before `index` are the end of a chunked message without trailers: `CRLF 0 CRLF CRLF`.
    private func endsChunkedContent(before index: Int) -> Bool {
        let ending: StaticString = "\r\n0\r\n\r\n"
        let begin = index - ending.utf8CodeUnitCount
        return begin >= 0 && agrees(with: ending, at: begin)
    }

    /// Whether the octets are the beginning of a start line beyond doubt: a version, or a method and a target.
    private func beginsStartLine(_ kind: MessageKind) -> Bool {
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
        case .chunked: return mayBeChunkSize(at: end)
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

    private func mayBeChunkSize(at index: Int) -> Succession {
        guard index < count else { return .unknown }
        var line = ChunkSizeLine()
        var size: Int64 = 0
        for position in index..<count {
            switch line.take(self[position], into: &size) {
            case .more: continue
            case .malformed: return .contradicted
            case .size: return .confirmed
            }
        }
        return .unknown
    }
}
