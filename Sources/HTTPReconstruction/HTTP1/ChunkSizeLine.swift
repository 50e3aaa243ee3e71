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

    /// How many octets a chunk takes with the line in front of it, where that line needs no proof: a size of one to six digits
    /// that is not 0, without an extension.
    /// - Parameters:
    ///   - octets: What comes next; it may be forged.
    ///   - isBehindData: Whether the line end behind another chunk comes first.
    /// - Returns: The octets; 0 where anything else may come, or not all of the line is there.
    static func octetsOfChunk(_ octets: Span<UInt8>, isBehindData: Bool) -> Int {
        func isLineEnd(at index: Int) -> Bool {
            index + 2 <= octets.count && octets[index] == 0x0D && octets[index + 1] == 0x0A
        }
        guard !isBehindData || isLineEnd(at: 0) else { return 0 }
        let start = isBehindData ? 2 : 0
        var index = start
        var size = 0
        while index < octets.count, index < start + 6, let digit = octets[index].hexadecimalDigit {
            size = size << 4 | Int(digit)
            index += 1
        }
        return size > 0 && isLineEnd(at: index) ? index + 2 + size : 0
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
