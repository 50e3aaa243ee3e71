// Wingmirror · Apache-2.0

/// Connections, reassembly, and the reading of HTTP.
extension MetricCatalogue {
    /// Connections in the table.
    public static let flowTableEntries = MetricFamily(
        "wingmirror_flow_table_entries",
        .gauge,
        help: "Connections tracked."
    )

    /// Connections that are open.
    public static let flowConnectionsOpen = MetricFamily(
        "wingmirror_flow_connections_open",
        .gauge,
        help: "TCP connections open now, whether or not anything was sent on them."
    )

    /// Connections that were seen.
    public static let flowConnectionsOpened = MetricFamily(
        "wingmirror_flow_connections_opened_total",
        .counter,
        help: "TCP connections seen, counted when they open. Less those closed they are those open."
    )

    /// Connections that ended.
    public static let flowConnectionsClosed = MetricFamily(
        "wingmirror_flow_connections_closed_total",
        .counter,
        labels: ["reason"],
        help: "TCP connections that ended, by how they ended."
    )

    /// Octets of streams, in order and once.
    public static let reassemblyDeliveredBytes = MetricFamily(
        "wingmirror_reassembly_delivered_bytes_total",
        .counter,
        .bytes,
        help: "Bytes of TCP streams delivered in order and once; with the bytes in gaps all that was sent."
    )

    /// Connections that the table may hold.
    public static let flowTableCapacity = MetricFamily(
        "wingmirror_flow_table_capacity",
        .gauge,
        help: "Connections that may be tracked."
    )

    /// Connections forgotten before they ended.
    public static let flowEvictions = MetricFamily(
        "wingmirror_flow_evictions_total",
        .counter,
        labels: ["reason"],
        help: "Connections evicted before they ended, by reason."
    )

    /// Handshakes that came to nothing.
    public static let halfOpenConnectionsEnded = MetricFamily(
        "wingmirror_half_open_connections_ended_total",
        .counter,
        labels: ["reason"],
        help: "Connections of which only the beginning of a handshake was captured, by what ended it."
    )

    /// IP datagrams that came in fragments.
    public static let fragmentedDatagrams = MetricFamily(
        "wingmirror_fragmented_datagrams_total",
        .counter,
        labels: ["outcome"],
        help: "IP packets that were sent in fragments, by whether all fragments were captured."
    )

    /// How often a bound of reassembly was met.
    public static let reassemblyLimitsMet = MetricFamily(
        "wingmirror_reassembly_limits_met_total",
        .counter,
        labels: ["limit"],
        help: "Times that a limit of reassembly was met and data was skipped or a connection forgotten, by limit."
    )

    /// Segments that changed nothing.
    public static let reassemblyIgnoredSegments = MetricFamily(
        "wingmirror_reassembly_ignored_segments_total",
        .counter,
        labels: ["reason"],
        help: "TCP segments that were left aside because they do not fit a connection, by reason."
    )

    /// Octets dropped while they waited.
    public static let reassemblyShedBytes = MetricFamily(
        "wingmirror_reassembly_shed_bytes_total",
        .counter,
        .bytes,
        help: "Captured bytes of TCP streams that were dropped for want of room while they waited."
    )

    /// Octets that came again with another value.
    public static let reassemblyConflictingBytes = MetricFamily(
        "wingmirror_reassembly_conflicting_bytes_total",
        .counter,
        .bytes,
        help: "Bytes of TCP streams captured more than once, with different values."
    )

    /// Holes in streams that were given up.
    public static let reassemblyGaps = MetricFamily(
        "wingmirror_reassembly_gaps_total",
        .counter,
        labels: ["reason"],
        help: "Gaps in TCP streams that were skipped, by reason."
    )

    /// Octets in those holes.
    public static let reassemblyGapBytes = MetricFamily(
        "wingmirror_reassembly_gap_bytes_total",
        .counter,
        .bytes,
        help: "Bytes missing in the gaps that were skipped."
    )

    /// Segments that arrived out of order.
    public static let reassemblyOutOfOrderSegments = MetricFamily(
        "wingmirror_reassembly_out_of_order_segments_total",
        .counter,
        help: "TCP segments captured out of order."
    )

    /// Octets that arrived again.
    public static let reassemblyRetransmittedBytes = MetricFamily(
        "wingmirror_reassembly_retransmitted_bytes_total",
        .counter,
        .bytes,
        help: "Bytes of TCP streams seen more than once."
    )

    /// Octets that came after they had been given up.
    public static let reassemblyLateBytes = MetricFamily(
        "wingmirror_reassembly_late_bytes_total",
        .counter,
        .bytes,
        help: "Bytes of TCP streams that came from another interface after they had been given up as lost."
    )

    /// Connections joined after their start.
    public static let reassemblyMidstreamPickups = MetricFamily(
        "wingmirror_reassembly_midstream_pickups_total",
        .counter,
        help: "Connections joined after their start."
    )

