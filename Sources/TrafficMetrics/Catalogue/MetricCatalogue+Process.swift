// Wingmirror · Apache-2.0

/// The process, under the names that every Prometheus client library uses, so without our prefix.
extension MetricCatalogue {
    /// Processor time used.
    public static let processCPU = MetricFamily(
        "process_cpu_seconds_total",
        .counter,
        .seconds,
        help: "Total user and system CPU time spent in seconds."
    )

    /// Open file descriptors.
    public static let processOpenFDs = MetricFamily(
        "process_open_fds",
        .gauge,
        help: "Number of open file descriptors."
    )

    /// The limit on file descriptors.
    public static let processMaxFDs = MetricFamily(
        "process_max_fds",
        .gauge,
        help: "Maximum number of open file descriptors."
    )

    /// Virtual memory.
    public static let processVirtualMemory = MetricFamily(
        "process_virtual_memory_bytes",
        .gauge,
        .bytes,
        help: "Virtual memory size in bytes."
    )

    /// Resident memory.
    public static let processResidentMemory = MetricFamily(
        "process_resident_memory_bytes",
        .gauge,
        .bytes,
        help: "Resident memory size in bytes."
    )

    /// When the process started.
    public static let processStartTime = MetricFamily(
        "process_start_time_seconds",
        .gauge,
        .seconds,
        help: "Start time of the process since unix epoch in seconds."
    )

    /// Threads of the process.
    public static let processThreads = MetricFamily(
        "process_threads",
        .gauge,
        help: "Number of OS threads in the process."
    )

    static let process = [
        processCPU, processOpenFDs, processMaxFDs, processVirtualMemory, processResidentMemory, processStartTime,
        processThreads,
    ]
}
