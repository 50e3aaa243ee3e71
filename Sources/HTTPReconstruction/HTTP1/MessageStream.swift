// Wingmirror · Apache-2.0
// Message framing: RFC 9112 §6 and §7; what to do about it when octets are missing: decision 8.

internal import PacketDecoding
internal import TCPReassembly
internal import TrafficModel

/// Where a message begins in its stream, and what its first segment proves about the other one.
struct MessageStart {
    /// Stream offset of the first octet.
    var offset: Int64 = 0
    var time = PacketTime(nanoseconds: 0)
    /// How far the segment acknowledges the other stream.
    var acknowledged: Int64? { known.offset }

    private var known = OptionalOffset()

    /// Nothing is known yet.
    init() {}

    /// A message begins with an octet of a segment.
    init(offset: Int64, time: PacketTime, acknowledged: Int64?) {
        self.offset = offset
        self.time = time
        known = OptionalOffset(acknowledged)
    }
}

/// An offset in a stream that may not be known, in eight octets, because every idle connection keeps some.
struct OptionalOffset: Hashable {
    /// Offsets begin near 0 and grow by what is captured, so that none comes near the number that stands for none.
    private let number: Int64

    init(_ offset: Int64? = nil) {
        number = offset ?? .min
    }

    /// The offset; `nil` where it is not known.
    @inline(__always)
    var offset: Int64? { number == .min ? nil : number }
}

/// The messages of one direction of a connection.
///
/// The stream is fed octets as they arrive and holes as they become final, and answers with steps: a head, content, the
/// end of a message. Content is counted and skipped by arithmetic; only a head that arrives in pieces is copied. Whether
/// a head has content, and of which length, is decided by the caller (``begin(_:)``), because for a response that depends
/// on the request.
struct MessageStream {
    /// Where the message in progress, or the latest one, began.
    private(set) var start = MessageStart()
    /// Content octets of the message in progress, without transfer coding.
    private(set) var contentOctets: Int64 = 0
    /// Octets of fixed content, of the chunk, or of doubtful requests, that have not come (-1 where they end inside a head);
    /// in a chunk size line, the size as far as it was read; while lost, how far of the other stream the sender had received, who has received more when it
    /// begins a message, or -1.
    private var remaining: Int64 = 0
    private(set) var buffer = HeadBuffer()
    private(set) var state: State
    private var chunkSizeLine = ChunkSizeLine()
    private var looks = LookLimit()
    /// Whether doubtful requests were not judged by all that has come of them.
    private var isUnjudged = false
    private let kind: MessageKind

    /// What the next octets are.
    enum State: UInt8 {
        /// A head, or empty lines before it. May follow any state but `switched`.
        case head
        /// Content of a known length; then `head`.
        case content
        /// A chunk size line; then `chunkData` or `trailers`.
        case chunkSize
        /// Data of a chunk; then `chunkEnd`.
        case chunkData
        /// The line end after chunk data; then `chunkSize`.
        case chunkEnd
        /// The trailer section; then `head`.
        case trailers
        /// Content that ends with the stream.
        case untilClose
        /// Unknown until the other side has answered an upgrade or CONNECT; then `head` or `switched`.
        case held
        /// Something other than HTTP, to the end of the stream.
        case switched
        /// Unknown since a hole or an error; `head` when a head is found that can be trusted.
        case lost
        /// The rest of a head that was found while lost, and is not complete yet; then `head`, `doubtful` or `lost`.
        case candidate
        /// The rest of requests that were found while lost, which may be quoted in content: they are kept until what follows
        /// them tells; then `head` or `lost`.
        case doubtful
    }

