// Wingmirror · Apache-2.0
// Reading HTTP/2 frames, RFC 9113 §3.4, §4 and §6.

/// What a reader found; `next` is the index of the octet behind it.
enum FrameStep {
    /// Octets that say nothing about messages.
    case passed(next: Int)
    /// HEADERS, or PUSH_PROMISE where `isPromise`, up to where its block begins.
    case blockBegan(stream: UInt32, endsStream: Bool, isPromise: Bool, next: Int)
    /// Octets of the block; none, perhaps.
    case fragment(Range<Int>, endsBlock: Bool)
    /// Octets of content.
    case content(stream: UInt32, Range<Int>)
    /// A DATA frame is over.
    case contentEnded(stream: UInt32, endsStream: Bool, next: Int)
    case reset(stream: UInt32, code: UInt32, next: Int)
    case goAway(lastStream: UInt32, code: UInt32, next: Int)
    case setting(identifier: UInt16, value: UInt32, next: Int)
    /// Nothing more can be read: the direction is lost from `next` on.
    case failed(FrameError, next: Int)
}

/// What octets that were not captured did to a direction.
struct FrameHole {
    /// The stream whose content was missed, and how many octets of it.
    var contentStream: UInt32 = 0
    var content = 0
    /// Whether a field block in progress lost octets.
    var breaksBlock = false
    /// Octets that may have held field blocks, or the rest of one.
    var blockOctets = 0
    /// Whether it is not known any more where frames begin.
    var isLost = false
}

/// Splits one direction of an HTTP/2 connection into frames.
///
/// It holds no octets but those of a header or another fixed part that is not complete; payloads are passed over by
/// arithmetic. It knows nothing of streams and of HPACK.
struct FrameReader {
    private var phase: Phase
    private var header = FrameHeader(0)
    /// Octets of the payload that are to come, padding included.
    private var remaining = 0
    /// Octets of padding at the end of the payload.
    private var padding = 0
    /// The fixed part that is not complete: its octets, and how many there are.
    private var collected: UInt128 = 0
    private var collectedCount = 0
    /// The stream whose field block is not complete; 0 if there is none.
    private(set) var blockStream: UInt32 = 0
    /// Octets of payload that the receiver allows.
    var lengthLimit: Int
    /// The type of a frame that began with the latest step, or -1.
    private var begunType: Int16 = -1
    /// Whether a frame breaks a rule behind which frames go on all the same.
    private var breaksRule = false
    /// By how much the window of the connection was opened, all in all, and that of a stream by the latest WINDOW_UPDATE.
    private var connectionWindow: Int64 = 0
    private var streamWindow: Int64 = 0

    private enum Phase {
        case preface
        case header
        /// Length of padding, priority, promised stream.
        case prefix
        case fragment
        case content
        /// The fixed part of a frame whose rest is passed over.
        case fixed(Int)
        case skipping
        case lost
    }

    /// What receivers allow before they say otherwise (RFC 9113 §6.5.2).
    static let initialLengthLimit = 16_384
    /// What is taken for possible where the receiver's SETTINGS were not seen: grpcio announces 4 MiB.
    static let assumedLengthLimit = 1 << 22

    private static var preface: StaticString { "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" }

    /// Makes a reader of a direction that is seen from its start, where the client's begins with the preface.
    init(expectsPreface: Bool) {
        phase = expectsPreface ? .preface : .header
        lengthLimit = Self.initialLengthLimit
    }

    /// Makes a reader of a direction of which it is not known where frames begin.
    static var lost: FrameReader {
        var reader = FrameReader(expectsPreface: false)
        reader.phase = .lost
        reader.lengthLimit = assumedLengthLimit
        return reader
    }

    /// Whether it is not known where frames begin.
    var isLost: Bool { if case .lost = phase { true } else { false } }

    /// Whether the next octet begins a frame.
    var isBetweenFrames: Bool { if case .header = phase { collectedCount == 0 } else { false } }

    /// A frame begins with the next octet, as far as octets tell.
    mutating func boundaryFound() {
        phase = .header
        blockStream = 0
        (collected, collectedCount) = (0, 0)
    }

