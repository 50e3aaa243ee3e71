// Wingmirror · Apache-2.0

internal import OctetText

/// What kind of text a value is, as far as its octets tell.
enum FormatClass: String, Sendable, Hashable {
    case empty
    /// Digits, perhaps with a sign or a point.
    case counter
    /// A date, as RFC 3339 or HTTP writes it.
    case time
    /// A time, an identifier or a hash that was never set: the year 1, the beginning of 1970, or nothing but zeros.
    case zero
    /// RFC 9562.
    case uuid
    /// Sixteen or more hexadecimal digits.
    case hash
    /// A JSON Web Token, or a long word of base64.
    case signature
    /// An absolute URL.
    case link
    case text

    /// Longer values are text: none of the formats is longer, but for signatures.
    private static let longest = 4096

    init(_ octets: some RandomAccessCollection<UInt8>) {
        let octets = octets.count <= Self.longest ? Array(octets) : []
        self =
            switch octets {
            case _ where octets.isEmpty: .empty
            case _ where Self.isZero(octets): .zero
            case _ where Self.isTime(octets): .time
            case _ where Self.isCounter(octets): .counter
            case _ where Self.isUUID(octets): .uuid
            case _ where Self.isHash(octets): .hash
            case _ where LinkHosts.schemeLength(octets, at: 0) > 0: .link
            case _ where Self.isSignature(octets): .signature
            default: .text
            }
    }

    /// Whether values of the class usually differ from answer to answer.
    var isTransient: Bool {
        switch self {
        case .time, .uuid, .hash, .signature: true
        case .empty, .counter, .link, .text, .zero: false
        }
    }

    /// Whether the length of a value says something of its shape.
    fileprivate var hasTypicalLength: Bool {
        switch self {
        case .hash, .signature, .link, .text: true
        case .empty, .counter, .time, .uuid, .zero: false
        }
    }

    /// Whether random values of one kind can fall into either class: a hash may happen to have no letter, and base64 no digit.
    fileprivate func canBeRandom(beside other: FormatClass) -> Bool {
        let words: Set<FormatClass> = [.hash, .signature, .counter]
        return words.contains(self) && words.contains(other) || Set([self, other]) == [.signature, .text]
    }

    // MARK: - Formats

    private static func isDigit(_ octet: UInt8) -> Bool { 0x30...0x39 ~= octet }

    private static func isCounter(_ octets: [UInt8]) -> Bool {
        var points = 0
        for (index, octet) in octets.enumerated() where !isDigit(octet) {
            if octet == UInt8(ascii: ".") {
                points += 1
            } else if octet != UInt8(ascii: "-") || index > 0 {
                return false
            }
        }
        return octets.count <= 24 && points <= 1 && octets.contains(where: isDigit)
    }

    private static func isTime(_ octets: [UInt8]) -> Bool { TextTime.seconds(octets) != nil }

    private static func isZero(_ octets: [UInt8]) -> Bool {
        if octets.count >= 16, octets.allSatisfy({ $0 == UInt8(ascii: "0") || $0 == UInt8(ascii: "-") }) {
            return isUUID(octets) || isHash(octets)
        }
        return TextTime.isZero(octets) && (isTime(octets) || octets.starts(with: "0000-00-00".utf8))
    }

    private static func isUUID(_ octets: [UInt8]) -> Bool {
        guard octets.count == 36 else { return false }
        return octets.enumerated().allSatisfy { index, octet in
            [8, 13, 18, 23].contains(index) ? octet == UInt8(ascii: "-") : ASCII.hexadecimalValue(octet) != nil
        }
    }

    private static func isHash(_ octets: [UInt8]) -> Bool {
        octets.count >= 16 && octets.allSatisfy { ASCII.hexadecimalValue($0) != nil }
    }

    private static func isSignature(_ octets: [UInt8]) -> Bool {
        guard octets.count >= 20 else { return false }
        var hasUpper = false
        var hasLower = false
        var hasDigit = false
        for octet in octets {
            switch octet {
            case 0x41...0x5A: hasUpper = true
            case 0x61...0x7A: hasLower = true
            case 0x30...0x39: hasDigit = true
            case UInt8(ascii: "+"), UInt8(ascii: "/"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "="),
                UInt8(ascii: "."):
                break
            default: return false
            }
        }
        return hasUpper && hasLower && hasDigit
    }
}

// MARK: -

/// What two values of a volatile place must have in common: type, format and about the length.
struct ValueShape: Sendable, Hashable {
    let format: FormatClass
    let length: Int

    init(_ octets: some RandomAccessCollection<UInt8>) {
        format = FormatClass(octets)
        length = octets.count
    }

    /// Whether another value could stand in the same place.
    func isLike(_ other: ValueShape) -> Bool {
        guard format == other.format else {
            return format.canBeRandom(beside: other.format) && length == other.length
        }
        return !format.hasTypicalLength || Self.areClose(length, other.length)
    }

    /// Whether two lengths are at most a factor of about two apart.
    static func areClose(_ first: Int, _ second: Int) -> Bool {
        let buckets = [first, second].map { Int.bitWidth - $0.leadingZeroBitCount }
        return (buckets[0] - buckets[1]).magnitude <= 1
    }
}
