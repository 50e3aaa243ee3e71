// Wingmirror · Apache-2.0

/// What waits between the stages, and what a full stage dropped.
extension MetricCatalogue {
    /// Values waiting for a stage.
    public static let pipelineQueueLength = MetricFamily(
        "wingmirror_pipeline_queue_length",
        .gauge,
        labels: ["stage"],
        help: "Values waiting for a stage."
    )

    /// Values that may wait for a stage.
    public static let pipelineQueueCapacity = MetricFamily(
        "wingmirror_pipeline_queue_capacity",
        .gauge,
        labels: ["stage"],
        help: "Values that may wait for a stage."
    )

    /// Values dropped in front of a stage.
    public static let pipelineDropped = MetricFamily(
        "wingmirror_pipeline_dropped_total",
        .counter,
        labels: ["stage", "reason"],
        help: "Values dropped because a stage could not take them."
    )

    /// Records that reached their file.
    public static let recordsWritten = MetricFamily(
        "wingmirror_records_written_total",
        .counter,
        help: "Request records written; with those dropped, all that there were."
    )

    /// Whether records can be written.
    public static let recordSinkUp = MetricFamily(
        "wingmirror_record_sink_up",
        .gauge,
        help: "Whether request records can be written (1) or not (0): the disk is full, a pipe has no reader."
    )

    /// How far a worker is behind the packets.
    public static let pipelineLag = MetricFamily(
        "wingmirror_pipeline_lag_seconds",
        .gauge,
        .seconds,
        labels: ["worker"],
        help: "Time from the capture of a packet to its processing."
    )

    static let pipeline = [
        pipelineQueueLength, pipelineQueueCapacity, pipelineDropped, recordsWritten, recordSinkUp, pipelineLag,
    ]
}
