// Wingmirror · Apache-2.0
// Text form of IPv6 addresses: RFC 5952; of IPv4-mapped addresses, dotted decimals.

/// Addresses of 128 bits as text, in their one canonical form.
public enum AddressText {
    /// The longest text of an address has so many octets.
    public static let longest = 39

    /// Adds an address: `192.0.2.1` for an IPv4-mapped one, else such as `2001:db8::1`.
    /// - Parameters:
    ///   - high: The first eight octets, as a number in host byte order.
    ///   - low: The last eight octets, as a number in host byte order.
    ///   - text: What the address is added to.
    public static func write(high: UInt64, low: UInt64, to text: inout String) {
        var octets: [UInt8] = []
        octets.append(addingCapacity: longest) { write(high: high, low: low, to: &$0) }
        text += String(decoding: octets, as: UTF8.self)
    }

    /// Adds an address as ASCII, at most `longest` octets of it; the rest is as for a string.
    public static func write(high: UInt64, low: UInt64, to output: inout OutputSpan<UInt8>) {
        if high == 0, low >> 32 == 0xFFFF {
            writeIPv4(low, to: &output)
        } else {
            writeIPv6(high, low, to: &output)
        }
    }

    private static func writeIPv4(_ low: UInt64, to output: inout OutputSpan<UInt8>) {
        var shift: UInt64 = 24
        while true {
            output.append(number: UInt(low >> shift & 0xFF))
            guard shift > 0 else { return }
            output.append(UInt8(ascii: "."))
            shift -= 8
        }
    }

    private static func writeIPv6(_ high: UInt64, _ low: UInt64, to output: inout OutputSpan<UInt8>) {
        let compressed = longestRunOfZeroGroups(high, low)
        var index = 0
        while index < 8 {
            if index == compressed.lowerBound, !compressed.isEmpty {
                output.append(UInt8(ascii: ":"))
                output.append(UInt8(ascii: ":"))
                index = compressed.upperBound
                continue
            }
            if index > 0, index != compressed.upperBound || compressed.isEmpty { output.append(UInt8(ascii: ":")) }
            writeGroup(group(at: index, high, low), to: &output)
            index += 1
        }
    }

    /// Adds a group without leading zeros (RFC 5952 §4.1).
    private static func writeGroup(_ group: UInt16, to output: inout OutputSpan<UInt8>) {
        var shift = 12
        while shift > 0, group >> shift == 0 { shift -= 4 }
        while shift >= 0 {
            output.append(ASCII.hexadecimalDigit(UInt8(truncatingIfNeeded: group >> shift & 15)))
            shift -= 4
        }
    }

    /// The groups that `::` stands for: the first of the longest runs, of two groups at least (RFC 5952 §4.2).
    private static func longestRunOfZeroGroups(_ high: UInt64, _ low: UInt64) -> Range<Int> {
        var longest = 0..<0
        var start = 0
        while start < 8 {
            var end = start
            while end < 8, group(at: end, high, low) == 0 {
                end += 1
            }
            if end - start >= 2, end - start > longest.count { longest = start..<end }
            start = end + 1
        }
        return longest
    }

    /// One of the eight groups of 16 bits.
    private static func group(at index: Int, _ high: UInt64, _ low: UInt64) -> UInt16 {
        let half = index < 4 ? high : low
        return UInt16(truncatingIfNeeded: half >> UInt64(48 - 16 * (index % 4)))
    }
}
