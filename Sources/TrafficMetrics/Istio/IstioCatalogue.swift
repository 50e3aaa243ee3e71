// Wingmirror · Apache-2.0
// Istio's standard metrics.

/// The families of Istio that can be told from the wire, for those whose dashboards know nothing else.
///
/// Not part of `MetricCatalogue`: they are served on a path of their own, so that nobody counts a request twice who
/// scrapes the mesh as well. Their names and the unit of the duration are Istio's, which `promtool check metrics` finds
/// fault with, and rightly.
public enum IstioCatalogue {
    /// Requests by destination.
    public static let requests = MetricFamily(
        "istio_requests_total",
        .counter,
        labels: labels,
        help:
            "HTTP requests seen on the wire and attributed to a route, with the labels of Istio's metric of this name."
    )

    /// How long requests took, in milliseconds.
    public static let requestDuration = MetricFamily(
        "istio_request_duration_milliseconds",
        .histogram,
        .milliseconds,
        labels: labels,
        help: "Time from the first byte of a request to the last byte of its response, by packet timestamps."
    )

    /// Both families.
    public static let all = [requests, requestDuration]

    /// The value of `reporter`, which none of Istio's dashboards asks for: to be relabelled by who has no sidecars.
    static let reporter = "passive"
    /// The value of labels that a passive observer cannot know, in Istio's own word.
    static let unknown = "unknown"

    private static let labels = ["reporter"] + peerLabels + destinationLabels

    /// What the wire tells something of, and what only a proxy knows of a request.
    static let destinationLabels = [
        "destination_service", "destination_service_name", "destination_service_namespace", "request_protocol",
        "response_code", "grpc_response_status", "response_flags", "connection_security_policy",
    ]

    /// What Istio says of either end, and the wire does not.
    private static let peerLabels = ["source", "destination"].flatMap { end in
        [
            "workload", "workload_namespace", "principal", "app", "version", "cluster", "canonical_service",
            "canonical_revision",
        ].map { "\(end)_\($0)" }
    }

    /// The labels that are the same for all series.
    static let peers = LabelBlock(
        names: ["reporter"] + peerLabels,
        values: [reporter] + peerLabels.map { _ in unknown }
    )
}