    /// What the octets were found to be, and up to which index they were taken.
    enum Step {
        /// Framing octets, or a part of a head, were taken; there is nothing to tell.
        case advanced(next: Int)
        /// A head is complete: it lies in the octets at `base`, or in ``buffer``. Call ``begin(_:)`` next.
        case head(HeadPlace, next: Int)
        /// Content octets; `messageEnds` when they were the last.
        case content(Range<Int>, messageEnds: Bool, next: Int)
        /// The message in progress is complete, with so many trailer fields, whose section lies in the octets, as the
        /// parser's field lines say, or in ``buffer``. Call ``takeSection()`` in that case.
        case end(trailers: Int, HeadPlace, next: Int)
        /// The stream can no longer be read; it is lost until a head is found.
        case malformed(ParseFailure, next: Int)
        /// Octets of no known meaning, all the rest.
        case skipped(count: Int)
    }

    enum HeadPlace {
        case octets(base: Int)
        case buffer
    }

    init(_ kind: MessageKind, state: State) {
        self.kind = kind
        self.state = state
        remaining = state == .lost ? -1 : 0
    }

    /// Whether a message has begun and is not complete.
    var isInsideMessage: Bool {
        switch state {
        case .content, .chunkSize, .chunkData, .chunkEnd, .trailers, .untilClose: true
        case .head, .held, .switched, .lost, .candidate, .doubtful: false
        }
    }

    /// Whether nothing has come of the message in progress but its head.
    var isAtContentStart: Bool {
        contentOctets == 0
            && (state == .content || state == .untilClose || state == .chunkSize && chunkSizeLine.isEmpty)
    }

    /// Octets of content that come next as framing has it; 0 where something else does, or where that is not known.
    var contentAhead: Int64 {
        state == .content || state == .chunkData ? remaining : 0
    }

    /// Whether the line of a chunk comes next, or behind the data of the chunk at hand.
    var chunkMayFollow: Bool { state == .chunkData || state == .chunkSize && chunkSizeLine.isEmpty }

    /// Whether a part of a head has come.
    var holdsPartialHead: Bool {
        (state == .head || state == .candidate) && !buffer.isEmpty
    }

    // MARK: - Octets

    /// Takes octets from `index` on, up to the next thing worth telling; a head may have `headLimit` octets.
    mutating func next(
        _ octets: Span<UInt8>,
        from index: Int,
        at position: StreamPosition,
        parser: inout HeadParser,
        headLimit: Int
    ) -> Step {
        switch state {
        case .head:
            return takeHead(octets, from: index, at: position, parser: &parser, headLimit: headLimit)
        case .content:
            let content = takeContent(octets, from: index)
            return .content(content, messageEnds: state == .head, next: content.upperBound)
        case .chunkSize, .chunkEnd:
            return takeChunkLine(octets, from: index)
        case .chunkData:
            let taken = Int(min(remaining, Int64(octets.count - index)))
            remaining -= Int64(taken)
            contentOctets += Int64(taken)
            if remaining == 0 { state = .chunkEnd }
            return .content(index..<index + taken, messageEnds: false, next: index + taken)
        case .trailers:
            return takeTrailers(octets, from: index, parser: &parser, headLimit: headLimit)
        case .untilClose:
            contentOctets += Int64(octets.count - index)
            return .content(index..<octets.count, messageEnds: false, next: octets.count)
        case .held:
            return hold(octets, from: index, at: position, headLimit: headLimit)
        case .switched:
            return .skipped(count: octets.count - index)
        case .lost, .candidate, .doubtful:
            return search(octets, from: index, at: position, parser: &parser, headLimit: headLimit)
        }
    }

    /// Takes a head that begins at `index` and is there as a whole, as most are, without the way through ``next``.
    ///
    /// - Returns: Where the next octets begin; `nil` when `next` has to look.
    @inline(__always)
    mutating func takeWholeHead(
        _ octets: Span<UInt8>,
        from index: Int,
        at position: StreamPosition,
        parser: inout HeadParser,
        headLimit: Int
    ) -> Int? {
        guard state == .head, buffer.isEmpty, octets[index] > 0x20,
            case .complete = parser.parse(octets.extracting(index...), as: kind),
            parser.head.length <= headLimit
        else { return nil }
        start = MessageStart(
            offset: position.offset + Int64(index),
            time: position.time,
            acknowledged: position.acknowledged
        )
        return index + parser.head.length
    }

