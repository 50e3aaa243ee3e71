// Wingmirror · Apache-2.0

import OctetText
internal import TrafficModel

/// What may be shown of a request to whoever looks at a page, beside what the configuration redacts.
///
/// A page is seen by more people than a capture, so what is known to carry credentials is taken out of it, by the names by
/// which mirroring tells them.
public enum ShownRequest {
    /// What stands in place of a value.
    static let replacement = Array("[redacted]".utf8)

    /// Whether a field's value is not shown; `name` is in lower case.
    public static func hidesField(_ name: String) -> Bool {
        CredentialNames.contains(name)
    }

    /// A host as a request names it, without what stands before an at sign: a user and a password.
    public static func redacted(authority: [UInt8]) -> [UInt8] {
        guard let at = authority.lastIndex(of: UInt8(ascii: "@")) else { return authority }
        return replacement + authority[at...]
    }

    /// A request target or URL with the values of parameters that carry credentials replaced.
    public static func redacted(url: [UInt8]) -> [UInt8] {
        redacted(url: url, depth: 0)
    }

    /// How deep links lie in links before one is not shown at all.
    private static let depthLimit = 4

    private static func redacted(url whole: [UInt8], depth: Int) -> [UInt8] {
        let url = withoutUser(whole)
        guard let mark = url.firstIndex(where: { $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: ";") }) else {
            return url
        }
        var shown = Array(url[...mark])
        var copied = mark + 1
        var parameters = QueryParameters(url.span, copied..<url.endIndex)
        while let parameter = parameters.next() {
            guard let value = parameter.value else { continue }
            guard let shownValue = shownValue(url, parameter.name, value, depth: depth) else { continue }
            shown += url[copied..<value.lowerBound] + shownValue
            copied = value.upperBound
        }
        return shown + url[copied...]
    }

    /// What is shown in place of a parameter's value; `nil` for the value itself.
    private static func shownValue(_ url: [UInt8], _ name: Range<Int>, _ value: Range<Int>, depth: Int) -> [UInt8]? {
        if namesCredential(url, name) { return replacement }
        var decoder = PercentDecoder(url.span, value, isForm: true)
        var link: [UInt8] = []
        while let octet = decoder.next() { link.append(octet) }
        guard LinkText.mayHoldCredentials(link) else { return nil }
        guard depth < depthLimit else { return replacement }
        let redacted = redacted(url: link, depth: depth + 1)
        return redacted == link ? nil : LinkText.encoded(redacted)
    }

    /// A URL without what stands before an at sign in its authority.
    private static func withoutUser(_ url: [UInt8]) -> [UInt8] {
        guard let colon = url.firstIndex(of: UInt8(ascii: ":")), url[colon...].starts(with: "://".utf8) else {
            return url
        }
        let start = colon + 3
        let end = url[start...].firstIndex { "/?#".utf8.contains($0) } ?? url.endIndex
        guard let at = url[start..<end].lastIndex(of: UInt8(ascii: "@")) else { return url }
        return url[..<start] + replacement + url[at...]
    }

    /// Whether a name, decoded, is that of a credential; one behind a second question mark counts from there.
    private static func namesCredential(_ url: [UInt8], _ name: Range<Int>) -> Bool {
        var decoder = PercentDecoder(url.span, name, isForm: true)
        var octets: [UInt8] = []
        while let octet = decoder.next() { octets.append(octet) }
        let text = String(decoding: octets, as: UTF8.self).lowercased()
        return CredentialNames.contains(text.split(separator: "?").last.map(String.init) ?? text)
    }
}
