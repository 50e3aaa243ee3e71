// Wingmirror · Apache-2.0
// Who ends a connection or a stream: RFC 9112 §9.6, RFC 9113 §5.4, §6.4 and §6.8.

public import PacketDecoding
internal import TCPReassembly

/// How an exchange was broken off that did not come to its end: who closed first, and when.
///
/// A FIN and a RST mean the same here: which of the two a client sends depends on whether octets lie unread in its socket.
public struct EarlyEnd: Sendable, Hashable {
    /// Who closed the connection first, or reset the stream.
    public let side: Side
    /// When that was captured.
    public let time: PacketTime
    /// Whether the request was not sent to its end.
    public internal(set) var cutsRequest = false
    /// Whether the response had begun, and was not sent to its end.
    public internal(set) var cutsResponse = false
    /// Whether the server never took the request, so that the client may send it again (RFC 9112 §9.3.1, RFC 9113 §8.7):
    /// it came after the server had closed, was pipelined when the server closed, or is of a stream that was refused.
    public internal(set) var isUnprocessed = false

    /// One of the two ends of a connection.
    public enum Side: UInt8, Sendable, Hashable {
        case client
        case server
    }

    init(_ side: Side, at time: PacketTime) {
        self.side = side
        self.time = time
    }
}

/// Which direction of a connection ended first, and when: one word, for every connection has it.
struct FirstEnd {
    /// Twice the time in nanoseconds, and one more where the responder ended; a time of packets fits by far.
    private var packed = Int64.min

    /// One direction ended, by its sender or because of a RST of the other end.
    mutating func streamEnded(_ direction: StreamDirection, _ end: StreamEnd, at time: PacketTime) {
        guard packed == .min else { return }
        switch end {
        case .finished, .resetBySender: set(direction, time)
        case .resetByReceiver: set(direction.reversed, time)
        case .abandoned: break
        }
    }

    private mutating func set(_ direction: StreamDirection, _ time: PacketTime) {
        packed = time.nanoseconds << 1 | (direction == .fromOriginator ? 0 : 1)
    }

    /// What an exchange in progress is broken off by; `nil` while nobody has ended anything.
    func earlyEnd(clientDirection: StreamDirection) -> EarlyEnd? {
        guard packed != .min else { return nil }
        let direction: StreamDirection = packed & 1 == 0 ? .fromOriginator : .fromResponder
        return EarlyEnd(
            direction == clientDirection ? .client : .server,
            at: PacketTime(nanoseconds: packed >> 1)
        )
    }
}
