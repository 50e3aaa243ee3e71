// Wingmirror · Apache-2.0

internal import TrafficModel

/// Who reads a connection: the closed set of protocols, each with its state in a slab of its own.
///
/// A connection pays for the protocol that it carries and for no other: one that is opaque keeps nothing but its
/// ``TrackedConnection``, and an idle HTTP/1 connection nothing of HTTP/2.
///
/// To add a protocol: a folder with its reader, a case here, and a line in ``ProtocolProbe``. ``HTTPReconstructor`` switches
/// over the cases, and the compiler names the places. A reader takes the events of ``StreamSink`` with
/// ``SharedReconstruction`` and the sink, and emits its exchanges through `SharedReconstruction.emit(_:on:_:)`.
enum ConnectionReader {
    /// What the connection carries is not known yet. HTTP/1 reads tentatively, in the slot, once octets came that it may
    /// understand; the slot is -1 before. Next: `http1`, `http2`, `opaque`.
    case probing(Int32)
    /// HTTP/1.x, in the slot. Next: `opaque`, by an upgrade or CONNECT; `http2`, by an upgrade to `h2c`; `webSocket`.
    case http1(Int32)
    /// HTTP/2, in the slot. Stays until the connection is closed.
    case http2(Int32)
    /// A WebSocket, in the slot. Stays until the connection is closed.
    case webSocket(Int32)
    /// Nobody reads it; its octets are counted. The last state.
    case opaque(OpaqueReason)
}

/// What a reader made of octets.
enum ReaderOutcome {
    /// The connection still carries the reader's protocol.
    case continues
    /// The reader is done: the connection carries something else, to which the last so many octets belong.
    case leaves(OpaqueReason, unread: Int)
    /// The reader is done: the connection goes on in HTTP/2, where the exchange gets its answer. The last so many octets
    /// belong to that.
    case upgrades(exchange: Int32, unread: Int)
    /// The reader is done: the connection goes on as the WebSocket that the exchange has opened. The last so many octets
    /// belong to that.
    case opensWebSocket(exchange: Int32, unread: Int)
}

/// What all readers share: the connections, storage for exchanges, and the parser with its list of field lines.
struct SharedReconstruction: ~Copyable {
    var connections = TrackedConnections()
    var exchanges = ExchangeStore()
    var parser = HeadParser()
    var http2 = SharedHTTP2()
    let limits: HTTPLimits
    var statistics = HTTPStatistics()
    /// What the retained messages of all connections take.
    let retained: RetentionLedger

    init(limits: HTTPLimits) {
        self.limits = limits
        retained = RetentionLedger(limit: limits.retainedOctets)
    }

    /// Whether exchanges in progress take all the memory that they may.
    private var isCrowded: Bool { exchanges.count >= limits.openExchanges }

    /// How many exchanges one HTTP/1 connection may have open: one, while there are too many on all.
    ///
    /// So those who open many make room themselves, and a client that waits for its answers notices nothing.
    var pendingLimit: Int32 { isCrowded ? 1 : Int32(clamping: limits.pendingExchanges) }

    /// How many streams one HTTP/2 connection may have open.
    var streamLimit: Int { isCrowded ? min(limits.crowdedStreams, limits.liveStreams) : limits.liveStreams }

    /// An exchange is given up for another: because of its connection's own limit, or of what all take.
    mutating func noteAbandonedExchange(of open: Int, limit: Int) {
        if open >= limit { statistics.abandonedExchanges += 1 } else { statistics.shedExchanges += 1 }
    }
}
