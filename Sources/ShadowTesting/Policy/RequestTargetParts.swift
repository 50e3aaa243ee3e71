// Wingmirror · Apache-2.0
// Forms of the request target, RFC 9112 §3.2.

internal import HTTPMessages

/// Where the parts of a request target are.
struct RequestTargetParts {
    /// Which form it has.
    var form: Form
    /// The authority of an absolute target, without what names a user; `nil` in the other forms.
    var authority: Range<Int>?
    /// The path; empty where an absolute target ends with the authority.
    var path: Range<Int>
    /// The query without its question mark; `nil` without one.
    var query: Range<Int>?

    enum Form {
        case origin
        case absolute
        /// The asterisk of OPTIONS.
        case asterisk
        /// Anything else: the authority of CONNECT, or what is no request target.
        case other
    }

    /// Splits a target that lies in `octets`; a fragment, which has no place in one, is left out.
    init(_ octets: Span<UInt8>, _ target: Range<Int>) {
        let end = OctetText.find(UInt8(ascii: "#"), in: octets, target)
        var start = target.lowerBound
        form = .other
        path = start..<start
        guard start < end else { return }
        if octets[start] == UInt8(ascii: "/") {
            form = .origin
        } else if let schemeEnd = Self.schemeEnd(octets, start..<end) {
            form = .absolute
            start = schemeEnd
            var host = start
            while start < end, octets[start] != UInt8(ascii: "/"), octets[start] != UInt8(ascii: "?") {
                if octets[start] == UInt8(ascii: "@") { host = start + 1 }
                start += 1
            }
            authority = host..<start
        } else {
            if end - start == 1, octets[start] == UInt8(ascii: "*") { form = .asterisk }
            path = start..<end
            return
        }
        let pathEnd = OctetText.find(UInt8(ascii: "?"), in: octets, start..<end)
        path = start..<pathEnd
        query = pathEnd < end ? pathEnd + 1..<end : nil
    }

    /// Where the authority of an absolute target begins.
    private static func schemeEnd(_ octets: Span<UInt8>, _ range: Range<Int>) -> Int? {
        for scheme in ["http://", "https://"] where range.count >= scheme.utf8.count {
            let end = range.lowerBound + scheme.utf8.count
            if OctetText.matches(octets, range.lowerBound..<end, scheme) { return end }
        }
        return nil
    }
}
