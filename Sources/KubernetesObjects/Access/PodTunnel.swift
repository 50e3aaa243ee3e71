// Wingmirror · Apache-2.0
// Port forwarding to pods over WebSocket (RFC 6455) with the subprotocol v4.channel.k8s.io, as kubelets serve it.

import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1
import NIOPosix
package import NIOSSL
import NIOWebSocket

/// Where something listens in a pod.
package struct PodPort: Sendable, Hashable, CustomStringConvertible {
    /// The pod's namespace.
    package let namespace: String
    /// The pod's name.
    package let name: String
    /// The port.
    package let port: Int
    /// Whether TLS is spoken there.
    package let isSecured: Bool

    /// Names a port.
    package init(namespace: String, name: String, port: Int, isSecured: Bool) {
        self.namespace = namespace
        self.name = name
        self.port = port
        self.isSecured = isSecured
    }

    /// `namespace/name:port`.
    package var description: String { "\(namespace)/\(name):\(port)" }

    /// What is asked of the API server; names of objects have no characters that need an escape.
    fileprivate var target: String { "/api/v1/namespaces/\(namespace)/pods/\(name)/portforward?ports=\(port)" }
}

/// Asks a server in a pod over HTTP/1.1, through a port that the API server forwards as `kubectl port-forward` does.
///
/// The connection ends on the loopback of the pod's own network, so a server that answers only there answers it too.
/// The API server's proxy cannot do that: its requests come from the API server's address, and it keeps the caller's
/// credentials.
///
/// The upgrade is a GET, which RBAC takes for the verb `get` on `pods/portforward`; API servers of 1.35 and later ask
/// for `create` as well.
package struct PodTunnel: Sendable {
    /// An answer of the server in the pod.
    package struct Answer: Sendable {
        /// The status code.
        package let status: Int
        /// The content.
        package let content: [UInt8]
    }

    /// Why there is no tunnel, or no answer through it.
    package enum Failure: Error, Sendable, Hashable {
        /// The API server upgraded the connection to something else than a forwarded port.
        case unexpectedUpgrade
        /// The kubelet cannot reach the port; its words.
        case unreachable(String)
        /// The connection ended before the answer did.
        case ended
        /// The answer is longer than is taken.
        case tooLong
    }

    private typealias Stream = NIOAsyncChannel<HTTPResponsePart, HTTPRequestPart>
    private typealias PlainStream = NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart>

    /// What the API server made of the request for an upgrade.
    private enum Outcome: Sendable {
        /// It forwards.
        case forwarded(Stream)
        /// It answers with a status and perhaps a reason, which are still to be read.
        case refused(PlainStream)
    }

    /// The longest message of the tunnel; kubelets copy 32 KiB at a time.
    private static let frameLimit = 1 << 20
    private static let subprotocol = "v4.channel.k8s.io"

    private let transport: HTTPTransport
    private let port: PodPort
    private let tls: TLSConfiguration?
    private let serverName: String?
    private let limit: Int
    private let patience: Duration

    /// Makes a tunnel that is not open yet.
    ///
    /// - Parameters:
    ///   - port: Where the server listens.
    ///   - transport: The way to the API server, and who asks.
    ///   - tls: Whom to trust inside the tunnel, where TLS is spoken there.
    ///   - serverName: The name in the server's certificate; `nil` where that is not looked at.
    ///   - limit: The most octets of an answer.
    ///   - patience: How long everything may take.
    package init(
        to port: PodPort,
        over transport: HTTPTransport,
        tls: TLSConfiguration? = nil,
        serverName: String? = nil,
        limit: Int,
        patience: Duration = .seconds(30)
    ) {
        self.port = port
        self.transport = transport
        self.tls = tls
        self.serverName = serverName
        self.limit = limit
        self.patience = patience
    }

    /// Asks for documents, one after the other on one connection.
    ///
    /// - Parameters:
    ///   - paths: The request targets.
    ///   - token: A bearer token for the server in the pod.
    /// - Returns: An answer for each.
    /// - Throws: `APIRefusal` where the API server does not forward, `Failure`, `APIFailure`, or what the connection
    ///   met.
    package func get(_ paths: [String], token: String? = nil) async throws -> [Answer] {
        try await within(patience) {
            switch try await open() {
            case .forwarded(let stream): try await ask(paths, token, over: stream)
            case .refused(let stream): throw try await Self.refusal(stream)
            }
        }
    }

    private func ask(_ paths: [String], _ token: String?, over stream: Stream) async throws -> [Answer] {
        var answers: [Answer] = []
        do {
            try await stream.executeThenClose { inbound, outbound in
                guard let first = paths.first else { return }
                // Where nothing can be sent, what comes in says why: the kubelet's words, or an end.
                try? await send(first, token, to: outbound)
                var status = 0
                var content: [UInt8] = []
                for try await part in inbound {
                    switch part {
                    case .head(let head): status = head.status.code
                    case .body(let buffer):
                        guard content.count + buffer.readableBytes <= limit else { throw Failure.tooLong }
                        content += buffer.readableBytesView
                    case .end:
                        answers.append(Answer(status: status, content: content))
                        content = []
                        guard answers.count < paths.count else { return }
                        try? await send(paths[answers.count], token, to: outbound)
                    }
                }
                throw Failure.ended
            }
        } catch {
            // With every answer there, it does not matter how the connection came to its end.
            guard answers.count == paths.count else { throw Self.failure(error) }
        }
        return answers
    }

    private func send(
        _ path: String,
        _ token: String?,
        to outbound: NIOAsyncChannelOutboundWriter<HTTPRequestPart>
    ) async throws {
        // The server looks at who asks: an address of loopback, by its address.
        var request = HTTPRequest(method: .get, scheme: "http", authority: "127.0.0.1:\(port.port)", path: path)
        request.headerFields[.accept] = "application/json"
        if let token { request.headerFields[.authorization] = "Bearer \(token)" }
        try await outbound.write(.head(request))
        try await outbound.write(.end(nil))
    }

    // MARK: - The connection

    /// A connection, and what will come of it.
    private struct Opening: Sendable {
        let channel: any Channel
        let outcome: EventLoopFuture<Outcome>
    }

    private func open() async throws -> Outcome {
        let entry = try await transport.entry()
        let opening = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connectTimeout(.seconds(10))
            .connect(host: entry.host, port: entry.port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls = entry.tls {
                        let handler = try NIOSSLClientHandler(
                            context: try NIOSSLContext(configuration: tls),
                            serverHostname: entry.serverName
                        )
                        try channel.pipeline.syncOperations.addHandler(handler)
                    }
                    return Opening(channel: channel, outcome: try upgrade(channel, entry))
                }
            }
        do {
            // A future does not end with the task that waits for it, but with the channel.
            return try await withTaskCancellationHandler {
                try await opening.outcome.get()
            } onCancel: {
                opening.channel.close(promise: nil)
            }
        } catch {
            opening.channel.close(promise: nil)
            throw Self.failure(error)
        }
    }

    private func upgrade(_ channel: any Channel, _ entry: HTTPTransport.Entry) throws -> EventLoopFuture<Outcome> {
        let gate = NIOLoopBound(SwitchGate(), eventLoop: channel.eventLoop)
        try channel.pipeline.syncOperations.addHandler(gate.value)
        let upgrader = NIOTypedWebSocketClientUpgrader<Outcome>(maxFrameSize: Self.frameLimit) { channel, head in
            channel.eventLoop.makeCompletedFuture {
                // Without the subprotocol the first octet of a message means something else, or nothing.
                guard head.headers["Sec-WebSocket-Protocol"] == [Self.subprotocol] else {
                    throw Failure.unexpectedUpgrade
                }
                let stream = try stream(in: channel)
                gate.value.open()
                return .forwarded(stream)
            }
        }
        var head = HTTPRequestHead(version: .http1_1, method: .GET, uri: entry.prefix + port.target)
        head.headers.add(name: "Host", value: entry.authority)
        head.headers.add(name: "User-Agent", value: entry.userAgent)
        head.headers.add(name: "Sec-WebSocket-Protocol", value: Self.subprotocol)
        if let token = entry.token { head.headers.add(name: "Authorization", value: "Bearer \(token)") }
        let configuration = NIOTypedHTTPClientUpgradeConfiguration<Outcome>(
            upgradeRequestHead: head,
            upgraders: [upgrader]
        ) { channel in
            channel.eventLoop.makeCompletedFuture {
                .refused(try PlainStream(wrappingChannelSynchronously: channel))
            }
        }
        return try channel.pipeline.syncOperations.configureUpgradableHTTPClientPipeline(
            configuration: .init(upgradeConfiguration: configuration)
        )
    }

    /// The forwarded port as a connection of HTTP, from the outside in: messages, octets, perhaps TLS, HTTP.
    private func stream(in channel: any Channel) throws -> Stream {
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandler(
            NIOWebSocketFrameAggregator(
                minNonFinalFragmentSize: 0,
                maxAccumulatedFrameCount: 1024,
                maxAccumulatedFrameSize: Self.frameLimit
            )
        )
        try pipeline.addHandler(ForwardedPort())
        if port.isSecured, let tls {
            let context = try NIOSSLContext(configuration: tls)
            try pipeline.addHandler(NIOSSLClientHandler(context: context, serverHostname: serverName))
        }
        try pipeline.addHTTPClientHandlers()
        try pipeline.addHandler(HTTP1ToHTTPClientCodec())
        return try Stream(wrappingChannelSynchronously: channel)
    }

    // MARK: - Failures

    /// Reads an answer that is no upgrade.
    private static func refusal(_ stream: PlainStream) async throws -> APIRefusal {
        var status = 0
        var content = RefusalContent()
        do {
            try await stream.executeThenClose { inbound, _ in
                for try await part in inbound {
                    switch part {
                    case .head(let head): status = Int(head.status.code)
                    case .body(let buffer):
                        guard content.append(buffer.readableBytesView) else { return }
                    case .end: return
                    }
                }
            }
        } catch {
            // A refusal that is cut short is one all the same.
            guard status != 0 else { throw failure(error) }
        }
        guard status != 0 else { throw Failure.ended }
        return APIRefusal(status: status, content: content.octets)
    }

    private static func failure(_ error: any Error) -> any Error {
        switch error {
        case is NIOHTTPClientUpgradeError: Failure.unexpectedUpgrade
        // A channel that closes takes with it what waits for it, and a parser finds its message unfinished.
        case is ChannelError, is HTTPParserError: Failure.ended
        default: error
        }
    }
}

