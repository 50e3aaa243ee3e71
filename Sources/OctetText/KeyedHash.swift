// Wingmirror · Apache-2.0
// SipHash-2-4 of Aumasson and Bernstein, with an output of 64 bits.

/// A keyed hash of octets that is the same on every node, in every run and on every machine.
///
/// The standard library's `Hasher` has another seed in each process, so it can neither sample alike on two nodes nor keep
/// equal values equal within a recording. Nothing is allocated, so requests can be hashed on the packet path.
public struct KeyedHash: Sendable {
    private var v0: UInt64
    private var v1: UInt64
    private var v2: UInt64
    private var v3: UInt64
    /// The octets since the last whole word, the first in the lowest place.
    private var tail: UInt64 = 0
    private var count: UInt64 = 0

    /// Begins a hash under a key.
    /// - Parameters:
    ///   - key0: The first eight octets of the key, the first in the lowest place.
    ///   - key1: The other eight octets.
    public init(key0: UInt64, key1: UInt64) {
        v0 = key0 ^ 0x736F_6D65_7073_6575
        v1 = key1 ^ 0x646F_7261_6E64_6F6D
        v2 = key0 ^ 0x6C79_6765_6E65_7261
        v3 = key1 ^ 0x7465_6462_7974_6573
    }

    // MARK: - Input

    /// Takes one octet.
    @inlinable
    public mutating func combine(_ octet: UInt8) {
        take(octet)
    }

    /// Takes octets in order; the same octets in several calls give the same hash as in one.
    public mutating func combine(_ octets: Span<UInt8>) {
        for index in octets.indices { take(octets[index]) }
    }

    /// Takes octets in order.
    public mutating func combine(_ octets: some Sequence<UInt8>) {
        for octet in octets { take(octet) }
    }

    /// Takes a number as eight octets, the lowest first.
    public mutating func combine(word number: UInt64) {
        let places = (count & 7) << 3
        compress(tail | number << places)
        // A shift by all 64 places leaves nothing, as it should when no octet was waiting.
        tail = number >> (64 - places)
        // 2⁶⁴ octets do not occur.
        count &+= 8
    }

    @usableFromInline
    mutating func take(_ octet: UInt8) {
        tail |= UInt64(octet) << ((count & 7) << 3)
        // 2⁶⁴ octets do not occur.
        count &+= 1
        if count & 7 == 0 {
            compress(tail)
            tail = 0
        }
    }

    // MARK: - Output

    /// The hash of everything taken so far.
    public var value: UInt64 {
        var state = self
        return state.finish()
    }

    private mutating func finish() -> UInt64 {
        compress(count << 56 | tail)
        v2 ^= 0xFF
        for _ in 0..<4 { round() }
        return v0 ^ v1 ^ v2 ^ v3
    }

    private mutating func compress(_ word: UInt64) {
        v3 ^= word
        round()
        round()
        v0 ^= word
    }

    /// SipRound; all additions are modulo 2⁶⁴, as the function is defined.
    private mutating func round() {
        v0 &+= v1
        v1 = Self.rotated(v1, 13) ^ v0
        v0 = Self.rotated(v0, 32)
        v2 &+= v3
        v3 = Self.rotated(v3, 16) ^ v2
        v0 &+= v3
        v3 = Self.rotated(v3, 21) ^ v0
        v2 &+= v1
        v1 = Self.rotated(v1, 17) ^ v2
        v2 = Self.rotated(v2, 32)
    }

    private static func rotated(_ word: UInt64, _ places: UInt64) -> UInt64 {
        word &<< places | word &>> (64 - places)
    }
}

extension KeyedHash {
    /// Begins a hash under a key made of a text, however long it is; the empty text is a key like any other.
    public init(secret: String) {
        var first = KeyedHash(key0: 0, key1: 1)
        first.combine(secret.utf8)
        var second = KeyedHash(key0: 0, key1: 2)
        second.combine(secret.utf8)
        self.init(key0: first.value, key1: second.value)
    }
}
