// Wingmirror · Apache-2.0

import OctetText
internal import TrafficModel

/// Replaces what is known to carry credentials in URLs, fields that hold URLs, and forms; everything else stays as it was.
///
/// For what is kept or shown of requests: names stay, so that it can be seen what was there. What is sent to staging is
/// ``ParameterRedaction``'s.
package struct CredentialReplacement {
    private let names: ConfiguredNames
    private let replacement: ([UInt8]) -> [UInt8]
    /// How many values were replaced.
    package private(set) var count = 0

    /// Makes a replacement.
    ///
    /// - Parameters:
    ///   - names: Names, in lower case, of parameters that are replaced beside those of credentials.
    ///   - replacement: What stands in place of a value: octets that may stand in a URL.
    package init(names: Set<String> = [], with replacement: @escaping ([UInt8]) -> [UInt8]) {
        self.init(names: ConfiguredNames(names), with: replacement)
    }

    /// Makes a replacement with names that were prepared.
    package init(names: ConfiguredNames, with replacement: @escaping ([UInt8]) -> [UInt8]) {
        self.names = names
        self.replacement = replacement
    }

    // MARK: - URLs

    /// A request target or URL with the values of parameters that carry credentials replaced, what names a user before its
    /// host, and JSON Web Tokens wherever they stand.
    package mutating func redacted(url: [UInt8]) -> [UInt8] {
        withoutTokens(redacted(url: url, depth: 0))
    }

    /// A host as a request names it, with what stands before an at sign replaced: a user and a password.
    package mutating func redacted(authority: [UInt8]) -> [UInt8] {
        guard let at = authority.lastIndex(of: UInt8(ascii: "@")) else { return authority }
        return replaced(authority[..<at]) + authority[at...]
    }

    /// Whether something may be in a target or in the value of a field that is replaced; most say at a look that it is not.
    package static func mayFindCredentials(in value: Span<UInt8>) -> Bool {
        for index in value.indices {
            guard !LinkText.isMark(value[index]), value[index] != UInt8(ascii: "%") else { return true }
        }
        return WebToken.mayBegin(in: value)
    }

    /// The value of a field with the URL or host in it redacted, and the tokens.
    ///
    /// A field that is not known to hold a URL may hold one all the same, or several among other text.
    package mutating func redacted(field name: Span<UInt8>, _ value: [UInt8]) -> [UInt8] {
        switch URLFields.kind(of: name) {
        case .url: redacted(url: value)
        case .host: redacted(authority: value)
        case .forwarded: redacted(forwarded: value)
        case .links: withoutTokens(redacted(links: value))
        case .other: redacted(text: value)
        }
    }

    /// Hosts with what stands before an at sign replaced, and links that have no place there.
    private mutating func redacted(forwarded value: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var copied = 0
        for user in LinkText.usersOfForwarded(value) {
            result += value[copied..<user.lowerBound] + replaced(value[user.dropLast()])
            copied = user.upperBound - 1
        }
        return redacted(text: result + value[copied...])
    }

    /// URLs between angle brackets, and those that stand outside of any.
    private mutating func redacted(links value: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var rest = value[...]
        while let start = rest.firstIndex(of: UInt8(ascii: "<")),
            let end = rest[start...].firstIndex(of: UInt8(ascii: ">"))
        {
            result += redacted(text: Array(rest[..<start])) + [rest[start]]
            result += redacted(url: Array(rest[(start + 1)..<end]), depth: 0)
            rest = rest[end...]
        }
        return result + redacted(text: Array(rest))
    }

    /// Text that may be a link, hold some, or be one with an encoding around it, as htmx and Next.js send them.
    private mutating func redacted(text value: [UInt8]) -> [UInt8] {
        let links = LinkText.links(in: value)
        guard !links.isEmpty else {
            return withoutTokens(value.contains(where: LinkText.isMark) ? value : redacted(path: value[...], depth: 0))
        }
        var result: [UInt8] = []
        var copied = 0
        for link in links {
            result += value[copied..<link.lowerBound] + redacted(url: Array(value[link]), depth: 0)
            copied = link.upperBound
        }
        return withoutTokens(result + value[copied...])
    }

    /// How deep links lie in links before one is replaced whole.
    private static let depthLimit = 4

    private mutating func redacted(url whole: [UInt8], depth: Int) -> [UInt8] {
        guard whole.contains(where: { LinkText.isMark($0) || $0 == UInt8(ascii: "%") }) else { return whole }
        var url = whole
        if let user = LinkText.user(in: whole) {
            url = whole[..<user.lowerBound] + replaced(whole[user.dropLast()]) + whole[(user.upperBound - 1)...]
        }
        guard let mark = url.firstIndex(where: { LinkText.isMark($0) && $0 != UInt8(ascii: "@") }) else {
            return redacted(path: url[...], depth: depth)
        }
        // Most paths bear no encoding, and are not copied apart.
        guard url[..<mark].contains(UInt8(ascii: "%")) else {
            return url[...mark] + redacted(parameters: url[(mark + 1)...], depth: depth)
        }
        return redacted(path: url[..<mark], depth: depth) + [url[mark]]
            + redacted(parameters: url[(mark + 1)...], depth: depth)
    }

    /// A path with the credentials replaced of links that segments are, and of parameters whose semicolon is encoded.
    private mutating func redacted(path: ArraySlice<UInt8>, depth: Int) -> [UInt8] {
        guard path.contains(UInt8(ascii: "%")) else { return Array(path) }
        var result: [UInt8] = []
        for (number, segment) in path.split(separator: 0x2F, omittingEmptySubsequences: false).enumerated() {
            if number > 0 { result.append(0x2F) }
            result += redacted(encoded: segment, isForm: false, depth: depth) ?? Array(segment)
        }
        return result
    }

    /// A value that is a link with encodings around it; `nil` where nothing in it is replaced.
    private mutating func redacted(encoded value: ArraySlice<UInt8>, isForm: Bool, depth: Int) -> [UInt8]? {
        guard let found = LinkText.find(in: value, isForm: isForm) else { return nil }
        guard depth < Self.depthLimit else { return replaced(value) }
        let before = count
        let redacted = redacted(url: found.link, depth: depth + 1)
        return count == before ? nil : found.encoded(redacted)
    }

    private mutating func withoutTokens(_ octets: [UInt8]) -> [UInt8] {
        guard WebToken.mayBegin(in: octets.span), var token = WebToken.range(in: octets) else { return octets }
        var result: [UInt8] = []
        var copied = 0
        while true {
            result += octets[copied..<token.lowerBound] + replaced(octets[token])
            copied = token.upperBound
            guard let next = WebToken.range(in: octets, from: copied) else { break }
            token = next
        }
        return result + octets[copied...]
    }

    private mutating func redacted(parameters: ArraySlice<UInt8>, depth: Int) -> [UInt8] {
        let text = Array(parameters)
        var result: [UInt8] = []
        var copied = 0
        var parameters = QueryParameters(text.span, text.indices)
        while let parameter = parameters.next() {
            guard let (name, value) = Self.nameAndValue(of: parameter, in: text),
                !value.isEmpty || isCredential(text, name)
            else { continue }
            guard let replaced = redacted(value: value, of: name, in: text, depth: depth) else { continue }
            result += text[copied..<value.lowerBound] + replaced
            copied = value.upperBound
        }
        return result + text[copied...]
    }

    /// Where the name and the value of a parameter are, though the sign between them be encoded: `token%3D…`.
    private static func nameAndValue(
        of parameter: QueryParameters.Parameter,
        in text: [UInt8]
    ) -> (name: Range<Int>, value: Range<Int>)? {
        if let value = parameter.value { return (parameter.name, value) }
        return LinkText.encodedSign(in: text[parameter.name]).map { sign in
            (parameter.name.lowerBound..<sign.lowerBound, sign.upperBound..<parameter.name.upperBound)
        }
    }

    /// What stands in place of a parameter's value; `nil` for the value itself.
    private mutating func redacted(value: Range<Int>, of name: Range<Int>, in text: [UInt8], depth: Int) -> [UInt8]? {
        if isCredential(text, name) { return replaced(text[value]) }
        return redacted(encoded: text[value], isForm: true, depth: depth)
    }

    private mutating func replaced(_ value: ArraySlice<UInt8>) -> [UInt8] {
        count += 1
        return replacement(Array(value))
    }

    /// Whether a name is that of a credential; one behind another question mark or number sign counts from there.
    ///
    /// Nothing is remembered of names: clients make up as many as they like, and a look costs no more than a table would.
    private func isCredential(_ text: [UInt8], _ name: Range<Int>) -> Bool {
        guard text[name].contains(where: Self.needsDecoding) else { return isCredential(text.span.extracting(name)) }
        let octets = LinkText.name(text[name])
        let start = octets.lastIndex { $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "#") }.map { $0 + 1 } ?? 0
        return isCredential(octets.span.extracting(start..<octets.count))
    }

    private static func needsDecoding(_ octet: UInt8) -> Bool {
        octet == UInt8(ascii: "%") || octet == UInt8(ascii: "+") || octet == UInt8(ascii: "?")
            || octet == UInt8(ascii: "#")
    }

    private func isCredential(_ name: Span<UInt8>) -> Bool {
        CredentialNames.contains(name) || names.contains(name)
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
            return form.parts.filter(isHidden).map(\.content)
        }
        var ranges: [Range<Int>] = []
        var parameters = QueryParameters(content.span, content.indices)
        while let parameter = parameters.next() {
            guard let (name, value) = Self.nameAndValue(of: parameter, in: content) else { continue }
            if isCredential(content, name) || holdsCredentials(LinkText.find(in: content[value])?.link) {
                ranges.append(value)
            }
        }
        return ranges
    }

    /// Whether the content of a part is replaced, for one of its names or for a link that it is.
    private func isHidden(_ part: MultipartForm.Part) -> Bool {
        part.names.contains { isCredential(Array($0.utf8), 0..<$0.utf8.count) }
            || part.text.map { LinkText.mayHoldCredentials($0) && holdsCredentials($0) } ?? false
    }

    /// Whether there are credentials in a link.
    private func holdsCredentials(_ link: [UInt8]?) -> Bool {
        guard let link else { return false }
        var trial = CredentialReplacement(names: names) { _ in [] }
        _ = trial.redacted(url: link)
        return trial.count > 0
    }
}

