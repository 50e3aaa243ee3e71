// Wingmirror · Apache-2.0
// Istio's checks of names: istio pkg/config/validation/agent/validation.go, pkg/config/labels.

/// What counts as a name; letters of either case are allowed throughout, as Istio allows them.
enum NameChecks {
    /// A label of a domain name: letters, digits and inner hyphens, at most 63 octets.
    static func isLabel(_ text: some StringProtocol) -> Bool {
        let octets = Array(text.utf8)
        guard let first = octets.first, let last = octets.last, octets.count <= 63 else { return false }
        return isAlphanumeric(first) && isAlphanumeric(last)
            && octets.allSatisfy { isAlphanumeric($0) || $0 == UInt8(ascii: "-") }
    }

    /// A domain name, which may end in a dot but not in a label of digits.
    static func isDomainName(_ text: some StringProtocol) -> Bool {
        (1...255).contains(text.utf8.count) && areLabels(text)
    }

    /// A domain name whose first label may be `*`, or begin with it.
    static func isWildcardDomain(_ text: String) -> Bool {
        guard (1...255).contains(text.utf8.count) else { return false }
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard isWildcardLabel(parts[0]) else { return false }
        return parts.count == 1 || areLabels(parts[1])
    }

    private static func isWildcardLabel(_ label: Substring) -> Bool {
        guard label.utf8.first == UInt8(ascii: "*"), label.utf8.count <= 63 else { return isLabel(label) }
        let rest = label.dropFirst()
        if rest.isEmpty { return true }
        return isLabel(rest.utf8.first == UInt8(ascii: "-") ? rest.dropFirst() : rest)
    }

    private static func areLabels(_ text: some StringProtocol) -> Bool {
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        guard let last = labels.last, !isNumber(last) else { return false }
        for (index, label) in labels.enumerated() {
            // Nothing behind the last dot, as in `istio.io.`; also behind the only one, as in `shop.`.
            if index == labels.count - 1, label.isEmpty { return true }
            guard isLabel(label) else { return false }
        }
        return true
    }

    /// A hostname as the resource definitions of the Gateway API have it: in lower case, with `*.` before it or without, and
    /// without a dot at the end.
    static func isRouteHostname(_ text: String) -> Bool {
        guard (1...253).contains(text.utf8.count) else { return false }
        let name = text.hasPrefix("*.") ? text.dropFirst(2) : text[...]
        return name.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
            isLabel(label) && !label.utf8.contains { (0x41...0x5A).contains($0) }
        }
    }

    /// Whether Go's `strconv.Atoi` takes the text.
    private static func isNumber(_ text: some StringProtocol) -> Bool {
        let sign = text.utf8.first == UInt8(ascii: "-") || text.utf8.first == UInt8(ascii: "+")
        let digits = text.utf8.dropFirst(sign ? 1 : 0)
        return !digits.isEmpty && digits.allSatisfy { (0x30...0x39).contains($0) }
    }

    /// An IPv4 or IPv6 address.
    static func isAddress(_ text: String) -> Bool {
        isIPv4(text) || isIPv6(text)
    }

    private static func isIPv4(_ text: some StringProtocol) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4
            && parts.allSatisfy { part in
                part.utf8.allSatisfy { (0x30...0x39).contains($0) } && UInt8(part) != nil
                    && (part.utf8.count == 1 || part.utf8.first != UInt8(ascii: "0"))
            }
    }

    private static func isIPv6(_ text: String) -> Bool {
        var groups = text.split(separator: ":", omittingEmptySubsequences: false)
        guard groups.count >= 3 else { return false }
        var count = 8
        if let last = groups.last, last.utf8.contains(UInt8(ascii: ".")) {
            guard isIPv4(last) else { return false }
            groups.removeLast()
            count = 6
        } else if groups.last?.isEmpty == true {
            guard groups[groups.count - 2].isEmpty else { return false }
            groups.removeLast()
        }
        if groups.first?.isEmpty == true {
            guard groups.count > 1, groups[1].isEmpty else { return false }
            groups.removeFirst()
        }
        let gaps = groups.count { $0.isEmpty }
        guard gaps <= 1, gaps == 1 ? groups.count - 1 < count : groups.count == count else { return false }
        return groups.allSatisfy { group in
            group.utf8.count <= 4 && group.utf8.allSatisfy { Character(Unicode.Scalar($0)).isHexDigit }
        }
    }

    /// A field name: a token of RFC 9110 §5.6.2.
    static func isToken(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { isAlphanumeric($0) || "!#$%&'*+-.^_`|~".utf8.contains($0) }
    }

    /// The key of a label: a name of at most 63 octets, with or without a domain and a slash before it.
    static func isLabelKey(_ text: String) -> Bool {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2, let name = parts.last, !name.isEmpty, isLabelValue(name) else { return false }
        return parts.count == 1 || isDomainName(parts[0])
    }

    /// The value of a label: at most 63 letters, digits, `-`, `_` and `.`, beginning and ending with a letter or digit.
    static func isLabelValue(_ text: some StringProtocol) -> Bool {
        let octets = Array(text.utf8)
        guard let first = octets.first, let last = octets.last else { return true }
        return octets.count <= 63 && isAlphanumeric(first) && isAlphanumeric(last)
            && octets.allSatisfy { isAlphanumeric($0) || "-_.".utf8.contains($0) }
    }

    private static func isAlphanumeric(_ octet: UInt8) -> Bool {
        switch octet {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }
}
