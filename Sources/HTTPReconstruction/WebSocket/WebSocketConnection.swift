// Wingmirror · Apache-2.0
// WebSockets over HTTP/1.1, RFC 6455 §4.2.2.

internal import PacketDecoding
internal import TCPReassembly

/// A TCP connection that an accepted upgrade has turned into a WebSocket.
///
/// The exchange that asked for it is emitted when the connection is over, with what the WebSocket carried.
struct WebSocketConnection {
    /// The connection's ``TrackedConnection``.
    let connection: Int32
    /// Which direction carries masked frames.
    let clientDirection: StreamDirection
    /// The exchange that asked for the upgrade.
    let exchange: Int32

    /// What a WebSocket takes, with the most of its tunnel; of the exchange only what it has beyond any other.
    static var memoryOctets: Int32 { 1024 }

    /// The next octets of either direction.
    func octetsArrived(_ octets: Span<UInt8>, at position: StreamPosition, _ shared: borrowing SharedReconstruction) {
        shared.exchanges[exchange].webSocket?.octetsArrived(
            octets,
            MessageKind(position.direction, client: clientDirection),
            startsSegment: position.startsSegment,
            at: position.time
        )
    }

    /// Octets of either direction that will never come.
    func octetsMissing(_ count: Int, at position: StreamPosition, _ shared: inout SharedReconstruction) {
        let kind = MessageKind(position.direction, client: clientDirection)
        shared.exchanges[exchange].integrity.insert(kind.gap)
        shared.exchanges[exchange].webSocket?.octetsMissing(count, kind)
    }

    /// The connection is over, and with it the WebSocket.
    func closed<Sink: ExchangeSink & ~Copyable>(_ shared: inout SharedReconstruction, _ sink: inout Sink) {
        shared.emit(exchange, on: connection, &sink)
    }
}

extension SharedReconstruction {
    /// An exchange has opened a WebSocket, over either version.
    mutating func openWebSocket<Sink: ExchangeSink & ~Copyable>(
        _ exchange: Int32,
        on connection: Int32,
        at time: PacketTime,
        _ sink: inout Sink
    ) {
        exchanges[exchange].webSocket = WebSocketTunnel(beganAt: time)
        let tag = exchanges.tag(of: exchange, as: Sink.Tag.self)
        sink.webSocketOpened(tag: tag, on: connections.facts(of: connection))
    }
}
