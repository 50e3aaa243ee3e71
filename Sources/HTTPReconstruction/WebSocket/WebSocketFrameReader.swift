// Wingmirror · Apache-2.0
// WebSocket frames, RFC 6455 §5.

internal import PacketDecoding
internal import TrafficModel

/// Reads the frames of one direction of a WebSocket; payloads are passed over by arithmetic.
///
/// Of control frames it keeps what tells something: the code of a close, and a hash of a ping's payload, which the pong
/// repeats (§5.5).
struct WebSocketFrameReader {
    /// Whether frames must be masked: those of clients are, those of servers are not (§5.1).
    private let isMasked: Bool
    private var phase = Phase.header
    /// The header so far, at most 14 octets, and how many there are.
    private var header: UInt128 = 0
    private var headerCount = 0
    private var opcode: UInt8 = 0
    private var isFinal = false
    private var key: UInt32 = 0
    /// Octets of the payload that are to come.
    private var remaining: Int64 = 0
    /// Octets of a control frame's payload so far.
    private var position = 0
    private var hash: UInt32 = 0
    private var closeCode: UInt16 = 0
    /// Whether the message in progress, or the latest, is one of text.
    private var isText = false
    private var message = MessageState.over

    private enum Phase {
        case header
        case payload
        case lost
    }

    /// Whether a message is in progress, which a continuation goes on with and no other data frame may interrupt (§5.4).
    private enum MessageState {
        case over
        case inProgress
        /// Frames were missed.
        case unknown
    }

    /// A control frame that says something.
    enum Event {
        case ping(hash: UInt32)
        case pong(hash: UInt32)
        /// `nil` without a code.
        case close(code: UInt16?)
    }

    init(isMasked: Bool) {
        self.isMasked = isMasked
    }

    /// Whether it is not known where frames begin.
    var isLost: Bool { phase == .lost }

    /// Reads up to the end of the next control frame, or of the octets; moves `index` there.
    mutating func next(_ octets: Span<UInt8>, _ index: inout Int, _ figures: inout WebSocketFigures.Direction) -> Event?
    {
        while index < octets.count {
            switch phase {
            case .lost: return nil
            case .header:
                header = header << 8 | UInt128(octets[index])
                headerCount += 1
                index += 1
                figures.wireBytes += 1
                guard headerCount == headerLength else { continue }
                guard headerRead() else {
                    figures.isMalformed = true
                    lose(&figures)
                    return nil
                }
                if remaining > 0 { phase = .payload } else if let event = frameEnded(&figures) { return event }
            case .payload:
                let count = Int(min(remaining, Int64(octets.count - index)))
                if opcode >= 8 { readControl(octets.extracting(index..<index + count)) }
                index += count
                figures.wireBytes += count
                figures.payloadBytes += count
                remaining -= Int64(count)
                if remaining == 0, let event = frameEnded(&figures) { return event }
            }
        }
        return nil
    }

    /// Passes over octets that were not captured.
    mutating func missing(_ count: Int, _ figures: inout WebSocketFigures.Direction) {
        guard phase == .payload, Int64(count) <= remaining else { return lose(&figures) }
        figures.wireBytes += count
        figures.payloadBytes += count
        remaining -= Int64(count)
        figures.isUncertain = true
        // What a control frame said is not known; that it was there is.
        if remaining == 0 { countFrame(&figures) }
    }

    /// Goes on where a chain of frames begins that fills the segment: only masked frames can be told from other octets.
    mutating func findAgain(in segment: Span<UInt8>) -> Bool {
        guard isMasked, phase == .lost else { return false }
        var trial = WebSocketFrameReader(isMasked: true)
        var figures = WebSocketFigures.Direction()
        var index = 0
        while index < segment.count, !trial.isLost { _ = trial.next(segment, &index, &figures) }
        guard trial.phase == .header, trial.headerCount == 0, figures.frameCount >= Self.chainLength else {
            return false
        }
        phase = .header
        (header, headerCount) = (0, 0)
        message = .unknown
        return true
    }

    /// Frames in a row that are demanded to go on behind a hole.
    private static var chainLength: Int { 3 }

    // MARK: - A frame

    /// How long the header is, as far as its octets tell.
    private var headerLength: Int {
        guard headerCount >= 2 else { return 2 }
        let second = UInt8(truncatingIfNeeded: header >> UInt128(8 * (headerCount - 2)))
        let extended =
            switch second & 0x7F {
            case 126: 2
            case 127: 8
            default: 0
            }
        return 2 + extended + (second & 0x80 != 0 ? 4 : 0)
    }

    /// Interprets a whole header, and answers whether a frame may begin so.
    private mutating func headerRead() -> Bool {
        let first = UInt8(truncatingIfNeeded: header >> UInt128(8 * (headerCount - 1)))
        let second = UInt8(truncatingIfNeeded: header >> UInt128(8 * (headerCount - 2)))
        let maskLength = second & 0x80 != 0 ? 4 : 0
        key = maskLength == 4 ? UInt32(truncatingIfNeeded: header) : 0
        let length = header >> UInt128(8 * maskLength)
        switch second & 0x7F {
        case 126: remaining = Int64(length & 0xFFFF)
        case 127: remaining = Int64(bitPattern: UInt64(truncatingIfNeeded: length))
        case let short: remaining = Int64(short)
        }
        (header, headerCount) = (0, 0)
        (position, hash, closeCode) = (0, 0x811C_9DC5, 0)
        opcode = first & 0x0F
        isFinal = first & 0x80 != 0
        guard remaining >= 0, (second & 0x80 != 0) == isMasked else { return false }
        // Extensions use the reserved bits of data frames; control frames are short and whole (§5.5).
        if opcode >= 8 { return opcode <= 10 && isFinal && remaining <= 125 && first & 0x70 == 0 }
        return opcode <= 2
    }

    private mutating func readControl(_ octets: Span<UInt8>) {
        for index in octets.indices {
            let octet = octets[index] ^ UInt8(truncatingIfNeeded: key >> UInt32(8 * (3 - position % 4)))
            if position < 2 { closeCode = closeCode << 8 | UInt16(octet) }
            hash = (hash ^ UInt32(octet)) &* 0x0100_0193
            position += 1
        }
    }

    private mutating func frameEnded(_ figures: inout WebSocketFigures.Direction) -> Event? {
        countFrame(&figures)
        switch opcode {
        case 8: return .close(code: position >= 2 ? closeCode : nil)
        case 9: return .ping(hash: hash)
        case 10: return .pong(hash: hash)
        default: return nil
        }
    }

    private mutating func countFrame(_ figures: inout WebSocketFigures.Direction) {
        phase = .header
        switch opcode {
        case 0: figures.continuationFrames += 1
        case 1: (figures.textFrames, isText) = (figures.textFrames + 1, true)
        case 2: (figures.binaryFrames, isText) = (figures.binaryFrames + 1, false)
        case 8: figures.closeFrames += 1
        case 9: figures.pingFrames += 1
        default: figures.pongFrames += 1
        }
        guard opcode < 8 else { return }
        let isContinuation = opcode == 0
        if isContinuation && message == .over || !isContinuation && message == .inProgress {
            figures.isMalformed = true
        }
        // What continues nothing is no message.
        if isContinuation && message == .over { return }
        message = isFinal ? .over : .inProgress
        guard isFinal else { return }
        if isText { figures.textMessages += 1 } else { figures.binaryMessages += 1 }
    }

    private mutating func lose(_ figures: inout WebSocketFigures.Direction) {
        phase = .lost
        figures.isUncertain = true
    }
}
