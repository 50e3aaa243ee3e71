// Wingmirror · Apache-2.0

/// Questions about octets that are text, asked without making a string.
enum OctetText {
    /// An octet with upper-case ASCII letters made lower case.
    static func lowered(_ octet: UInt8) -> UInt8 {
        UInt8(ascii: "A")...UInt8(ascii: "Z") ~= octet ? octet | 0x20 : octet
    }

    /// Whether part of `octets` equals part of `other`, whose letters are in lower case if case is to be ignored.
    static func equals(
        _ octets: Span<UInt8>,
        _ range: Range<Int>,
        _ other: Span<UInt8>,
        _ otherRange: Range<Int>,
        ignoringCase: Bool
    ) -> Bool {
        guard range.count == otherRange.count else { return false }
        for offset in 0..<range.count {
            let octet = octets[range.lowerBound + offset]
            guard (ignoringCase ? lowered(octet) : octet) == other[otherRange.lowerBound + offset] else { return false }
        }
        return true
    }

    /// A range without white space at its ends.
    static func trimmed(_ octets: Span<UInt8>, _ range: Range<Int>) -> Range<Int> {
        var low = range.lowerBound
        var high = range.upperBound
        while low < high, octets[low] == 0x20 || octets[low] == 0x09 { low += 1 }
        while high > low, octets[high - 1] == 0x20 || octets[high - 1] == 0x09 { high -= 1 }
        return low..<high
    }

    /// The first place of an octet in a range; the end of the range where there is none.
    static func find(_ octet: UInt8, in octets: Span<UInt8>, _ range: Range<Int>) -> Int {
        var index = range.lowerBound
        while index < range.upperBound, octets[index] != octet { index += 1 }
        return index
    }

    /// The value of a hexadecimal digit.
    static func hexValue(_ octet: UInt8) -> UInt8? {
        switch octet {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): octet - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): octet - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): octet - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    /// Whether an octet may stand in a field value that is sent: no control but the tab (RFC 9110 §5.5).
    static func isFieldOctet(_ octet: UInt8) -> Bool {
        octet >= 0x20 && octet != 0x7F || octet == 0x09
    }

    /// Whether an octet may stand in a request target that is sent: visible ASCII.
    static func isTargetOctet(_ octet: UInt8) -> Bool {
        0x21..<0x7F ~= octet
    }
}