/// Holds back what follows the head of an answer that switches protocols, until the connection is ready for it.
///
/// The kubelet's first messages often come in the same segment as the answer. NIO's decoder forwards such octets when
/// it is removed, a turn of the event loop later, but not when the connection has ended by then; and that is how it
/// ends when a kubelet says why a port is closed and hangs up.
private final class SwitchGate: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private enum State {
        /// In the head: its first octets, and how many octets of the empty line that ends it have come. Then `holding`
        /// or `open`.
        case head(start: [UInt8], ending: Int)
        /// Behind the head of a 101. Then `open`.
        case holding(ByteBuffer)
        /// Everything passes.
        case open
    }

    private static let switching = Array("HTTP/1.1 101 ".utf8)
    private static let emptyLine = Array("\r\n\r\n".utf8)

    private var state = State.head(start: [], ending: 0)
    private var context: ChannelHandlerContext?

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var octets = unwrapInboundIn(data)
        switch state {
        case .open: context.fireChannelRead(data)
        case .holding(var held):
            held.writeBuffer(&octets)
            state = .holding(held)
        case .head(let start, let ending): headArrived(octets, start, ending, context)
        }
    }

    private func headArrived(_ octets: ByteBuffer, _ known: [UInt8], _ matched: Int, _ context: ChannelHandlerContext) {
        var octets = octets
        let start = known + octets.readableBytesView.prefix(Self.switching.count - known.count)
        var ending = matched
        for (offset, octet) in octets.readableBytesView.enumerated() {
            // A carriage return may begin the empty line anew.
            ending = octet == Self.emptyLine[ending] ? ending + 1 : octet == Self.emptyLine[0] ? 1 : 0
            guard ending == Self.emptyLine.count else { continue }
            guard start == Self.switching, let head = octets.readSlice(length: offset + 1) else {
                state = .open
                return context.fireChannelRead(wrapInboundOut(octets))
            }
            state = .holding(octets)
            return context.fireChannelRead(wrapInboundOut(head))
        }
        state = .head(start: start, ending: ending)
        context.fireChannelRead(wrapInboundOut(octets))
    }

    /// Lets pass what was held back, and all that follows.
    func open() {
        guard let context, case .holding(let held) = state else { return }
        state = .open
        guard held.readableBytes > 0 else { return }
        context.fireChannelRead(wrapInboundOut(held))
        context.fireChannelReadComplete()
    }
}

