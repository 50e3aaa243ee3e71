// Wingmirror · Apache-2.0
// Content codings: RFC 9110 §8.4.

/// Takes content codings off, so that answers can be compared and shown by what they say.
///
/// Knows `gzip`, `x-gzip`, `deflate` (with and without the zlib header, since servers send both), `br` and `identity`. Content from
/// strangers may unfold a thousandfold, so nothing is decoded beyond a limit, and no more codings than a few are taken off.
public enum ContentDecoding {
    /// The most codings that one message may have; more than one is rare already.
    public static let maximumCodings = 4

    /// Decodes content.
    ///
    /// - Parameters:
    ///   - content: All of the content, or as much of its beginning as was kept.
    ///   - codings: The values of `Content-Encoding` in wire order; each may be a list. The last coding comes off first.
    ///   - limit: The most octets that any step may give.
    /// - Returns: What came out, and whether it is all.
    /// - Throws: What is wrong with the content or its codings.
    public static func decode(
        _ content: [UInt8],
        codings: [String],
        limit: Int
    ) throws(ContentDecodingError) -> DecodedContent {
        let codings = codings.flatMap(names)
        guard codings.count <= maximumCodings else { throw .tooManyCodings }
        guard !codings.isEmpty else {
            return content.count <= limit
                ? DecodedContent(octets: content, end: .whole)
                : DecodedContent(octets: Array(content.prefix(max(limit, 0))), end: .limit)
        }
        var decoded = DecodedContent(octets: content, end: .whole)
        for coding in codings.reversed() {
            let step = try decode(decoded.octets, coding: coding, limit: max(limit, 0))
            // What one step left out the next cannot find, so the first reason stands.
            decoded = DecodedContent(octets: step.octets, end: decoded.end == .whole ? step.end : decoded.end)
        }
        return decoded
    }

    /// Takes one coding, or a list of them, off content that is all there.
    ///
    /// - Returns: All of what comes out; `nil` when the coding is unknown, the content is none of it or cut short, or more
    ///   than `limit` octets come out.
    public static func whole(_ coding: String, _ content: [UInt8], limit: Int) -> [UInt8]? {
        guard let decoded = try? decode(content, codings: [coding], limit: limit), decoded.end == .whole else {
            return nil
        }
        return decoded.octets
    }

    // MARK: - Steps

    /// The codings of a field value that do something, in lower case.
    private static func names(_ value: String) -> [String] {
        value.split(separator: ",")
            .map { $0.drop { $0 == " " || $0 == "\t" } }
            .map { String($0.prefix { $0 != " " && $0 != "\t" }).lowercased() }
            .filter { !$0.isEmpty && $0 != "identity" }
    }

    private static func decode(
        _ content: [UInt8],
        coding: String,
        limit: Int
    ) throws(ContentDecodingError) -> DecodedContent {
        switch coding {
        case "gzip", "x-gzip":
            return try Inflation.inflate(content, format: .gzip, limit: limit)
        case "deflate":
            return try Inflation.inflate(content, format: hasZlibHeader(content) ? .zlib : .raw, limit: limit)
        case "br":
            return try Brotli.decompress(content, limit: limit)
        default:
            throw .unknownCoding(coding)
        }
    }

    /// Whether content begins with a zlib header.
    ///
    /// That is method 8, a window within bounds, and a check that divides by 31 (RFC 1950 §2.2). Raw deflate data begins so
    /// only by chance, and never with a stored or final fixed block.
    private static func hasZlibHeader(_ content: [UInt8]) -> Bool {
        guard content.count >= 2 else { return true }
        let (method, flags) = (content[0], content[1])
        return method & 0x0F == 8 && method >> 4 <= 7 && (Int(method) << 8 | Int(flags)) % 31 == 0
    }
}

/// How far a file may unfold: what is made to fill memory unfolds a thousandfold from its beginning on.
public struct UnpackingRatio: Sendable, Hashable {
    /// Octets that may come out of any file.
    public let free: Int
    /// How many octets more for each that was consumed.
    public let factor: Int

    /// Makes a ratio; both numbers are 0 or more.
    public init(free: Int, factor: Int) {
        self.free = free
        self.factor = factor
    }

    /// Octets that may come out of so many.
    public func limit(consumed: Int) -> Int {
        let (more, overflows) = consumed.multipliedReportingOverflow(by: factor)
        let (limit, isBeyond) = more.addingReportingOverflow(free)
        return overflows || isBeyond ? .max : limit
    }
}

/// What came out of decoding.
public struct DecodedContent: Sendable, Hashable {
    /// Why decoding ended.
    public enum End: String, Sendable, Hashable, CaseIterable {
        /// Everything was decoded.
        case whole
        /// More would come out than the limit allows.
        case limit
        /// The content ended in the middle.
        case truncated
    }

    /// The octets, from the beginning.
    public let octets: [UInt8]
    /// Whether there is more, and why it is missing.
    public let end: End

    /// Makes decoded content of its parts.
    public init(octets: [UInt8], end: End) {
        self.octets = octets
        self.end = end
    }
}

/// Why content cannot be decoded at all.
public enum ContentDecodingError: Error, Sendable, Hashable {
    /// A coding that is not known; its name.
    case unknownCoding(String)
    /// More codings than anybody needs.
    case tooManyCodings
    /// The octets are none of the coding; the library's reason.
    case malformed(String)
}
