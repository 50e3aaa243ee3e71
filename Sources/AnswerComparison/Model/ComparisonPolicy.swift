// Wingmirror · Apache-2.0

/// What comparing and judging answers must know of a mirroring policy.
public struct ComparisonPolicy: Sendable, Hashable {
    /// The label `policy`.
    public var name: String
    /// The targets whose answers are judged, by name.
    public var targets: [String]
    /// The target that runs production's version, by name, against which the others are judged (design D2).
    public var baseline: String?
    /// How answers are compared, and from when on a difference matters.
    public var settings: ComparisonSettings
    /// Fields, in lower case, whose values are never shown, beside those that always carry credentials.
    public var secretFields: [String]
    /// Members of JSON content whose values are never shown, as paths.
    public var secretPaths: [String]

    /// Makes a policy of its parts.
    public init(
        name: String,
        targets: [String],
        baseline: String? = nil,
        settings: ComparisonSettings = ComparisonSettings(),
        secretFields: [String] = [],
        secretPaths: [String] = []
    ) {
        self.name = name
        self.targets = targets
        self.baseline = baseline
        self.settings = settings
        self.secretFields = secretFields
        self.secretPaths = secretPaths
    }
}
