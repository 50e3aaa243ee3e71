// Wingmirror · Apache-2.0

/// What the traffic does.
extension MetricCatalogue {
    /// Requests by route, method, protocol, status and error.
    public static let httpRequests = MetricFamily(
        "wingmirror_http_requests_total",
        .counter,
        labels: routeLabels + ["request_method", "request_protocol", "response_code", "error_type"],
        help: "HTTP requests seen on the wire and attributed to a route, by how they were answered and what went wrong."
    )

    /// From the first octet of the request to the last of the response.
    public static let httpRequestDuration = MetricFamily(
        "wingmirror_http_request_duration_seconds",
        .histogram,
        .seconds,
        labels: routeLabels + ["response_code_class"],
        help:
            "Time from the first byte of a request to the last byte of its response, or until one side gave it up."
    )

    /// The server's wait: from the last octet of the request to the first of the response.
    public static let httpServerWait = MetricFamily(
        "wingmirror_http_server_wait_seconds",
        .histogram,
        .seconds,
        labels: routeLabels,
        help: "Time from the last byte of a request to the first byte of its response, by packet timestamps."
    )

    /// Request content as transferred.
    public static let httpRequestBodySize = MetricFamily(
        "wingmirror_http_request_body_size_bytes",
        .histogram,
        .bytes,
        labels: routeLabels,
        help: "Size of request content on the wire."
    )

    /// Response content as transferred.
    public static let httpResponseBodySize = MetricFamily(
        "wingmirror_http_response_body_size_bytes",
        .histogram,
        .bytes,
        labels: routeLabels,
        help: "Size of response content on the wire."
    )

    /// Requests still waiting for the end of their response.
    public static let httpRequestsInFlight = MetricFamily(
        "wingmirror_http_requests_in_flight",
        .gauge,
        labels: ["gateway"],
        help: "HTTP requests without a full response yet."
    )

    /// Requests that no route accounts for.
    public static let httpRequestsUnmatched = MetricFamily(
        "wingmirror_http_requests_unmatched_total",
        .counter,
        labels: ["gateway", "reason", "response_code_class"],
        help: "HTTP requests that no route accounts for, by reason."
    )

    /// Requests of which we do not know all.
    public static let httpRequestsPartlySeen = MetricFamily(
        "wingmirror_http_requests_partly_seen_total",
        .counter,
        labels: ["gateway", "reason"],
        help:
            "HTTP requests of which the agent missed a part, by reason; with response_code unknown where it missed the answer."
    )

    /// Exchanges that last as long as somebody wishes.
    public static let httpStreams = MetricFamily(
        "wingmirror_http_streams_total",
        .counter,
        labels: ["gateway", "kind"],
        help:
            "Streaming gRPC calls, event streams, HTTP/2 WebSockets and tunnels that ended; they have no request duration."
    )

    /// gRPC calls by final status.
    public static let grpcResponses = MetricFamily(
        "wingmirror_grpc_responses_total",
        .counter,
        labels: routeLabels + ["grpc_response_status"],
        help: "Calls of gRPC by their final status."
    )

    /// Messages of gRPC calls.
    public static let grpcMessages = MetricFamily(
        "wingmirror_grpc_messages_total",
        .counter,
        labels: routeLabels + ["direction"],
        help: "Messages of gRPC calls that ended: request for those of the client, response for those of the server."
    )

    /// From the first octet of a stream's request to the first message of its response.
    public static let grpcStreamFirstMessage = MetricFamily(
        "wingmirror_grpc_stream_first_message_seconds",
        .histogram,
        .seconds,
        labels: routeLabels,
        help: "Time from the first byte of a streaming gRPC call to its first response message."
    )

    /// From the first octet of a stream's request to the last message of its response.
    public static let grpcStreamLastMessage = MetricFamily(
        "wingmirror_grpc_stream_last_message_seconds",
        .histogram,
        .seconds,
        labels: routeLabels,
        help: "Time from the first byte of a streaming gRPC call to its last response message."
    )

