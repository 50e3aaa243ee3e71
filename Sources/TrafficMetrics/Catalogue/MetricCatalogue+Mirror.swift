// Wingmirror · Apache-2.0

/// What is sent to staging, and what is not.
extension MetricCatalogue {
    /// Requests that a policy has decided on, for one target.
    public static let mirrorConsidered = MetricFamily(
        "wingmirror_mirror_considered_total",
        .counter,
        labels: ["policy", "target"],
        help: "Requests that a policy has decided on: filtered, not sampled, dropped, queued or sent."
    )

    /// Requests that may not be mirrored.
    public static let mirrorFiltered = MetricFamily(
        "wingmirror_mirror_filtered_total",
        .counter,
        labels: ["policy", "target", "reason"],
        help: "Requests that a policy looked at and that may not be mirrored, by reason."
    )

    /// Requests outside the share.
    public static let mirrorNotSampled = MetricFamily(
        "wingmirror_mirror_not_sampled_total",
        .counter,
        labels: ["policy", "target"],
        help: "Requests that may be mirrored and are outside the policy's share."
    )

    /// Sampled requests that were not sent.
    public static let mirrorDropped = MetricFamily(
        "wingmirror_mirror_dropped_total",
        .counter,
        labels: ["policy", "target", "reason"],
        help: "Sampled requests that were not sent, by reason."
    )

    /// Copies handed to a connection.
    public static let mirrorSent = MetricFamily(
        "wingmirror_mirror_sent_total",
        .counter,
        labels: ["policy", "target"],
        help: "Copies of requests handed to a connection; each ends as one of mirror_requests_total or is in flight."
    )

    /// Octets sent to a target.
    public static let mirrorSentBytes = MetricFamily(
        "wingmirror_mirror_sent_bytes_total",
        .counter,
        .bytes,
        labels: ["target"],
        help: "Bytes of request heads and content sent to a target."
    )

    /// Copies that were sent and have ended.
    public static let mirrorRequests = MetricFamily(
        "wingmirror_mirror_requests_total",
        .counter,
        labels: ["policy", "target", "outcome"],
        help: "Copies that were sent and have ended, by outcome."
    )

    /// Copies without an outcome.
    public static let mirrorInFlight = MetricFamily(
        "wingmirror_mirror_in_flight",
        .gauge,
        labels: ["policy", "target"],
        help: "Copies that were sent and have no outcome yet."
    )

    /// Second copies that measure a target's own noise.
    public static let mirrorRepeats = MetricFamily(
        "wingmirror_mirror_repeats_total",
        .counter,
        labels: ["policy", "target", "outcome"],
        help: "Second copies, sent to learn how far a target differs from itself, by outcome."
    )

    /// Copies that went out once more.
    public static let mirrorSentAgain = MetricFamily(
        "wingmirror_mirror_sent_again_total",
        .counter,
        labels: ["policy", "target"],
        help:
            "Copies sent once more, because the target closed a connection that it had answered on before; each counts as one copy."
    )

    /// Values taken out or replaced.
    public static let mirrorRedactions = MetricFamily(
        "wingmirror_mirror_redacted_values_total",
        .counter,
        labels: ["policy", "target"],
        help: "Values taken out of copies, or replaced by a keyed hash, before sending."
    )

    /// Marked requests that arrived.
    public static let mirrorMarkedRequests = MetricFamily(
        "wingmirror_mirror_marked_requests_total",
        .counter,
        labels: ["gateway"],
        help:
            "Copies that agents sent, by the code of their marker, which arrived at a gateway; they are in no traffic family."
    )

    /// Requests of clients that bear the marker.
    public static let mirrorUnverifiedMarkers = MetricFamily(
        "wingmirror_mirror_unverified_markers_total",
        .counter,
        labels: ["gateway"],
        help: "Requests that bear the marker of shadow traffic without a valid code; they are traffic like any other."
    )

    /// Copies waiting.
    public static let mirrorQueueLength = MetricFamily(
        "wingmirror_mirror_queue_length",
        .gauge,
        labels: ["policy", "target"],
        help: "Copies waiting to be sent."
    )

