// Wingmirror · Apache-2.0

import Synchronization

/// Why a handle had to be opened again, or resumed.
public enum CaptureRestartReason: String, Sendable, Hashable, CaseIterable {
    /// The interface was not there, or could not be opened, when it was asked for.
    case unavailable
    /// The interface was deleted.
    case disappeared
    /// The interface was taken down and came up again; the handle stayed open.
    case wentDown = "went_down"
    /// libpcap could not read from it any more, for another reason.
    case failed
}

/// What has been captured on each interface; written by the capture threads and read by any other.
public final class CaptureCounters: Sendable {
    private let list: Mutex<[InterfaceCounters]>

    /// Makes counters that stand at zero.
    public init(interfaces: [String]) {
        list = Mutex(interfaces.map { InterfaceCounters(name: $0) })
    }

    /// All interfaces that were ever captured on, in the order in which they were named: `CapturedPacket.interface` is an
    /// index of this array.
    public var interfaces: [InterfaceCounters] {
        list.withLock { $0 }
    }

    /// The interfaces of these names, which are wanted from now on instead of others, with those that are new at the end of the array.
    func numbered(_ names: [String]) -> [NumberedInterface] {
        list.withLock { list in
            for known in list { known.setWanted(names.contains(known.name)) }
            return names.map { name in
                let known = list.firstIndex { $0.name == name }
                if known == nil { list.append(InterfaceCounters(name: name)) }
                let number = known ?? list.endIndex - 1
                return NumberedInterface(number: number, counters: list[number])
            }
        }
    }
}

/// An interface that is captured on, with what `CapturedPacket.interface` is for its packets.
struct NumberedInterface: Sendable {
    let number: Int
    let counters: InterfaceCounters
}

/// What became of the packets of one interface, since the process began and whatever became of the interface.
///
/// This is the account of the ring: what came out of it, and what was lost before. What the packets hold is counted by
/// whoever takes them.
///
/// Each value is exact on its own; two that are read together may be one batch of packets apart.
public final class InterfaceCounters: Sendable {
    /// The name of the interface.
    public let name: String

    private let packets = Atomic<UInt64>(0)
    private let droppedByKernel = Atomic<UInt64>(0)
    private let droppedByInterface = Atomic<UInt64>(0)
    private let unavailable = Atomic<UInt64>(0)
    private let disappeared = Atomic<UInt64>(0)
    private let wentDown = Atomic<UInt64>(0)
    private let failed = Atomic<UInt64>(0)
    /// How many workers have a handle open on it, and see it up.
    private let up = Atomic<Int>(0)
    private let ring = Atomic<Int>(0)
    private let wanted = Atomic<Bool>(true)

    init(name: String) {
        self.name = name
    }
}

// MARK: - Reading

extension InterfaceCounters {
    /// Packets that were delivered.
    public var packetsReceived: UInt64 { packets.load(ordering: .relaxed) }
    /// Packets that matched the filter and were lost for want of room in the ring, or with the ring.
    public var packetsDroppedByKernelBuffer: UInt64 { droppedByKernel.load(ordering: .relaxed) }
    /// Packets that the interface says it lost, whether or not they would have matched the filter.
    public var packetsDroppedByInterface: UInt64 { droppedByInterface.load(ordering: .relaxed) }
    /// Whether the interface is to be captured on, now; what was counted of one that is not any more stays.
    public var isWanted: Bool { wanted.load(ordering: .relaxed) }
    /// Whether a handle is open and the interface is up.
    public var isUp: Bool { up.load(ordering: .relaxed) > 0 }
    /// The size of the kernel's ring as obtained, which may be less than asked for.
    ///
    /// Of several workers' rings, the sum; 0 without a handle.
    public var ringOctets: Int { ring.load(ordering: .relaxed) }

    /// How often the handle was opened again, or resumed, for a reason.
    public func restarts(_ reason: CaptureRestartReason) -> UInt64 {
        switch reason {
        case .unavailable: unavailable.load(ordering: .relaxed)
        case .disappeared: disappeared.load(ordering: .relaxed)
        case .wentDown: wentDown.load(ordering: .relaxed)
        case .failed: failed.load(ordering: .relaxed)
        }
    }
}

// MARK: - Writing, where the set of interfaces is decided

extension InterfaceCounters {
    fileprivate func setWanted(_ isWanted: Bool) { wanted.store(isWanted, ordering: .relaxed) }
}

// MARK: - Writing, on a capture thread

extension InterfaceCounters {
    func packetsDelivered(_ count: Int) {
        packets.wrappingAdd(UInt64(count), ordering: .relaxed)
    }

    func packetsDropped(byKernelBuffer: UInt64, byInterface: UInt64) {
        droppedByKernel.wrappingAdd(byKernelBuffer, ordering: .relaxed)
        droppedByInterface.wrappingAdd(byInterface, ordering: .relaxed)
    }

    func restarted(_ reason: CaptureRestartReason) {
        switch reason {
        case .unavailable: unavailable.wrappingAdd(1, ordering: .relaxed)
        case .disappeared: disappeared.wrappingAdd(1, ordering: .relaxed)
        case .wentDown: wentDown.wrappingAdd(1, ordering: .relaxed)
        case .failed: failed.wrappingAdd(1, ordering: .relaxed)
        }
    }

    /// One worker's handle is in another state than it was.
    func stateChanged(from old: HandleState, to new: HandleState) {
        if old.isUp != new.isUp { up.wrappingAdd(new.isUp ? 1 : -1, ordering: .relaxed) }
        ring.wrappingAdd(new.ringOctets - old.ringOctets, ordering: .relaxed)
    }
}

/// The state of one worker's handle on an interface.
struct HandleState: Sendable {
    /// Whether it is open, and the interface is up.
    var isUp = false
    /// The size of its ring.
    var ringOctets = 0
}
