// Wingmirror · Apache-2.0

/// The API server of a cluster, as a source of routes.
extension MetricCatalogue {
    /// Objects held.
    public static let kubeObjects = MetricFamily(
        "wingmirror_kube_objects",
        .gauge,
        labels: ["resource"],
        help: "Objects of the cluster that are held, by resource; 0 for a kind that the cluster does not serve."
    )

    /// Requests sent to the API server.
    public static let kubeRequests = MetricFamily(
        "wingmirror_kube_requests_total",
        .counter,
        labels: ["resource"],
        help: "List and watch requests sent to the API server, by resource."
    )

    /// Lists among them.
    public static let kubeLists = MetricFamily(
        "wingmirror_kube_lists_total",
        .counter,
        labels: ["resource"],
        help: "Whole lists asked of the API server, by resource."
    )

    /// Events received.
    public static let kubeWatchEvents = MetricFamily(
        "wingmirror_kube_watch_events_total",
        .counter,
        labels: ["resource", "type"],
        help: "Events received from the API server, by resource and type."
    )

    /// Requests that failed.
    public static let kubeWatchRestarts = MetricFamily(
        "wingmirror_kube_watch_restarts_total",
        .counter,
        labels: ["resource", "reason"],
        help: "Lists and watches that had to be begun again, by resource and reason."
    )

    /// Objects that were passed over.
    public static let kubeOversizedObjects = MetricFamily(
        "wingmirror_kube_oversized_objects_total",
        .counter,
        labels: ["resource"],
        help:
            "Objects of the API server that were passed over because they are larger than 3 MiB or cannot be read, such "
            + "as one nested more than 64 deep, by resource; their routes are missing."
    )

    /// How fresh the objects are.
    public static let kubeLastSync = MetricFamily(
        "wingmirror_kube_last_sync_timestamp_seconds",
        .gauge,
        .seconds,
        labels: ["resource"],
        help: "Latest time at which the API server confirmed the objects held, by resource."
    )

    /// Whether the routes may be out of date.
    public static let routeTableStale = MetricFamily(
        "wingmirror_route_table_stale",
        .gauge,
        help:
            "Whether the routes in force may be out of date: saved by an earlier run, wholly or in part, made without a kind that "
            + "cannot be read, or five minutes without contact (1)."
    )

    /// Pods found.
    public static let gatewayPods = MetricFamily(
        "wingmirror_gateway_pods",
        .gauge,
        labels: ["workload_namespace", "workload"],
        help: "Gateway pods found on this node, whose traffic is captured, by the workload's namespace and labels."
    )

    static let kubernetes = [
        kubeObjects, kubeRequests, kubeLists, kubeWatchEvents, kubeWatchRestarts, kubeOversizedObjects, kubeLastSync,
        routeTableStale, gatewayPods,
    ]
}
