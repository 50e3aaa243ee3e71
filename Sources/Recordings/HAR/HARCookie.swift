// Wingmirror · Apache-2.0
// Cookies: RFC 6265 §4.1 and §5.4.

internal import JSONSyntax
internal import TrafficModel

/// A cookie as an archive lists it.
struct HARCookie: Equatable {
    var name: String
    var value: String
    var path: String?
    var domain: String?
    var isHTTPOnly = false
    var isSecure = false

    /// The cookies that a client sends, with the values replaced where `redact` is given.
    static func requestCookies(_ fields: [RecordedField], redact: ((String) -> String)?) -> [HARCookie] {
        fields.filter { $0.isNamed("cookie") }.flatMap { field in
            field.text.split(separator: ";").compactMap { HARCookie(pair: $0, redact: redact) }
        }
    }

    /// The cookies that a server sets, with the values replaced where `redact` is given.
    static func responseCookies(_ fields: [RecordedField], redact: ((String) -> String)?) -> [HARCookie] {
        fields.filter { $0.isNamed("set-cookie") }.compactMap { field in
            let parts = field.text.split(separator: ";", omittingEmptySubsequences: false)
            guard let pair = parts.first, var cookie = HARCookie(pair: pair, redact: redact) else { return nil }
            for attribute in parts.dropFirst() { cookie.take(attribute) }
            return cookie
        }
    }

    /// Reads `name=value`; text without an equals sign may be the whole secret, so it is taken as a value.
    private init?(pair: Substring, redact: ((String) -> String)?) {
        let pair = pair.trimmed
        guard !pair.isEmpty else { return nil }
        let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let value = String(parts.count == 2 ? parts[1] : pair)
        self.init(name: parts.count == 2 ? String(parts[0]) : "", value: redact?(value) ?? value)
    }

    private init(name: String, value: String) {
        self.name = name
        self.value = value
    }

    /// Notes an attribute; when it expires is written in many ways and left out, as the field has it.
    private mutating func take(_ attribute: Substring) {
        let parts = attribute.split(separator: "=", maxSplits: 1)
        guard let name = parts.first?.trimmed.lowercased() else { return }
        let value = parts.count == 2 ? String(parts[1].trimmed) : ""
        switch name {
        case "path": path = value
        case "domain": domain = value
        case "httponly": isHTTPOnly = true
        case "secure": isSecure = true
        default: break
        }
    }

    func append(to text: inout JSONText) {
        text.beginObject()
        text.member("name", name)
        text.member("value", value)
        if let path { text.member("path", path) }
        if let domain { text.member("domain", domain) }
        if isHTTPOnly { text.member("httpOnly", true) }
        if isSecure { text.member("secure", true) }
        text.endObject()
    }
}

extension Substring {
    /// The text without white space at its ends.
    fileprivate var trimmed: Substring {
        var text = drop { $0 == " " || $0 == "\t" }
        while let last = text.last, last == " " || last == "\t" { text.removeLast() }
        return text
    }
}
