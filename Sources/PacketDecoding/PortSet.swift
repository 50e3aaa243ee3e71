// Wingmirror · Apache-2.0

/// Up to eight ports, in two words, so that a look costs no more than a comparison of each.
struct PortSet: Sendable, Hashable, BitwiseCopyable {
    /// How many there may be.
    static let capacity = 8

    private var words: (UInt64, UInt64) = (0, 0)

    /// Keeps the first `capacity` of `ports`.
    init(_ ports: [UInt16]) {
        for (index, port) in ports.prefix(Self.capacity).enumerated() {
            if index < 4 {
                words.0 |= UInt64(port) << (index * 16)
            } else {
                words.1 |= UInt64(port) << ((index - 4) * 16)
            }
        }
    }

    /// Whether `port` is among them; 0 never is.
    func contains(_ port: UInt16) -> Bool {
        port != 0 && (Self.contains(words.0, port) || Self.contains(words.1, port))
    }

    private static func contains(_ word: UInt64, _ port: UInt16) -> Bool {
        (0..<4).contains { UInt16(truncatingIfNeeded: word >> ($0 * 16)) == port }
    }

    static func == (first: PortSet, second: PortSet) -> Bool {
        first.words == second.words
    }

    func hash(into hasher: inout Hasher) {
        hasher.combine(words.0)
        hasher.combine(words.1)
    }
}
