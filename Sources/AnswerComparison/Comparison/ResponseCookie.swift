// Wingmirror · Apache-2.0
// Cookies: RFC 6265 §4.1, §5.2.

import OctetText

/// A cookie as a Set-Cookie field line sets it.
struct ResponseCookie {
    /// How long a client keeps it.
    enum Lifetime: String {
        /// Until the browser is closed.
        case session
        /// Until a time to come.
        case lasting
        /// Not at all: the line deletes it.
        case expired
    }

    /// What tells it from others of the same answer; a later line with the same takes the place of an earlier one.
    struct Identity: Hashable {
        let name: [UInt8]
        /// In lower case, without a leading point; `nil` for the host that answers alone.
        let domain: [UInt8]?
        let path: [UInt8]
    }

    let identity: Identity
    let value: [UInt8]
    let lifetime: Lifetime
    /// How long a lasting one is kept, in seconds; `nil` where the answer does not say when it was made, nor is it known.
    let seconds: Double?
    /// Other attributes, in lower case and in order.
    private let attributes: [[UInt8]]

    /// Reads a field line.
    /// - Parameters:
    ///   - line: The field value.
    ///   - date: When the answer was made, in seconds since the Unix epoch; `nil` when it does not say.
    ///   - moment: The same, or when it was seen; `nil` where neither is known.
    init(_ line: [UInt8], date: Int?, moment: Double?) {
        let parts = line.split(separator: UInt8(ascii: ";")).map(Self.trimmed)
        let (name, value) = Self.halves(parts.first ?? [])
        self.value = value
        var domain: [UInt8]?
        var path: [UInt8] = []
        var age: Int?
        var expiry: Int?
        var others: [[UInt8]] = []
        for part in parts.dropFirst() {
            let (attribute, value) = Self.halves(part)
            switch String(decoding: attribute.map(ASCII.lowered), as: UTF8.self) {
            case "max-age": age = Self.number(value) ?? age
            case "expires": expiry = HTTPTime.seconds(value) ?? expiry
            case "domain":
                let host = value.first == UInt8(ascii: ".") ? Array(value.dropFirst()) : value
                if !host.isEmpty { domain = host.map(ASCII.lowered) }
            case "path": path = value
            default: others.append(part.map(ASCII.lowered))
            }
        }
        identity = Identity(name: name, domain: domain, path: path)
        attributes = others.sorted { $0.lexicographicallyPrecedes($1) }
        // Max-Age comes before Expires, whichever is written first.
        lifetime =
            if let age {
                age > 0 ? .lasting : .expired
            } else if let expiry {
                expiry < HTTPTime.sensible || expiry <= date ?? .min ? .expired : .lasting
            } else {
                .session
            }
        let kept = age.map(Double.init) ?? expiry.flatMap { expiry in moment.map { Double(expiry) - $0 } }
        seconds = lifetime == .lasting ? kept.flatMap { $0 > 0 ? $0 : nil } : nil
    }

    /// Whether another cookie does the same to a client: all but the value agrees, which is new each time.
    func isLike(_ other: ResponseCookie, hosts: LinkHosts) -> Bool {
        lifetime == other.lifetime && attributes == other.attributes && identity.path == other.identity.path
            && (lifetime == .expired || value.isEmpty == other.value.isEmpty)
            && hosts.areAlike(domain: identity.domain, other.identity.domain)
    }

    /// Whether another cookie is kept about as long, where both say so.
    func lastsAsLong(as other: ResponseCookie) -> Bool {
        guard let ours = seconds, let theirs = other.seconds else { return true }
        return AnswerTime.areAsLong(ours, theirs)
    }

    private static func trimmed(_ octets: ArraySlice<UInt8>) -> [UInt8] {
        let isSpace = { (octet: UInt8) in octet == 0x20 || octet == 0x09 }
        return Array(octets.drop(while: isSpace).reversed().drop(while: isSpace).reversed())
    }

    /// What stands before the first equals sign, and what behind it.
    private static func halves(_ octets: [UInt8]) -> (name: [UInt8], value: [UInt8]) {
        guard let sign = octets.firstIndex(of: UInt8(ascii: "=")) else { return (octets, []) }
        return (trimmed(octets[..<sign]), trimmed(octets[(sign + 1)...]))
    }

    /// A whole number, perhaps a negative one; one of many digits is as large as any.
    private static func number(_ octets: [UInt8]) -> Int? {
        let isNegative = octets.first == UInt8(ascii: "-")
        let digits = isNegative ? octets.dropFirst() : octets[...]
        guard !digits.isEmpty, digits.allSatisfy({ 0x30...0x39 ~= $0 }) else { return nil }
        let number = digits.prefix(12).reduce(0) { $0 * 10 + Int($1 - 0x30) }
        return isNegative ? -number : number
    }
}
