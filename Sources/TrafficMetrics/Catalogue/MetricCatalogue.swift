// Wingmirror · Apache-2.0

/// Every metric family that the agent exposes, declared once.
///
/// Nothing else makes a `MetricFamily`, so a name, a label or a help text is written in one place, and dashboards, rules
/// and documentation can be checked against it. The rules that the names follow are checked by a test of this target.
public enum MetricCatalogue {
    /// What every name but those of `process_*` begins with.
    public static let prefix = "wingmirror_"

    /// All families in the order in which they are written.
    public static let all: [MetricFamily] =
        traffic + routes + capture + flows + tls + pipeline + mirror + verdicts + kubernetes + agent + process

    /// Where each family stands in `all`.
    static let positions: [MetricFamily: Int] = Dictionary(
        uniqueKeysWithValues: all.enumerated().map { ($0.element, $0.offset) }
    )

    /// The six labels that name a route and where it sends a request.
    static let routeLabels = [
        "gateway", "virtualservice_namespace", "virtualservice", "route", "destination_service", "destination_subset",
    ]
}
