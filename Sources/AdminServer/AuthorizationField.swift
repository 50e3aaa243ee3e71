// Wingmirror · Apache-2.0
// Authorization: RFC 9110 §11.6.2. Bearer tokens: RFC 6750 §2.1.

/// What an Authorization field says.
struct AuthorizationField {
    /// The challenge to send a bearer token.
    static let bearerChallenge = "Bearer realm=\"wingmirror\""

    /// The scheme, in lower case.
    let scheme: String
    /// The credentials, as the scheme has them.
    let credentials: Substring

    /// Reads the value of the field; `nil` where there is none, or no credentials follow a scheme.
    init?(_ value: String?) {
        guard let value, let space = value.firstIndex(of: " ") else { return nil }
        scheme = value[..<space].lowercased()
        credentials = value[space...].drop { $0 == " " }
    }

    /// The bearer token; `nil` of any other scheme.
    var bearerToken: String? {
        scheme == "bearer" && !credentials.isEmpty ? String(credentials) : nil
    }
}
