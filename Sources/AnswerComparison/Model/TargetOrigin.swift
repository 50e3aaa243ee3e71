// Wingmirror · Apache-2.0

/// By what authority and scheme a target is asked, so that links to itself are links to "here".
public struct TargetOrigin: Sendable, Hashable {
    /// Host and port, as the Host field has them.
    public var authority: String
    /// Whether it is asked over TLS.
    public var isSecured: Bool

    /// Makes an origin of its parts.
    public init(authority: String, isSecured: Bool) {
        self.authority = authority
        self.isSecured = isSecured
    }
}
