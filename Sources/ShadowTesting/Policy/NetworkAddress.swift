// Wingmirror · Apache-2.0
// Special addresses: RFC 6890, RFC 4291 §2.5, RFC 6052 §2.1.

import OctetText

/// An address that a target's name resolves to; an IPv4 address in its IPv4-mapped form.
public struct NetworkAddress: Sendable, Hashable {
    /// The first eight octets, as a number in host byte order.
    public let high: UInt64
    /// The last eight octets, as a number in host byte order.
    public let low: UInt64

    /// Makes an address of its two halves.
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Makes an address of the 4 or 16 octets that a resolver gives; `nil` for any other number of them.
    init?(octets: some Collection<UInt8>) {
        var halves: (high: UInt64, low: UInt64) = (0, octets.count == 4 ? 0xFFFF : 0)
        guard octets.count == 4 || octets.count == 16 else { return nil }
        for octet in octets {
            halves.high = halves.high << 8 | halves.low >> 56
            halves.low = halves.low << 8 | UInt64(octet)
        }
        self.init(high: halves.high, low: halves.low)
    }

    /// The IPv4 address that this is, or that a translator reaches by it.
    var ipv4: UInt32? {
        let isMapped = high == 0 && low >> 32 == 0xFFFF
        let isTranslated = high == 0x0064_FF9B_0000_0000 && low >> 32 == 0
        if isMapped || isTranslated || isCompatible { return UInt32(truncatingIfNeeded: low) }
        // 2002::/16 and 64:ff9b:1::/48 carry the address behind their prefix (RFC 3056 §2, RFC 8215 with RFC 6052 §2.2).
        if high >> 48 == 0x2002 { return UInt32(truncatingIfNeeded: high >> 16) }
        if high >> 16 == 0x0064_FF9B_0001 {
            return UInt32(truncatingIfNeeded: (high & 0xFFFF) << 16 | low >> 40 & 0xFFFF)
        }
        return nil
    }

    /// Whether the address is an IPv4 address in the form that RFC 4291 §2.5.5.1 gave up; not `::` and `::1`.
    private var isCompatible: Bool {
        high == 0 && low > 1 && low >> 32 == 0
    }

    /// The address that packets reach in the end, so that two that reach the same are equal.
    var reached: NetworkAddress {
        ipv4.map { NetworkAddress(high: 0, low: 0xFFFF_0000_0000 | UInt64($0)) } ?? self
    }

    /// Whether packets to the address stay on this machine.
    var isLoopback: Bool {
        if let ipv4 { return ipv4 >> 24 == 127 }
        return high == 0 && low == 1
    }

    /// Whether the address means this machine without naming it, or no single one.
    var isNoHost: Bool {
        if let ipv4 { return ipv4 >> 24 == 0 || ipv4 >> 28 >= 0xE }
        return (high == 0 && low == 0) || high >> 56 == 0xFF
    }

    /// Whether the address is of the link only, where clouds keep what tells machines their secrets, or is another that
    /// some cloud uses for that.
    var isLinkLocalOrMetadata: Bool {
        if let ipv4 {
            return ipv4 >> 16 == 0xA9FE || [0x6464_64C8, 0xC000_00C0, 0xA83F_8110].contains(ipv4)
        }
        switch high {
        case 0xFD00_0EC2_0000_0000: return [0x254, 0x23].contains(low)
        case 0xFD20_00CE_0000_0000: return low == 0x254
        case 0xFD00_00C1_0000_0000: return low == 0xA9FE_A9FE
        default: return high >> 54 == 0x3FA
        }
    }
}

extension NetworkAddress: CustomStringConvertible {
    /// The address in dotted decimals, or as RFC 5952 writes it.
    public var description: String {
        var text = ""
        AddressText.write(high: high, low: low, to: &text)
        return text
    }
}
