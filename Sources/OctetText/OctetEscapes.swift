// Wingmirror · Apache-2.0
// Which octets are UTF-8: RFC 3629 §4.

/// Octets as text from which they can be had back, where they may be no UTF-8.
///
/// JSON is UTF-8 (RFC 8259 §8.1), while request targets and field values are octets (RFC 9110 §5.5). In the text an octet
/// that is part of no UTF-8 character is `\x` and two hexadecimal digits, and a backslash is two: `caf\xe9`, `a\\b`.
/// A text says nothing of whether it is escaped; whoever stores one says so beside it.
public enum OctetEscapes {
    /// Whether octets must be escaped to survive as text: whether they are no UTF-8.
    public static func areNeeded(for octets: [UInt8]) -> Bool {
        octets.contains { $0 >= 0x80 } && String(validating: octets, as: UTF8.self) == nil
    }

    /// The text that stands for octets.
    public static func text(_ octets: [UInt8]) -> String {
        var text: [UInt8] = []
        text.reserveCapacity(octets.count + 16)
        var parser = Unicode.UTF8.ForwardParser()
        var rest = octets.makeIterator()
        var position = 0
        while true {
            switch parser.parseScalar(from: &rest) {
            case .valid(let character):
                for octet in character {
                    if octet == backslash { text.append(backslash) }
                    text.append(octet)
                }
                position += character.count
            case .error(let length):
                for octet in octets[position..<position + length] {
                    text += [backslash, letterX]
                    text.append(hexadecimal: UInt64(octet) << 56, count: 2)
                }
                position += length
            case .emptyInput:
                return String(decoding: text, as: UTF8.self)
            }
        }
    }

    /// The octets that a text stands for; `nil` where a backslash begins no escape.
    public static func octets(_ text: String) -> [UInt8]? {
        var octets: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let octet = rest.popFirst() {
            guard octet == backslash else {
                octets.append(octet)
                continue
            }
            switch rest.popFirst() {
            case backslash: octets.append(backslash)
            case letterX:
                guard let high = rest.popFirst().flatMap(ASCII.hexadecimalValue),
                    let low = rest.popFirst().flatMap(ASCII.hexadecimalValue)
                else { return nil }
                octets.append(high << 4 | low)
            default: return nil
            }
        }
        return octets
    }

    private static let backslash = UInt8(ascii: "\\")
    private static let letterX = UInt8(ascii: "x")
}
