// Wingmirror · Apache-2.0

/// What makes free text fit to be the value of a label.
///
/// Names of routes are free text, and one octet that a parser refuses costs the whole scrape. So a value is cleaned when
/// it enters and escaped when it is written: invalid UTF-8 and control characters (a NUL ends the lexer of text 0.0.4)
/// become U+FFFD, and what is longer than `octetLimit` is cut at the border of a code point.
public enum LabelValue {
    /// The longest value in octets of UTF-8.
    public static let octetLimit = 200

    /// What stands in place of the name of a route that is beyond the series limit.
    public static let overflow = "__overflow__"

    /// The value made of octets that may be anything.
    static func clean(octets: some Sequence<UInt8>) -> String {
        clean(String(decoding: Array(octets), as: UTF8.self))
    }

    /// The value made of any string.
    static func clean(_ text: String) -> String {
        if text.utf8.count <= octetLimit, !text.unicodeScalars.contains(where: isControl) {
            return text
        }
        var cleaned = String.UnicodeScalarView()
        var octets = 0
        for scalar in text.unicodeScalars {
            let kept = isControl(scalar) ? "\u{FFFD}" : scalar
            octets += UTF8.width(kept)
            if octets > octetLimit { break }
            cleaned.append(kept)
        }
        return String(cleaned)
    }

    /// Whether a scalar is a control character of ASCII or Latin-1.
    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x00...0x1F, 0x7F...0x9F: true
        default: false
        }
    }
}