    /// Copies that may wait.
    public static let mirrorQueueCapacity = MetricFamily(
        "wingmirror_mirror_queue_capacity",
        .gauge,
        labels: ["target"],
        help: "Copies that may wait for a target."
    )

    /// Octets waiting.
    public static let mirrorQueueBytes = MetricFamily(
        "wingmirror_mirror_queue_bytes",
        .gauge,
        .bytes,
        labels: ["target"],
        help: "Bytes of the copies waiting for a target."
    )

    /// How long copies waited.
    public static let mirrorQueueWait = MetricFamily(
        "wingmirror_mirror_queue_wait_seconds",
        .histogram,
        .seconds,
        labels: ["target"],
        help: "Time from the moment a copy was to be sent to its sending; not part of the latency."
    )

    /// How long a target took.
    public static let mirrorRequestDuration = MetricFamily(
        "wingmirror_mirror_request_duration_seconds",
        .histogram,
        .seconds,
        labels: ["target", "virtualservice_namespace", "virtualservice", "route"],
        help: "Time from sending a copy to the last byte of its answer."
    )

    /// Sizes of what was and was not sent.
    public static let mirrorBodySize = MetricFamily(
        "wingmirror_mirror_request_body_size_bytes",
        .histogram,
        .bytes,
        labels: ["target", "fate"],
        help: "Size of the content of sampled requests, by whether they were sent, so that the sample's bias shows."
    )

    /// The share in force.
    public static let mirrorSamplingRatio = MetricFamily(
        "wingmirror_mirror_sampling_ratio",
        .gauge,
        .ratio,
        labels: ["policy", "target"],
        help: "Share of eligible requests that is sent now, after ramp and back-off."
    )

    /// The share asked for.
    public static let mirrorConfiguredRatio = MetricFamily(
        "wingmirror_mirror_configured_ratio",
        .gauge,
        .ratio,
        labels: ["policy", "target"],
        help: "Share of eligible requests that the policy asks for."
    )

    /// Whether the target has a rest.
    public static let mirrorBreakerOpen = MetricFamily(
        "wingmirror_mirror_breaker_open",
        .gauge,
        labels: ["target"],
        help: "Whether the circuit breaker of the target is open (1) or not (0)."
    )

    /// Why nothing is sent.
    public static let mirrorPaused = MetricFamily(
        "wingmirror_mirror_paused",
        .gauge,
        labels: ["reason"],
        help: "Whether mirroring is paused for a reason (1) or not (0)."
    )

    /// Answers compared with production's.
    public static let mirrorComparisons = MetricFamily(
        "wingmirror_mirror_comparisons_total",
        .counter,
        labels: ["policy", "target", "virtualservice_namespace", "virtualservice", "route", "result"],
        help: "Answers of a target compared with production's, by what was found."
    )

    /// Votes lost to the limit of remembered keys.
    public static let mirrorForgottenVotes = MetricFamily(
        "wingmirror_mirror_forgotten_votes_total",
        .counter,
        help: "Keys forgotten before their vote window ended, which may then vote twice; more keys than the limit."
    )

    /// Requests without a verdict.
    public static let mirrorUnjudged = MetricFamily(
        "wingmirror_mirror_unjudged_total",
        .counter,
        help:
            "Sampled requests of routes that get no verdict: there are more routes, targets and policies than the limit."
    )

    static let mirror = [
        mirrorConsidered, mirrorFiltered, mirrorNotSampled, mirrorDropped, mirrorSent, mirrorSentBytes, mirrorRequests,
        mirrorInFlight, mirrorRepeats, mirrorSentAgain, mirrorRedactions, mirrorMarkedRequests,
        mirrorUnverifiedMarkers, mirrorQueueLength, mirrorQueueCapacity,
        mirrorQueueBytes, mirrorQueueWait, mirrorRequestDuration, mirrorBodySize, mirrorSamplingRatio,
        mirrorConfiguredRatio, mirrorBreakerOpen, mirrorPaused, mirrorComparisons,
        mirrorForgottenVotes, mirrorUnjudged,
    ]
}
