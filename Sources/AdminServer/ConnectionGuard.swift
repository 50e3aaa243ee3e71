// Wingmirror · Apache-2.0

import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore
import NIOHTTPTypes

/// Closes a connection whose peer sends more content than any endpoint takes, or does not read its response.
///
/// Hummingbird's own idle timer covers what comes before a whole request; this covers what comes after it. A whole response
/// must be read within one time; of a stream of events, each event within another.
final class ConnectionGuard: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let contentLimit: Int
    private let responseTimeout: TimeAmount
    private let eventTimeout: TimeAmount
    private var contentCount = 0
    private var isStream = false
    private var deadline: Scheduled<Void>?

    init(limits: AdminLimits) {
        contentLimit = limits.contentBytes
        responseTimeout = TimeAmount(limits.responseTimeout)
        eventTimeout = TimeAmount(limits.eventTimeout)
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
        case .head(let head):
            isStream = head.headerFields[.contentType] == EventStream.mediaType
            if !isStream { mustBeRead(within: responseTimeout, context) }
            context.write(data, promise: promise)
        case .body:
            guard isStream else { return context.write(data, promise: promise) }
            mustBeRead(within: eventTimeout, context)
            context.write(data, promise: readPromise(promise, context))
        case .end:
            context.write(data, promise: readPromise(promise, context))
            deadline = nil
        }
    }

    /// Starts the time within which the peer must read what is written next.
    private func mustBeRead(within timeout: TimeAmount, _ context: ChannelHandlerContext) {
        deadline?.cancel()
        let channel = context.channel
        deadline = context.eventLoop.scheduleTask(in: timeout) { channel.close(promise: nil) }
    }

    /// A promise that stops the time when it is kept.
    private func readPromise(
        _ promise: EventLoopPromise<Void>?,
        _ context: ChannelHandlerContext
    ) -> EventLoopPromise<Void>? {
        guard let deadline else { return promise }
        let written = promise ?? context.eventLoop.makePromise()
        written.futureResult.whenComplete { _ in deadline.cancel() }
        return written
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        deadline?.cancel()
        deadline = nil
    }
}
