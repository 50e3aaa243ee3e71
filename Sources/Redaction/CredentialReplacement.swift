// Wingmirror · Apache-2.0

import OctetText
internal import TrafficModel

/// Replaces what is known to carry credentials in URLs, fields that hold URLs, and forms; everything else stays as it was.
///
/// For what is kept or shown of requests: names stay, so that it can be seen what was there. What is sent to staging is
/// ``ParameterRedaction``'s.
package struct CredentialReplacement {
    private let names: Set<String>
    private let replacement: ([UInt8]) -> [UInt8]
    /// How many values were replaced.
    package private(set) var count = 0
    /// Names of parameters, as sent, that were looked up: whether their values are replaced.
    private var known: [[UInt8]: Bool] = [:]
    /// Names are few and short, unless a client makes them up.
    private static let knownLimit = 1024
    private static let knownLength = 64

    /// Makes a replacement.
    ///
    /// - Parameters:
    ///   - names: Names, in lower case, of parameters that are replaced beside those of credentials.
    ///   - replacement: What stands in place of a value: octets that may stand in a URL.
    package init(names: Set<String> = [], with replacement: @escaping ([UInt8]) -> [UInt8]) {
        self.names = names
        self.replacement = replacement
    }

    // MARK: - URLs

    /// A request target or URL with the values of parameters that carry credentials replaced, and what names a user before its
    /// host.
    package mutating func redacted(url: [UInt8]) -> [UInt8] {
        redacted(url: url, depth: 0)
    }

    /// A host as a request names it, with what stands before an at sign replaced: a user and a password.
    package mutating func redacted(authority: [UInt8]) -> [UInt8] {
        guard let at = authority.lastIndex(of: UInt8(ascii: "@")) else { return authority }
        return replaced(authority[..<at]) + authority[at...]
    }

    /// The value of a field with the URL in it, or those between angle brackets, redacted; `name` is in lower case.
    package mutating func redacted(field name: String, _ value: [UInt8]) -> [UInt8] {
        if URLFields.urls.contains(name) { return redacted(url: value) }
        guard URLFields.links.contains(name) else { return value }
        var result: [UInt8] = []
        var rest = value[...]
        while let start = rest.firstIndex(of: UInt8(ascii: "<")),
            let end = rest[start...].firstIndex(of: UInt8(ascii: ">"))
        {
            result += rest[...start] + redacted(url: Array(rest[(start + 1)..<end]))
            rest = rest[end...]
        }
        return result + rest
    }

    /// How deep links lie in links before one is replaced whole.
    private static let depthLimit = 4

    private mutating func redacted(url whole: [UInt8], depth: Int) -> [UInt8] {
        guard whole.contains(where: { "?;#@".utf8.contains($0) }) else { return whole }
        var url = whole
        if let user = LinkText.user(in: whole) {
            url = whole[..<user.lowerBound] + replaced(whole[user.dropLast()]) + whole[(user.upperBound - 1)...]
        }
        guard let mark = url.firstIndex(where: { "?;#".utf8.contains($0) }) else { return url }
        return url[...mark] + redacted(parameters: url[(mark + 1)...], depth: depth)
    }

    private mutating func redacted(parameters: ArraySlice<UInt8>, depth: Int) -> [UInt8] {
        let text = Array(parameters)
        var result: [UInt8] = []
        var copied = 0
        var parameters = QueryParameters(text.span, text.indices)
        while let parameter = parameters.next() {
            guard let value = parameter.value, !value.isEmpty || isCredential(text, parameter.name) else { continue }
            guard let replaced = redacted(value: value, of: parameter.name, in: text, depth: depth) else { continue }
            result += text[copied..<value.lowerBound] + replaced
            copied = value.upperBound
        }
        return result + text[copied...]
    }

    /// What stands in place of a parameter's value; `nil` for the value itself.
    private mutating func redacted(value: Range<Int>, of name: Range<Int>, in text: [UInt8], depth: Int) -> [UInt8]? {
        if isCredential(text, name) { return replaced(text[value]) }
        let link = Self.decoded(text, value)
        guard LinkText.mayHoldCredentials(link) else { return nil }
        guard depth < Self.depthLimit else { return replaced(text[value]) }
        let before = count
        let redacted = redacted(url: link, depth: depth + 1)
        return count == before ? nil : LinkText.encoded(redacted)
    }

    private mutating func replaced(_ value: ArraySlice<UInt8>) -> [UInt8] {
        count += 1
        return replacement(Array(value))
    }

    /// Whether a name is that of a credential; one behind another question mark or number sign counts from there.
    private mutating func isCredential(_ text: [UInt8], _ name: Range<Int>) -> Bool {
        let sent = Array(text[name])
        if let isCredential = known[sent] { return isCredential }
        let octets = Self.decoded(text, name)
        let start = octets.lastIndex { "?#".utf8.contains($0) }.map { $0 + 1 } ?? 0
        let isCredential = isCredential(String(decoding: octets[start...], as: UTF8.self))
        if sent.count <= Self.knownLength, known.count < Self.knownLimit { known[sent] = isCredential }
        return isCredential
    }

    private func isCredential(_ name: String) -> Bool {
        CredentialNames.contains(name) || !names.isEmpty && names.contains(name.lowercased())
    }

    private static func decoded(_ text: [UInt8], _ range: Range<Int>) -> [UInt8] {
        var decoder = PercentDecoder(text.span, range, isForm: true)
        var octets: [UInt8] = []
        while let octet = decoder.next() { octets.append(octet) }
        return octets
    }

    // MARK: - Forms

    /// Content with the values of a form replaced that carry credentials, each by as many octets, so that all lengths hold.
    ///
    /// Of a form that cannot be looked into, as it is coded or cut, everything is. What is no form stays as it is.
    ///
    /// - Parameters:
    ///   - content: The content, or its beginning.
    ///   - contentType: The value of the Content-Type field.
    ///   - isCoded: Whether a content coding is on it.
    /// - Returns: As many octets.
    package mutating func redacted(content: [UInt8], contentType: String?, isCoded: Bool) -> [UInt8] {
        guard let contentType, !content.isEmpty else { return content }
        let mediaType = MediaTypeText(contentType)
        guard mediaType.isForm || mediaType.isMultipartForm else { return content }
        var result = content
        for range in isCoded ? [content.indices] : credentials(in: content, mediaType) where !range.isEmpty {
            let text = replaced(content[range])
            for (place, index) in range.enumerated() { result[index] = text[place % text.count] }
        }
        return result
    }

    /// Where the values lie that are replaced.
    private mutating func credentials(in content: [UInt8], _ mediaType: MediaTypeText) -> [Range<Int>] {
        if mediaType.isMultipartForm {
            guard let boundary = mediaType.boundary, let form = MultipartForm(content, boundary: boundary) else {
                return [content.indices]
            }
            return form.parts.filter { isCredential($0.name) }.map(\.content)
        }
        var ranges: [Range<Int>] = []
        var parameters = QueryParameters(content.span, content.indices)
        while let parameter = parameters.next() {
            guard let value = parameter.value else { continue }
            if isCredential(content, parameter.name) || holdsCredentials(Self.decoded(content, value)) {
                ranges.append(value)
            }
        }
        return ranges
    }

    /// Whether there are credentials in a link.
    private func holdsCredentials(_ link: [UInt8]) -> Bool {
        guard LinkText.mayHoldCredentials(link) else { return false }
        var trial = CredentialReplacement(names: names) { _ in [] }
        _ = trial.redacted(url: link)
        return trial.count > 0
    }
}

/// The fields that hold URLs.
package enum URLFields {
    /// Those that hold a URL or a part of one; names in lower case.
    package static let urls: Set<String> = [
        "referer", "x-original-url", "x-original-uri", "x-rewrite-url", "x-forwarded-uri", "x-forwarded-path",
        "x-envoy-original-path", "x-request-uri", "origin", "destination", "x-forwarded-url", "x-original-request-uri",
        "content-location", "location", "refresh",
    ]

    /// Those that hold URLs between angle brackets (RFC 8288 §3, RFC 4918 §10.4).
    package static let links: Set<String> = ["link", "if"]
}
