// Wingmirror · Apache-2.0
// The traceparent field, W3C Trace Context §3.2; B3 propagation of Zipkin, single and several fields.

import OctetText

/// Which trace a request belongs to, as its fields say.
///
/// These are data from clients: only what follows the format to the letter is taken, as numbers and never as text.
/// Nothing is allocated to read them, so it can be done on the packet path.
public struct TraceContext: BitwiseCopyable, Sendable, Hashable {
    /// The first 16 digits of the trace id; 0 for a short id of B3.
    public let traceHigh: UInt64
    /// The last 16 digits of the trace id.
    public let traceLow: UInt64
    /// The id of the span that sent the request.
    public let span: UInt64
    /// Whether the caller recorded the trace; a link to one that nobody recorded leads nowhere.
    public let isSampled: Bool

    /// Makes a context of its parts; `nil` where an id is all zero, which both formats forbid.
    public init?(traceHigh: UInt64, traceLow: UInt64, span: UInt64, isSampled: Bool) {
        guard traceHigh | traceLow != 0, span != 0 else { return nil }
        self.traceHigh = traceHigh
        self.traceLow = traceLow
        self.span = span
        self.isSampled = isSampled
    }

    /// The trace id in 32 lower-case hexadecimal digits.
    public var traceID: String {
        HexadecimalText.digits(of: traceHigh) + HexadecimalText.digits(of: traceLow)
    }

    /// The span id in 16 lower-case hexadecimal digits.
    public var spanID: String {
        HexadecimalText.digits(of: span)
    }
}

// MARK: - Field values

extension TraceContext {
    /// Reads the value of a `traceparent` field.
    ///
    /// Version `00` has exactly 55 octets. A later version may have more behind a hyphen, which is not read; version `ff`
    /// does not exist (§3.2.2, §4.3).
    /// - Parameter value: The field value without the white space around it; borrowed for the call only.
    public init?(traceparent value: Span<UInt8>) {
        guard value.count >= 55, let version = Self.number(value, 0..<2), version != 0xFF,
            value.count == 55 || (version > 0 && value[55] == Self.hyphen),
            value[2] == Self.hyphen, value[35] == Self.hyphen, value[52] == Self.hyphen,
            let high = Self.number(value, 3..<19), let low = Self.number(value, 19..<35),
            let span = Self.number(value, 36..<52), let flags = Self.number(value, 53..<55)
        else { return nil }
        self.init(traceHigh: high, traceLow: low, span: span, isSampled: flags & 1 != 0)
    }

    /// Reads the value of a `b3` field.
    ///
    /// A trace id of 16 or 32 digits, a span id, and perhaps whether it is sampled (`1`, `0`, or `d` for debugging) and
    /// the parent's span id. A value that says only whether to sample names no trace.
    /// - Parameter value: The field value without the white space around it; borrowed for the call only.
    public init?(b3 value: Span<UInt8>) {
        let traceEnd = value.count > 32 && value[32] == Self.hyphen ? 32 : 16
        let spanEnd = traceEnd + 17
        guard value.count >= spanEnd, value[traceEnd] == Self.hyphen,
            let isSampled = Self.b3Sampling(value.extracting(spanEnd..<value.count))
        else { return nil }
        self.init(b3In: value, traceID: 0..<traceEnd, spanID: traceEnd + 1..<spanEnd, isSampled: isSampled)
    }

    /// Reads the values of the several fields of B3, as ranges of the octets of a head.
    /// - Parameters:
    ///   - octets: The head; borrowed for the call only.
    ///   - traceID: The value of `X-B3-TraceId`.
    ///   - spanID: The value of `X-B3-SpanId`.
    ///   - sampled: The value of `X-B3-Sampled`, if there is one: `1`, `0`, or as older senders have it `true`, `false`.
    ///   - flags: The value of `X-B3-Flags`, if there is one: `1` for debugging, which is always sampled.
    init?(
        b3In octets: Span<UInt8>,
        traceID: Range<Int>,
        spanID: Range<Int>,
        sampled: Range<Int>?,
        flags: Range<Int>?
    ) {
        let isDebugged = flags.map { octets.matches($0, "1") } ?? false
        let isSampled = sampled.map { octets.matches($0, "1") || octets.matches($0, "true") } ?? false
        self.init(b3In: octets, traceID: traceID, spanID: spanID, isSampled: isSampled || isDebugged)
    }

