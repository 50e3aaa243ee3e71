// Wingmirror · Apache-2.0

/// What capture delivers and what it loses.
extension MetricCatalogue {
    /// Packets that reached the agent.
    public static let capturePacketsReceived = MetricFamily(
        "wingmirror_capture_packets_received_total",
        .counter,
        labels: ["interface"],
        help: "Packets delivered to the agent."
    )

    /// Packets lost before the agent saw them.
    public static let capturePacketsDropped = MetricFamily(
        "wingmirror_capture_packets_dropped_total",
        .counter,
        labels: ["interface", "reason"],
        help: "Packets lost before the agent saw them."
    )

    /// Packets cut by the snapshot length.
    public static let capturePacketsTruncated = MetricFamily(
        "wingmirror_capture_packets_truncated_total",
        .counter,
        labels: ["interface"],
        help: "Packets captured shorter than they were on the wire."
    )

    /// Packets already seen on another interface.
    public static let capturePacketsDuplicate = MetricFamily(
        "wingmirror_capture_packets_duplicate_total",
        .counter,
        labels: ["interface"],
        help: "Packets already seen on another interface."
    )

    /// Captured octets.
    public static let captureBytes = MetricFamily(
        "wingmirror_capture_bytes_total",
        .counter,
        .bytes,
        labels: ["interface"],
        help: "Bytes captured."
    )

    /// Whether capture runs.
    public static let captureInterfaceUp = MetricFamily(
        "wingmirror_capture_interface_up",
        .gauge,
        labels: ["interface"],
        help: "Whether capture on the interface runs (1) or not (0)."
    )

    /// Captures opened again.
    public static let captureRestarts = MetricFamily(
        "wingmirror_capture_restarts_total",
        .counter,
        labels: ["interface", "reason"],
        help: "Captures opened again, by reason."
    )

    /// When the latest packet was captured.
    public static let captureLastPacket = MetricFamily(
        "wingmirror_capture_last_packet_timestamp_seconds",
        .gauge,
        .seconds,
        labels: ["interface"],
        help: "Capture time of the latest packet."
    )

    /// The packet buffer that the kernel granted.
    public static let captureRingSize = MetricFamily(
        "wingmirror_capture_ring_size_bytes",
        .gauge,
        .bytes,
        labels: ["interface"],
        help: "Size of the kernel's packet buffer as obtained."
    )

    /// How far the clocks of two interfaces are apart.
    public static let captureClockOffset = MetricFamily(
        "wingmirror_capture_clock_offset_seconds",
        .gauge,
        .seconds,
        labels: ["interface", "reference"],
        help: "How far the interface's clock is ahead of another's, as handshakes show that pass by both."
    )

    /// Packets that could not be decoded.
    public static let decodeErrors = MetricFamily(
        "wingmirror_decode_errors_total",
        .counter,
        labels: ["layer", "reason"],
        help: "Packets that could not be decoded, by layer and reason."
    )

    /// Packets that were understood and hold no TCP segment.
    public static let decodePacketsWithoutTCP = MetricFamily(
        "wingmirror_decode_packets_without_tcp_total",
        .counter,
        labels: ["reason"],
        help: "Packets that were decoded and hold no TCP segment of their own, by what they are."
    )

    /// TCP segments that were decoded.
    public static let decodeSegments = MetricFamily(
        "wingmirror_decode_tcp_segments_total",
        .counter,
        help: "TCP segments decoded. With those without TCP and the errors they are all packets that were received."
    )

    /// Packets in tunnels.
    public static let decodeTunnelledPackets = MetricFamily(
        "wingmirror_decode_tunnelled_packets_total",
        .counter,
        help: "Packets with an IP header inside another, by which several workers may split a connection."
    )

    static let capture = [
        capturePacketsReceived, capturePacketsDropped, capturePacketsTruncated, capturePacketsDuplicate, captureBytes,
        captureInterfaceUp, captureRestarts, captureLastPacket, captureRingSize, captureClockOffset, decodeErrors,
        decodePacketsWithoutTCP, decodeSegments, decodeTunnelledPackets,
    ]
}
