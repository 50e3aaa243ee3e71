// Wingmirror · Apache-2.0
// Fowler–Noll–Vo hash FNV-1a of 64 and of 32 bits: RFC 9923.

/// A hash without a key that is the same on every node and in every run: for names, never against somebody who chooses them.
public struct FNV1a: Sendable, Hashable {
    /// The hash of what was taken so far.
    public private(set) var value = Self.start

    /// Begins a hash.
    public init() {}

    /// Takes one octet.
    public mutating func combine(_ octet: UInt8) {
        value = Self.step(value, octet)
    }

    /// Takes octets in order.
    public mutating func combine(_ octets: some Sequence<UInt8>) {
        for octet in octets { combine(octet) }
    }

    /// The hash of nothing.
    @inlinable public static var start: UInt64 { 0xcbf2_9ce4_8422_2325 }

    /// The hash of what `hash` stands for, followed by one octet.
    @inlinable @inline(__always)
    public static func step(_ hash: UInt64, _ octet: UInt8) -> UInt64 {
        // Multiplication modulo 2⁶⁴ is how the function is defined.
        (hash ^ UInt64(octet)) &* 0x100_0000_01b3
    }
}

/// FNV-1a of 32 bits, for tables of few names.
public enum FNV1a32 {
    /// The hash of nothing.
    @inlinable public static var start: UInt32 { 0x811c_9dc5 }

    /// The hash of what `hash` stands for, followed by one octet.
    @inlinable @inline(__always)
    public static func step(_ hash: UInt32, _ octet: UInt8) -> UInt32 {
        // Multiplication modulo 2³² is how the function is defined.
        (hash ^ UInt32(octet)) &* 0x0100_0193
    }
}
