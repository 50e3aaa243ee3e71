// Wingmirror · Apache-2.0

/// What exchange records say beside figures.
public struct RecordOptions: Sendable, Hashable {
    /// Whether each message lists its field lines.
    public var includesFields: Bool
    /// How many octets of each message's content are kept; `nil` for no content.
    public var contentOctets: Int?
    /// Names, in lower case, of fields whose values are replaced.
    public var redactedFields: Set<String>
    /// Whether values of parameters that carry credentials are replaced as well: in targets, in fields that hold URLs, in forms.
    public var replacesParameters: Bool

    /// Makes options of their parts.
    public init(
        includesFields: Bool = false,
        contentOctets: Int? = nil,
        redactedFields: Set<String> = Self.credentials,
        replacesParameters: Bool = false
    ) {
        self.includesFields = includesFields
        self.contentOctets = contentOctets
        self.redactedFields = Set(redactedFields.map { $0.lowercased() })
        self.replacesParameters = replacesParameters
    }

    /// The names, in lower case, of the fields that carry credentials, which are redacted whatever the configuration says.
    public static let credentialFields = ["authorization", "cookie", "set-cookie", "proxy-authorization"]
    /// The same, to look names up in.
    public static let credentials = Set(credentialFields)
}
