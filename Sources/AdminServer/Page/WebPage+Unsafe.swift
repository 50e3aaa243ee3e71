// Wingmirror · Apache-2.0
// Content Security Policy Level 3; Trusted Types.

import CPageAssets

/// The page at `/`: one document that fetches nothing but the JSON API it came with.
///
/// Its style and script carry a nonce that is made anew for each response, and the policy lets nothing else run. Trusted
/// types without a policy make every function that parses text as markup throw, so that what came from the wire can only
/// ever be shown as text.
struct WebPage {
    /// The document.
    let octets: [UInt8]
    /// The value of the Content-Security-Policy field.
    let policy: String

    /// Puts the document together.
    ///
    /// - Parameter nonce: A word that cannot be guessed, of letters and digits.
    init(nonce: String) {
        octets =
            PageAsset.head.octets
            + Array("<style nonce=\"\(nonce)\">".utf8) + PageAsset.style.octets + Array("</style>\n".utf8)
            + PageAsset.body.octets
            + Array("<script nonce=\"\(nonce)\">".utf8) + PageAsset.script.octets + Array("</script>\n</html>\n".utf8)
        policy = [
            "default-src 'none'", "script-src 'nonce-\(nonce)'", "style-src 'nonce-\(nonce)'", "img-src data:",
            "connect-src 'self'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
            "require-trusted-types-for 'script'", "trusted-types 'none'",
        ].joined(separator: "; ")
    }

    /// A nonce of 128 random bits.
    static func nonce() -> String {
        var generator = SystemRandomNumberGenerator()
        return String(generator.next(), radix: 36) + String(generator.next(), radix: 36)
    }
}

/// A part of the page, as it is embedded in the program.
private enum PageAsset: CaseIterable {
    case head
    case style
    case body
    case script

    /// The part's octets.
    var octets: [UInt8] {
        var count = 0
        // The octets are constants of the program, and as many as the function says.
        let start =
            switch self {
            case .head: unsafe page_head(&count)
            case .style: unsafe page_style(&count)
            case .body: unsafe page_body(&count)
            case .script: unsafe page_script(&count)
            }
        return unsafe Array(UnsafeBufferPointer(start: start, count: count))
    }
}
