// Wingmirror · Apache-2.0

internal import TrafficModel

/// What may be shown of a request to whoever looks at a page, beside what the configuration redacts.
///
/// A page is seen by more people than a capture, so what is known to carry credentials is taken out of it, by the names by
/// which mirroring tells them.
public enum ShownRequest {
    /// What stands in place of a value.
    static var replacement: [UInt8] { RedactedValue.octets }

    /// Whether a field's value is not shown; the name as it was sent, since capitals divide its parts.
    public static func hidesField(_ name: String) -> Bool {
        CredentialNames.contains(name)
    }

    /// Whether a field's value is not shown, its name given as it was sent.
    public static func hidesField(_ name: Span<UInt8>) -> Bool {
        CredentialNames.contains(name)
    }

    /// The value of a field with credentials in URLs and hosts replaced.
    ///
    /// One that is not known to hold any is taken for a URL all the same: names and values in it are those of parameters.
    public static func redacted(field name: String, _ value: [UInt8]) -> [UInt8] {
        var redaction = CredentialReplacement { _ in replacement }
        let shown = redaction.redacted(field: name.utf8.span, value)
        return URLFields.kind(of: name) == .other ? redaction.redacted(url: shown) : shown
    }

    /// A host as a request names it, without what stands before an at sign: a user and a password.
    public static func redacted(authority: [UInt8]) -> [UInt8] {
        var redaction = CredentialReplacement { _ in replacement }
        return redaction.redacted(authority: authority)
    }

    /// A request target or URL with the values of parameters that carry credentials replaced.
    public static func redacted(url: [UInt8]) -> [UInt8] {
        var redaction = CredentialReplacement { _ in replacement }
        return redaction.redacted(url: url)
    }
}
