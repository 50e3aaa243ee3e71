// Wingmirror · Apache-2.0

import PacketDecoding

/// Remembers where connections stood that had to be forgotten, so that they can be taken up again as if they had not.
///
/// A direct-mapped table: a newer connection simply takes the place of an older one, which is then joined midstream like
/// any other.
struct ForgottenConnections: ~Copyable {
    /// Where a connection stood.
    struct Memory: BitwiseCopyable {
        let addresses: AddressPair
        /// The next sequence number of each side.
        let originatorNumber: UInt32
        let responderNumber: UInt32
    }

    /// 16,384 connections in 1 MB: of those that are forgotten the ones that go on are few.
    private static let entryCount = 16_384

    private var memories = FixedBuffer<Memory>(capacity: entryCount)
    private var isUsed = FixedBuffer<Bool>(repeating: false, count: entryCount)

    /// Remembers a connection.
    mutating func remember(_ memory: Memory, hash: UInt64) {
        let position = Self.position(of: hash)
        memories[position] = memory
        isUsed[position] = true
    }

    /// Gives, and forgets, the connection that a segment continues exactly.
    mutating func take(continuedBy segment: TCPSegment, hash: UInt64) -> (Memory, StreamDirection)? {
        let position = Self.position(of: hash)
        guard isUsed[position], segment.flags.contains(.ack) else {
            return nil
        }
        let memory = memories[position]
        guard let direction = memory.addresses.directionInAnyNetwork(of: segment) else {
            return nil
        }
        let isOriginator = direction == .fromOriginator
        let own = isOriginator ? memory.originatorNumber : memory.responderNumber
        let other = isOriginator ? memory.responderNumber : memory.originatorNumber
        guard segment.sequenceNumber.rawValue == own, segment.acknowledgementNumber.rawValue == other else {
            return nil
        }
        isUsed[position] = false
        return (memory, direction)
    }

    private static func position(of hash: UInt64) -> Int {
        Int(truncatingIfNeeded: hash >> 32) & (entryCount - 1)
    }
}
