// Wingmirror · Apache-2.0

/// Captures packets on interfaces until it is told to stop.
///
/// Everything happens on the thread that calls `run`, which should be one of its own (`CaptureThread`): packets of
/// several interfaces come in turns, a bounded batch from each, and between batches the totals of what was lost are
/// read. An interface that is missing or disappears is tried again, sooner first and then every two seconds, for as
/// long as the capture runs; its counters go on where they were.
///
/// Several workers, each with such a capture on a thread of its own, may share the interfaces: see `CaptureShare`.
///
/// To stop, the kernel is told to let in nothing more, and what it still holds is delivered.
public struct LiveCapture: ~Copyable, PacketSource {
    private var loop: LiveLoop<PcapHandle>

    /// Opens the interfaces.
    ///
    /// An interface that is missing or down is no error: it is reported, and tried again by `run`.
    /// - Parameters:
    ///   - configuration: What to capture.
    ///   - counters: What counts it; must have been made for the same interfaces.
    ///   - control: Gives the capture another filter or other interfaces while it runs.
    ///   - share: This worker's part of what several capture; `nil` takes every packet.
    ///   - report: Called on the capture thread with what happens to an interface.
    /// - Throws: `.missingPermission`, or `.invalidFilter` for an interface's link type.
    public init(
        _ configuration: LiveConfiguration,
        counters: CaptureCounters,
        control: CaptureControl? = nil,
        share: CaptureShare? = nil,
        report: @escaping @Sendable (CaptureEvent) -> Void
    ) throws(CaptureError) {
        var loop = LiveLoop(
            interfaces: counters.numbered(configuration.interfaces),
            filter: configuration.filter,
            control: control,
            isLeading: share?.isLeading ?? true,
            environment: .system,
            open: { name, filter throws(CaptureError) in
                try PcapHandle.openInterface(name, configuration, filter: filter, share: share)
            },
            report: report
        )
        try loop.openAll()
        self.loop = loop
    }

    /// Delivers packets until a stop is requested, then what the kernel still holds, and closes the interfaces.
    public mutating func run(into sink: inout some CaptureSink & ~Copyable, until stop: StopFlag) {
        loop.run(into: &sink, until: stop)
    }
}

extension CaptureError {
    /// Why an interface could not be opened.
    init(activating interface: String, result: CInt, reason: String) {
        switch ActivationFailure(rawValue: result) {
        case .permissionDenied, .promiscuousPermissionDenied:
            self.init(
                .missingPermission,
                "capturing on \(interface) needs the capability CAP_NET_RAW; grant it with: \(Capabilities.grantCommand)",
                cause: reason
            )
        case .noSuchDevice:
            self.init(.noSuchInterface, "there is no interface \(interface)", cause: reason)
        case .interfaceNotUp:
            self.init(.interfaceDown, "the interface \(interface) is down", cause: reason)
        case nil:
            self.init(.captureFailed, "\(interface) cannot be captured on", cause: reason)
        }
    }

    /// What `pcap_activate` may say, as far as it makes a difference.
    private enum ActivationFailure: CInt {
        case noSuchDevice = -5
        case permissionDenied = -8
        case interfaceNotUp = -9
        case promiscuousPermissionDenied = -11
    }
}
