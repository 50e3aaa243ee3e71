// Wingmirror · Apache-2.0

/// What the answers of staging say.
extension MetricCatalogue {
    /// The verdict so far.
    public static let mirrorVerdict = MetricFamily(
        "wingmirror_mirror_verdict",
        .gauge,
        labels: verdictLabels + ["design", "verdict"],
        help: "Verdict so far: 1 for the one that holds, 0 for the others."
    )

    /// Pairs compared.
    public static let mirrorVerdictPairs = MetricFamily(
        "wingmirror_mirror_verdict_pairs",
        .gauge,
        labels: verdictLabels,
        help: "Pairs of answers that the verdict rests on."
    )

    /// Share compared.
    public static let mirrorVerdictCoverage = MetricFamily(
        "wingmirror_mirror_verdict_coverage_ratio",
        .gauge,
        .ratio,
        labels: verdictLabels,
        help: "Share of the sampled requests whose answers were compared."
    )

    /// Pairs that speak against the target.
    public static let mirrorVerdictWorse = MetricFamily(
        "wingmirror_mirror_verdict_worse_pairs",
        .gauge,
        labels: verdictLabels,
        help: "Pairs in which the target alone differs from production."
    )

    /// Pairs that speak for the target.
    public static let mirrorVerdictBetter = MetricFamily(
        "wingmirror_mirror_verdict_better_pairs",
        .gauge,
        labels: verdictLabels,
        help: "Pairs in which the reference alone differs from production."
    )

    /// How much worse.
    public static let mirrorVerdictExcess = MetricFamily(
        "wingmirror_mirror_verdict_excess_ratio",
        .gauge,
        .ratio,
        labels: verdictLabels,
        help: "Share of pairs by which worse exceeds better."
    )

    /// Lower end.
    public static let mirrorVerdictExcessLower = MetricFamily(
        "wingmirror_mirror_verdict_excess_lower_ratio",
        .gauge,
        .ratio,
        labels: verdictLabels,
        help: "Lower end of the interval of the excess, valid at any time."
    )

    /// Upper end.
    public static let mirrorVerdictExcessUpper = MetricFamily(
        "wingmirror_mirror_verdict_excess_upper_ratio",
        .gauge,
        .ratio,
        labels: verdictLabels,
        help: "Upper end of the interval of the excess, valid at any time."
    )

    /// The evidence.
    public static let mirrorVerdictLogEvidence = MetricFamily(
        "wingmirror_mirror_verdict_log_evidence",
        .gauge,
        labels: verdictLabels,
        help:
            "Natural logarithm of the evidence that the target is worse by more than the margin; of several agents take ln(avg(exp(clamp_max(x, 700))))."
    )

    /// The noise.
    public static let mirrorVerdictNoiseFloor = MetricFamily(
        "wingmirror_mirror_verdict_noise_floor_ratio",
        .gauge,
        .ratio,
        labels: verdictLabels,
        help: "Share of pairs in which two answers of one version differ."
    )

    /// The verdict of the last hours.
    public static let mirrorVerdictRecent = MetricFamily(
        "wingmirror_mirror_verdict_recent",
        .gauge,
        labels: verdictLabels + ["verdict"],
        help: "Verdict by the answers of the last hours alone (comparison.recentWindow): 1 for the one that holds."
    )

    /// Failures of the candidate alone.
    public static let mirrorVerdictErrorsWorse = MetricFamily(
        "wingmirror_mirror_verdict_errors_worse_pairs",
        .gauge,
        labels: verdictLabels,
        help: "Pairs in which only the target failed (5xx, reset, timeout)."
    )

    /// Failures of the other side alone.
    public static let mirrorVerdictErrorsBetter = MetricFamily(
        "wingmirror_mirror_verdict_errors_better_pairs",
        .gauge,
        labels: verdictLabels,
        help: "Pairs in which only the baseline failed, or production without one."
    )

    /// The evidence on errors.
    public static let mirrorVerdictErrorsLogEvidence = MetricFamily(
        "wingmirror_mirror_verdict_errors_log_evidence",
        .gauge,
        labels: verdictLabels,
        help:
            "Natural logarithm of the evidence that the target fails more often; of several agents take ln(avg(exp(clamp_max(x, 700))))."
    )

    /// When the verdict began.
    public static let mirrorVerdictSince = MetricFamily(
        "wingmirror_mirror_verdict_since_timestamp_seconds",
        .gauge,
        .seconds,
        labels: verdictLabels,
        help: "When the first pair of the verdict was compared."
    )

    private static let verdictLabels = ["policy", "target", "virtualservice_namespace", "virtualservice", "route"]

    static let verdicts = [
        mirrorVerdict, mirrorVerdictPairs, mirrorVerdictCoverage, mirrorVerdictWorse, mirrorVerdictBetter,
        mirrorVerdictExcess, mirrorVerdictExcessLower, mirrorVerdictExcessUpper, mirrorVerdictLogEvidence,
        mirrorVerdictNoiseFloor, mirrorVerdictRecent, mirrorVerdictErrorsWorse, mirrorVerdictErrorsBetter,
        mirrorVerdictErrorsLogEvidence, mirrorVerdictSince,
    ]
}