    /// Takes content of a known length, of which there is some: the message ends where the next is a head.
    @inline(__always)
    mutating func takeContent(_ octets: Span<UInt8>, from index: Int) -> Range<Int> {
        let taken = Int(min(remaining, Int64(octets.count - index)))
        remaining -= Int64(taken)
        contentOctets += Int64(taken)
        if remaining == 0 { state = .head }
        return index..<index + taken
    }

    /// Says how the content of the head that was just told is framed.
    mutating func begin(_ framing: MessageFraming) {
        contentOctets = 0
        buffer.clear()
        switch framing {
        case .none, .octets(0): state = .head
        case .octets(let count):
            remaining = count
            state = .content
        case .chunked:
            remaining = 0
            chunkSizeLine = ChunkSizeLine()
            state = .chunkSize
        case .untilClose: state = .untilClose
        case .unknown: state = .lost
        }
    }

    /// The next octets belong to HTTP only if the other side refuses to leave it.
    mutating func hold() {
        buffer.clear()
        looks = LookLimit()
        state = .held
    }

    /// Whether what is held may be parsed again for what came since.
    mutating func mayLookAtHeld() -> Bool { looks.mayLook(at: buffer.octets.count) }

    /// The connection has left HTTP.
    mutating func leaveHTTP() {
        buffer.clear()
        state = .switched
    }

    /// Returns the section that ended a message, and lets go of it.
    mutating func takeSection() -> [UInt8] {
        let section = buffer.octets
        buffer.clear()
        return section
    }

    /// Returns what was held, to be fed again: the other side refused, and it is HTTP after all.
    mutating func release() -> [UInt8] {
        let held = buffer.octets
        buffer.clear()
        state = .head
        return held
    }

    /// The message in progress ended before its framing says so, and the next octets begin another.
    mutating func endEarly() {
        buffer.clear()
        state = .head
    }

    /// Nothing that follows can be told apart until a head is found.
    mutating func lose() {
        buffer.clear()
        state = .lost
        remaining = -1
    }

    /// While this is lost, no message begins with a segment that does not acknowledge more of the other stream.
    mutating func expectMessage(acknowledging offset: Int64) {
        guard state == .lost else { return }
        remaining = offset
    }

    private mutating func takeHead(
        _ octets: Span<UInt8>,
        from start: Int,
        at position: StreamPosition,
        parser: inout HeadParser,
        headLimit: Int
    ) -> Step {
        guard buffer.isEmpty else {
            return continueHead(octets, from: start, parser: &parser, headLimit: headLimit)
        }
        // A recipient ignores empty lines before a request line (RFC 9112 §2.2); servers send them too.
        var index = start
        while index < octets.count, octets[index] == 0x0D || octets[index] == 0x0A { index += 1 }
        guard index < octets.count else { return .advanced(next: octets.count) }
        self.start = MessageStart(
            offset: position.offset + Int64(index),
            time: position.time,
            acknowledged: position.acknowledged
        )
        var outcome = parser.parse(octets.extracting(index...), as: kind)
        if case .malformed(let failure) = outcome {
            outcome = otherRequest(octets.extracting(index...), failure, parser: &parser)
        }
        switch outcome {
        case .complete:
            guard parser.head.length <= headLimit else { return fail(.headTooLong, next: octets.count) }
            return .head(.octets(base: index), next: index + parser.head.length)
        case .malformed(let failure): return fail(failure, next: index)
        case .incomplete:
            if case .tooLong = buffer.append(octets, from: index, limit: headLimit) {
                return fail(.headTooLong, next: octets.count)
            }
            return .advanced(next: octets.count)
        }
    }

