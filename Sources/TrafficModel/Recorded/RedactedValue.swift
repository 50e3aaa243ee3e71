// Wingmirror · Apache-2.0

/// What stands in place of a value that was taken out: in records, recordings, on the page and in answers of the API.
public enum RedactedValue {
    /// The word.
    public static let text = "[redacted]"
    /// Its octets.
    public static let octets = Array(text.utf8)
}
