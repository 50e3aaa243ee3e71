// Wingmirror · Apache-2.0

/// Classes and case of single octets that are ASCII text.
///
/// HTTP's names and keywords ignore the case of ASCII letters only (RFC 9110 §5.1), so nothing here knows Unicode. Octets
/// of 0x80 and above belong to no class and are their own lower case.
public enum ASCII {
    /// An octet with upper-case letters made lower case.
    @inlinable
    public static func lowered(_ octet: UInt8) -> UInt8 {
        // The subtraction wraps for what is below "A", which then is no letter either.
        octet &- UInt8(ascii: "A") < 26 ? octet | 0x20 : octet
    }

    /// Whether an octet is `0` to `9`.
    @inlinable
    public static func isDigit(_ octet: UInt8) -> Bool {
        octet &- UInt8(ascii: "0") < 10
    }

    /// Whether an octet is a letter of either case.
    @inlinable
    public static func isLetter(_ octet: UInt8) -> Bool {
        (octet | 0x20) &- UInt8(ascii: "a") < 26
    }

    /// Whether an octet is white space within a field line: space or tab (RFC 9110 §5.6.3).
    @inlinable
    public static func isWhiteSpace(_ octet: UInt8) -> Bool {
        octet == 0x20 || octet == 0x09
    }

    /// The value of a hexadecimal digit of either case; `nil` for any other octet.
    @inlinable
    public static func hexadecimalValue(_ octet: UInt8) -> UInt8? {
        if isDigit(octet) { return octet &- UInt8(ascii: "0") }
        // What lies below the first letter wraps to more than 5.
        let letter = (octet | 0x20) &- UInt8(ascii: "a")
        return letter < 6 ? letter &+ 10 : nil
    }

    /// The hexadecimal digit of a value below 16, in lower case.
    @inlinable
    public static func hexadecimalDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") &+ value : UInt8(ascii: "a") &+ value &- 10
    }

    /// Whether an octet may stand in a token, such as a method or a field name (RFC 9110 §5.6.2).
    public static func isTokenOctet(_ octet: UInt8) -> Bool {
        switch octet {
        case UInt8(ascii: "!"), UInt8(ascii: "#"), UInt8(ascii: "$"), UInt8(ascii: "%"), UInt8(ascii: "&"),
            UInt8(ascii: "'"), UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."),
            UInt8(ascii: "^"), UInt8(ascii: "_"), UInt8(ascii: "`"), UInt8(ascii: "|"), UInt8(ascii: "~"):
            true
        default: isDigit(octet) || isLetter(octet)
        }
    }

    /// Whether an octet may stand in a field value that is sent: no control but the tab (RFC 9110 §5.5).
    public static func isFieldOctet(_ octet: UInt8) -> Bool {
        octet >= 0x20 && octet != 0x7F || octet == 0x09
    }

    /// Whether an octet may stand in a request target that is sent: visible ASCII.
    public static func isTargetOctet(_ octet: UInt8) -> Bool {
        0x21..<0x7F ~= octet
    }
}
