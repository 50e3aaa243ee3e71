// Wingmirror · Apache-2.0

/// How much work one comparison may be, and how much of it is told.
public struct ComparisonLimits: Sendable, Hashable {
    /// Differences told apart in one pair of answers; a changed answer of a real service has a few dozen at most.
    public var differences = 128
    /// Values of JSON looked at in one pair; a content of a mebibyte has some hundred thousand.
    public var values = 1 << 19
    /// How deep JSON may be nested; deeper content is compared as text.
    public var depth = 64
    /// Members of a path in the name of a place.
    public var pathMembers = 8
    /// Octets of a value that an example shows, where values are shown.
    public var excerptOctets = 80

    /// Makes the defaults.
    public init() {}
}
