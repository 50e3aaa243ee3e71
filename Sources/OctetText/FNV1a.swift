// Wingmirror · Apache-2.0
// Fowler–Noll–Vo hash FNV-1a of 64 bits: RFC 9923.

/// A hash without a key that is the same on every node and in every run: for names, never against somebody who chooses them.
public struct FNV1a: Sendable, Hashable {
    /// The hash of what was taken so far.
    public private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

    /// Begins a hash.
    public init() {}

    /// Takes one octet.
    public mutating func combine(_ octet: UInt8) {
        // Multiplication modulo 2⁶⁴ is how the function is defined.
        value = (value ^ UInt64(octet)) &* 0x100_0000_01b3
    }

    /// Takes octets in order.
    public mutating func combine(_ octets: some Sequence<UInt8>) {
        for octet in octets { combine(octet) }
    }
}
