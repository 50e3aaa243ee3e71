// Wingmirror · Apache-2.0

public import PacketDecoding

/// Which way octets flow on a connection, before it is known who is the client.
public enum StreamDirection: UInt8, BitwiseCopyable, Sendable, Hashable, CaseIterable {
    case fromOriginator
    case fromResponder

    /// The other direction.
    public var reversed: StreamDirection {
        self == .fromOriginator ? .fromResponder : .fromOriginator
    }
}

/// What is known of a connection when its first packet is seen.
public struct ConnectionIntroduction: Sendable, Hashable {
    /// A small number that identifies the connection until it is closed; reused afterwards.
    public let slot: Int
    /// Numbers connections by first packet, from 0; never reused.
    public let number: Int
    /// Who sent the SYN; without one, who sent the first packet seen.
    public let originator: Endpoint
    /// The other end.
    public let responder: Endpoint
    /// When the first packet was captured.
    public let time: PacketTime
    /// Whether the connection's SYN or SYN-ACK was captured, so that both streams are known from their first octet.
    public let sawHandshake: Bool

    /// Makes an introduction of its parts.
    public init(
        slot: Int,
        number: Int,
        originator: Endpoint,
        responder: Endpoint,
        time: PacketTime,
        sawHandshake: Bool
    ) {
        self.slot = slot
        self.number = number
        self.originator = originator
        self.responder = responder
        self.time = time
        self.sawHandshake = sawHandshake
    }
}

/// Where octets of a stream stand, and what their segment proves about the other stream.
///
/// Stream offsets count octets of one direction: 0 is the first after the SYN, or the first that was expected when the
/// connection was joined midstream; in that case a stream may also begin beyond 0, where its sender had come to. They never
/// wrap.
public struct StreamPosition: Sendable, Hashable {
    /// Which way the octets flow.
    public let direction: StreamDirection
    /// The offset of the first octet.
    public let offset: Int64
    /// When the octets were captured, by their packet's own stamp; where they were captured a little before those in front
    /// of them, when those were.
    ///
    /// It goes back within a stream only where the capture's clock did.
    public let time: PacketTime
    /// How far the segment acknowledges the other direction, as an offset in that stream; `nil` when that is unknown.
    ///
    /// Below 0 on a connection joined midstream where the sender had not received all that came before offset 0.
    public let acknowledged: Int64?
    /// Whether the first octet is also the first of a TCP segment.
    public let startsSegment: Bool

    /// Makes a position of its parts.
    public init(
        direction: StreamDirection,
        offset: Int64,
        time: PacketTime,
        acknowledged: Int64?,
        startsSegment: Bool
    ) {
        self.direction = direction
        self.offset = offset
        self.time = time
        self.acknowledged = acknowledged
        self.startsSegment = startsSegment
    }

    /// The position so many octets further on in the stream, or back, which no segment is known to begin at unless
    /// `startsSegment` says so.
    package func moved(by count: Int, startsSegment isStart: Bool = false) -> StreamPosition {
        StreamPosition(
            direction: direction,
            offset: offset + Int64(count),
            time: time,
            acknowledged: acknowledged,
            startsSegment: isStart || startsSegment && count == 0
        )
    }
}

/// Why octets of a stream will never be delivered.
public enum MissingReason: UInt8, Sendable, Hashable, CaseIterable {
    /// The capture does not hold them: the other side acknowledged them, or the connection ended with octets beyond
    /// them.
    case captureLoss
    /// They did not come within the bound on packet time.
    case timeout
    /// They, or what lies beyond them, did not fit the octet or segment budget.
    case limit
    /// The snapshot length cut them off.
    case truncated

    /// The value of the `reason` label.
    public var label: String {
        switch self {
        case .captureLoss: "capture_loss"
        case .timeout: "timeout"
        case .limit: "limit"
        case .truncated: "truncated"
        }
    }
}

/// How one direction of a connection ended.
public enum StreamEnd: UInt8, Sendable, Hashable, CaseIterable {
    /// A FIN, reached in order.
    case finished
    /// A RST sent by this direction's sender.
    case resetBySender
    /// A RST sent by the other end.
    case resetByReceiver
    /// Nothing more was seen: idle, evicted, replaced by a new connection on the same addresses, or the capture ended.
    case abandoned
}

/// Why a connection is no longer tracked.
public enum ConnectionEnd: UInt8, Sendable, Hashable, CaseIterable {
    case finished
    case reset
    /// Forgotten by us, after it was silent for long; what it was in the middle of may well have gone on.
    case idle
    /// Forgotten by us, because the table was full; what it was in the middle of may well have gone on.
    case evicted
    /// A SYN opened a new connection on the same addresses.
    case superseded
    /// The capture ended first.
    case captureEnded

    /// The value of the `reason` label.
    public var label: String {
        switch self {
        case .finished: "finished"
        case .reset: "reset"
        case .idle: "idle"
        case .evicted: "evicted"
        case .superseded: "superseded"
        case .captureEnded: "capture_ended"
        }
    }
}

