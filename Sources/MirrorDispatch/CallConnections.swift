// Wingmirror · Apache-2.0
// gRPC over HTTP/2: PROTOCOL-HTTP2.md of grpc/grpc; RFC 9113.

internal import AnswerComparison
import NIOCore
import NIOHTTP2
import NIOPosix
import NIOSSL
import NIOTLS
import ShadowTesting
import Synchronization
import TrafficModel

/// The connection over which one target gets its gRPC calls.
///
/// It speaks HTTP/2 only, agreed on in TLS (ALPN) or, without TLS, by prior knowledge, as every server of gRPC does. Unlike the
/// client for other requests it hands out trailers, which say how a call ended. There is one connection at a time, made with
/// the first call and used for all; calls beyond what the target allows at the same time wait in it. When the target ends it
/// (GOAWAY), or it breaks, the next call makes another; nothing is sent twice.
final class CallConnections: Sendable {
    private struct State {
        var current: EventLoopFuture<OpenConnection>?
        /// Counts the connections, so that only the current one is taken out.
        var number = 0
        /// Calls on their way, and all there ever were.
        var calls = (now: 0, ever: UInt64(0))
    }

    private let target: MirrorTarget
    private let address: String
    private let loop: any EventLoop
    private let budget: AnswerBudget
    private let limits: DispatchLimits
    private let state = Mutex(State())

    /// Prepares the connection; none is made before the first call.
    init(
        to target: MirrorTarget,
        at address: String,
        on group: any EventLoopGroup,
        sharing budget: AnswerBudget,
        limits: DispatchLimits
    ) {
        self.target = target
        self.address = address
        self.budget = budget
        self.limits = limits
        loop = group.next()
    }

    // MARK: - Calls

    /// Sends a call and reads the answer with its trailers; a cancelled task gives the call up at once.
    ///
    /// - Parameters:
    ///   - request: The request.
    ///   - keptOctets: The most octets of the answer's content to keep, as far as the budget has them.
    ///   - progress: Where the head's arrival is noted.
    /// - Returns: The answer.
    /// - Throws: Why there is none.
    func answer(
        to request: ShadowRequest,
        keeping keptOctets: Int,
        progress: AnswerProgress
    ) async throws -> RecordedResponse {
        let promise = loop.makePromise(of: RecordedResponse.self)
        state.withLock { state in
            state.calls.now += 1
            state.calls.ever += 1
        }
        defer { callEnded() }
        let settings = Call.Settings(keptOctets: keptOctets, answerOctets: limits.answerOctets)
        return try await withTaskCancellationHandler {
            current().whenComplete { [target, budget] connection in
                switch connection {
                case .failure(let error): promise.fail(error)
                case .success(let open):
                    open.begin(promise) {
                        Call(request, to: target, settings, budget, progress, on: open, promise)
                    }
                }
            }
            return try await promise.futureResult.get()
        } onCancel: {
            // The stream is reset when its promise fails.
            promise.fail(CancellationError())
        }
    }

    private func callEnded() {
        let ever = state.withLock { state -> UInt64? in
            state.calls.now -= 1
            return state.calls.now == 0 ? state.calls.ever : nil
        }
        guard let ever else { return }
        loop.scheduleTask(in: TimeAmount(limits.idleTimeout)) { [self] in
            let idle = state.withLock { state in
                state.calls.now == 0 && state.calls.ever == ever ? state.current.take() : nil
            }
            idle?.whenSuccess { $0.channel.close(promise: nil) }
        }
    }

    /// Closes the connection once no call is on its way; no new one may begin.
    func close() async {
        let last = state.withLock { $0.current.take() }
        guard let open = try? await last?.get() else { return }
        // Fails only for a connection that is closed already.
        try? await open.channel.close()
    }

    // MARK: - Connections

    /// The connection to use, which may have to be made first.
    private func current() -> EventLoopFuture<OpenConnection> {
        let (connection, made) = state.withLock { state in
            if let current = state.current { return (current, (EventLoopPromise<OpenConnection>, Int)?.none) }
            let promise = loop.makePromise(of: OpenConnection.self)
            state.number += 1
            state.current = promise.futureResult
            return (promise.futureResult, (promise, state.number))
        }
        if let (promise, number) = made {
            connection.whenFailure { [self] _ in retire(number) }
            connect(promise, number)
        }
        return connection
    }

    /// Takes a connection out of use; calls that are on it may end within their time.
    fileprivate func retire(_ number: Int) {
        let retired = state.withLock { state in
            state.number == number ? state.current.take() : nil
        }
        retired?.whenSuccess { open in
            // Every call has ended by then.
            open.channel.eventLoop.scheduleTask(in: TimeAmount(self.target.timeout)) {
                open.channel.close(promise: nil)
            }
        }
    }

    private func connect(_ promise: EventLoopPromise<OpenConnection>, _ number: Int) {
        let target = target
        let secured: NIOSSLContext?
        do {
            secured = try target.usesTLS ? NIOSSLContext(configuration: Self.tls(target)) : nil
        } catch {
            return promise.fail(error)
        }
        let overdue = loop.scheduleTask(in: TimeAmount(target.connectTimeout)) {
            promise.fail(ChannelError.connectTimeout(TimeAmount(target.connectTimeout)))
        }
        let watched = ClientBootstrap(group: loop)
            .connectTimeout(TimeAmount(target.connectTimeout))
            .channelOption(.socketOption(.tcp_nodelay), value: 1)
            .channelInitializer { [self] channel in
                channel.eventLoop.makeCompletedFuture {
                    let watch = ConnectionWatch(promise) { self.retire(number) }
                    if let secured {
                        try channel.pipeline.syncOperations.addHandlers(
                            NIOSSLClientHandler(context: secured, serverHostname: target.serverName),
                            NegotiationHandler(watch)
                        )
                    } else {
                        try watch.begin(on: channel)
                    }
                }
            }
            .connect(host: address, port: target.port)
        watched.cascadeFailure(to: promise)
        watched.whenSuccess { channel in
            promise.futureResult.whenFailure { _ in channel.close(promise: nil) }
        }
        promise.futureResult.whenComplete { _ in overdue.cancel() }
    }

