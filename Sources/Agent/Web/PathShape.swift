// Wingmirror · Apache-2.0

/// The shape of a request target: its path with identifiers left out, so that requests for the same kind of thing are
/// counted together.
///
/// `/orders/4711/items?page=2` has the shape `/orders/*/items`. At most four segments are kept; what lies below is `…`.
struct PathShape: Sendable, Hashable {
    /// The most segments that are told apart.
    private static let segmentLimit = 4
    /// Segments longer than this are no names that somebody chose.
    private static let nameLimit = 40

    /// The shape, such as `/orders/*/items`.
    let text: String

    /// Stands for what is not known.
    static let unknown = PathShape(text: "")

    private init(text: String) {
        self.text = text
    }

    /// Reads the target of a request, in origin form or absolute form (RFC 9112 section 3.2).
    init(target: String) {
        let path = Self.path(of: target)
        guard path.hasPrefix("/") else {
            text = path.isEmpty ? "/" : String(path.prefix(Self.nameLimit))
            return
        }
        let segments = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        var shape = ""
        for segment in segments.prefix(Self.segmentLimit) {
            shape += "/"
            shape += Self.isIdentifier(segment) ? "*" : String(segment)
        }
        if segments.count > Self.segmentLimit { shape += "/…" }
        text = shape
    }

    /// The part before the query, without scheme and authority.
    private static func path(of target: String) -> Substring {
        var rest = target.prefix { $0 != "?" && $0 != "#" }
        if let scheme = rest.firstRange(of: "://") {
            rest = rest[scheme.upperBound...].drop { $0 != "/" }
            if rest.isEmpty { return "/" }
        }
        return rest
    }

    /// Whether a segment names one thing among many: a number, a UUID, a hash, a long text with digits in it.
    private static func isIdentifier(_ segment: Substring) -> Bool {
        let octets = segment.utf8
        let digits = octets.count { (0x30...0x39).contains($0) }
        guard digits > 0 else { return octets.count > nameLimit }
        if digits == octets.count { return true }
        let hexadecimal = octets.count { octet in
            (0x30...0x39).contains(octet) || (0x61...0x66).contains(octet | 0x20) || octet == 0x2D
        }
        // Versions such as v1, and names such as s3 or oauth2, are short or have few digits.
        return (hexadecimal == octets.count && octets.count >= 8) || octets.count > nameLimit
            || (octets.count >= 12 && digits * 3 >= octets.count)
    }
}
