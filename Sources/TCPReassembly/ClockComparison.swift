// Wingmirror · Apache-2.0

/// How far the clocks of two interfaces are apart, as handshakes show that pass by both.
public struct InterfaceClockOffset: Sendable, Hashable {
    /// The interface with the lower number.
    public let first: Int
    /// The other.
    public let second: Int
    /// How much later, in nanoseconds, the second's clock is at least.
    public internal(set) var lowest = Int64.min
    /// How much later it is at most.
    public internal(set) var highest = Int64.max
    /// Handshakes that this rests on.
    public internal(set) var handshakes = 0

    /// The middle of what is possible, in nanoseconds; `nil` while only one side of it is known, or when the handshakes
    /// contradict each other, as where a clock was set.
    public var estimate: Int64? {
        guard lowest != .min, highest != .max, lowest <= highest else {
            return nil
        }
        return lowest / 2 + highest / 2
    }

    /// Whether the clocks cannot be the same: then durations across these interfaces are off by the estimate.
    public var differs: Bool {
        lowest > 0 || highest < 0
    }

    /// Whether they differ by more than two captures of one clock do, so that no duration can rest on both: 1 ms.
    public var makesDurationsUnreliable: Bool {
        lowest > 1_000_000 || highest < -1_000_000
    }
}

/// Compares the clocks of interfaces by handshakes: a SYN comes before its answer, and that before what acknowledges it.
///
/// Where the two directions of connections are seen on different interfaces, each such order bounds the offset of their
/// clocks from one side, and the shortest round trips bound it closely, as in NTP. Only handshakes are looked at, and only
/// once there is a second interface.
struct ClockComparison: ~Copyable {
    /// A handshake of which the rest is awaited.
    ///
    /// Not private: the compiler cannot emit a buffer of a private type.
    struct Handshake: BitwiseCopyable {
        var slot = -1
        var synchronizeTime: Int64 = 0
        var answerTime: Int64 = 0
        var synchronizeInterface = 0
        var answerInterface = -1
        /// Of what acknowledges the answer, where that was seen before it: files are merged by their stamps.
        var acknowledgementTime: Int64 = 0
        var acknowledgementInterface = -1
    }

    /// 1,024 handshakes under way; a newer one takes the place of an older.
    private static let handshakeCount = 1024
    /// Pairs of interfaces that are compared.
    private static let pairLimit = 64

    private(set) var offsets: [InterfaceClockOffset] = []
    private var handshakes = FixedBuffer<Handshake>(repeating: Handshake(), count: handshakeCount)

    init() {}

    /// A SYN was seen.
    mutating func synchronizeArrived(_ slot: Int, at time: Int64, on interface: Int) {
        handshakes[slot & (Self.handshakeCount - 1)] = Handshake(
            slot: slot,
            synchronizeTime: time,
            synchronizeInterface: interface
        )
    }

    /// A SYN-ACK was seen.
    mutating func answerArrived(_ slot: Int, at time: Int64, on interface: Int) {
        let place = slot & (Self.handshakeCount - 1)
        let handshake = handshakes[place]
        guard handshake.slot == slot, handshake.answerInterface < 0, handshake.synchronizeInterface != interface else {
            handshakes[place].slot = -1
            return
        }
        handshakes[place].answerTime = time
        handshakes[place].answerInterface = interface
        follows(time, on: interface, handshake.synchronizeTime, on: handshake.synchronizeInterface, isLast: false)
    }

    /// A segment of the originator was seen before the SYN-ACK that it acknowledges.
    mutating func acknowledgementCameFirst(_ slot: Int, at time: Int64, on interface: Int) {
        let place = slot & (Self.handshakeCount - 1)
        guard handshakes[place].slot == slot, handshakes[place].answerInterface < 0,
            handshakes[place].acknowledgementInterface < 0
        else { return }
        handshakes[place].acknowledgementTime = time
        handshakes[place].acknowledgementInterface = interface
    }

