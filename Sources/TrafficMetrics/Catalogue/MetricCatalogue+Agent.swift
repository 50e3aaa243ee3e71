// Wingmirror · Apache-2.0

/// The agent itself.
extension MetricCatalogue {
    /// Attempts to reload the configuration.
    public static let configReloads = MetricFamily(
        "wingmirror_config_reloads_total",
        .counter,
        labels: ["outcome"],
        help: "Attempts to reload the configuration, by outcome."
    )

    /// Whether the latest attempt worked.
    public static let configLastReloadSuccessful = MetricFamily(
        "wingmirror_config_last_reload_successful",
        .gauge,
        help: "Whether the latest reload of the configuration worked (1) or was refused (0)."
    )

    /// When the configuration in force was read.
    public static let configLastReloadSuccess = MetricFamily(
        "wingmirror_config_last_reload_success_timestamp_seconds",
        .gauge,
        .seconds,
        help: "Time of the latest reload of the configuration that worked."
    )

    /// Which configuration is in force.
    public static let configInfo = MetricFamily(
        "wingmirror_config_info",
        .info,
        labels: ["sha256"],
        help: "Hash of the configuration in force."
    )

    /// Which build this is.
    public static let buildInfo = MetricFamily(
        "wingmirror_build_info",
        .info,
        labels: ["version", "revision", "swift_version", "libpcap_version", "arch"],
        help: "Build of the agent."
    )

    /// Which features are switched on.
    public static let featureEnabled = MetricFamily(
        "wingmirror_feature_enabled",
        .gauge,
        labels: ["feature"],
        help: "Whether a feature is switched on (1) or off (0)."
    )

    /// Series in use.
    public static let metricSeries = MetricFamily(
        "wingmirror_metric_series",
        .gauge,
        labels: ["family"],
        help: "Label sets in use, without those of the overflow."
    )

    /// Series that may be used.
    public static let metricSeriesLimit = MetricFamily(
        "wingmirror_metric_series_limit",
        .gauge,
        labels: ["family"],
        help: "Label sets that may be used."
    )

    /// Observations that lost the name of their route.
    public static let metricSeriesOverflow = MetricFamily(
        "wingmirror_metric_series_overflow_total",
        .counter,
        labels: ["family", "lost"],
        help:
            "Observations that lost a label to the series limit, by label: the method first, then the code, then the route."
    )

    /// Routes without a history.
    public static let historyRoutesLeftOut = MetricFamily(
        "wingmirror_history_routes_left_out",
        .gauge,
        help: "Routes with requests that the page and its API have no history of, for there are more than the limit."
    )

    /// The memory limit in force.
    public static let memoryLimit = MetricFamily(
        "wingmirror_memory_limit_bytes",
        .gauge,
        .bytes,
        help: "Memory limit that the agent steers by."
    )

    /// Which work is being shed.
    public static let loadShedding = MetricFamily(
        "wingmirror_load_shedding",
        .gauge,
        labels: ["work"],
        help: "Whether work is being shed to stay within the memory limit (1) or not (0), by what is left out."
    )

    /// Memory that counts against the limit.
    public static let memoryUsed = MetricFamily(
        "wingmirror_memory_used_bytes",
        .gauge,
        .bytes,
        help: "Memory of the agent that counts against its limit: without pages of files and capture rings."
    )

    /// Packets of the last moments that are kept.
    public static let keptPacketBytes = MetricFamily(
        "wingmirror_kept_packets_bytes",
        .gauge,
        .bytes,
        help: "Memory that the packets of the last moments take (capture.keep); 0 where none are kept."
    )

    /// Packets that should have been kept.
    public static let keptPacketsMissed = MetricFamily(
        "wingmirror_kept_packets_missed_total",
        .counter,
        help: "Packets that were not kept (capture.keep), because what is kept was being read just then."
    )

    /// Requests that were left at metrics.
    public static let loadShedRequests = MetricFamily(
        "wingmirror_load_shed_requests_total",
        .counter,
        help: "Requests of which only metrics were made, because memory was short."
    )

    /// Log lines by level.
    public static let logMessages = MetricFamily(
        "wingmirror_log_messages_total",
        .counter,
        labels: ["level"],
        help: "Log messages by level, counted before rate limiting."
    )

    /// Scrapes served.
    public static let scrapes = MetricFamily(
        "wingmirror_scrapes_total",
        .counter,
        labels: ["format", "code"],
        help: "Scrapes served, by format and status code."
    )

    /// How long the latest scrape took to render.
    public static let scrapeRenderDuration = MetricFamily(
        "wingmirror_scrape_render_duration_seconds",
        .gauge,
        .seconds,
        help: "Time that rendering the latest scrape took."
    )

    /// Addresses taken for the gateway.
    public static let gatewayAddresses = MetricFamily(
        "wingmirror_gateway_addresses",
        .gauge,
        help:
            "Addresses that answer on gateway ports and count as the gateway, where gateway.addresses names none; else 0."
    )

    /// Requests that the gateway sent on.
    public static let gatewayOwnRequests = MetricFamily(
        "wingmirror_gateway_own_requests_total",
        .counter,
        help:
            "Requests that an address taken for the gateway sent on to a server on a gateway port: they count as no_listener."
    )

    static let agent = [
        configReloads, configLastReloadSuccessful, configLastReloadSuccess, configInfo, buildInfo, featureEnabled,
        metricSeries, metricSeriesLimit, metricSeriesOverflow, historyRoutesLeftOut,
        memoryLimit, memoryUsed, keptPacketBytes, keptPacketsMissed, loadShedding, loadShedRequests, logMessages,
        scrapes,
        scrapeRenderDuration, gatewayAddresses, gatewayOwnRequests,
    ]
}
