// Wingmirror · Apache-2.0
// Keys as ECMA-48 and xterm send them.

/// A key that was pressed.
enum TopKey: Sendable, Equatable {
    case character(Character)
    case enter
    case escape
    case backspace
    case up
    case down
    case left
    case right
    case pageUp
    case pageDown
    case home
    case end
}

/// Tells keys from the octets that a terminal sends, which may come in pieces.
struct TopKeyDecoder: Sendable {
    private var pending: [UInt8] = []

    /// The longest sequence that is waited for; what goes on longer is no key.
    private static let sequenceLimit = 16

    /// Makes a decoder.
    init() {}

    /// Whether an escape has come that may be a key of its own or the beginning of another.
    var isWaiting: Bool { !pending.isEmpty }

    /// The keys in these octets and those kept from before.
    mutating func keys(in octets: [UInt8]) -> [TopKey] {
        pending += octets
        var keys: [TopKey] = []
        while let (key, length) = next() {
            pending.removeFirst(length)
            if let key { keys.append(key) }
        }
        return keys
    }

    /// The keys kept, when nothing has followed for a while: a lone escape is the key.
    mutating func flushed() -> [TopKey] {
        defer { pending.removeAll() }
        return pending.first == 0x1B && pending.count == 1 ? [.escape] : []
    }

    /// The first key and its octets; `nil` when more are needed, a key of `nil` for what means nothing.
    private func next() -> (TopKey?, Int)? {
        guard let first = pending.first else { return nil }
        switch first {
        case 0x1B: return escapeSequence()
        case 0x0D, 0x0A: return (.enter, 1)
        case 0x7F, 0x08: return (.backspace, 1)
        case 0..<0x20: return (nil, 1)
        case 0x20..<0x7F: return (.character(Character(Unicode.Scalar(first))), 1)
        default: return character(first)
        }
    }

    /// A character of several octets in UTF-8.
    private func character(_ first: UInt8) -> (TopKey?, Int)? {
        let length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2
        guard first >= 0xC2, first < 0xF5 else { return (nil, 1) }
        guard pending.count >= length else { return nil }
        guard let text = String(validating: pending[..<length], as: UTF8.self), let character = text.first else {
            return (nil, 1)
        }
        return (.character(character), length)
    }

    private func escapeSequence() -> (TopKey?, Int)? {
        guard pending.count > 1 else { return nil }
        guard pending[1] == UInt8(ascii: "[") || pending[1] == UInt8(ascii: "O") else { return (.escape, 1) }
        // Parameters and intermediates come before the octet that ends the sequence.
        guard let last = pending.dropFirst(2).firstIndex(where: { (0x40...0x7E).contains($0) }) else {
            return pending.count > Self.sequenceLimit ? (nil, pending.count) : nil
        }
        let parameters = String(decoding: pending[2..<last], as: UTF8.self)
        return (Self.key(ending: pending[last], parameters), last + 1)
    }

    private static func key(ending last: UInt8, _ parameters: String) -> TopKey? {
        switch (last, parameters) {
        case (UInt8(ascii: "A"), _): .up
        case (UInt8(ascii: "B"), _): .down
        case (UInt8(ascii: "C"), _): .right
        case (UInt8(ascii: "D"), _): .left
        case (UInt8(ascii: "H"), _), (UInt8(ascii: "~"), "1"), (UInt8(ascii: "~"), "7"): .home
        case (UInt8(ascii: "F"), _), (UInt8(ascii: "~"), "4"), (UInt8(ascii: "~"), "8"): .end
        case (UInt8(ascii: "~"), "5"): .pageUp
        case (UInt8(ascii: "~"), "6"): .pageDown
        default: nil
        }
    }
}
