// Wingmirror · Apache-2.0

/// How packets are captured from interfaces.
public struct LiveConfiguration: Sendable, Hashable {
    /// Holds a frame that the kernel has put together from many (GRO), whose length field covers 64 KiB, and more.
    public static let defaultSnapshotLength = 262_144
    /// Room for about half a second of a saturated gigabit interface and then some: enough for scheduling pauses.
    public static let defaultRingOctets = 64 << 20
    /// How long the kernel may hold a packet back to hand over several at once.
    static let packetBufferTimeoutMilliseconds = 50

    /// The interfaces, by name.
    ///
    /// `any` is all of them. Each may be missing, and is then tried again and again.
    public var interfaces: [String]
    /// What the kernel is to hand over.
    public var filter: CaptureFilter
    /// Octets captured of a packet at most.
    public var snapshotLength: Int
    /// The size of each interface's ring; the kernel may have less to give.
    public var ringOctets: Int
    /// Whether packets for other machines are wanted too.
    public var isPromiscuous: Bool
    /// Threads that share each interface by flow, 1 to 256; each has its part of the ring.
    public var workers: Int

    /// Makes a configuration of its parts.
    /// - Parameters:
    ///   - interfaces: The interfaces, by name.
    ///   - filter: What the kernel is to hand over.
    ///   - snapshotLength: Octets captured of a packet at most.
    ///   - ringOctets: The size of each interface's ring.
    ///   - isPromiscuous: Whether packets for other machines are wanted too.
    ///   - workers: Threads that share each interface by flow.
    /// - Throws: `.invalidConfiguration` without an interface, with one named twice, or with a number out of range.
    public init(
        interfaces: [String],
        filter: CaptureFilter = CaptureFilter(),
        snapshotLength: Int = Self.defaultSnapshotLength,
        ringOctets: Int = Self.defaultRingOctets,
        isPromiscuous: Bool = false,
        workers: Int = 1
    ) throws(CaptureError) {
        try Self.check(interfaces)
        guard (64...Self.defaultSnapshotLength).contains(snapshotLength) else {
            let range = "64 to \(Self.defaultSnapshotLength)"
            throw CaptureError(.invalidConfiguration, "the snapshot length \(snapshotLength) is not within \(range)")
        }
        guard (1...Int(Int32.max)).contains(ringOctets) else {
            throw CaptureError(.invalidConfiguration, "the ring size \(ringOctets) is not within 1 and \(Int32.max)")
        }
        guard Self.workerRange.contains(workers) else {
            throw CaptureError(.invalidConfiguration, "\(workers) workers are not within 1 to 256")
        }
        self.interfaces = interfaces
        self.filter = filter
        self.snapshotLength = snapshotLength
        self.ringOctets = ringOctets
        self.isPromiscuous = isPromiscuous
        self.workers = workers
    }

    /// As many sockets as the kernel lets share an interface.
    public static let workerRange = 1...256

    /// Refuses a set of interfaces that is none.
    static func check(_ interfaces: [String]) throws(CaptureError) {
        guard !interfaces.isEmpty else {
            throw CaptureError(.invalidConfiguration, "no interface is named")
        }
        guard Set(interfaces).count == interfaces.count else {
            throw CaptureError(.invalidConfiguration, "an interface is named twice")
        }
    }
}
