// Wingmirror · Apache-2.0

import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import NIOWebSocket
package import Synchronization

/// An API server of a test that also forwards ports of pods, over WebSocket with `v4.channel.k8s.io` as kubelets do.
package final class TestForwardingServer: Sendable {
    /// What is at the other end of a forwarded port.
    package enum Port: Sendable {
        /// A server that answers each request by its target, with a status and content.
        case answering(@Sendable (_ target: String) -> (status: Int, content: String))
        /// A server that takes requests and says nothing.
        case silent
        /// A server that ends with the first request, when it has sent so many octets of the answer.
        case ending(after: Int)
        /// Nothing; the kubelet says so in these words.
        case unreachable(String)
    }

    /// What the API server does with a request.
    package enum Reaction: Sendable {
        /// Answers with a status and content.
        case answer(Int, String)
        /// Forwards a port, in a subprotocol.
        case forward(Port, subprotocol: String = "v4.channel.k8s.io")
    }

    /// Decides on a request.
    package typealias Script = @Sendable (ReceivedAPIRequest) -> Reaction

    /// The requests for an upgrade that came.
    package let upgrades = Mutex<[ReceivedAPIRequest]>([])
    /// The heads of the requests that came out of forwarded ports.
    package let forwarded = Mutex<[String]>([])
    /// Where what a connection is sent first is cut in two; `nil` for not at all.
    package let cut = Mutex<Int?>(nil)
    /// How many octets the latest connection was sent first: an answer and, after an upgrade, the first messages.
    package let firstOctets = Mutex(0)

    private let script: Script
    private let isTLS: Bool
    private let podContext: NIOSSLContext?
    private let channel = Mutex<(any Channel)?>(nil)

    /// Starts a server on 127.0.0.1.
    ///
    /// - Parameters:
    ///   - certificate: What the API server proves itself with; `nil` for no TLS.
    ///   - podCertificate: What servers in pods prove themselves with; `nil` for no TLS.
    ///   - script: Decides on requests.
    /// - Throws: What went wrong with a certificate or the port.
    package init(
        tls certificate: TestCertificate? = nil,
        podTLS podCertificate: TestCertificate? = nil,
        _ script: @escaping Script
    ) async throws {
        func serverContext(_ certificate: TestCertificate?) throws -> NIOSSLContext? {
            try certificate.map { certificate in
                var configuration = try certificate.serverConfiguration()
                configuration.applicationProtocols = ["http/1.1"]
                return try NIOSSLContext(configuration: configuration)
            }
        }
        let context = try serverContext(certificate)
        podContext = try serverContext(podCertificate)
        isTLS = certificate != nil
        self.script = script
        let bound = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { [self] channel in
                channel.eventLoop.makeCompletedFuture {
                    if let context {
                        try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
                    }
                    try channel.pipeline.syncOperations.addHandler(Sluice(self))
                    let plain = PlainRequests(self)
                    let bound = NIOLoopBound(plain, eventLoop: channel.eventLoop)
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline(
                        withServerUpgrade: (
                            upgraders: [upgrader],
                            completionHandler: { context in
                                context.pipeline.syncOperations.removeHandler(bound.value, promise: nil)
                            }
                        )
                    )
                    try channel.pipeline.syncOperations.addHandler(plain)
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        channel.withLock { $0 = bound }
    }

    /// The URL without a path.
    package var url: String {
        "\(isTLS ? "https" : "http")://127.0.0.1:\(channel.withLock { $0?.localAddress?.port } ?? 0)"
    }

    /// Stops listening.
    package func close() async { try? await channel.withLock { $0 }?.close() }

    private var upgrader: NIOWebSocketServerUpgrader {
        NIOWebSocketServerUpgrader(
            shouldUpgrade: { [self] channel, head in
                let request = ReceivedAPIRequest(head, connection: 0)
                upgrades.withLock { $0.append(request) }
                guard case .forward(_, let subprotocol) = script(request) else {
                    return channel.eventLoop.makeSucceededFuture(nil)
                }
                return channel.eventLoop.makeSucceededFuture(["Sec-WebSocket-Protocol": subprotocol])
            },
            upgradePipelineHandler: { [self] channel, head in
                channel.eventLoop.makeCompletedFuture {
                    guard case .forward(let port, _) = script(ReceivedAPIRequest(head, connection: 0)) else { return }
                    try channel.pipeline.syncOperations.addHandler(Kubelet(port))
                    if let podContext {
                        try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: podContext))
                    }
                    try channel.pipeline.syncOperations.addHandler(PodServer(port, self))
                }
            }
        )
    }

    // MARK: - Handlers

    /// Answers requests that ask for no upgrade, or get none.
    private final class PlainRequests: ChannelInboundHandler, RemovableChannelHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        private let server: TestForwardingServer
        private var head: HTTPRequestHead?

        init(_ server: TestForwardingServer) { self.server = server }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head): self.head = head
            case .body: break
            case .end:
                guard let head,
                    case .answer(let status, let content) = server.script(ReceivedAPIRequest(head, connection: 0))
                else { return context.close(promise: nil) }
                let body = ByteBuffer(string: content)
                let fields: HTTPHeaders = [
                    "Content-Type": "application/json", "Content-Length": String(body.readableBytes),
                ]
                let answer = HTTPResponseHead(version: .http1_1, status: .init(statusCode: status), headers: fields)
                context.write(wrapOutboundOut(.head(answer)), promise: nil)
                context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
                context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
            }
        }

        // An upgrade that the script declines comes by as an error, and then as a request.
        func errorCaught(context: ChannelHandlerContext, error: any Error) {}
    }

    /// The kubelet's end of a tunnel, between messages, which are small, and octets.
    private final class Kubelet: ChannelDuplexHandler {
        typealias InboundIn = WebSocketFrame
        typealias InboundOut = ByteBuffer
        typealias OutboundIn = ByteBuffer
        typealias OutboundOut = WebSocketFrame

        private static let messageLength = 7
        private let port: Port

        init(_ port: Port) { self.port = port }

        func handlerAdded(context: ChannelHandlerContext) {
            // The port's number, 9646, on both channels.
            for number: UInt8 in [0, 1] { send(number, ByteBuffer(bytes: [0xAE, 0x25]), context) }
            if case .unreachable(let words) = port { send(1, ByteBuffer(string: words), context) }
            context.flush()
            if case .unreachable = port { context.close(promise: nil) }
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            var message = unwrapInboundIn(data).unmaskedData
            guard unwrapInboundIn(data).opcode == .binary, message.readInteger(as: UInt8.self) == 0 else { return }
            context.fireChannelRead(wrapInboundOut(message))
        }

        func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
            var octets = unwrapOutboundIn(data)
            while let part = octets.readSlice(length: min(Self.messageLength, octets.readableBytes)),
                part.readableBytes > 0
            {
                send(0, part, context)
            }
            promise?.succeed()
        }

        private func send(_ channel: UInt8, _ octets: ByteBuffer, _ context: ChannelHandlerContext) {
            var message = ByteBuffer(bytes: [channel])
            message.writeImmutableBuffer(octets)
            context.write(wrapOutboundOut(WebSocketFrame(fin: true, opcode: .binary, data: message)), promise: nil)
        }
    }

    /// The server in the pod.
    private final class PodServer: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let port: Port
        private let server: TestForwardingServer
        private var received = ""

        init(_ port: Port, _ server: TestForwardingServer) {
            self.port = port
            self.server = server
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            received += String(buffer: unwrapInboundIn(data))
            while let end = received.firstRange(of: "\r\n\r\n") {
                let request = String(received[..<end.upperBound])
                received = String(received[end.upperBound...])
                server.forwarded.withLock { $0.append(request) }
                answer(String(request.split(separator: " ").dropFirst().first ?? ""), context)
            }
        }

        private func answer(_ target: String, _ context: ChannelHandlerContext) {
            switch port {
            case .answering(let content):
                let (status, content) = content(target)
                context.writeAndFlush(wrapOutboundOut(Self.answer(status, content)), promise: nil)
            case .ending(let length):
                let octets = Self.answer(200, "unfinished")
                if let part = octets.getSlice(at: octets.readerIndex, length: min(length, octets.readableBytes)) {
                    context.writeAndFlush(wrapOutboundOut(part), promise: nil)
                }
                context.close(promise: nil)
            case .silent, .unreachable: break
            }
        }

        private static func answer(_ status: Int, _ content: String) -> ByteBuffer {
            ByteBuffer(string: "HTTP/1.1 \(status) X\r\nContent-Length: \(content.utf8.count)\r\n\r\n\(content)")
        }
    }

    /// Gathers what is sent first, and sends it in one part or two, a pause apart.
    private final class Sluice: ChannelOutboundHandler {
        typealias OutboundIn = IOData
        typealias OutboundOut = ByteBuffer

        private let server: TestForwardingServer
        private var gathered = ByteBuffer()
        private var isScheduled = false
        private var isOpen = false
        private var isClosing = false

        init(_ server: TestForwardingServer) { self.server = server }

        func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
            guard case .byteBuffer(var octets) = unwrapOutboundIn(data) else { return }
            guard !isOpen else { return context.write(wrapOutboundOut(octets), promise: promise) }
            gathered.writeBuffer(&octets)
            promise?.succeed()
        }

        func flush(context: ChannelHandlerContext) {
            guard !isOpen else { return context.flush() }
            guard !isScheduled else { return }
            isScheduled = true
            let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
            context.eventLoop.scheduleTask(in: .milliseconds(1)) { bound.value.0.begin(bound.value.1) }
        }

        func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
            guard isScheduled, !isOpen else { return context.close(mode: mode, promise: promise) }
            isClosing = true
            promise?.succeed()
        }

        private func begin(_ context: ChannelHandlerContext) {
            server.firstOctets.withLock { $0 = gathered.readableBytes }
            let length = min(server.cut.withLock { $0 } ?? 0, gathered.readableBytes)
            if let part = gathered.readSlice(length: length), length > 0 {
                context.writeAndFlush(wrapOutboundOut(part), promise: nil)
            }
            let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
            context.eventLoop.scheduleTask(in: .milliseconds(2)) { bound.value.0.end(bound.value.1) }
        }

        private func end(_ context: ChannelHandlerContext) {
            isOpen = true
            context.writeAndFlush(wrapOutboundOut(gathered), promise: nil)
            if isClosing { context.close(promise: nil) }
        }
    }
}
