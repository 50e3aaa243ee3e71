// Wingmirror · Apache-2.0
// HTTP/2 frames, RFC 9113 §4.1 and §6.

/// The frame types of RFC 9113; others are legal and skipped (§5.5).
enum FrameType: UInt8 {
    case data = 0
    case headers, priority, resetStream, settings, pushPromise, ping, goAway, windowUpdate, continuation
}

/// Flags of frames; one that a type does not define is ignored (RFC 9113 §4.1).
struct FrameFlags: OptionSet {
    let rawValue: UInt8

    static let endStream = FrameFlags(rawValue: 0x01)
    static let acknowledgement = FrameFlags(rawValue: 0x01)
    static let endHeaders = FrameFlags(rawValue: 0x04)
    static let padded = FrameFlags(rawValue: 0x08)
    static let priority = FrameFlags(rawValue: 0x20)
}

/// The settings that say something here, or that Envoy checks (RFC 9113 §6.5.2, RFC 8441 §3).
enum FrameSetting: UInt16 {
    case headerTableSize = 1
    case enablePush = 2
    case initialWindowSize = 4
    case maxFrameSize = 5
    case enableConnectProtocol = 8

    /// Whether the setting may have a value.
    func allows(_ value: UInt32) -> Bool {
        switch self {
        case .headerTableSize: true
        case .enablePush, .enableConnectProtocol: value <= 1
        case .initialWindowSize: value < 1 << 31
        case .maxFrameSize: value >= 16_384 && value < 1 << 24
        }
    }
}

/// Why a direction cannot be read as HTTP/2 frames.
enum FrameError: UInt8, Error, Hashable, CaseIterable {
    /// A length that the type forbids, or one above the receiver's limit (RFC 9113 §4.2).
    case frameSize
    /// A stream that the type forbids (RFC 9113 §6).
    case streamIdentifier
    /// Padding as long as the frame, or longer (RFC 9113 §6.1).
    case padding
    /// A field block that is interrupted, or continued without having begun (RFC 9113 §6.10).
    case continuation
    /// The client's first octets are not the preface (RFC 9113 §3.4).
    case preface
}

/// The nine octets in front of a frame's payload.
struct FrameHeader {
    let length: Int
    let type: UInt8
    let flags: FrameFlags
    let stream: UInt32

    static let octetCount = 9

    /// Decodes a header from its 72 bits; the reserved bit is ignored.
    init(_ bits: UInt128) {
        length = Int(truncatingIfNeeded: bits >> 48) & 0xFF_FFFF
        type = UInt8(truncatingIfNeeded: bits >> 40)
        flags = FrameFlags(rawValue: UInt8(truncatingIfNeeded: bits >> 32))
        stream = UInt32(truncatingIfNeeded: bits) & 0x7FFF_FFFF
    }

    /// Decodes the header at `index`, behind which nine octets must lie.
    @inline(__always)
    init(_ octets: Span<UInt8>, at index: Int) {
        precondition(index >= 0 && octets.count - index >= Self.octetCount, "FrameHeader: too few octets")
        let first = octets.word(at: index).byteSwapped
        length = Int(truncatingIfNeeded: first >> 40)
        type = UInt8(truncatingIfNeeded: first >> 32)
        flags = FrameFlags(rawValue: UInt8(truncatingIfNeeded: first >> 24))
        stream = (UInt32(truncatingIfNeeded: first) << 8 | UInt32(octets[index + 8])) & 0x7FFF_FFFF
    }

    /// Whether a header, at the start of what may be one, is that of a DATA frame of the stream which is not padded and not its
    /// last, and has no bit in it that nothing asks for.
    static func isOfMoreContent(_ octets: Span<UInt8>, on stream: UInt32) -> Bool {
        guard octets.count >= octetCount, octets[5] & 0x80 == 0 else { return false }
        let header = FrameHeader(octets, at: 0)
        return header.known == .data && header.flags.isEmpty && header.stream == stream
    }

    /// The type, if RFC 9113 defines it.
    var known: FrameType? { FrameType(rawValue: type) }

    /// Whether the frame's payload begins with the length of its padding.
    var isPadded: Bool {
        guard flags.contains(.padded) else { return false }
        return known == .data || known == .headers || known == .pushPromise
    }

    /// Octets in front of content or of a field block fragment: length of padding, and priority or promised stream.
    var prefixLength: Int {
        if flags.isDisjoint(with: [.padded, .priority]), type != FrameType.pushPromise.rawValue { return 0 }
        switch known {
        case .data: return isPadded ? 1 : 0
        case .headers: return (isPadded ? 1 : 0) + (flags.contains(.priority) ? 5 : 0)
        case .pushPromise: return (isPadded ? 1 : 0) + 4
        default: return 0
        }
    }

    /// What the header alone breaks, if anything.
    /// - Parameter limit: Octets of payload that the receiver allows.
    /// - Returns: The error; `nil` of a header that may stand so.
    func error(limit: Int) -> FrameError? {
        guard length <= limit else { return .frameSize }
        let isOnStream = stream != 0
        switch known {
        case .data, .headers, .pushPromise:
            guard isOnStream else { return .streamIdentifier }
            return length < prefixLength ? .frameSize : nil
        case .continuation:
            return isOnStream ? nil : .streamIdentifier
        case .priority:
            return length == 5 ? (isOnStream ? nil : .streamIdentifier) : .frameSize
        case .resetStream:
            return length == 4 ? (isOnStream ? nil : .streamIdentifier) : .frameSize
        case .settings:
            if flags.contains(.acknowledgement), length != 0 { return .frameSize }
            return length % 6 == 0 ? (isOnStream ? .streamIdentifier : nil) : .frameSize
        case .ping:
            return length == 8 ? (isOnStream ? .streamIdentifier : nil) : .frameSize
        case .goAway:
            return length >= 8 ? (isOnStream ? .streamIdentifier : nil) : .frameSize
        case .windowUpdate:
            return length == 4 ? nil : .frameSize
        case nil:
            return nil
        }
    }
}