    /// Connections recognized as ones that were known already, or as others than those.
    public static let reassemblyRecoveries = MetricFamily(
        "wingmirror_reassembly_recoveries_total",
        .counter,
        labels: ["kind"],
        help: "Connections recognized again where packets gave no direct clue, by kind."
    )

    /// Segments whose checksum is wrong.
    public static let reassemblyChecksumErrors = MetricFamily(
        "wingmirror_reassembly_checksum_errors_total",
        .counter,
        labels: ["outcome"],
        help: "Segments whose TCP or IPv4 header checksum is wrong where the sender's are usually right, by outcome."
    )

    /// Octets held until a hole is filled.
    public static let reassemblyBufferedBytes = MetricFamily(
        "wingmirror_reassembly_buffered_bytes",
        .gauge,
        .bytes,
        help: "Bytes held for reassembly."
    )

    /// Octets that may be held.
    public static let reassemblyBufferLimit = MetricFamily(
        "wingmirror_reassembly_buffer_limit_bytes",
        .gauge,
        .bytes,
        help: "Bytes that may be held for reassembly."
    )

    /// Streams on which the parser gave up.
    public static let httpParseErrors = MetricFamily(
        "wingmirror_http_parse_errors_total",
        .counter,
        labels: ["reason"],
        help: "Messages or streams that could not be parsed as HTTP, by reason."
    )

    /// Messages without their partner.
    public static let httpUnpairedMessages = MetricFamily(
        "wingmirror_http_unpaired_messages_total",
        .counter,
        labels: ["kind"],
        help: "Requests without a response and responses without a request."
    )

    /// Octets between messages that no message was made of.
    public static let httpSkippedBytes = MetricFamily(
        "wingmirror_http_skipped_bytes_total",
        .counter,
        .bytes,
        help: "Bytes passed over while looking for the next message after a loss or an error."
    )

    /// Frames of HTTP/2 by type.
    public static let http2Frames = MetricFamily(
        "wingmirror_http2_frames_total",
        .counter,
        labels: ["frame_type"],
        help: "HTTP/2 frames read, by type."
    )

    /// Fields of HTTP/2 messages that are not known after a loss.
    public static let http2UnknownFields = MetricFamily(
        "wingmirror_http2_unknown_fields_total",
        .counter,
        labels: ["direction"],
        help: "HTTP/2 headers whose name or value is not known, because packets were missed before."
    )

    /// What became of header tables behind a loss.
    public static let http2HeaderTables = MetricFamily(
        "wingmirror_http2_header_tables_total",
        .counter,
        labels: ["outcome"],
        help: "Header tables of HTTP/2 connections after a loss: recovered, or abandoned at the next loss."
    )

    /// Exchanges told before they were complete.
    public static let httpAbandonedExchanges = MetricFamily(
        "wingmirror_http_abandoned_exchanges_total",
        .counter,
        help: "Exchanges given up because too many were pending on their connection."
    )

    /// What was given up of exchanges to stay within the memory limits of all connections.
    public static let httpShed = MetricFamily(
        "wingmirror_http_shed_total",
        .counter,
        labels: ["part"],
        help: "Parts of requests and responses given up to stay within the memory limits of all connections, by part."
    )

    /// Exchanges without durations.
    public static let httpUnreliableClocks = MetricFamily(
        "wingmirror_http_unreliable_clocks_total",
        .counter,
        help:
            "Exchanges without durations: the capture's times run backwards within them, are those of two clocks, or are "
            + "missing."
    )

    /// PROXY headers in front of connections.
    public static let proxyHeaders = MetricFamily(
        "wingmirror_proxy_headers_total",
        .counter,
        labels: ["outcome"],
        help: "Connections that began with a PROXY protocol header, by whether it could be read."
    )

    /// Connections without a handshake in the capture.
    public static let connectionRolesGuessed = MetricFamily(
        "wingmirror_connection_roles_guessed_total",
        .counter,
        help: "Connections whose client and server were inferred from content."
    )

    static let flows = [
        flowTableEntries, flowConnectionsOpen, flowConnectionsOpened, flowConnectionsClosed, reassemblyDeliveredBytes,
        flowTableCapacity, flowEvictions, halfOpenConnectionsEnded, fragmentedDatagrams,
        reassemblyLimitsMet, reassemblyIgnoredSegments, reassemblyShedBytes, reassemblyConflictingBytes, reassemblyGaps,
        reassemblyGapBytes,
        reassemblyOutOfOrderSegments, reassemblyRetransmittedBytes, reassemblyLateBytes, reassemblyMidstreamPickups,
        reassemblyRecoveries, reassemblyChecksumErrors,
        reassemblyBufferedBytes, reassemblyBufferLimit, httpParseErrors, httpUnpairedMessages,
        httpSkippedBytes, http2Frames, http2UnknownFields, http2HeaderTables, httpAbandonedExchanges, httpShed,
        httpUnreliableClocks, proxyHeaders,
        connectionRolesGuessed,
    ]
}
