// Wingmirror · Apache-2.0

import Hummingbird
import HummingbirdCore
import NIOCore
import NIOHTTPTypes

/// Closes a connection whose peer sends more content than any endpoint takes, or does not read its response.
///
/// Hummingbird's own idle timer covers what comes before a whole request; this covers what comes after it.
final class ConnectionGuard: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let contentLimit: Int
    private let responseTimeout: TimeAmount
    private var contentCount = 0
    private var deadline: Scheduled<Void>?

    init(limits: AdminLimits) {
        contentLimit = limits.contentBytes
        responseTimeout = TimeAmount(limits.responseTimeout)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head:
            contentCount = 0
        case .body(let buffer):
            contentCount += buffer.readableBytes
        case .end:
            break
        }
        guard contentCount <= contentLimit else { return context.close(promise: nil) }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head:
            deadline?.cancel()
            let channel = context.channel
            deadline = context.eventLoop.scheduleTask(in: responseTimeout) { channel.close(promise: nil) }
            context.write(data, promise: promise)
        case .body:
            context.write(data, promise: promise)
        case .end:
            let written = promise ?? context.eventLoop.makePromise()
            if let deadline {
                written.futureResult.whenComplete { _ in deadline.cancel() }
            }
            deadline = nil
            context.write(data, promise: written)
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        deadline?.cancel()
        deadline = nil
    }
}