    /// Adds to a head that came in pieces.
    private mutating func continueHead(
        _ octets: Span<UInt8>,
        from index: Int,
        parser: inout HeadParser,
        headLimit: Int
    ) -> Step {
        let before = buffer.octets.count
        switch buffer.append(octets, from: index, limit: headLimit) {
        case .tooLong:
            return fail(.headTooLong, next: octets.count)
        case .incomplete:
            // The first line is checked as soon as it is there, so that other protocols are not collected for long.
            guard buffer.firstLineEnded(after: before) else { return .advanced(next: octets.count) }
            guard case .malformed(let failure) = parser.parse(buffer.octets.span, as: kind) else {
                return .advanced(next: octets.count)
            }
            guard case .malformed(let failure) = otherRequest(buffer.octets.span, failure, parser: &parser) else {
                return .advanced(next: octets.count)
            }
            return fail(failure, next: octets.count)
        case .complete(let taken):
            switch parser.parse(buffer.octets.span, as: kind) {
            case .complete: return .head(.buffer, next: index + taken)
            case .incomplete: return fail(.startLine, next: octets.count)
            case .malformed(let failure):
                if case .complete = otherRequest(buffer.octets.span, failure, parser: &parser) {
                    return .head(.buffer, next: index + taken)
                }
                return fail(failure, next: index + taken)
            }
        }
    }

    /// What octets that are no head by the letter are as a request that Envoy takes none the less, or as one of HTTP/0.9, which
    /// only the first of a connection can be.
    private func otherRequest(
        _ octets: Span<UInt8>,
        _ failure: ParseFailure,
        parser: inout HeadParser
    ) -> HeadParser.Outcome {
        guard kind == .request else { return .malformed(failure) }
        if state == .head {
            switch parser.parseLoosely(octets) {
            case .complete: return .complete
            case .incomplete: return .incomplete
            case .malformed: break
            }
        }
        guard failure == .startLine, start.offset == 0 else { return .malformed(failure) }
        return parser.parseSimpleRequest(octets)
    }

    private mutating func takeChunkLine(_ octets: Span<UInt8>, from start: Int) -> Step {
        var index = start
        while index < octets.count {
            let octet = octets[index]
            index += 1
            if state == .chunkEnd {
                // CRLF or LF (RFC 9112 §2.2); anything else means that the size was wrong. In requests Envoy passes over it, up to LF.
                if octet == 0x0A {
                    remaining = 0
                    chunkSizeLine = ChunkSizeLine()
                    state = .chunkSize
                } else if octet != 0x0D, kind == .response {
                    return fail(.chunk, next: index)
                }
                continue
            }
            switch chunkSizeLine.take(octet, of: kind, into: &remaining) {
            case .more: continue
            case .malformed: return fail(.chunk, next: index)
            case .size(0):
                buffer.clear()
                state = .trailers
                return .advanced(next: index)
            case .size(let size):
                remaining = size
                state = .chunkData
                return .advanced(next: index)
            }
        }
        return .advanced(next: octets.count)
    }

    private mutating func takeTrailers(
        _ octets: Span<UInt8>,
        from index: Int,
        parser: inout HeadParser,
        headLimit: Int
    ) -> Step {
        if buffer.isEmpty {
            switch parser.parseTrailers(octets, from: index, as: kind) {
            case .complete(let end):
                state = .head
                return .end(trailers: parser.fieldCount, .octets(base: 0), next: end)
            case .malformed(let failure): return fail(failure, next: index)
            case .incomplete: break
            }
        }
        switch buffer.append(octets, from: index, limit: headLimit) {
        case .incomplete: return .advanced(next: octets.count)
        case .tooLong: return fail(.headTooLong, next: octets.count)
        case .complete(let taken):
            switch parser.parseTrailers(buffer.octets.span, from: 0, as: kind) {
            case .malformed(let failure): return fail(failure, next: index + taken)
            case .incomplete: return fail(.fieldLine, next: index + taken)
            case .complete:
                if parser.fieldCount == 0 { buffer.clear() }
                state = .head
                return .end(trailers: parser.fieldCount, .buffer, next: index + taken)
            }
        }
    }