    /// Gives up the direction until a boundary is found again.
    mutating func lose() {
        phase = .lost
        header = FrameHeader(0)
        blockStream = 0
        (collected, collectedCount) = (0, 0)
    }

    /// Content of a DATA frame that is not there to its end: its stream, and the octets so far.
    var unfinishedContent: (stream: UInt32, octets: Int) {
        guard case .content = phase, remaining > padding else { return (0, 0) }
        return (header.stream, header.length - header.prefixLength - remaining)
    }

    /// Content that comes next in the DATA frame at hand: its stream, and the octets; 0 where something else does.
    var contentAhead: (stream: UInt32, octets: Int) {
        guard case .content = phase, remaining > padding else { return (0, 0) }
        return (header.stream, remaining - padding)
    }

    /// The stream whose content may go on in the frame behind the DATA frame that is at hand, or was the latest; 0 where that
    /// ends its stream or is padded, and where anything else comes next.
    var streamToGoOn: UInt32 {
        guard header.known == .data, header.flags.isEmpty else { return 0 }
        switch phase {
        case .content: return header.stream
        case .header: return collectedCount == 0 ? header.stream : 0
        case .preface, .prefix, .fragment, .fixed, .skipping, .lost: return 0
        }
    }

    // MARK: - Octets

    /// Reads the next step; `nil` when it needs octets beyond the end.
    ///
    /// Must not be called on a direction that is lost.
    mutating func next(_ octets: Span<UInt8>, from index: Int) -> FrameStep? {
        switch phase {
        case .preface: return prefaceStep(octets, from: index)
        case .header:
            if collectedCount == 0, octets.count - index >= FrameHeader.octetCount {
                header = FrameHeader(octets, at: index)
                let step = headerRead(index &+ FrameHeader.octetCount, octets)
                // Content mostly stands behind its header.
                guard case .passed(let next) = step, case .content = phase, next < octets.count else { return step }
                return contentStep(octets, from: next)
            }
            guard let next = collect(FrameHeader.octetCount, octets, from: index) else { return nil }
            header = FrameHeader(collected)
            return headerRead(next, octets)
        case .prefix:
            guard let next = collect(header.prefixLength, octets, from: index) else { return nil }
            return prefixRead(next)
        case .fragment:
            let count = min(remaining - padding, octets.count - index)
            guard count > 0 || remaining == padding else { return nil }
            remaining -= count
            let isOver = remaining == padding
            if isOver { phase = .skipping }
            if isOver, padding == 0 { endFrame() }
            let endsBlock = isOver && header.flags.contains(.endHeaders)
            if endsBlock { blockStream = 0 }
            return .fragment(index..<index + count, endsBlock: endsBlock)
        case .content: return contentStep(octets, from: index)
        case .fixed(let length):
            guard let next = collect(length, octets, from: index) else { return nil }
            return fixedRead(next)
        case .skipping:
            let skipped = min(remaining, octets.count - index)
            remaining -= skipped
            if remaining == 0 { endFrame() }
            return skipped > 0 || remaining == 0 ? .passed(next: index + skipped) : nil
        case .lost:
            preconditionFailure("FrameReader.next: the direction is lost")
        }
    }

    private mutating func contentStep(_ octets: Span<UInt8>, from index: Int) -> FrameStep? {
        let count = min(remaining - padding, octets.count - index)
        if count > 0 {
            remaining -= count
            return .content(stream: header.stream, index..<index + count)
        }
        let skipped = min(remaining, octets.count - index)
        guard remaining == padding, skipped == remaining else {
            if remaining == padding {
                remaining -= skipped
                padding -= skipped
            }
            return skipped > 0 ? .passed(next: index + skipped) : nil
        }
        endFrame()
        return .contentEnded(
            stream: header.stream,
            endsStream: header.flags.contains(.endStream),
            next: index + skipped
        )
    }

    private mutating func endFrame() {
        phase = .header
        (collected, collectedCount) = (0, 0)
    }

