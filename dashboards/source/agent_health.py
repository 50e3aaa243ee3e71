# Wingmirror · Apache-2.0
"""Whether the agents can be believed: what they lost, could not read, and spend."""

from .grafana import BAD, FAIR, GOOD, column, curves, dashboard, query, row, table, tile
from .queries import PREFIX, series, share, target_variables, total, total_rate

NAME = "agent-health"

DROPPED = "capture_packets_dropped_total"
RECEIVED = "capture_packets_received_total"
# Packets that the kernel had for the agent and that the agent did not fetch in time. What an interface dropped never reached
# this host, so TCP sends it again and the agent sees that.
LOST = 'reason="kernel_buffer"'


def loss_share(*labels):
    """The share of packets that were lost between kernel and agent."""
    lost = total_rate(DROPPED, LOST, by=labels)
    return share(lost, f"({total_rate(RECEIVED, by=labels)} + ({lost} or 0 * {total_rate(RECEIVED, by=labels)}))")


def build():
    return dashboard(
        NAME,
        "Wingmirror / Agent health",
        "What the agents lose, cannot read and need. Where loss is not zero, the traffic dashboards show less than there was.",
        target_variables(),
        [now(), capture(), streams(), reading(), tls(), resources(), configuration(), kubernetes(), exposition()],
    )


def now():
    unread = total_rate("opaque_connections_total", 'reason!~"upgraded|tunnel"')
    return row(
        "Now",
        tile(
            "Agents",
            "Agents that are scraped.",
            "none",
            f"count({series('build_info')})",
        ),
        tile(
            "Packets",
            "Packets delivered to the agents, per second.",
            "pps",
            total_rate(RECEIVED),
        ),
        tile(
            "Loss",
            "Share of packets lost between kernel and agent.",
            "percentunit",
            loss_share(),
            steps=((0.0001, FAIR), (0.001, BAD)),
            decimals=3,
            none="no packets",
        ),
        tile(
            "Gaps",
            "Holes in TCP streams per second that were given up, so that what lay in them was not seen.",
            "ops",
            total_rate("reassembly_gaps_total"),
            steps=((0.01, FAIR), (1, BAD)),
        ),
        tile(
            "Opaque connections",
            "Share of new connections whose content could not be read.",
            "percentunit",
            share(unread, total_rate("connections_opened_total")),
            steps=((0.2, FAIR),),
            none="no connections",
        ),
        tile(
            "Configurations",
            "Different configurations in force; more than one is drift, or a roll-out under way.",
            "none",
            f"count(count by (sha256) ({series('config_info')}))",
            steps=((2, FAIR),),
        ),
    )