    private mutating func hold(
        _ octets: Span<UInt8>,
        from index: Int,
        at position: StreamPosition,
        headLimit: Int
    ) -> Step {
        if buffer.isEmpty {
            start = MessageStart(
                offset: position.offset + Int64(index),
                time: position.time,
                acknowledged: position.acknowledged
            )
        }
        guard buffer.appendAll(octets, from: index, limit: headLimit) else {
            return fail(.headTooLong, next: octets.count)
        }
        return .advanced(next: octets.count)
    }

    private mutating func fail(_ failure: ParseFailure, next: Int) -> Step {
        lose()
        return .malformed(failure, next: next)
    }

    // MARK: - Holes

    /// What a hole did to the stream.
    enum HoleEffect {
        /// It lies inside content whose framing goes on behind it; `messageEnds` when it reaches exactly to the end.
        case skipped(messageEnds: Bool)
        /// It reaches beyond the message in progress, or hides where it ends; the stream is lost.
        case lostMessage
        /// No message was in progress, but the octets of one or more are missing; the stream is lost.
        case lostBetweenMessages
        /// It changes nothing: the octets would not have been read.
        case irrelevant
    }

    /// Takes `count` octets that will never come.
    mutating func skip(_ count: Int) -> HoleEffect {
        let missing = Int64(count)
        switch state {
        case .content where missing <= remaining, .chunkData where missing <= remaining:
            remaining -= missing
            contentOctets += missing
            guard remaining == 0 else { return .skipped(messageEnds: false) }
            let endsMessage = state == .content
            state = endsMessage ? .head : .chunkEnd
            return .skipped(messageEnds: endsMessage)
        case .content:
            // The length is known, so the content is; what began behind it is not.
            contentOctets += remaining
            lose()
            return .lostMessage
        case .untilClose:
            contentOctets += missing
            return .skipped(messageEnds: false)
        case .chunkData, .chunkSize, .chunkEnd, .trailers:
            lose()
            return .lostMessage
        case .head, .candidate, .doubtful, .lost, .held:
            // What is held may be messages; if the other side leaves HTTP after all, nobody asks any more.
            lose()
            return .lostBetweenMessages
        case .switched:
            return .irrelevant
        }
    }

    // MARK: - Doubtful requests

    /// What octets say of the doubtful requests that they follow.
    enum Doubt {
        /// They continue them, and were taken.
        case remains
        /// They were requests, and these octets are what follows.
        case removed
        /// They were requests, and these octets, which were taken, continue them.
        case removedWithOctets
        /// They, so many octets, were quoted, as something else follows.
        case confirmed(doubtfulOctets: Int)
        /// Either they, so many octets, or these are quoted, and nothing tells which.
        case undecidable(doubtfulOctets: Int)
    }

    /// Whether doubtful requests have come whole.
    var holdsWholeRequests: Bool { state == .doubtful && remaining == 0 }

    /// Takes the next octets as the rest of doubtful requests, if that is what they are.
    ///
    /// A request that acknowledges more than they do was sent by a client that has an answer meanwhile: it is none of the
    /// content that they would be quoted in, and they are no requests where they lack something then. One that acknowledges
    /// the same is as doubtful as they are.
    mutating func followDoubtful(
        _ octets: Span<UInt8>,
        acknowledged: Int64?,
        parser: inout HeadParser,
        headLimit: Int
    ) -> Doubt {
        let knowsNoMore = acknowledged != nil && acknowledged == start.acknowledged
        if !knowsNoMore, octets.beginsStartLine(.request) {
            if isUnjudged {
                switch judgeDoubtful(&parser) {
                case .remains: break
                case .interrupted: return .confirmed(doubtfulOctets: buffer.octets.count)
                case .believed: return .removed
                }
            }
            return remaining == 0 ? .removed : .confirmed(doubtfulOctets: buffer.octets.count)
        }
        let doubtfulOctets = buffer.octets.count
        // A request where there should be content, whose length may agree by chance.
        if remaining > 0, octets.beginsStartLine(.request) { return .undecidable(doubtfulOctets: doubtfulOctets) }
        guard buffer.appendAll(octets, from: 0, limit: headLimit) else { return .removed }
        guard looks.mayLook(at: buffer.octets.count) else {
            remaining = remaining >= octets.count ? remaining - Int64(octets.count) : -1
            isUnjudged = true
            return .remains
        }
        return switch judgeDoubtful(&parser) {
        case .remains: .remains
        case .interrupted: .confirmed(doubtfulOctets: doubtfulOctets)
        case .believed: .removedWithOctets
        }
    }

