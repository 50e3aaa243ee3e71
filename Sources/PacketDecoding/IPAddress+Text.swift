// Wingmirror · Apache-2.0
// Text form of addresses: RFC 5952 for IPv6, dotted decimals for IPv4.

import OctetText

extension IPAddress: CustomStringConvertible {
    /// The address in its one canonical form: `192.0.2.1`, `2001:db8::1`.
    public var description: String {
        var text = ""
        write(to: &text)
        return text
    }

    /// Appends the canonical form to `text`.
    public func write(to text: inout String) {
        AddressText.write(high: high, low: low, to: &text)
    }
}

// MARK: - Parsing

extension IPAddress: LosslessStringConvertible {
    /// Reads an address in any of the forms of RFC 4291 §2.2, without a zone, or in dotted decimals.
    ///
    /// A number with leading zeros is refused in dotted decimals, since some take it for octal.
    public init?(_ text: String) {
        self.init(text[...])
    }

    /// Reads an address from part of a text.
    public init?(_ text: Substring) {
        if let address = Self.parseIPv4(text) {
            self.init(ipv4: address)
        } else if let groups = Self.parseIPv6(text) {
            var halves: (high: UInt64, low: UInt64) = (0, 0)
            for (index, group) in groups.enumerated() {
                if index < 4 {
                    halves.high = halves.high << 16 | UInt64(group)
                } else {
                    halves.low = halves.low << 16 | UInt64(group)
                }
            }
            self.init(high: halves.high, low: halves.low)
        } else {
            return nil
        }
    }

    private static func parseIPv4(_ text: Substring) -> UInt32? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var address: UInt32 = 0
        for part in parts {
            guard part.utf8.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }), let octet = UInt8(part),
                part.count == 1 || part.first != "0"
            else { return nil }
            address = address << 8 | UInt32(octet)
        }
        return address
    }

    private static func parseIPv6(_ text: Substring) -> [UInt16]? {
        guard let (before, after) = splitAtCompression(text) else { return nil }
        guard let head = parseGroups(before, mayEndInIPv4: after == nil) else { return nil }
        guard let after else { return head.count == 8 ? head : nil }
        guard let tail = parseGroups(after, mayEndInIPv4: true), head.count + tail.count < 8 else { return nil }
        return head + Array(repeating: 0, count: 8 - head.count - tail.count) + tail
    }

    /// What stands before and after `::`; `nil` when there are two of them.
    private static func splitAtCompression(_ text: Substring) -> (before: Substring, after: Substring?)? {
        var split: Substring.Index?
        var previous: Character?
        for index in text.indices {
            if text[index] == ":", previous == ":" {
                guard split == nil else { return nil }
                split = index
            }
            previous = text[index]
        }
        guard let split else { return (text, nil) }
        return (text[..<text.index(before: split)], text[text.index(after: split)...])
    }

    private static func parseGroups(_ text: Substring, mayEndInIPv4: Bool) -> [UInt16]? {
        guard !text.isEmpty else { return [] }
        var groups: [UInt16] = []
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        for (index, part) in parts.enumerated() {
            if mayEndInIPv4, index == parts.count - 1, let address = parseIPv4(part) {
                groups.append(UInt16(address >> 16))
                groups.append(UInt16(address & 0xFFFF))
            } else {
                guard part.utf8.count <= 4, part.allSatisfy(\.isHexDigit), let group = UInt16(part, radix: 16) else {
                    return nil
                }
                groups.append(group)
            }
        }
        return groups.count <= 8 ? groups : nil
    }
}

// MARK: - Endpoints

extension Endpoint: LosslessStringConvertible {
    /// The address and the port: `192.0.2.1:80`, `[2001:db8::1]:80` (RFC 5952 §6).
    public var description: String {
        var text = ""
        write(to: &text)
        return text
    }

    /// The longest text of an endpoint has so many octets.
    public static let longestText = AddressText.longest + 8

    /// Adds the address and the port as ASCII, at most `longestText` octets of it.
    @_lifetime(output: copy output)
    public func write(to output: inout OutputSpan<UInt8>) {
        if !address.isIPv4 { output.append(UInt8(ascii: "[")) }
        AddressText.write(high: address.high, low: address.low, to: &output)
        if !address.isIPv4 { output.append(UInt8(ascii: "]")) }
        output.append(UInt8(ascii: ":"))
        output.append(number: UInt(port))
    }

    /// Appends the address and the port to `text`.
    public func write(to text: inout String) {
        if address.isIPv4 {
            address.write(to: &text)
        } else {
            text += "["
            address.write(to: &text)
            text += "]"
        }
        text += ":"
        text += String(port)
    }

    /// Reads what `description` writes.
    public init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        let digits = text[text.index(after: colon)...]
        guard digits.utf8.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }), let port = UInt16(digits) else {
            return nil
        }
        var name = text[..<colon]
        let isBracketed = name.hasPrefix("[") && name.hasSuffix("]")
        if isBracketed { name = name.dropFirst().dropLast() }
        guard let address = IPAddress(name), isBracketed == name.contains(":") else { return nil }
        self.init(address: address, port: port)
    }
}
