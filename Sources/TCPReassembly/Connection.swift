// Wingmirror · Apache-2.0

import PacketDecoding

/// The addresses of a connection, as plain words.
struct AddressPair: BitwiseCopyable {
    private let originatorHigh: UInt64
    private let originatorLow: UInt64
    private let responderHigh: UInt64
    private let responderLow: UInt64
    private let originatorPort: UInt16
    private let responderPort: UInt16
    /// The network that each side's segments are tagged with; the same for both until they are seen.
    private var originatorNetwork: UInt32
    private var responderNetwork: UInt32

    /// Keeps two endpoints in a network.
    init(originator: Endpoint, responder: Endpoint, network: UInt32) {
        originatorHigh = originator.address.high
        originatorLow = originator.address.low
        responderHigh = responder.address.high
        responderLow = responder.address.low
        originatorPort = originator.port
        responderPort = responder.port
        originatorNetwork = network
        responderNetwork = network
    }

    /// Keeps the endpoints of a segment, whose sender is the originator if `originatedBySource`.
    init(of segment: TCPSegment, originatedBySource: Bool) {
        self.init(
            originator: originatedBySource ? segment.source : segment.destination,
            responder: originatedBySource ? segment.destination : segment.source,
            network: segment.network
        )
    }

    /// Who sent the SYN; without one, who sent the first packet.
    var originator: Endpoint {
        Endpoint(address: IPAddress(high: originatorHigh, low: originatorLow), port: originatorPort)
    }

    /// The other end.
    var responder: Endpoint {
        Endpoint(address: IPAddress(high: responderHigh, low: responderLow), port: responderPort)
    }

    /// Which way `segment` flows on this connection; `nil` when it belongs to another, or bears other tags than before.
    @inline(__always)
    func direction(of segment: borrowing TCPSegment) -> StreamDirection? {
        if differences(segment.source, segment.destination) | UInt64(segment.network ^ originatorNetwork) == 0 {
            return .fromOriginator
        }
        let differences = differences(segment.destination, segment.source)
        return differences | UInt64(segment.network ^ responderNetwork) == 0 ? .fromResponder : nil
    }

    /// Which way `segment` flows on this connection, whatever its tags; `nil` when it belongs to another.
    func directionInAnyNetwork(of segment: borrowing TCPSegment) -> StreamDirection? {
        if differences(segment.source, segment.destination) == 0 {
            return .fromOriginator
        }
        return differences(segment.destination, segment.source) == 0 ? .fromResponder : nil
    }

    /// Remembers the tags that segments of a direction bear now.
    mutating func setNetwork(_ network: UInt32, of direction: StreamDirection) {
        if direction == .fromOriginator { originatorNetwork = network } else { responderNetwork = network }
    }

    @inline(__always)
    private func differences(_ first: Endpoint, _ second: Endpoint) -> UInt64 {
        (first.address.low ^ originatorLow) | (second.address.low ^ responderLow)
            | (first.address.high ^ originatorHigh) | (second.address.high ^ responderHigh)
            | UInt64((first.port ^ originatorPort) | (second.port ^ responderPort))
    }
}

/// What is kept of a connection besides its two streams.
struct Connection: BitwiseCopyable {
    /// How far a connection has come; each phase is also a lane of the expiry wheel.
    enum Phase: UInt8 {
        /// No handshake and no octets have been seen, so the sink does not know of it. Next: `open`, or forgotten.
        case embryonic
        /// The sink knows of it. Next: `lingering`, or forgotten.
        case open
        /// Closed, and remembered so that late segments do not look like a new connection. Next: forgotten.
        case lingering
    }

    var addresses: AddressPair
    /// How far the connection has come.
    var phase: Phase
    /// Whether a SYN or SYN-ACK was captured.
    var sawHandshake = false
    /// Whether any segment needs more than the common path: anything but an open connection, both of whose streams are
    /// known and unended, and on which nothing waits.
    var needsAttention = true
    /// When the connection was last active, in units of 2^20 ns on the clock.
    var lastActive: UInt32
    /// Where its `ConnectionWait` is, or `ConnectionWait.none`.
    var wait: UInt32 = ConnectionWait.none
    /// Counts connections by first packet.
    let number: Int
}

/// A place in the table: a connection and its two streams, which lie together in two cache lines.
struct ConnectionEntry: BitwiseCopyable {
    var connection: Connection
    var fromOriginator = StreamState()
    var fromResponder = StreamState()

    /// A connection of whose streams nothing is known, first seen at `time`, in nanoseconds since the epoch.
    init(_ connection: Connection, time: Int64) {
        self.connection = connection
        fromOriginator.time = time
        fromResponder.time = time
    }
}

/// One direction of one connection.
struct StreamID: Equatable {
    /// Twice the slot, plus one for the responder's stream.
    let rawValue: Int

    /// Names a stream by its number.
    @inline(__always)
    init(rawValue: Int) {
        self.rawValue = rawValue
    }

    /// Names a stream by connection and direction.
    @inline(__always)
    init(slot: Int, _ direction: StreamDirection) {
        rawValue = slot << 1 | Int(direction.rawValue)
    }

    /// The connection's slot.
    @inline(__always) var slot: Int {
        rawValue >> 1
    }

    /// Which way the octets flow.
    @inline(__always) var direction: StreamDirection {
        rawValue & 1 == 0 ? .fromOriginator : .fromResponder
    }

    /// The other stream of the connection.
    @inline(__always) var reversed: StreamID {
        StreamID(rawValue: rawValue ^ 1)
    }
}
