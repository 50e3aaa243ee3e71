// Wingmirror · Apache-2.0

extension MetricCatalogue {
    /// Connections that began a TLS handshake.
    public static let tlsConnections = MetricFamily(
        "wingmirror_tls_connections_total",
        .counter,
        help: "Connections that began a TLS handshake, decrypted or not."
    )

    /// Connections that were decrypted.
    public static let tlsDecryptedConnections = MetricFamily(
        "wingmirror_tls_decrypted_connections_total",
        .counter,
        help: "TLS connections that were decrypted with the key log."
    )

    /// Records opened, and records that no key fitted.
    public static let tlsRecords = MetricFamily(
        "wingmirror_tls_records_total",
        .counter,
        labels: ["result"],
        help: "TLS records that were decrypted, skipped as their content is not needed, or not authentic."
    )

    /// Octets of application data.
    public static let tlsDecryptedBytes = MetricFamily(
        "wingmirror_tls_decrypted_bytes_total",
        .counter,
        .bytes,
        help: "Application data that was decrypted."
    )

    /// Holes behind which records were found again.
    public static let tlsRecoveredGaps = MetricFamily(
        "wingmirror_tls_recovered_gaps_total",
        .counter,
        help: "Gaps in the capture after which decryption went on."
    )

    /// Attempts to find records behind holes.
    public static let tlsTrialDecryptions = MetricFamily(
        "wingmirror_tls_trial_decryptions_total",
        .counter,
        labels: ["result"],
        help: "Attempts to decrypt a record after a gap, made or refused because there were too many."
    )

    /// Ciphertext given up while its keys were awaited.
    public static let tlsShedBytes = MetricFamily(
        "wingmirror_tls_shed_bytes_total",
        .counter,
        .bytes,
        help: "Encrypted data dropped while its keys had not arrived yet, for want of room."
    )

    /// Connections that wait for keys.
    public static let tlsWaitingConnections = MetricFamily(
        "wingmirror_tls_waiting_connections",
        .gauge,
        help: "TLS connections that wait for their keys."
    )

    /// Ciphertext that waits for keys.
    public static let tlsHeldBytes = MetricFamily(
        "wingmirror_tls_held_bytes",
        .gauge,
        .bytes,
        help: "Encrypted data held until its keys arrive."
    )

    /// The longest that keys were late.
    public static let tlsKeyDelay = MetricFamily(
        "wingmirror_tls_key_delay_max_seconds",
        .gauge,
        .seconds,
        help: "The longest that keys arrived after the data they decrypt; tls.patience must be longer."
    )

    /// Failed handshakes by alert.
    public static let tlsHandshakeAlerts = MetricFamily(
        "wingmirror_tls_handshake_alerts_total",
        .counter,
        labels: ["alert"],
        help: "Alerts sent before encryption began, which is why handshakes failed."
    )

    /// Lines of the key log.
    public static let tlsKeyLogLines = MetricFamily(
        "wingmirror_tls_key_log_lines_total",
        .counter,
        labels: ["kind"],
        help: "Lines read from the key log."
    )

    /// Connections whose keys were dropped.
    public static let tlsKeysDropped = MetricFamily(
        "wingmirror_tls_keys_dropped_total",
        .counter,
        labels: ["reason"],
        help: "Connections whose keys were dropped before their traffic came: after a minute, or for want of room."
    )

    /// Connections passed through.
    public static let tlsPassthroughConnections = MetricFamily(
        "wingmirror_tls_passthrough_connections_total",
        .counter,
        labels: ["gateway", "kind", "object_namespace", "name", "rule"],
        help: "TLS connections that the gateway passes through, by the tls rule or TLSRoute that takes them."
    )

    /// Octets on connections passed through.
    public static let tlsPassthroughBytes = MetricFamily(
        "wingmirror_tls_passthrough_bytes_total",
        .counter,
        .bytes,
        labels: ["gateway", "kind", "object_namespace", "name", "rule"],
        help: "Payload of TLS connections that the gateway passes through, both directions."
    )

    static let tls = [
        tlsConnections, tlsDecryptedConnections, tlsRecords, tlsDecryptedBytes, tlsRecoveredGaps, tlsTrialDecryptions,
        tlsShedBytes, tlsWaitingConnections, tlsHeldBytes, tlsKeyDelay, tlsHandshakeAlerts, tlsKeyLogLines,
        tlsKeysDropped, tlsPassthroughConnections, tlsPassthroughBytes,
    ]
}
