// Wingmirror · Apache-2.0
// Absolute-form request targets, RFC 9112 §3.2.2, as far as Envoy takes them.

/// A request target with an authority of its own.
struct AbsoluteTarget {
    /// Where the authority lies, without what names a user.
    let authority: Range<Int>
    /// Path, query and fragment; empty where the target ends with the authority.
    let rest: Range<Int>
    /// Whether the scheme is https.
    let isHTTPS: Bool
}

extension AbsoluteTarget {
    /// Splits `scheme://authority/path`; `nil` for anything that Envoy answers 400 or 404, such as a query without a path.
    init?(_ octets: Span<UInt8>, _ target: Range<Int>) {
        guard let scheme = Self.scheme(octets, target) else { return nil }
        var index = scheme.end
        var start = index
        while index < target.upperBound, octets[index] != UInt8(ascii: "/") {
            if octets[index] == UInt8(ascii: "@") {
                guard start == scheme.end, Self.isUser(octets, start..<index) else { return nil }
                start = index + 1
            }
            index += 1
        }
        guard Self.isHost(octets, start..<index, needsPort: false) else { return nil }
        self.init(authority: start..<index, rest: index..<target.upperBound, isHTTPS: scheme.isHTTPS)
    }

    /// Whether a CONNECT target is what the proxy demands: a host and a port.
    static func isHostAndPort(_ octets: Span<UInt8>, _ target: Range<Int>) -> Bool {
        isHost(octets, target, needsPort: true)
    }

    private static func scheme(_ octets: Span<UInt8>, _ target: Range<Int>) -> (end: Int, isHTTPS: Bool)? {
        let start = target.lowerBound
        guard target.count > 7 else { return nil }
        let isHTTP =
            octets[start] | 0x20 == UInt8(ascii: "h") && octets[start + 1] | 0x20 == UInt8(ascii: "t")
            && octets[start + 2] | 0x20 == UInt8(ascii: "t") && octets[start + 3] | 0x20 == UInt8(ascii: "p")
        guard isHTTP else { return nil }
        let isHTTPS = octets[start + 4] | 0x20 == UInt8(ascii: "s")
        let end = start + (isHTTPS ? 5 : 4)
        guard end + 3 < target.upperBound, octets[end] == UInt8(ascii: ":"), octets[end + 1] == UInt8(ascii: "/"),
            octets[end + 2] == UInt8(ascii: "/")
        else { return nil }
        return (end + 3, isHTTPS)
    }

    private static func isUser(_ octets: Span<UInt8>, _ range: Range<Int>) -> Bool {
        for index in range {
            switch octets[index] {
            case UInt8(ascii: "%"): continue
            case UInt8(ascii: "/"), UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "@"): return false
            case let octet: guard PathNormalizer.isPlain(octet) else { return false }
            }
        }
        return true
    }

    /// A name of letters, digits, dots and hyphens, or an address in brackets; then a port, which may be left out.
    ///
    /// An IPv6 address with a zone counts as none; Envoy takes one where it has an interface of that name.
    static func isHost(_ octets: Span<UInt8>, _ range: Range<Int>, needsPort: Bool = false) -> Bool {
        guard let first = range.first else { return false }
        var index = first
        if octets[first] == UInt8(ascii: "[") {
            var address = ""
            index += 1
            while index < range.upperBound, octets[index] != UInt8(ascii: "]") {
                guard isAddressOctet(octets[index]) else { return false }
                address.unicodeScalars.append(Unicode.Scalar(octets[index]))
                index += 1
            }
            guard index < range.upperBound, NameChecks.isAddress(address) else { return false }
            index += 1
        } else {
            while index < range.upperBound, octets[index] != UInt8(ascii: ":") {
                guard isNameOctet(octets[index]) else { return false }
                index += 1
            }
            guard index > first else { return false }
        }
        return index == range.upperBound ? !needsPort : isPort(octets, index..<range.upperBound)
    }

    /// A colon and a number up to 65535.
    private static func isPort(_ octets: Span<UInt8>, _ range: Range<Int>) -> Bool {
        guard range.count > 1, octets[range.lowerBound] == UInt8(ascii: ":") else { return false }
        var number = 0
        for index in range.dropFirst() {
            guard (0x30...0x39).contains(octets[index]) else { return false }
            number = number * 10 + Int(octets[index] - 0x30)
            guard number <= 65_535 else { return false }
        }
        return true
    }

    private static func isNameOctet(_ octet: UInt8) -> Bool {
        switch octet {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."):
            true
        default: false
        }
    }

    private static func isAddressOctet(_ octet: UInt8) -> Bool {
        switch octet | 0x20 {
        case UInt8(ascii: "a")...UInt8(ascii: "f"): true
        default: (0x30...0x3A).contains(octet) || octet == UInt8(ascii: ".")
        }
    }
}
