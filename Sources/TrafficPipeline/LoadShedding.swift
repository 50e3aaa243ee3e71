// Wingmirror · Apache-2.0

internal import Synchronization

/// What a pipeline leaves out while memory is short, in the order in which it is given up.
public enum SheddingLevel: Int, Sendable, Hashable, CaseIterable, Comparable {
    /// Nothing is left out.
    case none
    /// No shadow traffic is sent.
    case shadowTraffic
    /// No exemplars, no recent exchanges to look at, and no content in records either.
    case everythingButMetrics

    /// What is left out, in words.
    public var leavesOut: String {
        switch self {
        case .none: "nothing"
        case .shadowTraffic: "shadow traffic"
        case .everythingButMetrics: "shadow traffic, recent requests, exemplars, content of records"
        }
    }

    /// The value of the label `work` of `load_shedding` for what this level leaves out beyond the one before; `nil` for none.
    public var work: String? {
        switch self {
        case .none: nil
        case .shadowTraffic: "shadow_traffic"
        case .everythingButMetrics: "details"
        }
    }

    /// Whether `left` gives up less.
    public static func < (left: Self, right: Self) -> Bool {
        left.rawValue < right.rawValue
    }
}

/// Where the level is set, from the slow side, and looked at between batches of packets.
public final class LoadShedding: Sendable {
    private let current = Atomic<Int>(0)
    private let usedOctets = Atomic<Int>(0)
    private let expectedOctets = Atomic<Int>(0)
    private let affected = Atomic<UInt64>(0)

    /// Starts with nothing left out.
    public init() {}

    /// How much is left out now.
    public var level: SheddingLevel {
        get { SheddingLevel(rawValue: current.load(ordering: .relaxed)) ?? .none }
        set { current.store(newValue.rawValue, ordering: .relaxed) }
    }

    /// Octets of memory in use when the level was looked at last.
    public var used: Int {
        get { usedOctets.load(ordering: .relaxed) }
        set { usedOctets.store(newValue, ordering: .relaxed) }
    }

    /// Octets that something of short duration, such as a table in compilation, will take at most.
    ///
    /// They count as used meanwhile, so that what can be given up is given up before them.
    public var expected: Int {
        get { expectedOctets.load(ordering: .relaxed) }
        set { expectedOctets.store(newValue, ordering: .relaxed) }
    }

    /// Requests of which only metrics were made, for want of memory.
    public var requests: UInt64 { affected.load(ordering: .relaxed) }

    /// A capture thread made only metrics of so many requests.
    func requestsShed(_ count: Int) {
        affected.add(UInt64(count), ordering: .relaxed)
    }
}