/// The messages of a tunnel with one port as a stream of octets.
///
/// The first octet of a message is its channel: 0 has the octets, 1 the words of an error. The first message on each is
/// the port's number in two octets; nothing is sent before it, as TLS would while the connection is being upgraded.
private final class ForwardedPort: ChannelDuplexHandler {
    typealias InboundIn = WebSocketFrame
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = WebSocketFrame

    private var hasBegun = [false, false]
    private var waiting: [(octets: ByteBuffer, promise: EventLoopPromise<Void>?)] = []

    // MARK: - What comes in

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = unwrapInboundIn(data)
        switch frame.opcode {
        case .binary: received(frame.unmaskedData, context)
        case .ping:
            let pong = WebSocketFrame(fin: true, opcode: .pong, maskKey: .random(), data: frame.unmaskedData)
            context.writeAndFlush(wrapOutboundOut(pong), promise: nil)
        case .connectionClose: context.close(promise: nil)
        default: break
        }
    }

    private func received(_ message: ByteBuffer, _ context: ChannelHandlerContext) {
        var octets = message
        guard let channel = octets.readInteger(as: UInt8.self).map(Int.init), channel < hasBegun.count else { return }
        if !hasBegun[channel] {
            hasBegun[channel] = true
            octets.moveReaderIndex(forwardBy: min(2, octets.readableBytes))
            if channel == 0 { begin(context) }
        }
        guard octets.readableBytes > 0 else { return }
        if channel == 0 {
            context.fireChannelRead(wrapInboundOut(octets))
        } else {
            context.fireErrorCaught(PodTunnel.Failure.unreachable(String(buffer: octets)))
            context.close(promise: nil)
        }
    }

    // MARK: - What goes out

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let octets = unwrapOutboundIn(data)
        guard hasBegun[0] else { return waiting.append((octets, promise)) }
        send(octets, context, promise)
    }

    private func begin(_ context: ChannelHandlerContext) {
        for (octets, promise) in waiting { send(octets, context, promise) }
        waiting = []
        context.flush()
    }

    private func send(_ octets: ByteBuffer, _ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?) {
        var message = context.channel.allocator.buffer(capacity: octets.readableBytes + 1)
        message.writeInteger(UInt8(0))
        message.writeImmutableBuffer(octets)
        let frame = WebSocketFrame(fin: true, opcode: .binary, maskKey: .random(), data: message)
        context.write(wrapOutboundOut(frame), promise: promise)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        for (_, promise) in waiting { promise?.fail(ChannelError.ioOnClosedChannel) }
        waiting = []
    }
}
