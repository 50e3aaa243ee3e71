// Wingmirror · Apache-2.0
// Text form of addresses: RFC 4291 §2.2 and the dotted form of IPv4.

package import PacketDecoding

extension IPAddress {
    /// Reads an IPv4 address in dotted form or an IPv6 address without zone; `nil` for anything else.
    package init?(text: some StringProtocol) {
        if let address = Self.ipv4(text) {
            self.init(ipv4: address)
        } else if let groups = Self.ipv6Groups(text) {
            let words = groups.map { UInt64($0) }
            self.init(
                high: words[0] << 48 | words[1] << 32 | words[2] << 16 | words[3],
                low: words[4] << 48 | words[5] << 32 | words[6] << 16 | words[7]
            )
        } else {
            return nil
        }
    }

    private static func ipv4(_ text: some StringProtocol) -> UInt32? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var address: UInt32 = 0
        for part in parts {
            guard part.count <= 3, part.count == 1 || !part.hasPrefix("0"), let octet = UInt16(decimal: part),
                octet < 256
            else { return nil }
            address = address << 8 | UInt32(octet)
        }
        return address
    }

    private static func ipv6Groups(_ text: some StringProtocol) -> [UInt16]? {
        guard text.utf8.count <= 45, let elision = elision(in: String(text)) else { return nil }
        guard let before = groups(elision.before, mayEndDotted: elision.after == nil) else { return nil }
        guard let afterText = elision.after else { return before.count == 8 ? before : nil }
        guard let after = groups(afterText, mayEndDotted: true), before.count + after.count < 8 else { return nil }
        return before + Array(repeating: 0, count: 8 - before.count - after.count) + after
    }

    /// What stands before and after `::`; `nil` when it stands twice.
    private static func elision(in text: String) -> (before: Substring, after: Substring?)? {
        let octets = Array(text.utf8)
        let colons = octets.indices.dropLast().filter { octets[$0] == 0x3A && octets[$0 + 1] == 0x3A }
        guard colons.count <= 1 else { return nil }
        guard let first = colons.first else { return (text[...], nil) }
        let start = text.utf8.index(text.startIndex, offsetBy: first)
        return (text[..<start], text[text.utf8.index(start, offsetBy: 2)...])
    }

    private static func groups(_ text: Substring, mayEndDotted: Bool) -> [UInt16]? {
        guard !text.isEmpty else { return [] }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        var groups: [UInt16] = []
        for (index, part) in parts.enumerated() {
            if mayEndDotted, index == parts.count - 1, let address = ipv4(part) {
                groups += [UInt16(truncatingIfNeeded: address >> 16), UInt16(truncatingIfNeeded: address)]
            } else if (1...4).contains(part.count), part.allSatisfy(\.isHexDigit), let group = UInt16(part, radix: 16) {
                groups.append(group)
            } else {
                return nil
            }
        }
        return groups
    }
}

extension ConfigurationValue where Value == IPAddress {
    /// An address without a port.
    static var address: Self {
        ConfigurationValue<String>.text.map("an IP address") { IPAddress(text: $0) }
    }
}
