// Wingmirror · Apache-2.0

/// Something about an object that its owner should know.
public struct RouteFinding: Sendable, Hashable {
    /// How much it matters.
    public enum Severity: String, Sendable, Hashable, CaseIterable {
        /// The object, or a part of it, does not do what it says.
        case error
        /// Probably not what was meant.
        case warning
        /// Worth knowing.
        case note
    }

    /// The object.
    public let object: ObjectIdentity
    /// How much it matters.
    public let severity: Severity
    /// What kind of finding it is; stable, for filters.
    public let code: FindingCode
    /// The field, such as `spec.http[0].match[1]`; empty for the whole object.
    public let path: String
    /// One sentence.
    public let message: String
    /// Where the object was written; `nil` where that is not known.
    public var location: ObjectLocation?

    /// Makes a finding.
    public init(
        object: ObjectIdentity,
        severity: Severity,
        code: FindingCode,
        path: String,
        message: String,
        location: ObjectLocation? = nil
    ) {
        self.object = object
        self.severity = severity
        self.code = code
        self.path = path
        self.message = message
        self.location = location
    }

    func located(at location: ObjectLocation?) -> RouteFinding {
        var finding = self
        finding.location = location
        return finding
    }
}
