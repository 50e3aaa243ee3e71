// Wingmirror · Apache-2.0

import OctetText

extension SeededGenerator {
    /// Whether something happens that happens once in `count` times.
    mutating func oneIn(_ count: Int) -> Bool {
        Int.random(in: 0..<count, using: &self) == 0
    }
}