def capture():
    return row(
        "Capture",
        curves(
            "Packets",
            "Packets per second by interface.",
            "pps",
            query(total_rate(RECEIVED, by=("instance", "interface")), "{{instance}} {{interface}}"),
        ),
        curves(
            "Loss by interface",
            "Share of packets lost between kernel and agent.",
            "percentunit",
            query(loss_share("instance", "interface"), "{{instance}} {{interface}}"),
        ),
        curves(
            "Drops by reason",
            "Packets per second: kernel_buffer is lost to the agent; interface is dropped before the host had it, and may "
            "concern traffic that is not captured.",
            "pps",
            query(total_rate(DROPPED, by=("instance", "interface", "reason")), "{{instance}} {{interface}} {{reason}}"),
        ),
        curves(
            "Bytes",
            "Bytes captured per second.",
            "Bps",
            query(total_rate("capture_bytes_total", by=("instance", "interface")), "{{instance}} {{interface}}"),
        ),
        curves(
            "Cut and duplicate packets",
            "Packets per second that the snapshot length cut, and that were seen on another interface already.",
            "pps",
            query(total_rate("capture_packets_truncated_total", by=("instance",)), "cut, {{instance}}"),
            query(total_rate("capture_packets_duplicate_total", by=("instance",)), "duplicate, {{instance}}"),
        ),
        curves(
            "Packets that could not be decoded",
            "Packets per second by layer and reason.",
            "pps",
            query(total_rate("decode_errors_total", by=("layer", "reason")), "{{layer}}: {{reason}}"),
        ),
        curves(
            "Packets by what they are",
            "Packets per second: TCP segments, and packets that hold none. With the errors these are all that were received.",
            "pps",
            query(total_rate("decode_tcp_segments_total"), "TCP"),
            query(total_rate("decode_packets_without_tcp_total", by=("reason",)), "{{reason}}"),
            stacked=True,
        ),
        curves(
            "Packets in tunnels",
            "Packets per second with an IP header inside another. With several workers for an interface there should be none: "
            "the directions of a connection may be at different ones.",
            "pps",
            query(total_rate("decode_tunnelled_packets_total"), "tunnelled"),
        ),
        table(
            "Interfaces",
            "State of each capture, when its latest packet came, the kernel's packet buffer, and how often it was opened again "
            "in the time range.",
            {"instance": "Instance", "interface": "Interface"},
            column(
                "State",
                total(series("capture_interface_up"), "instance", "interface", operation="max"),
                "none",
                texts={0: ("down", BAD), 1: ("up", GOOD)},
            ),
            column(
                "Latest packet",
                total(series("capture_last_packet_timestamp_seconds"), "instance", "interface", operation="max")
                + " * 1000",
                "dateTimeFromNow",
            ),
            column(
                "Buffer", total(series("capture_ring_size_bytes"), "instance", "interface", operation="max"), "bytes"
            ),
            column(
                "Restarts",
                total(f"increase({series('capture_restarts_total')}[$__range])", "instance", "interface"),
                "short",
                steps=((1, FAIR),),
            ),
            size=(24, 6),
        ),
    )


