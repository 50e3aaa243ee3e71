// Wingmirror · Apache-2.0

/// The routes as they are configured, to compare with what the traffic does.
extension MetricCatalogue {
    /// What each route of the active table matches.
    public static let routeInfo = MetricFamily(
        "wingmirror_route_info",
        .info,
        labels: ["virtualservice_namespace", "virtualservice", "route", "match", "hosts"],
        help: "Routes in the active route table."
    )

    /// When a route was last used.
    public static let routeLastRequest = MetricFamily(
        "wingmirror_route_last_request_timestamp_seconds",
        .gauge,
        .seconds,
        labels: ["virtualservice_namespace", "virtualservice", "route"],
        help: "Time of the latest request of a route, 0 before the first."
    )

    /// The configured share of each destination.
    public static let routeDestinationWeight = MetricFamily(
        "wingmirror_route_destination_weight_ratio",
        .gauge,
        .ratio,
        labels: [
            "virtualservice_namespace", "virtualservice", "route", "destination_service", "destination_subset",
        ],
        help: "Configured share of a route's requests that a destination gets."
    )

    /// Which table is in force for each gateway.
    public static let routeTableInfo = MetricFamily(
        "wingmirror_route_table_info",
        .info,
        labels: ["workload_namespace", "workload", "hash"],
        help:
            "Hash of the active route table of each gateway, by the namespace and labels of its pods; the same on agents "
            + "that attribute its requests to the same routes."
    )

    /// How often the table was replaced.
    public static let routeTableGeneration = MetricFamily(
        "wingmirror_route_table_generation",
        .gauge,
        help: "Number of the active route table; each one that this agent takes up has the next."
    )

    /// How many routes the table has.
    public static let routeTableRoutes = MetricFamily(
        "wingmirror_route_table_routes",
        .gauge,
        help: "Routes in the active route table."
    )

    /// How long the table took to build.
    public static let routeTableBuildDuration = MetricFamily(
        "wingmirror_route_table_build_duration_seconds",
        .gauge,
        .seconds,
        help: "Time that building the active route table took."
    )

    /// Objects that the table leaves out.
    public static let routeTableRejectedObjects = MetricFamily(
        "wingmirror_route_table_rejected_objects",
        .gauge,
        labels: ["kind", "reason"],
        help: "Objects left out of the active route table, by reason."
    )

    /// What `routes check` finds in the active table.
    public static let routeTableFindings = MetricFamily(
        "wingmirror_route_table_findings",
        .gauge,
        labels: ["severity", "code"],
        help:
            "Findings in the objects of the active route table, as `wingmirror routes check` prints them, and in what "
            + "answers as the gateway."
    )

    /// Attempts to reload the routes alone.
    public static let routeTableReloads = MetricFamily(
        "wingmirror_route_table_reloads_total",
        .counter,
        labels: ["outcome"],
        help: "Attempts to reload the routes after their files changed, by outcome."
    )

    /// Whether the routes read last are in force.
    public static let routeTableLastReloadSuccessful = MetricFamily(
        "wingmirror_route_table_last_reload_successful",
        .gauge,
        help: "Whether the routes read last are in force (1) or were refused (0)."
    )

    static let routes = [
        routeInfo, routeLastRequest, routeDestinationWeight, routeTableInfo, routeTableGeneration, routeTableRoutes,
        routeTableBuildDuration,
        routeTableRejectedObjects, routeTableFindings, routeTableReloads, routeTableLastReloadSuccessful,
    ]
}
