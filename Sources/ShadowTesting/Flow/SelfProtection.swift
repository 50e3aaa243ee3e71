// Wingmirror · Apache-2.0

import OctetText

/// Decides from the agent's own figures that it is in trouble and should not mirror for a while.
///
/// Seeing all traffic comes before mirroring some of it, so packets that the kernel dropped and memory that runs short pause
/// mirroring, not measuring.
public struct SelfProtection: Sendable, Hashable {
    /// When it gives way, and for how long.
    public struct Limits: Sendable, Hashable {
        /// The share of packets, 0 to 1, that the kernel may drop between two looks.
        public var droppedShare = 0.001
        /// The most memory the process may hold, in octets; `nil` for no bound.
        public var residentOctets: Int?
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

        /// Makes an observation.
        public init(packets: UInt64, kernelDrops: UInt64, residentOctets: Int) {
            self.packets = packets
            self.kernelDrops = kernelDrops
            self.residentOctets = residentOctets
        }
    }

    private let limits: Limits
    private var last: Observation?

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
        last = observation
        return reasons
    }

    private func isDropping(from last: Observation, to observation: Observation) -> Bool {
        guard observation.kernelDrops > last.kernelDrops else { return false }
        let drops = Double(observation.kernelDrops - last.kernelDrops)
        let packets = observation.packets > last.packets ? Double(observation.packets - last.packets) : 0
        return drops > limits.droppedShare * (packets + drops)
    }
}
