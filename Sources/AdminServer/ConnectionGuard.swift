// Wingmirror · Apache-2.0

import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore
import NIOHTTPTypes

/// Closes a connection that gets no place, whose peer takes too long for its first request, sends more content than any
/// endpoint takes, or more requests ahead of their responses, or does not read its response.
///
/// Hummingbird's own idle timer covers the time between requests. A whole response must be read within one time; of a stream
/// of events, each event within another.
final class ConnectionGuard: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    /// How much content is read until the refusal is written, as a multiple of the limit.
    private static let droppedShares = 4

    private let places: ConnectionPlaces
    private var place: Int?
    private let contentLimit: Int
    private let headTimeout: TimeAmount
    private let responseTimeout: TimeAmount
    private let eventTimeout: TimeAmount
    private let pipelineLimit: Int
    /// Requests that were read and whose responses are not written yet.
    private var unansweredCount = 0
    private var contentCount = 0
    /// Whether the request has more content than any endpoint takes: it is refused, and the connection ends with the response.
    private var isTooLong = false
    private var isStream = false
    private var deadline: Scheduled<Void>?

    init(limits: AdminLimits, places: ConnectionPlaces) {
        self.places = places
        contentLimit = limits.contentBytes
        pipelineLimit = limits.pipelinedRequests
        headTimeout = TimeAmount(limits.headTimeout)
        responseTimeout = TimeAmount(limits.responseTimeout)
        eventTimeout = TimeAmount(limits.eventTimeout)
    }

    func channelActive(context: ChannelHandlerContext) {
        let channel = context.channel
        place = places.take(for: ConnectionPlaces.Peer(of: channel), at: .now()) { channel.close(promise: nil) }
        guard place != nil else { return context.close(promise: nil) }
        close(in: headTimeout, context)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        places.connectionEnded(context.channel)
        if let place { places.giveUp(place) }
        place = nil
        context.fireChannelInactive()
    }

    private func set(_ activity: ConnectionPlaces.Activity) {
        if let place { places.set(place, activity, at: .now()) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // What was read with the request too many is in the same piece, and is answered no more.
        guard unansweredCount <= pipelineLimit else { return }
        switch unwrapInboundIn(data) {
        case .head(let head):
            unansweredCount += 1
            guard unansweredCount <= pipelineLimit else { return context.close(promise: nil) }
            deadline?.cancel()
            deadline = nil
            contentCount = 0
            isTooLong = (head.headerFields[.contentLength].flatMap { Int($0) } ?? 0) > contentLimit
            set(.answered)
        case .body(let buffer):
            contentCount += buffer.readableBytes
            guard contentCount <= Self.droppedShares * contentLimit else { return context.close(promise: nil) }
            // What is beyond the limit is dropped, but for the part that lets the endpoint see that there is more.
            if isTooLong { return }
            isTooLong = contentCount > contentLimit
        case .end:
            break
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(let head):
            isStream = head.headerFields[.contentType] == EventStream.mediaType
            set(isStream ? .listening : .answered)
            if !isStream { close(in: responseTimeout, context) }
            context.write(data, promise: promise)
        case .body:
            guard isStream else { return context.write(data, promise: promise) }
            close(in: eventTimeout, context)
            context.write(data, promise: readPromise(promise, context))
        case .end:
            unansweredCount -= 1
            let written = readPromise(promise, context) ?? context.eventLoop.makePromise()
            let places = places
            let place = place
            let channel = context.channel
            let isLast = isTooLong
            written.futureResult.whenComplete { _ in
                places.responseRead(on: channel)
                if isLast { Self.closeAfterReading(channel) }
                if let place { places.set(place, .idle, at: .now()) }
            }
            context.write(data, promise: written)
            deadline = nil
        }
    }

    /// Ends the connection of a request that was refused before all of it was read.
    ///
    /// To close it at once would reset it, and the peer could lose the refusal (RFC 9112 §9.6).
    private static func closeAfterReading(_ channel: any Channel) {
        channel.close(mode: .output, promise: nil)
        channel.eventLoop.scheduleTask(in: .seconds(1)) { channel.close(promise: nil) }
    }

    /// Starts the time within which the peer must do its part: send a head, or read what is written next.
    private func close(in timeout: TimeAmount, _ context: ChannelHandlerContext) {
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
        if let place { places.giveUp(place) }
        place = nil
    }
}