    /// Collects a fixed part, and answers where it ends once it is complete.
    private mutating func collect(_ length: Int, _ octets: Span<UInt8>, from index: Int) -> Int? {
        var index = index
        while collectedCount < length {
            guard index < octets.count else { return nil }
            collected = collected << 8 | UInt128(octets[index])
            collectedCount += 1
            index += 1
        }
        return index
    }

    private mutating func prefaceStep(_ octets: Span<UInt8>, from start: Int) -> FrameStep? {
        var index = start
        while index < octets.count, collectedCount < Self.preface.utf8CodeUnitCount {
            guard octets[index] == Self.preface.octet(at: collectedCount) else { return failed(.preface, index) }
            collectedCount += 1
            index += 1
        }
        guard collectedCount == Self.preface.utf8CodeUnitCount else { return nil }
        endFrame()
        return .passed(next: index)
    }

    private mutating func failed(_ error: FrameError, _ next: Int) -> FrameStep {
        lose()
        return .failed(error, next: next)
    }

    /// The type of the frame that began with the latest step; answers once for each.
    mutating func takeBegunType() -> UInt8? {
        guard begunType >= 0 else { return nil }
        defer { begunType = -1 }
        return UInt8(truncatingIfNeeded: begunType)
    }

    /// Whether a frame since the last answer broke a rule for which its receiver closes the connection, though it can be passed
    /// over: a window that opens by 0 (RFC 9113 §6.9), or a stream that depends on itself (RFC 7540 §5.3.1).
    mutating func takeBrokenRule() -> Bool {
        guard _slowPath(breaksRule) else { return false }
        breaksRule = false
        return true
    }

    /// Takes in the header of a frame, which ends at `next`.
    private mutating func headerRead(_ next: Int, _ octets: Span<UInt8>) -> FrameStep {
        begunType = Int16(header.type)
        (collected, collectedCount) = (0, 0)
        remaining = header.length
        padding = 0
        if let error = header.error(limit: lengthLimit) { return failed(error, next) }
        // Nothing may stand between the frames of a field block, and no block begins with its continuation.
        guard (header.known == .continuation) == (blockStream != 0), blockStream == 0 || header.stream == blockStream
        else { return failed(.continuation, next) }
        switch header.known {
        case .data, .headers, .pushPromise:
            if header.known != .data { blockStream = header.stream }
            phase = .prefix
            return header.prefixLength == 0 ? prefixRead(next) : .passed(next: next)
        case .continuation: phase = .fragment
        case .resetStream: phase = .fixed(4)
        case .goAway: phase = .fixed(8)
        case .settings: phase = header.length == 0 ? .skipping : .fixed(6)
        case .priority, .ping, .windowUpdate, nil:
            phase = .skipping
            guard remaining <= octets.count - next else { break }
            if header.known == .windowUpdate { windowOpened(octets, at: next) }
            let isOverAt = next + remaining
            remaining = 0
            endFrame()
            return .passed(next: isOverAt)
        }
        return .passed(next: next)
    }

    /// Takes in a WINDOW_UPDATE, whose four octets are there.
    private mutating func windowOpened(_ octets: Span<UInt8>, at start: Int) {
        var increment: Int64 = 0
        for index in start..<start + 4 { increment = increment << 8 | Int64(octets[index]) }
        increment &= 0x7FFF_FFFF
        if increment == 0 { breaksRule = true }
        // Increments say nothing of what was received, so that they may come to any number.
        if header.stream == 0 { connectionWindow = min(connectionWindow + increment, Self.countedWindow) }
        streamWindow = header.stream == 0 ? 0 : increment
    }

    /// Whether the latest WINDOW_UPDATE made a window larger than any may be (RFC 9113 §6.9.1), where a stream's is `initial`
    /// before it is opened, and its receiver has sent no more than `sent` octets.
    func hasOpenedTooMuch(initial: UInt32, sent: Int64) -> Bool {
        connectionWindow + Self.initialWindow > Self.largestWindow + sent
            || streamWindow + Int64(initial) > Self.largestWindow + sent
    }

    private static var largestWindow: Int64 { 0x7FFF_FFFF }
    /// How far the opening of a connection's window is counted: no connection brings so much.
    private static var countedWindow: Int64 { 1 << 62 }
    /// What the window of a connection is before it is opened (RFC 9113 §6.9.2).
    private static var initialWindow: Int64 { 65_535 }

