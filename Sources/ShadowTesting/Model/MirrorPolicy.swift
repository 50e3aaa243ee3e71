// Wingmirror · Apache-2.0

public import AnswerComparison
internal import Redaction

/// Which requests are mirrored, how many of them, and where to.
public struct MirrorPolicy: Sendable, Hashable {
    /// The label `policy`.
    public var name: String
    /// Which requests the policy looks at.
    public var match = MirrorMatch()
    /// The targets whose answers are judged, by name; each gets a copy.
    public var targets: [String]
    /// The target that runs production's version, by name, against which the others are judged (design D2).
    public var baseline: String?
    /// The share of the requests, 0 to 100, with fractions.
    public var percent = 0.0
    /// The most requests in a second; `nil` for what the target takes.
    public var ratePerSecond: Double?
    /// What the sampling hash is taken of: the first of these that a request has.
    public var key: [SamplingKey] = [.traceContext, .field("x-request-id"), .exchange]
    /// Methods besides the safe ones that are mirrored too.
    public var methods: [String] = []
    /// Whether requests are mirrored that were encrypted on their way to the gateway.
    public var takesDecrypted = false
    /// Paths that are not mirrored, besides the default list, as prefixes of whole segments.
    public var deniedPaths: [String] = []
    /// Query parameters whose requests are not mirrored, besides the default list, whatever their values and case.
    public var deniedParameters: [String] = []
    /// Fields that are sent although the default list takes them out, in lower case.
    public var keptFields: [String] = []
    /// Fields that are taken out besides the default list, in lower case.
    public var removedFields: [String] = []
    /// Fields whose values are replaced by a keyed hash of them, in lower case.
    public var hashedFields: [String] = []
    /// Query parameters that are sent although the default list takes them out.
    public var keptParameters: [String] = []
    /// Query parameters whose values are replaced by a keyed hash of them.
    public var hashedParameters: [String] = []
    /// Members of JSON content whose values are replaced by a keyed hash, as paths such as `user.email` or `items[].id`.
    public var hashedContent: [String] = []
    /// Whether members of JSON content whose names are those of credentials are replaced by a keyed hash, wherever they lie.
    public var hashesCredentialsInContent = false
    /// The most octets of content a request may have.
    public var maximumContentOctets = 1 << 20
    /// The share of mirrored requests that are sent to the candidate twice, 0 to 1, when there is no baseline (design D1).
    public var repeatShare = 0.1
    /// How answers are compared.
    public var comparison = ComparisonSettings()

    /// Makes a policy with the defaults for everything but its name and targets.
    public init(name: String, targets: [String]) {
        self.name = name
        self.targets = targets
    }
}

/// Which requests a policy looks at: those that every given condition fits.
public struct MirrorMatch: Sendable, Hashable {
    /// The VirtualService as `namespace/name`.
    public var virtualService: String?
    /// The name of the rule, or its place, such as `#3`.
    public var route: String?
    /// Hosts, exact or with a leading `*.`; empty for all.
    public var hosts: [String] = []
    /// Prefixes of the path, whole segments; empty for all.
    public var pathPrefixes: [String] = []
    /// Methods; empty for all that may be mirrored.
    public var methods: [String] = []
    /// Fields that must have these values, by name in lower case; an empty value asks for presence only.
    public var fields: [String: String] = [:]

    /// Makes a match of everything.
    public init() {}
}

/// Something of a request that is the same for requests that belong together.
public enum SamplingKey: Sendable, Hashable {
    /// The trace id of `traceparent`, or of B3's fields.
    case traceContext
    /// The value of a field, its name in lower case.
    case field(String)
    /// The value of a cookie.
    case cookie(String)
    /// The client's address: the first that X-Forwarded-For names, or the peer's without one.
    case clientAddress
    /// Nothing else: each request by itself. Also what a request falls back to that has none of a policy's keys.
    case exchange
}

extension MirrorPolicy {
    /// What of the policy concerns the answers.
    public var comparisonPolicy: ComparisonPolicy {
        ComparisonPolicy(
            name: name,
            targets: targets,
            baseline: baseline,
            settings: comparison,
            secretFields: removedFields + hashedFields,
            secretPaths: hashedContent
        )
    }

    /// What of the policy concerns the parameters and the content of requests.
    var redactionRules: RedactionRules {
        var rules = RedactionRules()
        rules.keptParameters = keptParameters
        rules.hashedParameters = hashedParameters
        rules.hashedContent = hashedContent
        rules.hashesCredentialMembers = hashesCredentialsInContent
        return rules
    }
}
