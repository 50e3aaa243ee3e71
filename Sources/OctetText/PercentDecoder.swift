// Wingmirror · Apache-2.0
// Percent-encoding, RFC 3986 §2.1; of forms, WHATWG URL §5.1.

/// Reads part of a request target octet by octet, with percent-encoding taken off once.
public struct PercentDecoder: ~Escapable {
    @usableFromInline let octets: Span<UInt8>
    @usableFromInline let end: Int
    /// Whether a plus sign means a space, as in queries.
    @usableFromInline let isForm: Bool
    @usableFromInline var index: Int
    @usableFromInline var isBroken = false

    /// Begins with a part of octets; a plus sign stands for a space only in a form.
    @inlinable
    @_lifetime(copy octets)
    public init(_ octets: Span<UInt8>, _ range: Range<Int>, isForm: Bool = false) {
        self.octets = octets
        self.isForm = isForm
        index = range.lowerBound
        end = range.upperBound
    }

    /// Whether a percent sign was met that no two hexadecimal digits follow; it then stood for itself.
    public var isMalformed: Bool { isBroken }

    /// The next octet; `nil` at the end.
    @inlinable
    public mutating func next() -> UInt8? {
        guard index < end else { return nil }
        let octet = octets[index]
        index += 1
        if octet == UInt8(ascii: "%") {
            guard index + 1 < end, let high = ASCII.hexadecimalValue(octets[index]),
                let low = ASCII.hexadecimalValue(octets[index + 1])
            else {
                isBroken = true
                return octet
            }
            index += 2
            return high << 4 | low
        }
        return isForm && octet == UInt8(ascii: "+") ? 0x20 : octet
    }

    /// Whether what is left is `word`, which is in lower case, whatever case it has; reads it.
    public mutating func isWord(_ word: String) -> Bool {
        for octet in word.utf8 {
            guard let next = next(), ASCII.lowered(next) == octet else { return false }
        }
        return next() == nil
    }
}