    private mutating func prefixRead(_ next: Int) -> FrameStep {
        remaining -= header.prefixLength
        if header.isPadded {
            padding = Int(truncatingIfNeeded: collected >> UInt128(8 * (header.prefixLength - 1))) & 0xFF
            guard padding <= remaining else { return failed(.padding, next) }
        }
        let promised = UInt32(truncatingIfNeeded: collected) & 0x7FFF_FFFF
        if header.known == .headers, header.flags.contains(.priority),
            UInt32(truncatingIfNeeded: collected >> 8) & 0x7FFF_FFFF == header.stream
        {
            breaksRule = true
        }
        (collected, collectedCount) = (0, 0)
        guard header.known != .data else {
            phase = .content
            return .passed(next: next)
        }
        let isPromise = header.known == .pushPromise
        // Streams of a server have even identifiers (RFC 9113 §5.1.1).
        if isPromise, promised == 0 || promised & 1 == 1 { return failed(.streamIdentifier, next) }
        phase = .fragment
        let endsStream = !isPromise && header.flags.contains(.endStream)
        return .blockBegan(stream: header.stream, endsStream: endsStream, isPromise: isPromise, next: next)
    }

    private mutating func fixedRead(_ next: Int) -> FrameStep {
        let bits = collected
        (collected, collectedCount) = (0, 0)
        switch header.known {
        case .resetStream:
            endFrame()
            return .reset(stream: header.stream, code: UInt32(truncatingIfNeeded: bits), next: next)
        case .goAway:
            remaining -= 8
            phase = .skipping
            let last = UInt32(truncatingIfNeeded: bits >> 32) & 0x7FFF_FFFF
            return .goAway(lastStream: last, code: UInt32(truncatingIfNeeded: bits), next: next)
        default:
            remaining -= 6
            if remaining == 0 { endFrame() }
            return .setting(
                identifier: UInt16(truncatingIfNeeded: bits >> 32),
                value: UInt32(truncatingIfNeeded: bits),
                next: next
            )
        }
    }

    // MARK: - Holes

    /// Passes over `count` octets that were not captured.
    ///
    /// Inside a frame whose header was seen the next boundary is known, whatever else was missed.
    mutating func missing(_ count: Int) -> FrameHole {
        var hole = FrameHole()
        switch phase {
        case .lost:
            hole.blockOctets = count
            hole.isLost = true
            return hole
        case .preface, .header:
            hole.blockOctets = count
        case .prefix, .fixed:
            // Part of what is missing may be the fixed part's, which is of no use now.
            remaining -= collectedCount
            (collected, collectedCount) = (0, 0)
            if blockStream != 0 { hole.breaksBlock = true }
            skip(count, &hole)
        case .fragment:
            hole.breaksBlock = true
            skip(count, &hole)
        case .content:
            let content = min(count, remaining - padding)
            (hole.contentStream, hole.content) = (header.stream, content)
            if count <= remaining {
                remaining -= count
                padding = min(padding, remaining)
                return hole
            }
            hole.blockOctets = count - remaining
            remaining = 0
            padding = 0
        case .skipping:
            skip(count, &hole)
        }
        guard !isSkipping else { return hole }
        hole.isLost = true
        if blockStream != 0 { hole.breaksBlock = true }
        lose()
        return hole
    }

    /// Passes over missing octets of a frame that says nothing more.
    private mutating func skip(_ count: Int, _ hole: inout FrameHole) {
        if hole.breaksBlock { hole.blockOctets = min(count, remaining) }
        if count <= remaining {
            // The rest of the fragment cannot be decoded either.
            if hole.breaksBlock { hole.blockOctets = remaining }
            remaining -= count
            padding = 0
            if hole.breaksBlock, header.flags.contains(.endHeaders) { blockStream = 0 }
            phase = .skipping
        } else {
            hole.blockOctets += count - remaining
            phase = .header
        }
    }

    private var isSkipping: Bool {
        if case .skipping = phase { true } else { false }
    }
}
