// Wingmirror · Apache-2.0
// Classless Inter-domain Routing, RFC 4632 §3.1; IPv6 prefixes, RFC 4291 §2.3.

package import PacketDecoding

/// An address, or all that begin with a prefix.
package struct AddressRange: Sendable, Hashable {
    private let address: IPAddress
    /// How many bits count, of the 128 that ``PacketDecoding/IPAddress`` has.
    private let bits: Int

    /// Reads `10.0.0.7`, `10.0.0.0/8`, `2001:db8::1` or `2001:db8::/32`; `nil` for anything else.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = IPAddress(parts[0]) else { return nil }
        self.address = address
        let most = address.isIPv4 && !parts[0].contains(":") ? 32 : 128
        guard parts.count == 2 else {
            bits = 128
            return
        }
        guard (1...3).contains(parts[1].utf8.count), parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let length = Int(parts[1]), length <= most
        else { return nil }
        bits = 128 - most + length
    }

    /// What is to be said of a text that is none.
    package static func refusal(of text: String) -> String {
        "expected an address such as 10.0.0.7 or a prefix such as 10.0.0.0/8, found \"\(text)\""
    }

    /// Whether an address is in it.
    package func contains(_ other: IPAddress) -> Bool {
        let (high, low) = (address.high ^ other.high, address.low ^ other.low)
        // A shift by 64 or more leaves nothing, as Swift's smart shifts do.
        return high >> UInt64(max(64 - bits, 0)) == 0 && low >> UInt64(min(128 - bits, 64)) == 0
    }
}