def streams():
    return row(
        "Streams",
        curves(
            "Gaps by reason",
            "Holes in TCP streams per second that were given up.",
            "ops",
            query(total_rate("reassembly_gaps_total", by=("reason",)), "{{reason}}"),
            stacked=True,
        ),
        curves(
            "Bytes of streams",
            "Bytes per second delivered in order, missing in holes, seen more than once, come too late from another interface, and passed over while looking for the next message.",
            "Bps",
            query(total_rate("reassembly_delivered_bytes_total"), "in order and once"),
            query(total_rate("reassembly_gap_bytes_total"), "in gaps"),
            query(total_rate("reassembly_retransmitted_bytes_total"), "sent again"),
            query(total_rate("reassembly_late_bytes_total"), "too late"),
            query(total_rate("http_skipped_bytes_total"), "passed over"),
            query(total_rate("reassembly_shed_bytes_total"), "dropped while they waited"),
            query(total_rate("reassembly_conflicting_bytes_total"), "sent again with other values"),
        ),
        curves(
            "Limits met",
            "Times per second that a limit of reassembly was met, that handshakes came to nothing, and that packets in "
            "fragments were captured, by outcome; packets that could not be kept; routes without a history on the page, votes "
            "forgotten too early, and requests of routes without a verdict.",
            "ops",
            query(total_rate("reassembly_limits_met_total", by=("limit",)), "{{limit}}"),
            query(total_rate("half_open_connections_ended_total", by=("reason",)), "half-open connections, {{reason}}"),
            query(total_rate("fragmented_datagrams_total", by=("outcome",)), "fragmented packets, {{outcome}}"),
            query(total_rate("kept_packets_missed_total"), "packets not kept"),
            query(total(series("history_routes_left_out")), "routes without a history"),
            query(total_rate("mirror_forgotten_votes_total"), "votes forgotten"),
            query(total_rate("mirror_unjudged_total"), "requests without a verdict"),
        ),
        curves(
            "Packets left aside",
            "TCP segments per second that do not fit a connection, by reason.",
            "pps",
            query(total_rate("reassembly_ignored_segments_total", by=("reason",)), "{{reason}}"),
        ),
        curves(
            "Order and beginnings",
            "Per second: segments out of order, connections joined after their start, connections whose client was told from "
            "content.",
            "ops",
            query(total_rate("reassembly_out_of_order_segments_total"), "segments out of order"),
            query(total_rate("reassembly_midstream_pickups_total"), "joined after their start"),
            query(total_rate("connection_roles_guessed_total"), "roles inferred from content"),
        ),
        curves(
            "Connections",
            "TCP connections per second that opened, and that ended, by how.",
            "cps",
            query(total_rate("flow_connections_opened_total"), "opened"),
            query(total_rate("flow_connections_closed_total", by=("reason",)), "ended, {{reason}}"),
        ),
        curves(
            "Connections tracked",
            "Connections that are open, whether or not anything was sent on them; connections in the table, which keeps ended ones "
            "for a while, and how many it may hold.",
            "none",
            query(total(series("flow_connections_open"), "instance"), "open, {{instance}}"),
            query(total(series("flow_table_entries"), "instance"), "tracked, {{instance}}"),
            query(total(series("flow_table_capacity"), "instance"), "may be tracked, {{instance}}"),
        ),
        curves(
            "Connections forgotten",
            "Connections per second that were forgotten before they ended.",
            "ops",
            query(total_rate("flow_evictions_total", by=("instance", "reason")), "{{instance}} {{reason}}"),
        ),
        curves(
            "Recoveries and checksums",
            "Times per second that a connection was found again after a loss, that a wrong checksum was met, that the times of an "
            "exchange could not be trusted, and that a connection began with a PROXY header.",
            "ops",
            query(total_rate("reassembly_recoveries_total", by=("kind",)), "{{kind}}"),
            query(total_rate("reassembly_checksum_errors_total", by=("outcome",)), "checksum: {{outcome}}"),
            query(total_rate("http_unreliable_clocks_total"), "unreliable clocks"),
            query(total_rate("proxy_headers_total", by=("outcome",)), "PROXY header: {{outcome}}"),
        ),
        curves(
            "Clocks of interfaces",
            "How far the clocks of two interfaces are apart that see the same connections.",
            "s",
            query(total(series("capture_clock_offset_seconds"), "instance", "interface", operation="max"), "{{instance}} {{interface}}"),
            least=None,
        ),
        curves(
            "Reassembly memory",
            "Bytes held until a hole is filled, and how many may be held.",
            "bytes",
            query(total(series("reassembly_buffered_bytes"), "instance"), "held, {{instance}}"),
            query(total(series("reassembly_buffer_limit_bytes"), "instance"), "may be held, {{instance}}"),
        ),
    )


def reading():
    return row(
        "Reading",
        curves(
            "Opaque connections",
            "Connections per second whose content could not be read, by reason; “upgraded” and “tunnel” were read up to there.",
            "cps",
            query(total_rate("opaque_connections_total", by=("reason",)), "{{reason}}"),
            stacked=True,
        ),
        curves(
            "Opaque bytes",
            "Bytes per second on those connections.",
            "Bps",
            query(total_rate("opaque_bytes_total", by=("reason",)), "{{reason}}"),
            stacked=True,
        ),
        curves(
            "Parse errors",
            "Messages or streams per second that could not be parsed as HTTP.",
            "ops",
            query(total_rate("http_parse_errors_total", by=("reason",)), "{{reason}}"),
            stacked=True,
        ),
        curves(
            "HTTP/2 frames",
            "Frames per second by type. Many rst_stream, settings or ping frames beside few headers are an attack or a broken client.",
            "ops",
            query(total_rate("http2_frames_total", by=("frame_type",)), "{{frame_type}}"),
        ),
        curves(
            "HTTP/2 headers after a loss",
            "Headers per second whose name or value is not known because packets were missed before, and header tables that were "
            "recovered or abandoned.",
            "ops",
            query(total_rate("http2_unknown_fields_total", by=("direction",)), "unknown, {{direction}}"),
            query(total_rate("http2_header_tables_total", by=("outcome",)), "tables, {{outcome}}"),
        ),
        curves(
            "Messages without a partner",
            "Requests without a response and responses without a request, per second, and exchanges given up because too many "
            "were pending.",
            "ops",
            query(total_rate("http_unpaired_messages_total", by=("kind",)), "{{kind}}"),
            query(total_rate("http_abandoned_exchanges_total"), "given up"),
        ),
        curves(
            "Lag",
            "From the capture of a packet to its processing.",
            "s",
            query(total(series("pipeline_lag_seconds"), "instance", "worker", operation="max"), "{{instance}} {{worker}}"),
        ),
        curves(
            "Stages",
            "Values waiting as a share of those that may wait, and values per second that a full stage dropped.",
            "percentunit",
            query(
                total(f"{series('pipeline_queue_length')} / {series('pipeline_queue_capacity')}", "instance", "stage",
                      operation="max"),
                "{{instance}} {{stage}}",
            ),
            query(total_rate("pipeline_dropped_total", by=("instance", "stage", "reason")), "dropped, {{stage}}: {{reason}}"),
        ),
    )