    /// The SYN-ACK of such a handshake was seen.
    ///
    /// - Returns: Whether the connection's directions were seen by clocks that cannot be the same.
    mutating func lateAnswerArrived(_ slot: Int, at time: Int64, on interface: Int) -> Bool {
        let place = slot & (Self.handshakeCount - 1)
        let handshake = handshakes[place]
        guard handshake.slot == slot, handshake.acknowledgementInterface >= 0 else { return false }
        handshakes[place].slot = -1
        guard handshake.synchronizeInterface != interface, handshake.acknowledgementInterface != interface else {
            return false
        }
        follows(time, on: interface, handshake.synchronizeTime, on: handshake.synchronizeInterface, isLast: false)
        follows(
            handshake.acknowledgementTime,
            on: handshake.acknowledgementInterface,
            time,
            on: interface,
            isLast: true
        )
        return areUnreliable(handshake.acknowledgementInterface, interface)
    }

    /// Whether the acknowledgement of a SYN-ACK would say something.
    func awaitsAcknowledgement(_ slot: Int) -> Bool {
        let handshake = handshakes[slot & (Self.handshakeCount - 1)]
        return handshake.slot == slot && handshake.answerInterface >= 0
    }

    /// A segment of the originator was seen that acknowledges the SYN-ACK.
    ///
    /// - Returns: Whether the connection's directions were seen by clocks that cannot be the same.
    mutating func acknowledgementArrived(_ slot: Int, at time: Int64, on interface: Int) -> Bool {
        let place = slot & (Self.handshakeCount - 1)
        let handshake = handshakes[place]
        handshakes[place].slot = -1
        let other = handshake.answerInterface
        guard other != interface else {
            return false
        }
        follows(time, on: interface, handshake.answerTime, on: other, isLast: true)
        return areUnreliable(interface, other)
    }

    /// The first segment was seen of a connection that was joined midstream.
    mutating func directionJoined(_ slot: Int, on interface: Int) {
        handshakes[slot & (Self.handshakeCount - 1)] = Handshake(slot: slot, synchronizeInterface: interface)
    }

    /// The first segment of that connection's other direction was seen.
    ///
    /// - Returns: Whether its directions are seen by clocks that handshakes of others have shown not to be the same.
    mutating func otherDirectionJoined(_ slot: Int, on interface: Int) -> Bool {
        let place = slot & (Self.handshakeCount - 1)
        let first = handshakes[place]
        guard first.slot == slot else { return false }
        handshakes[place].slot = -1
        return first.synchronizeInterface != interface && areUnreliable(first.synchronizeInterface, interface)
    }

    /// Whether no duration can rest on the clocks of both interfaces, as far as handshakes have shown.
    private func areUnreliable(_ one: Int, _ other: Int) -> Bool {
        offsets.contains {
            $0.first == min(one, other) && $0.second == max(one, other) && $0.makesDurationsUnreliable
        }
    }

    /// Takes in that what was stamped `later` on one interface came after what was stamped `earlier` on another.
    private mutating func follows(
        _ later: Int64,
        on laterInterface: Int,
        _ earlier: Int64,
        on earlierInterface: Int,
        isLast: Bool
    ) {
        let (first, second) = (min(laterInterface, earlierInterface), max(laterInterface, earlierInterface))
        var place = offsets.firstIndex { $0.first == first && $0.second == second }
        if place == nil, offsets.count < Self.pairLimit {
            place = offsets.count
            offsets.append(InterfaceClockOffset(first: first, second: second))
        }
        let (difference, overflow) = later.subtractingReportingOverflow(earlier)
        guard let place, !overflow else {
            return
        }
        if laterInterface == second {
            offsets[place].highest = min(offsets[place].highest, difference)
        } else {
            // Differences of times that may be anything: the lowest of all stays what it is.
            offsets[place].lowest = max(offsets[place].lowest, 0 &- difference)
        }
        offsets[place].handshakes += isLast ? 1 : 0
    }
}
