// Wingmirror · Apache-2.0

/// Tells which octets of a JSON text lie in a string, as they come (RFC 8259, section 7).
///
/// For what follows brackets, commas and colons only, without reading what lies between them.
public struct JSONStringScan: Sendable {
    /// Whether a string has begun that has not ended.
    public private(set) var isInString = false
    private var isEscaped = false

    /// Makes a scan that begins outside of strings.
    public init() {}

    /// Takes the next octet.
    ///
    /// - Returns: Whether it lies in a string. The quotation mark at its end does, the one at its beginning does not.
    public mutating func append(_ octet: UInt8) -> Bool {
        guard isInString else {
            isInString = octet == UInt8(ascii: "\"")
            return false
        }
        if isEscaped {
            isEscaped = false
        } else if octet == UInt8(ascii: "\\") {
            isEscaped = true
        } else if octet == UInt8(ascii: "\"") {
            isInString = false
        }
        return true
    }
}