/// Names of a configuration, looked up whatever their case.
package struct ConfiguredNames: Sendable {
    private let words: OctetWords
    /// All names, if there are some that are not ASCII, whose case is not of single octets.
    private let texts: Set<String>

    /// Prepares names in lower case.
    package init(_ names: Set<String>) {
        words = OctetWords(names)
        texts = names.allSatisfy { $0.utf8.allSatisfy { $0 < 0x80 } } ? [] : names
    }

    /// Whether a name is one of them.
    package func contains(_ name: Span<UInt8>) -> Bool {
        if words.contains(name) { return true }
        guard !texts.isEmpty else { return false }
        var octets: [UInt8] = []
        for index in 0..<name.count { octets.append(name[index]) }
        return texts.contains(String(decoding: octets, as: UTF8.self).lowercased())
    }
}

/// The fields that hold URLs.
package enum URLFields {
    /// What a field is known to hold.
    package enum Kind {
        /// A URL or a part of one.
        case url
        /// URLs between angle brackets (RFC 8288 §3, RFC 4918 §10.4).
        case links
        /// A host.
        case host
        /// Pairs, of which one may name a host (RFC 7239 §4).
        case forwarded
        /// Something else.
        case other
    }

    /// What the field of that name is known to hold.
    static func kind(of name: Span<UInt8>) -> Kind {
        if urlTable.contains(name) { return .url }
        if linkTable.contains(name) { return .links }
        if hostTable.contains(name) { return .host }
        return forwardedTable.contains(name) ? .forwarded : .other
    }

    /// What the field of that name is known to hold.
    package static func kind(of name: String) -> Kind { kind(of: name.utf8.span) }

    private static let urlTable = OctetWords([
        "referer", "x-original-url", "x-original-uri", "x-rewrite-url", "x-forwarded-uri", "x-forwarded-path",
        "x-envoy-original-path", "x-request-uri", "origin", "destination", "x-forwarded-url", "x-original-request-uri",
        "content-location", "location", "refresh", "hx-current-url", "next-url", "x-url", "x-request-url",
        "x-forwarded-prefix", "x-original-forwarded-uri", "referrer",
    ])

    private static let linkTable = OctetWords(["link", "if"])

    private static let forwardedTable = OctetWords(["forwarded"])

    private static let hostTable = OctetWords([
        "host", "x-forwarded-host", "x-original-host", "x-envoy-original-host", "x-host", "x-forwarded-server",
    ])
}