    private init?(b3In octets: Span<UInt8>, traceID: Range<Int>, spanID: Range<Int>, isSampled: Bool) {
        guard traceID.count == 16 || traceID.count == 32, spanID.count == 16,
            let high = traceID.count == 32 ? Self.number(octets, traceID.prefix(16)) : 0,
            let low = Self.number(octets, traceID.suffix(16)), let span = Self.number(octets, spanID)
        else { return nil }
        self.init(traceHigh: high, traceLow: low, span: span, isSampled: isSampled)
    }

    /// What stands behind the ids of a `b3` field; `nil` if it may not stand there.
    private static func b3Sampling(_ rest: Span<UInt8>) -> Bool? {
        guard rest.count > 0 else { return false }
        guard rest.count >= 2, rest[0] == hyphen else { return nil }
        let hasParent = rest.count == 19 && rest[2] == hyphen && number(rest, 3..<19) != nil
        guard rest.count == 2 || hasParent else { return nil }
        switch rest[1] {
        case UInt8(ascii: "1"), UInt8(ascii: "d"): return true
        case UInt8(ascii: "0"): return false
        default: return nil
        }
    }

    private static var hyphen: UInt8 { UInt8(ascii: "-") }

    /// The number that up to 16 lower-case hexadecimal digits name.
    private static func number(_ octets: Span<UInt8>, _ range: Range<Int>) -> UInt64? {
        switch range.count {
        case 16:
            guard let high = HexadecimalWord.number(octets, at: range.lowerBound),
                let low = HexadecimalWord.number(octets, at: range.lowerBound + 8)
            else { return nil }
            return high << 32 | low
        default:
            var number: UInt64 = 0
            for index in range {
                guard let digit = HexadecimalWord.digit(octets[index]) else { return nil }
                number = number << 4 | digit
            }
            return number
        }
    }
}

/// Reads hexadecimal digits in lower case, eight of them at once.
private enum HexadecimalWord {
    /// The number that the eight digits at `start` name.
    ///
    /// Each octet of the word is worked on apart, and no sum carries into the next. A letter differs from a digit in bit 6;
    /// its low half, 1 to 6, and 9 make its value.
    static func number(_ octets: Span<UInt8>, at start: Int) -> UInt64? {
        let word = word(octets, at: start)
        let letters = word >> 6 & ones
        let values = (word & (ones * 0x0F)) &+ letters &* 9
        let upperHalves = word & (ones * 0xF0)
        // The upper half is that of digits or of letters, and a value is 10 or more exactly where there is a letter.
        guard upperHalves == ones * 0x30 &+ letters * 0x30, values & (ones * 0xF0) == 0,
            (values &+ ones * 6) >> 4 & ones == letters
        else { return nil }
        // The first digit is the highest: the halves of octets, of pairs and of fours move together.
        var number = values.byteSwapped
        number = (number | number >> 4) & 0x00FF_00FF_00FF_00FF
        number = (number | number >> 8) & 0x0000_FFFF_0000_FFFF
        return (number | number >> 16) & 0xFFFF_FFFF
    }

    /// The value of one digit.
    static func digit(_ octet: UInt8) -> UInt64? {
        switch octet {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt64(octet - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt64(octet - UInt8(ascii: "a") + 10)
        default: nil
        }
    }

    /// A one in each octet.
    private static var ones: UInt64 { 0x0101_0101_0101_0101 }

    /// Eight octets, the first in the lowest bits.
    private static func word(_ octets: Span<UInt8>, at start: Int) -> UInt64 {
        let eight = octets.extracting(start..<start + 8)
        var word: UInt64 = 0
        for index in 0..<8 { word |= UInt64(eight[index]) &<< UInt64(index &* 8) }
        return word
    }
}