    /// How long streaming calls lasted.
    public static let grpcStreamDuration = MetricFamily(
        "wingmirror_grpc_stream_duration_seconds",
        .histogram,
        .seconds,
        labels: routeLabels,
        help: "Lifetime of gRPC calls with more than one message in a direction, which have no request duration."
    )

    /// Connections that became WebSocket connections.
    public static let websocketUpgrades = MetricFamily(
        "wingmirror_websocket_upgrades_total",
        .counter,
        labels: routeLabels,
        help: "WebSockets that were accepted, on connections of their own or on streams of HTTP/2."
    )

    /// WebSockets that are open.
    public static let websocketsOpen = MetricFamily(
        "wingmirror_websockets_open",
        .gauge,
        labels: ["gateway"],
        help: "WebSockets that are open now; their messages are counted when they end."
    )

    /// Messages of WebSockets.
    public static let websocketMessages = MetricFamily(
        "wingmirror_websocket_messages_total",
        .counter,
        labels: routeLabels + ["direction", "kind"],
        help:
            "Messages, pings and pongs of WebSockets that ended: request is what clients sent, response what servers did."
    )

    /// Payload of WebSockets.
    public static let websocketBytes = MetricFamily(
        "wingmirror_websocket_bytes_total",
        .counter,
        .bytes,
        labels: routeLabels + ["direction"],
        help: "Payload of WebSockets that ended, as on the wire: compressed where an extension compresses."
    )

    /// How long WebSockets lasted.
    public static let websocketDuration = MetricFamily(
        "wingmirror_websocket_duration_seconds",
        .histogram,
        .seconds,
        labels: routeLabels,
        help: "Lifetime of WebSockets that ended, from the response that accepted them to their last byte."
    )

    /// From pings to pongs.
    public static let websocketPing = MetricFamily(
        "wingmirror_websocket_ping_seconds",
        .histogram,
        .seconds,
        labels: routeLabels,
        help: "Time from a ping of a WebSocket to its pong, in either direction."
    )

    /// WebSockets that ended, by code.
    public static let websocketCloses = MetricFamily(
        "wingmirror_websocket_closes_total",
        .counter,
        labels: routeLabels + ["close_code"],
        help: "WebSockets that ended, by the code of the first close frame; 1006 without such a frame."
    )

    /// TCP connections by protocol.
    public static let connectionsOpened = MetricFamily(
        "wingmirror_connections_opened_total",
        .counter,
        labels: ["gateway", "protocol"],
        help: "TCP connections, counted when it is known what they carry, or at their end."
    )

    /// TCP connections that ended.
    public static let connectionsClosed = MetricFamily(
        "wingmirror_connections_closed_total",
        .counter,
        labels: ["gateway", "reason"],
        help: "TCP connections that ended, by how they ended."
    )

    /// Connections that could not be read.
    public static let opaqueConnections = MetricFamily(
        "wingmirror_opaque_connections_total",
        .counter,
        labels: ["gateway", "reason"],
        help: "Connections whose content could not be read, by reason."
    )

    /// Octets on connections that could not be read.
    public static let opaqueBytes = MetricFamily(
        "wingmirror_opaque_bytes_total",
        .counter,
        .bytes,
        labels: ["gateway", "reason"],
        help: "Payload on connections whose content could not be read, by reason."
    )

    static let traffic = [
        httpRequests, httpRequestDuration, httpServerWait, httpRequestBodySize, httpResponseBodySize,
        httpRequestsInFlight, httpRequestsUnmatched, httpRequestsPartlySeen, httpStreams, grpcResponses,
        grpcMessages, grpcStreamFirstMessage, grpcStreamLastMessage, grpcStreamDuration, websocketUpgrades,
        websocketsOpen, websocketMessages, websocketBytes, websocketDuration, websocketPing, websocketCloses,
        connectionsOpened,
        connectionsClosed, opaqueConnections, opaqueBytes,
    ]
}
