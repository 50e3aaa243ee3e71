// Wingmirror · Apache-2.0

import OctetText

/// Decides from the agent's own figures that it is in trouble and should not mirror for a while.
///
/// Seeing all traffic comes before mirroring some of it, so packets that the kernel dropped, memory that runs short and
/// processors that are taken from production pause mirroring, not measuring.
public struct SelfProtection: Sendable {
    /// When it gives way, and for how long.
    public struct Limits: Sendable, Hashable {
        /// The share of packets, 0 to 1, that the kernel may drop between two looks.
        public var droppedShare = 0.001
        /// The most memory the process may hold, in octets; `nil` for no bound.
        public var residentOctets: Int?
        /// The most processors' time the process may use, such as 1.5; `nil` for no bound.
        public var processors: Double?
        /// How long a pause lasts after the trouble was last seen.
        public var rest: Duration = .seconds(30)

        /// Makes the defaults.
        public init() {}
    }

    /// The agent's figures at one moment, as totals since it started.
    public struct Observation: Sendable, Hashable {
        /// Packets that were captured.
        public var packets: UInt64
        /// Packets that the kernel dropped.
        public var kernelDrops: UInt64
        /// Memory that the process holds now, in octets.
        public var residentOctets: Int
        /// Processor time that the process has used, in seconds.
        public var processorSeconds: Double

        /// Makes an observation.
        public init(packets: UInt64, kernelDrops: UInt64, residentOctets: Int, processorSeconds: Double = 0) {
            self.packets = packets
            self.kernelDrops = kernelDrops
            self.residentOctets = residentOctets
            self.processorSeconds = processorSeconds
        }
    }

    private let limits: Limits
    private var last: Observation?
    /// Since when processor time is counted, and how much there was then.
    private var processorMark: (time: Int64, seconds: Double)?

    /// Over how long processor time is looked at: shorter bursts are borne.
    public static let processorInterval: Duration = .seconds(5)

    /// Makes a protection that has seen nothing yet.
    public init(_ limits: Limits = Limits()) {
        self.limits = limits
    }

    /// Looks at the figures.
    ///
    /// - Returns: The reasons to pause for, each until the time given.
    public mutating func look(_ observation: Observation, now: Int64) -> [PauseReason: Int64] {
        var reasons: [PauseReason: Int64] = [:]
        let end = now.advanced(by: limits.rest)
        if let last, isDropping(from: last, to: observation) {
            reasons[.kernelDrops] = end
        }
        if let most = limits.residentOctets, observation.residentOctets > most {
            reasons[.memory] = end
        }
        if isBusy(observation, now: now) { reasons[.processor] = end }
        last = observation
        return reasons
    }

    /// Whether more processor time was used than allowed, at the end of an interval.
    private mutating func isBusy(_ observation: Observation, now: Int64) -> Bool {
        guard let most = limits.processors else { return false }
        guard let mark = processorMark, now >= mark.time else {
            processorMark = (now, observation.processorSeconds)
            return false
        }
        guard now >= mark.time.advanced(by: Self.processorInterval) else { return false }
        processorMark = (now, observation.processorSeconds)
        let used = observation.processorSeconds - mark.seconds
        return used > most * Double(now - mark.time) / 1e9
    }

    private func isDropping(from last: Observation, to observation: Observation) -> Bool {
        guard observation.kernelDrops > last.kernelDrops else { return false }
        let drops = Double(observation.kernelDrops - last.kernelDrops)
        let packets = observation.packets > last.packets ? Double(observation.packets - last.packets) : 0
        return drops > limits.droppedShare * (packets + drops)
    }
}