def tls():
    return row(
        "TLS",
        curves(
            "TLS connections",
            "Connections per second that began a handshake, and those that the key log could decrypt.",
            "cps",
            query(total_rate("tls_connections_total"), "all"),
            query(total_rate("tls_decrypted_connections_total"), "decrypted"),
        ),
        curves(
            "TLS bytes",
            "Bytes per second that were decrypted, passed through by a tls rule or TLSRoute, and given up while keys were awaited.",
            "Bps",
            query(total_rate("tls_decrypted_bytes_total"), "decrypted"),
            query(total_rate("tls_passthrough_bytes_total"), "passed through"),
            query(total_rate("tls_shed_bytes_total"), "given up"),
        ),
        curves(
            "Passed-through connections",
            "Connections per second that the gateway passes through, by the object whose rule takes them.",
            "cps",
            query(total_rate("tls_passthrough_connections_total", by=("object_namespace", "name")), "{{object_namespace}}/{{name}}"),
        ),
        curves(
            "Records and recovery",
            "TLS records per second, gaps behind which they were found again, and decryptions tried to find them.",
            "ops",
            query(total_rate("tls_records_total", by=("result",)), "records {{result}}"),
            query(total_rate("tls_recovered_gaps_total"), "gaps recovered"),
            query(total_rate("tls_trial_decryptions_total", by=("result",)), "trials {{result}}"),
        ),
        curves(
            "Handshake alerts",
            "Alerts per second during handshakes: what clients and the gateway could not agree on.",
            "ops",
            query(total_rate("tls_handshake_alerts_total", by=("alert",)), "{{alert}}"),
            stacked=True,
        ),
        curves(
            "Key log lines",
            "Lines per second read from the key log, by what they were, and connections whose keys were dropped unused.",
            "ops",
            query(total_rate("tls_key_log_lines_total", by=("kind",)), "{{kind}}"),
            query(total_rate("tls_keys_dropped_total", by=("reason",)), "keys dropped: {{reason}}"),
        ),
        curves(
            "Waiting for keys",
            "Connections that wait for their keys.",
            "none",
            query(total(series("tls_waiting_connections"), "instance"), "{{instance}}"),
        ),
        curves(
            "Held for keys",
            "Encrypted bytes held while keys are awaited.",
            "bytes",
            query(total(series("tls_held_bytes"), "instance"), "{{instance}}"),
        ),
        curves(
            "Delay of keys",
            "The longest that keys came after the connection that needed them.",
            "s",
            query(total(series("tls_key_delay_max_seconds"), "instance", operation="max"), "{{instance}}"),
        ),
    )


