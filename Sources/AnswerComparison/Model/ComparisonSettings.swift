// Wingmirror · Apache-2.0

/// How two answers are compared, and from when on a difference matters.
public struct ComparisonSettings: Sendable, Hashable {
    /// Paths within JSON content that are not compared, such as `meta.requestId` or `items[].price`.
    public var ignoredPaths: [String] = []
    /// Response fields that are not compared, in lower case.
    public var ignoredFields: [String] = []
    /// Lists within JSON content whose order does not matter, as paths.
    public var unorderedPaths: [String] = []
    /// Lists whose entries are matched by a member: path of the list to the name of the member.
    public var keyedPaths: [String: String] = [:]
    /// How far two numbers may be apart, relative to the larger one.
    public var numericTolerance = 0.0
    /// Whether examples show the values that differ, instead of their shape and a keyed hash.
    public var showsValues = false
    /// The largest excess of worse answers, 0 to 1, that still passes.
    public var margin = 0.005
    /// The largest excess of errors (5xx, resets, timeouts) that still passes.
    public var errorMargin = 0.001
    /// How much longer than the baseline a candidate may take and still pass, relative to the baseline.
    public var latencyMargin = 0.2
    /// By how much the candidate's share of slow answers may exceed the baseline's, 0 to 1.
    public var tailMargin = 0.01
    /// The least share of sampled requests that must have been compared, 0 to 1.
    public var coverageFloor = 0.95
    /// The chance of failing a target that is no worse.
    public var significance = 0.05
    /// Within how long a key has one vote.
    public var voteWindow: Duration = .seconds(60)
    /// Within how long all that differs counts as one event, before a target fails: a restart is one bad moment.
    public var timeBlock: Duration = .seconds(10)
    /// How far the verdict on the last hours reaches back.
    public var recentWindow: Duration = .seconds(3600)
    /// The response field that names the candidate's version; empty for none.
    ///
    /// A new value begins the candidate's verdicts anew.
    public var versionField = ""
    /// Final statuses of gRPC that are errors of a server; the usual ones are those of OpenTelemetry's conventions.
    public var grpcErrorStatuses: Set<Int> = [2, 4, 12, 13, 14, 15]
    /// The most octets of an answer that are kept and compared, decoded too.
    public var maximumContentOctets = 1 << 20
    /// How much later than production's answer a shadow request may be sent and still be compared.
    public var maximumLag: Duration = .seconds(30)

    /// Makes the defaults.
    public init() {}
}
