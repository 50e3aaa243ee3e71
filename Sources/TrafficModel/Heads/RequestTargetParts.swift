// Wingmirror · Apache-2.0
// Forms of the request target, RFC 9112 §3.2.

import OctetText

/// Where the parts of a request target are.
package struct RequestTargetParts {
    /// Which form it has.
    package var form: Form
    /// The authority of an absolute target, without what names a user; `nil` in the other forms.
    package var authority: Range<Int>?
    /// The path; empty where an absolute target ends with the authority.
    package var path: Range<Int>
    /// The query without its question mark; `nil` without one.
    package var query: Range<Int>?

    /// The forms of a request target.
    package enum Form {
        case origin
        case absolute
        /// The asterisk of OPTIONS.
        case asterisk
        /// Anything else: the authority of CONNECT, or what is no request target.
        case other
    }

    /// Splits a target that lies in `octets`; a fragment, which has no place in one, is left out.
    package init(_ octets: Span<UInt8>, _ target: Range<Int>) {
        var start = target.lowerBound
        let end = target.upperBound
        if start < end, octets[start] == UInt8(ascii: "/") {
            form = .origin
        } else if let schemeEnd = Self.schemeEnd(octets, target) {
            form = .absolute
            start = schemeEnd
            var host = start
            while start < end, !Self.endsAuthority(octets[start]) {
                if octets[start] == UInt8(ascii: "@") { host = start + 1 }
                start += 1
            }
            authority = host..<start
        } else {
            form = target.count == 1 && octets[start] == UInt8(ascii: "*") ? .asterisk : .other
            path = start..<octets.find(UInt8(ascii: "#"), in: target)
            return
        }
        var pathEnd = start
        while pathEnd < end, octets[pathEnd] != UInt8(ascii: "?"), octets[pathEnd] != UInt8(ascii: "#") { pathEnd += 1 }
        path = start..<pathEnd
        if pathEnd < end, octets[pathEnd] == UInt8(ascii: "?") {
            query = pathEnd + 1..<octets.find(UInt8(ascii: "#"), in: pathEnd + 1..<end)
        }
    }

    private static func endsAuthority(_ octet: UInt8) -> Bool {
        octet == UInt8(ascii: "/") || octet == UInt8(ascii: "?") || octet == UInt8(ascii: "#")
    }

    /// Where the authority of an absolute target begins.
    private static func schemeEnd(_ octets: Span<UInt8>, _ range: Range<Int>) -> Int? {
        if octets.matches(range.prefix(7), "http://") { return range.lowerBound + 7 }
        if octets.matches(range.prefix(8), "https://") { return range.lowerBound + 8 }
        return nil
    }
}