def kubernetes():
    return row(
        "Kubernetes",
        curves(
            "Objects",
            "Objects of the API server that the agents hold, by resource.",
            "none",
            query(total(series("kube_objects"), "resource", operation="max"), "{{resource}}"),
        ),
        curves(
            "Gateway pods and stale tables",
            "Gateway pods found on the agents' nodes, and agents whose routes are older than the API server's.",
            "none",
            query(total(series("gateway_pods")), "gateway pods"),
            query(total(series("route_table_stale")), "agents with a stale table"),
        ),
        curves(
            "Taken for the gateway",
            "Addresses that agents without a named address take for the gateway: more than one of each may be a service behind it.",
            "none",
            query(total(series("gateway_addresses"), "instance"), "{{instance}}"),
        ),
        curves(
            "Requests that the gateway sends on",
            "Requests from an address taken for the gateway to a server on a gateway port; counted as no_listener, not as requests.",
            "reqps",
            query(total_rate("gateway_own_requests_total", by=("instance",)), "{{instance}}"),
        ),
        curves(
            "Age of the objects",
            "Time since each resource was last known to be current.",
            "s",
            query(f"time() - {total(series('kube_last_sync_timestamp_seconds'), 'resource', operation='min')}", "{{resource}}"),
        ),
        curves(
            "Requests to the API server",
            "Requests, lists, watch events and restarts of watches per second.",
            "reqps",
            query(total_rate("kube_requests_total"), "requests"),
            query(total_rate("kube_lists_total"), "lists"),
            query(total_rate("kube_watch_events_total"), "events"),
            query(total_rate("kube_watch_restarts_total"), "restarts of watches"),
            query(total_rate("kube_oversized_objects_total"), "objects passed over"),
        ),
    )


def resources():
    memory = total(series("process_resident_memory_bytes"), "instance", operation="max")
    limit = total(series("memory_limit_bytes"), "instance", operation="max")
    return row(
        "Resources",
        curves(
            "Memory",
            "Resident memory, and the limit that the agent steers by.",
            "bytes",
            query(memory, "resident, {{instance}}"),
            query(limit, "limit, {{instance}}"),
        ),
        curves(
            "Memory that counts",
            "What of the agent's memory counts against its limit, and what packets take that are kept to be saved (capture.keep).",
            "bytes",
            query(total(series("memory_used_bytes"), "instance", operation="max"), "{{instance}}"),
            query(total(series("kept_packets_bytes"), "instance", operation="max"), "kept packets, {{instance}}"),
        ),
        curves(
            "Given up for want of memory",
            "Parts of requests and responses, and requests that only metrics were made of, per second.",
            "ops",
            query(total_rate("http_shed_total", by=("part",)), "{{part}}"),
            query(total_rate("load_shed_requests_total"), "requests"),
        ),
        curves(
            "Records",
            "Request records written per second, and agents whose records cannot be written.",
            "ops",
            query(total_rate("records_written_total"), "written"),
            query(f"count({series('record_sink_up')} == 0)", "agents that cannot write"),
        ),
        curves(
            "Memory against its limit",
            "Resident memory as a share of the limit.",
            "percentunit",
            query(f"{memory} / {limit}", "{{instance}}"),
        ),
        curves(
            "Work shed",
            "Agents that leave out work to stay within the limit: shadow traffic first, then details (exemplars, recent requests, "
            "content of records). Metrics go on.",
            "none",
            query(total(series("load_shedding"), "work"), "{{work}}"),
        ),
        curves(
            "Processor",
            "Processors in use.",
            "none",
            query(total_rate("process_cpu_seconds_total", by=("instance",)), "{{instance}}"),
        ),
        curves(
            "File descriptors",
            "Open file descriptors as a share of those that may be open.",
            "percentunit",
            query(
                total(f"{series('process_open_fds')} / {series('process_max_fds')}", "instance", operation="max"),
                "{{instance}}",
            ),
        ),
        curves(
            "Threads",
            "Threads of the process.",
            "none",
            query(total(series("process_threads"), "instance", operation="max"), "{{instance}}"),
        ),
    )


