// Wingmirror · Apache-2.0

/// What is asked of redaction beside taking out what is known to carry credentials.
package struct RedactionRules: Sendable, Hashable {
    /// Parameters that stay although they are known to carry credentials.
    package var keptParameters: [String] = []
    /// Parameters whose values are replaced by a keyed hash of them.
    package var hashedParameters: [String] = []
    /// Members of JSON content whose values are replaced by a keyed hash, as paths such as `user.email` or `items[].id`.
    package var hashedContent: [String] = []

    /// Whether members of JSON content whose names are those of credentials are replaced by a keyed hash, wherever they lie.
    package var hashesCredentialMembers = false

    /// Makes rules that ask for nothing.
    package init() {}
}
