// Wingmirror · Apache-2.0
// Chunk sizes and extensions: RFC 9112 §7.1 and §7.1.1.

/// The line before a chunk, read octet by octet as it comes.
///
/// The size itself is kept by the caller, where the octets of the chunk will be counted down from it.
struct ChunkSizeLine {
    private var hasDigits = false
    private var phase = Phase.size

    /// Whether no octet of the line has come.
    var isEmpty: Bool { !hasDigits && phase == .size }

    private enum Phase: UInt8 {
        case size
        /// White space between size and extension or line end, which senders pad sizes with.
        case padding
        /// From the semicolon on; nothing of it is kept.
        case chunkExtension
        /// After CR.
        case lineFeed
    }

    enum Step {
        case more
        /// The line is complete; so many octets of data follow, and 0 ends the content.
        case size(Int64)
        case malformed
    }

    /// Takes the next octet of the line.
    ///
    /// In requests Envoy asks for CRLF at the end, and takes whatever stands in front of it behind the size and a blank or a
    /// semicolon; in responses LF alone ends the line too (RFC 9112 §2.2).
    /// - Parameters:
    ///   - octet: The octet.
    ///   - kind: Of which kind of message the line is.
    ///   - size: What the digits so far say; 0 before the first.
    /// - Returns: Whether the line goes on.
    @inline(__always)
    mutating func take(_ octet: UInt8, of kind: MessageKind, into size: inout Int64) -> Step {
        if octet == 0x0A {
            guard hasDigits, kind == .response || phase == .lineFeed else { return .malformed }
            return .size(size)
        }
        switch phase {
        case .size:
            if let digit = octet.hexadecimalDigit {
                // Leading zeros are many in the wild, so the value is bounded and not the digits.
                guard size < 1 << 58 else { return .malformed }
                hasDigits = true
                size = size << 4 | Int64(digit)
                return .more
            }
            guard hasDigits else { return .malformed }
            return separator(octet)
        case .padding where kind == .response: return separator(octet)
        case .padding, .chunkExtension:
            if octet == 0x0D { phase = .lineFeed }
            if kind == .request { return .more }
            return octet < 0x20 && octet != 0x0D && octet != 0x09 || octet == 0x7F ? .malformed : .more
        case .lineFeed: return .malformed
        }
    }

    private mutating func separator(_ octet: UInt8) -> Step {
        switch octet {
        case 0x0D: phase = .lineFeed
        case 0x3B: phase = .chunkExtension
        case 0x20, 0x09: phase = .padding
        default: return .malformed
        }
        return .more
    }
}

extension UInt8 {
    /// The value of a hexadecimal digit.
    @inline(__always)
    fileprivate var hexadecimalDigit: UInt8? {
        if self &- 0x30 < 10 { return self &- 0x30 }
        let folded = self | 0x20
        return folded &- 0x61 < 6 ? folded &- 0x61 &+ 10 : nil
    }
}