def configuration():
    by_agent = ("instance",)
    return row(
        "Configuration",
        table(
            "Configuration and build by agent",
            "The configuration in force, since when, whether the latest reload worked, and the build. One odd line is the agent "
            "to look at.",
            {
                "sha256": "Configuration",
                "workload": "Gateway",
                "hash": "Routes",
                "version": "Version",
                "revision": "Revision",
                "arch": "Architecture",
                "libpcap_version": "libpcap",
                "instance": "Instance",
            },
            column(
                "In force since",
                f"{total(series('config_last_reload_success_timestamp_seconds'), *by_agent, operation='max')} * 1000",
                "dateTimeFromNow",
            ),
            column(
                "Latest reload",
                total(series("config_last_reload_successful"), *by_agent, operation="min"),
                "none",
                texts={0: ("refused", BAD), 1: ("worked", GOOD)},
            ),
            column(
                "Latest routes",
                total(series("route_table_last_reload_successful"), *by_agent, operation="min"),
                "none",
                texts={0: ("refused", BAD), 1: ("in force", GOOD)},
            ),
            column(
                "Running since",
                f"{total(series('process_start_time_seconds'), *by_agent, operation='max')} * 1000",
                "dateTimeFromNow",
            ),
            column("Hashes", total(series("config_info"), "instance", "sha256", operation="count"), "none"),
            column(
                "Route tables", total(series("route_table_info"), "instance", "workload", "hash", operation="count"), "none"
            ),
            column(
                "Route table number",
                total(series("route_table_generation"), *by_agent, operation="max"),
                "none",
            ),
            column(
                "Builds",
                total(
                    series("build_info"), "instance", "version", "revision", "arch", "libpcap_version", operation="count"
                ),
                "none",
            ),
            size=(24, 7),
            sort="Instance",
        ),
        curves(
            "Reloads",
            "Attempts to reload the configuration, and the routes alone, in each interval, by outcome.",
            "none",
            query(
                total(f"increase({series('config_reloads_total')}[$__rate_interval])", "instance", "outcome"),
                "{{instance}} {{outcome}}",
            ),
            query(
                total(f"increase({series('route_table_reloads_total')}[$__rate_interval])", "instance", "outcome"),
                "{{instance}} routes {{outcome}}",
            ),
        ),
        curves(
            "Log messages",
            "Messages per second by level, counted before rate limiting.",
            "ops",
            query(total_rate("log_messages_total", by=("level",)), "{{level}}"),
            stacked=True,
        ),
        table(
            "Features",
            "Agents on which each feature is switched on.",
            {"feature": "Feature"},
            column("Agents", total(series("feature_enabled"), "feature"), "none"),
            size=(8, 8),
        ),
    )


def exposition():
    used = total(series("metric_series"), "instance", "family", operation="max")
    limit = total(series("metric_series_limit"), "instance", "family", operation="max")
    return row(
        "Exposition",
        curves(
            "Series against their limit",
            "Label sets in use as a share of those that may be used, by family. Beyond it routes lose their names, not their "
            "counts.",
            "percentunit",
            query(f"max by (family) ({used} / {limit})", "{{family}}"),
        ),
        curves(
            "Observations without a route's name",
            "Observations per second that lost a label to the series limit: the method first, then the code, then the route.",
            "ops",
            query(total_rate("metric_series_overflow_total", by=("family", "lost")), "{{family}}: {{lost}}"),
        ),
        curves(
            "Scrapes",
            "Scrapes per second by format and status.",
            "reqps",
            query(total_rate("scrapes_total", by=("format", "code")), "{{format}} {{code}}"),
        ),
        curves(
            "Rendering a scrape",
            "Time that rendering the latest scrape took.",
            "s",
            query(total(series("scrape_render_duration_seconds"), "instance", operation="max"), "{{instance}}"),
        ),
        curves(
            "Series by family",
            f"Label sets in use. A classic histogram's set is fifteen lines of a scrape, so {PREFIX}…_seconds counts more.",
            "none",
            query(f"max by (family) ({used})", "{{family}}"),
            size=(16, 8),
        ),
    )