    private static func tls(_ target: MirrorTarget) -> TLSConfiguration {
        var configuration = TLSConfiguration.verifying(target)
        configuration.applicationProtocols = ["h2"]
        return configuration
    }
}

extension MirrorTarget {
    /// The name for SNI and the certificate; `nil` for an address, of which there is none (RFC 6066 §3).
    fileprivate var serverName: String? {
        (try? SocketAddress(ipAddress: host, port: port)) == nil ? host : nil
    }
}

/// A connection of HTTP/2 that is ready for calls.
struct OpenConnection: Sendable {
    let channel: any Channel
    private let multiplexer: NIOHTTP2Handler.StreamMultiplexer
    private let watch: NIOLoopBound<ConnectionWatch>

    fileprivate init(_ channel: any Channel, _ multiplexer: NIOHTTP2Handler.StreamMultiplexer, _ watch: ConnectionWatch)
    {
        self.channel = channel
        self.multiplexer = multiplexer
        self.watch = NIOLoopBound(watch, eventLoop: channel.eventLoop)
    }

    /// Begins a stream with a handler; on the event loop.
    fileprivate func begin(
        _ promise: EventLoopPromise<RecordedResponse>,
        _ makeCall: @escaping @Sendable () -> Call
    ) {
        multiplexer.createStreamChannel { channel in
            channel.eventLoop.makeCompletedFuture {
                let call = makeCall()
                try channel.pipeline.syncOperations.addHandler(call)
                let bound = NIOLoopBound(call, eventLoop: channel.eventLoop)
                promise.futureResult.whenFailure { _ in
                    bound.value.givenUp()
                    channel.close(promise: nil)
                }
            }
        }
        .cascadeFailure(to: promise)
    }

    /// Why the connection broke, if it did; on the event loop.
    var error: (any Error)? { watch.value.error }
}

// MARK: - Handlers

/// Waits for the end of the handshake, and for what was agreed on.
private final class NegotiationHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private let watch: ConnectionWatch

    init(_ watch: ConnectionWatch) {
        self.watch = watch
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case .handshakeCompleted(let name) = event as? TLSUserEvent else {
            return context.fireUserInboundEventTriggered(event)
        }
        guard name == "h2" else { return watch.failed(ShadowFailure.tls, context.channel) }
        do {
            try watch.begin(on: context.channel)
            context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
        } catch {
            watch.failed(error, context.channel)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        watch.failed(error, context.channel)
    }

    func channelInactive(context: ChannelHandlerContext) {
        watch.failed(ShadowFailure.tls, context.channel)
        context.fireChannelInactive()
    }
}

/// Says when a connection is ready, and when it is of no more use.
private final class ConnectionWatch: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame

    private let promise: EventLoopPromise<OpenConnection>
    private let retire: @Sendable () -> Void
    /// Why the connection broke.
    private(set) var error: (any Error)?

    init(_ promise: EventLoopPromise<OpenConnection>, _ retire: @escaping @Sendable () -> Void) {
        self.promise = promise
        self.retire = retire
    }

    /// Speaks HTTP/2 from here on.
    func begin(on channel: any Channel) throws {
        var connection = NIOHTTP2Handler.ConnectionConfiguration()
        connection.targetWindowSize = 1 << 20
        connection.initialSettings = [
            HTTP2Setting(parameter: .enablePush, value: 0),
            HTTP2Setting(parameter: .maxHeaderListSize, value: 64 << 10),
            HTTP2Setting(parameter: .initialWindowSize, value: 1 << 18),
        ]
        var stream = NIOHTTP2Handler.StreamConfiguration()
        stream.targetWindowSize = 1 << 18
        let multiplexer = try channel.pipeline.syncOperations.configureHTTP2Pipeline(
            mode: .client,
            connectionConfiguration: connection,
            streamConfiguration: stream,
            inboundStreamInitializer: { $0.close() }
        )
        try channel.pipeline.syncOperations.addHandler(self)
        let open = OpenConnection(channel, multiplexer, self)
        if channel.isActive { promise.succeed(open) } else { waiting = open }
    }

    /// What is ready once the channel is.
    private var waiting: OpenConnection?

    /// The connection is of no use.
    func failed(_ error: any Error, _ channel: any Channel) {
        if self.error == nil { self.error = error }
        promise.fail(error)
        retire()
        channel.close(promise: nil)
    }

    func channelActive(context: ChannelHandlerContext) {
        if let open = waiting.take() { promise.succeed(open) }
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .goAway = unwrapInboundIn(data).payload { retire() }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // What concerns one stream ends that stream.
        guard !(error is NIOHTTP2Errors.StreamError) else { return }
        failed(error, context.channel)
    }

    func channelInactive(context: ChannelHandlerContext) {
        failed(ShadowFailure.reset, context.channel)
        context.fireChannelInactive()
    }
}
