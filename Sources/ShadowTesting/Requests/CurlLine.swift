// Wingmirror · Apache-2.0
// Words and quotes of the shell, POSIX.1-2024 §2.2; dollar-single-quotes, §2.2.4.

internal import Redaction

/// A shadow request as one line that repeats it at a shell, for people who look into a difference.
///
/// Lines end up on pages and in reports. They show no more than the copy that was sent, and less of two things: credentials
/// that a policy lets through, and content, in place of which the line names a file that somebody would have to make.
public enum CurlLine {
    /// The line for a request to a target.
    public static func text(for request: ShadowRequest, to target: MirrorTarget) -> String {
        let scheme = target.usesTLS ? "https" : "http"
        var words = ["curl", "-sS", "-i"]
        if request.method == "HEAD" { words.append("-I") } else { words += ["-X", quoted(request.method)] }
        for field in request.fields {
            let name = field.name.lowercased()
            // Made by the client itself of what it sends.
            if name == "content-length" { continue }
            let value = shownValue(of: field)
            // A field without a value must end in a semicolon, or it is taken for one to leave out.
            words += ["-H", quoted(value.isEmpty ? "\(field.name);" : "\(field.name): \(value)")]
        }
        // What curl adds of itself, and the copy did not have.
        for name in ["User-Agent", "Accept"] where request.firstValue(of: name.lowercased()) == nil {
            words += ["-H", quoted("\(name):")]
        }
        if !request.content.isEmpty { words += ["--data-binary", "@content-of-\(request.content.count)-bytes"] }
        let path = withoutCredentials(request.target)
        // A number sign begins no fragment in a request target, and would stay at home.
        let isPlain = !path.contains("#")
        if !isPlain { words += ["--request-target", quoted(path)] }
        words += [
            "--globoff", "--path-as-is", quoted("\(scheme)://\(target.authority)\(isPlain ? path : "/")"),
        ]
        return words.joined(separator: " ")
    }

    private static func shownValue(of field: ShadowRequest.Field) -> String {
        if CredentialNames.contains(field.name) { return "REDACTED" }
        let isURL = URLFields.kind(of: field.name) == .url
        return isURL ? withoutCredentials(field.value) : withoutCredentials(inField: field.value)
    }

    private static func withoutCredentials(inField value: String) -> String {
        var count = 0
        return String(decoding: redaction.redacted(field: Array(value.utf8), redactions: &count), as: UTF8.self)
    }

    private static var redaction: ParameterRedaction {
        ParameterRedaction(RedactionRules(), values: ValueRedaction(key: RedactionKey(high: 0, low: 0)))
    }

    /// A target or URL without the credentials that a policy keeps; nothing is hashed for that.
    private static func withoutCredentials(_ target: String) -> String {
        var count = 0
        return String(decoding: redaction.redacted(target: Array(target.utf8), redactions: &count), as: UTF8.self)
    }

    /// A word that a shell reads as exactly this text.
    public static func quoted(_ text: String) -> String {
        let isPlain = text.utf8.allSatisfy { 0x20..<0x7F ~= $0 }
        return isPlain ? "'\(text.replacingQuotes)'" : quoted(octets: text.utf8)
    }

    /// A word that a shell reads as exactly these octets, which may be no text.
    public static func quoted(octets: some Sequence<UInt8>) -> String {
        var word = "$'"
        for octet in octets {
            switch octet {
            case UInt8(ascii: "'"), UInt8(ascii: "\\"): word += "\\" + String(UnicodeScalar(octet))
            case 0x20..<0x7F: word += String(UnicodeScalar(octet))
            // Three octal digits cannot run into what follows them.
            default: word += "\\" + String(octet >> 6) + String(octet >> 3 & 7) + String(octet & 7)
            }
        }
        return word + "'"
    }
}

extension String {
    /// The text with each single quote ended, escaped and begun again.
    fileprivate var replacingQuotes: String {
        split(separator: "'", omittingEmptySubsequences: false).joined(separator: #"'\''"#)
    }
}
