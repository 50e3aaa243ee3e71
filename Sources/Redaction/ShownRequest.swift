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
        CredentialNames.containsField(name)
    }

    /// A request target or URL with the values of parameters that carry credentials replaced.
    public static func redacted(url: [UInt8]) -> [UInt8] {
        guard let mark = url.firstIndex(where: { $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: ";") }) else {
            return url
        }
        var shown = Array(url[...mark])
        var copied = mark + 1
        var parameters = QueryParameters(url.span, copied..<url.endIndex)
        while let parameter = parameters.next() {
            guard let value = parameter.value, namesCredential(url, parameter.name) else { continue }
            shown += url[copied..<value.lowerBound] + replacement
            copied = value.upperBound
        }
        return shown + url[copied...]
    }

    /// Whether a name, decoded, is that of a credential; one behind a second question mark counts from there.
    private static func namesCredential(_ url: [UInt8], _ name: Range<Int>) -> Bool {
        var decoder = PercentDecoder(url.span, name, isForm: true)
        var octets: [UInt8] = []
        while let octet = decoder.next() { octets.append(octet) }
        let text = String(decoding: octets, as: UTF8.self).lowercased()
        return CredentialNames.containsParameter(text.split(separator: "?").last.map(String.init) ?? text)
    }
}