    /// What the octets that are kept show of the requests that they begin with.
    private enum Judgement {
        /// Only what follows can tell; the stream is doubtful.
        case remains
        /// They were quoted, as something else stands behind them.
        case interrupted
        /// Nothing will tell more than is known.
        case believed
    }

    /// Judges what is kept as one request after another.
    private mutating func judgeDoubtful(_ parser: inout HeadParser) -> Judgement {
        isUnjudged = false
        switch buffer.octets.span.requestsInARow(&parser) {
        case .interrupted: return .interrupted
        case .unbounded: return .believed
        case .partial: remaining = -1
        case .whole(let missing): remaining = missing
        }
        state = .doubtful
        return .remains
    }

    /// Keeps the octets from `index` on, which are requests that lack `missing` octets, until what follows them tells.
    private mutating func doubt(
        _ octets: Span<UInt8>,
        from index: Int,
        missing: Int64,
        headLimit: Int
    ) -> Bool {
        guard buffer.appendAll(octets, from: index, limit: headLimit) else { return false }
        looks = LookLimit()
        isUnjudged = false
        state = .doubtful
        remaining = missing
        return true
    }

    // MARK: - Finding a head again

    /// Looks for a head that can be trusted, while the meaning of the octets is unknown.
    private mutating func search(
        _ octets: Span<UInt8>,
        from index: Int,
        at position: StreamPosition,
        parser: inout HeadParser,
        headLimit: Int
    ) -> Step {
        if state == .candidate {
            switch continueHead(octets, from: index, parser: &parser, headLimit: headLimit) {
            case .advanced: return .advanced(next: octets.count)
            case .head(let place, let next)
            where parser.head.isTrustworthy(atStreamStart: self.start.offset == 0)
                && (kind == .response || buffer.octets.span.isPlausibleMethod(parser.head, at: 0))
                && octets.mayFollow(parser.head, at: next) != .contradicted:
                // What follows the head may quote requests too, so that they only seem to confirm one another.
                guard kind == .request, buffer.appendAll(octets, from: next, limit: headLimit) else {
                    return .head(place, next: next)
                }
                switch judgeDoubtful(&parser) {
                case .remains: return .advanced(next: octets.count)
                case .interrupted: lose()
                case .believed: return .head(place, next: next)
                }
            default: lose()
            }
        } else if state == .doubtful {
            lose()
        }
        if kind == .request, remaining >= 0, let received = position.acknowledged, received <= remaining {
            return .skipped(count: octets.count - index)
        }
        let startsSegment = position.startsSegment && index == 0
        let found = octets.findHead(
            kind,
            from: index,
            startsSegment: startsSegment,
            startsStream: startsSegment && position.offset == 0,
            parser: &parser
        )
        guard let found, (found.isComplete ? parser.head.length : octets.count - found.index) <= headLimit
        else {
            return .skipped(count: octets.count - index)
        }
        start = MessageStart(
            offset: position.offset + Int64(found.index),
            time: position.time,
            acknowledged: position.acknowledged
        )
        if found.isComplete {
            guard let missing = found.missingOctets,
                doubt(octets, from: found.index, missing: missing, headLimit: headLimit)
            else {
                return .head(.octets(base: found.index), next: found.index + parser.head.length)
            }
            return .advanced(next: octets.count)
        }
        state = .candidate
        _ = buffer.append(octets, from: found.index, limit: headLimit)
        return .advanced(next: octets.count)
    }
}
