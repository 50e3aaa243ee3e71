// Wingmirror · Apache-2.0
// Words and quotes of the shell, POSIX.1-2024 §2.2; dollar-single-quotes, §2.2.4.

internal import OctetText
internal import Redaction

/// A line that repeats a request at a shell.
///
/// What is not known or not shown is for the caller to leave out. A file of content is named, and somebody has to make it.
public struct CurlLine {
    private var words: [String]
    /// Fields that curl adds of itself, and that the request is not known to have.
    private var added = ["User-Agent", "Accept"]

    /// Begins a line.
    /// - Parameters:
    ///   - method: The request's method.
    ///   - showsHead: Whether curl shows the response's head, too.
    ///   - contentOctets: The size of the content that a file of the user's has; `nil` for a request that is sent without.
    public init(method: String, showsHead: Bool = false, contentOctets: Int? = nil) {
        words = ["curl", "-sS"]
        if showsHead { words.append("-i") }
        // The target goes as it is: brackets are none of curl's, and `/a/../b` is another path than `/b`.
        words += ["--globoff", "--path-as-is"]
        if method == "HEAD" {
            words.append("--head")
        } else if method != "GET" || contentOctets != nil {
            words += ["-X", Self.word(method)]
        }
        if let contentOctets { words += ["--data-binary", "@content-of-\(contentOctets)-bytes"] }
    }

    /// Adds a field.
    mutating func add(field name: String, _ value: String) {
        add(field: name, octets: Array(value.utf8))
    }

    /// Adds a field whose value may be no text.
    public mutating func add(field name: String, octets value: [UInt8]) {
        keep(field: name)
        // A field without a value must end in a semicolon, or it is taken for one to leave out.
        words += ["-H", Self.word(octets: Array((value.isEmpty ? "\(name);" : "\(name): ").utf8) + value)]
    }

    /// Lets curl send a field as it does by itself, since the request had one that is not shown.
    public mutating func keep(field name: String) {
        added.removeAll { $0.lowercased() == name.lowercased() }
    }

    /// Lets curl add what it adds by itself, since not all fields of the request are known.
    public mutating func keepAllFields() {
        added = []
    }

    /// Makes curl undo the coding of the response.
    public mutating func decompress() {
        words.append("--compressed")
    }

    /// The whole line for a target of a host, which may have a port.
    func text(scheme: String, authority: String, target: String) -> String {
        text(scheme: scheme, authority: authority, octets: Array(target.utf8))
    }

    /// The whole line for a target that may be no text.
    public func text(scheme: String, authority: String, octets target: [UInt8]) -> String {
        let left = added.flatMap { ["-H", Self.word("\($0):")] }
        // A target in another form is the client's own word, which is not to be taken for an option. A number sign begins no
        // fragment in a request, as curl takes it, and octets that are no text belong in no URL.
        let isPath =
            target.first == UInt8(ascii: "/") && !target.contains(UInt8(ascii: "#")) && !target.contains { $0 >= 0x80 }
        let form = isPath ? [] : ["--request-target", Self.word(octets: target)]
        let url = [
            "--url", Self.word("\(scheme)://\(authority)\(isPath ? String(decoding: target, as: UTF8.self) : "/")"),
        ]
        return (words + left + form + url).joined(separator: " ")
    }

    /// The text as one word of a shell; control characters are escaped, as a terminal would obey them.
    static func word(_ text: String) -> String { word(octets: Array(text.utf8)) }

    /// Octets, which may be no text, as one word of a shell.
    static func word(octets: [UInt8]) -> String {
        if !octets.isEmpty, octets.allSatisfy(isPlain) { return String(decoding: octets, as: UTF8.self) }
        guard !octets.allSatisfy({ 0x20..<0x7F ~= $0 }) else {
            return "'\(String(decoding: octets, as: UTF8.self).replacingQuotes)'"
        }
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

    /// Whether an octet stands for itself wherever it is in a word.
    private static func isPlain(_ octet: UInt8) -> Bool {
        ASCII.isDigit(octet) || ASCII.isLetter(octet) || "-._/:=@%+,".utf8.contains(octet)
    }
}

extension CurlLine {
    /// The line for a copy of a request to a target, for people who look into a difference.
    ///
    /// Lines end up on pages and in reports. They show no more than the copy that was sent, and less of two things: credentials
    /// that a policy lets through, and content.
    public static func text(for request: ShadowRequest, to target: MirrorTarget) -> String {
        let content = request.content.isEmpty ? nil : request.content.count
        var line = CurlLine(method: request.method, showsHead: true, contentOctets: content)
        // The client itself makes the length of what it sends.
        for field in request.fields where field.name.lowercased() != "content-length" {
            line.add(field: field.name, shownValue(of: field))
        }
        return line.text(
            scheme: target.usesTLS ? "https" : "http",
            authority: target.authority,
            target: withoutCredentials(request.target)
        )
    }

    private static func shownValue(of field: ShadowRequest.Field) -> String {
        if CredentialNames.contains(field.name) { return "REDACTED" }
        let isURL = URLFields.kind(of: field.name) == .url
        return isURL ? withoutCredentials(field.value) : withoutCredentials(in: field)
    }

    private static func withoutCredentials(in field: ShadowRequest.Field) -> String {
        var count = 0
        let value = redaction.redacted(field: Array(field.value.utf8), redactions: &count)
        var tokens = Self.tokens
        return String(decoding: tokens.redacted(field: field.name.utf8.span, value), as: UTF8.self)
    }

    private static var redaction: ParameterRedaction {
        ParameterRedaction(RedactionRules(), values: ValueRedaction(key: RedactionKey(high: 0, low: 0)))
    }

    /// A target or URL without the credentials that a policy keeps; nothing is hashed for that.
    private static func withoutCredentials(_ target: String) -> String {
        var count = 0
        let target = redaction.redacted(target: Array(target.utf8), redactions: &count)
        var tokens = Self.tokens
        return String(decoding: tokens.redacted(url: target), as: UTF8.self)
    }

    /// Hides JSON Web Tokens that a policy keeps for the name under which they travel.
    private static var tokens: CredentialReplacement {
        CredentialReplacement { _ in Array("REDACTED".utf8) }
    }
}

extension String {
    /// The text with each single quote ended, escaped and begun again.
    fileprivate var replacingQuotes: String {
        split(separator: "'", omittingEmptySubsequences: false).joined(separator: #"'\''"#)
    }
}
