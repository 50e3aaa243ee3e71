// Wingmirror · Apache-2.0
// Percent-encoding, RFC 3986 §2.1; of forms, WHATWG URL §5.1.

/// Reads part of a request target octet by octet, with percent-encoding taken off once.
struct PercentDecoder: ~Escapable {
    private let octets: Span<UInt8>
    private let end: Int
    /// Whether a plus sign means a space, as in queries.
    private let isForm: Bool
    private var index: Int
    /// Whether a percent sign was met that no two hexadecimal digits follow; it then stood for itself.
    private(set) var isMalformed = false

    @_lifetime(copy octets)
    init(_ octets: Span<UInt8>, _ range: Range<Int>, isForm: Bool = false) {
        self.octets = octets
        self.isForm = isForm
        index = range.lowerBound
        end = range.upperBound
    }

    /// The next octet; `nil` at the end.
    mutating func next() -> UInt8? {
        guard index < end else { return nil }
        let octet = octets[index]
        index += 1
        if octet == UInt8(ascii: "%") {
            guard index + 1 < end, let high = OctetText.hexValue(octets[index]),
                let low = OctetText.hexValue(octets[index + 1])
            else {
                isMalformed = true
                return octet
            }
            index += 2
            return high << 4 | low
        }
        return isForm && octet == UInt8(ascii: "+") ? 0x20 : octet
    }

    /// Whether what is left is `word`, which is in lower case, whatever case it has; reads it.
    mutating func isWord(_ word: String) -> Bool {
        for octet in word.utf8 {
            guard let next = next(), OctetText.lowered(next) == octet else { return false }
        }
        return next() == nil
    }
}
