// Wingmirror · Apache-2.0

package import OctetText

/// What values are hashed with before they are sent or recorded.
///
/// One for each run or recording, made of random numbers and written nowhere: equal values stay equal within the run, and
/// nobody can find out a value by hashing guesses, as can be done with a hash without a key.
public struct RedactionKey: Sendable {
    private let high: UInt64
    private let low: UInt64

    /// Makes a key of 128 random bits.
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Makes a key of the numbers of a generator.
    public init(using generator: inout some RandomNumberGenerator) {
        self.init(high: generator.next(), low: generator.next())
    }

    /// Begins a hash; `purpose` keeps the hashes for different uses apart.
    package func hash(_ purpose: UInt8) -> KeyedHash {
        var hash = KeyedHash(key0: low, key1: high)
        hash.combine(purpose)
        return hash
    }
}

extension RedactionKey: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Says only what it is.
    public var description: String { "RedactionKey" }

    /// The same as `description`.
    public var debugDescription: String { description }

    /// Shows no parts.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}
