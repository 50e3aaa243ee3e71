// Wingmirror · Apache-2.0
// Closed persistent connections: RFC 9112 §9.3.1; safe methods: RFC 9110 §9.2.1, §9.2.2.

import NIOCore
import NIOHTTP1

/// A connection that had been used before ended before the first octet of the next response.
struct ReusedConnectionClosed: Error {}

/// Notices that a connection of HTTP/1.1 which has been answered on before ends while a request waits for its response.
///
/// Stands between TLS and the encoder, so that it sees the octets of messages and nothing else.
final class ReuseWatch: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = IOData

    /// Whether there has been a response on the connection.
    private var hasAnswered = false
    /// Whether octets of a request went out after the last of a response.
    private var isWaiting = false

    /// Puts a watch in a connection's pipeline; to be called on its event loop.
    static func watch(_ channel: any Channel) throws {
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandler(
            ReuseWatch(),
            position: .before(pipeline.handler(type: HTTPRequestEncoder.self))
        )
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        isWaiting = true
        context.write(data, promise: promise)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        hasAnswered = true
        isWaiting = false
        context.fireChannelRead(data)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.fireErrorCaught(hasAnswered && isWaiting ? ReusedConnectionClosed() : error)
    }

    func channelInactive(context: ChannelHandlerContext) {
        if hasAnswered, isWaiting { context.fireErrorCaught(ReusedConnectionClosed()) }
        context.fireChannelInactive()
    }
}