/// Why nobody can read the streams of a connection that is encrypted.
public enum EncryptionReason: UInt8, Sendable, Hashable, CaseIterable {
    /// It is TLS, and decryption is off.
    case off
    /// The key log has no keys of the connection, or they came too late.
    case noKey
    /// The keys of the key log do not fit.
    case wrongKeys
    /// The beginning of the handshake, by which keys are found, was not captured.
    case midstream
    /// Records of the agreed cipher suite cannot be opened.
    case unsupportedCipher
    /// No record was found again behind a hole or an error.
    case lost
    /// The connection ended before it carried any data.
    case handshake
    /// It was given up before anything of it was read, because TLS of all connections together took too much memory.
    case memory
}

/// What takes the streams that reassembly rebuilds.
///
/// Calls for one connection come in this order: `connectionOpened`; any number of `octetsArrived` and `octetsMissing`,
/// in stream order for each direction; at most one `streamEnded` for each direction; `connectionClosed`. Octets are not
/// delivered before the octets of the other direction that their segment acknowledges, as far as those were captured,
/// so that cause comes before effect.
public protocol StreamSink: ~Copyable {
    /// A connection was seen for the first time.
    mutating func connectionOpened(_ introduction: ConnectionIntroduction)

    /// The next octets of a stream, borrowed for the call only; never empty.
    mutating func octetsArrived(_ octets: Span<UInt8>, at position: StreamPosition, slot: Int)

    /// The next `count` octets of a stream will not come; `position.startsSegment` is meaningless.
    mutating func octetsMissing(_ count: Int, reason: MissingReason, at position: StreamPosition, slot: Int)

    /// Nothing more will come in `direction`.
    mutating func streamEnded(_ direction: StreamDirection, _ end: StreamEnd, at time: PacketTime, slot: Int)

    /// The connection is forgotten, and its slot may be reused.
    mutating func connectionClosed(_ reason: ConnectionEnd, at time: PacketTime, slot: Int)

    /// The connection carries TLS: its streams are plaintext, whose offsets count plaintext. Comes before any of it.
    /// - Parameters:
    ///   - session: The number of what is known of the session.
    ///   - slot: The connection.
    mutating func connectionSecured(session: Int32, slot: Int)

    /// Nobody can read the connection; what arrives of it from here on is only to be counted, as its `octets` before.
    mutating func connectionUnreadable(_ reason: EncryptionReason, octets: Int, slot: Int)

    /// Nobody can read one direction of a connection whose other one is read: `octets` of it came, besides what
    /// `octetsMissing` says of them. Comes once for each record.
    mutating func directionUnreadable(_ reason: EncryptionReason, octets: Int, isFirst: Bool, slot: Int)

    /// The two directions are captured by clocks that cannot be the same, so that no duration can rest on both. Comes at
    /// most once.
    mutating func clocksDiffer(slot: Int)

    /// Whether a connection is in the middle of something, so that another should be forgotten before it.
    func isBusy(slot: Int) -> Bool

    /// How many of the next octets of a stream the sink passes over without looking at them: content, as framing says, that
    /// nobody asked for.
    ///
    /// A stage that has to work for octets may give on any others in place of as many.
    func octetsNotLookedAt(_ direction: StreamDirection, slot: Int) -> Int

    /// Whether such content may go on behind a header, which the sink looks at and which has to be the stream's own.
    func contentMayGoOn(_ direction: StreamDirection, slot: Int) -> Bool

    /// How many octets of a stream the sink passes over, where a header stands behind those that nobody looks at: itself, and the
    /// content that it announces.
    /// - Parameters:
    ///   - header: The octets that follow, up to sixteen; borrowed for the call only. They may be forged.
    ///   - count: How many of the stream's next octets stand in front of them.
    ///   - direction: The stream.
    ///   - slot: The connection.
    /// - Returns: Octets; 0 where the header is no such one, or any doubt is left.
    func octetsNotLookedAt(
        behind header: Span<UInt8>,
        after count: Int,
        _ direction: StreamDirection,
        slot: Int
    ) -> Int
}

extension StreamSink where Self: ~Copyable {
    /// Ignores it.
    public mutating func connectionSecured(session: Int32, slot: Int) {}

    /// Ignores it.
    public mutating func connectionUnreadable(_ reason: EncryptionReason, octets: Int, slot: Int) {}

    /// Ignores it.
    public mutating func directionUnreadable(_ reason: EncryptionReason, octets: Int, isFirst: Bool, slot: Int) {}

    /// Ignores it.
    public mutating func clocksDiffer(slot: Int) {}

    /// Looks at all.
    public func octetsNotLookedAt(_ direction: StreamDirection, slot: Int) -> Int {
        0
    }

    /// It does not.
    public func contentMayGoOn(_ direction: StreamDirection, slot: Int) -> Bool {
        false
    }

    /// Looks at all.
    public func octetsNotLookedAt(
        behind header: Span<UInt8>,
        after count: Int,
        _ direction: StreamDirection,
        slot: Int
    ) -> Int {
        0
    }

    /// No connection is.
    public func isBusy(slot: Int) -> Bool {
        false
    }
}
