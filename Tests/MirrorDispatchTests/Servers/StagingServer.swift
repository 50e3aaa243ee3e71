// Wingmirror · Apache-2.0

import NIOCore
import NIOHTTP1
import NIOHTTP2
import NIOPosix
import NIOSSL
import TestServers

/// What a test server does with a request.
enum Conduct: Sendable {
    /// Answers properly.
    case answer(status: Int, fields: [(String, String)] = [], content: [UInt8] = [])
    /// Sends these octets as they are, and closes the connection.
    case octets([UInt8])
    /// Sends the head of an answer and content without end.
    case endless
    /// Never answers.
    case hang
    /// Sends the head of an answer, and then nothing.
    case hangAfterHead
    /// Resets the connection.
    case reset
}

/// A staging server on a port of the system's choice, which does what a test asks for.
enum StagingServer {
    /// Runs a server for as long as `body` takes.
    ///
    /// - Parameters:
    ///   - host: The address to listen on.
    ///   - tls: Its certificate; without one it speaks plain HTTP/1.1, with one also HTTP/2.
    ///   - conduct: What it does with each request.
    ///   - body: Gets its port and what it received.
    /// - Returns: What `body` returns.
    /// - Throws: What `body` throws, or why there is no server.
    static func with<Result>(
        host: String = "127.0.0.1",
        tls: TestCertificate? = nil,
        _ conduct: @escaping @Sendable (ReceivedRequest) -> Conduct,
        _ body: (_ port: Int, _ requests: ReceivedRequests) async throws -> Result
    ) async throws -> Result {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let requests = ReceivedRequests()
        let context = try tls.map { try NIOSSLContext(configuration: $0.serverConfiguration()) }
        let channel = try await ServerBootstrap(group: group)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                requests.connectionAccepted()
                do {
                    guard let context else {
                        try channel.pipeline.syncOperations.configureHTTPServerPipeline(withPipeliningAssistance: false)
                        try channel.pipeline.syncOperations.addHandler(ConductHandler(conduct, requests))
                        return channel.eventLoop.makeSucceededVoidFuture()
                    }
                    try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
                    // HTTP/2 or HTTP/1.1, as agreed on; called for each stream or connection.
                    return channel.configureCommonHTTPServerPipeline { channel in
                        channel.eventLoop.makeCompletedFuture {
                            try channel.pipeline.syncOperations.addHandler(ConductHandler(conduct, requests))
                        }
                    }
                } catch {
                    return channel.eventLoop.makeFailedFuture(error)
                }
            }
            .bind(host: host, port: 0)
            .get()
        defer { group.shutdownGracefully { _ in } }
        let result: Result
        do {
            result = try await body(channel.localAddress?.port ?? 0, requests)
        } catch {
            try? await channel.close()
            throw error
        }
        try await channel.close()
        return result
    }
}

/// Collects requests and does with them what the test asks for.
private final class ConductHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let conduct: @Sendable (ReceivedRequest) -> Conduct
    private let requests: ReceivedRequests
    private var head: HTTPRequestHead?
    private var content: [UInt8] = []

    init(_ conduct: @escaping @Sendable (ReceivedRequest) -> Conduct, _ requests: ReceivedRequests) {
        self.conduct = conduct
        self.requests = requests
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            content = []
        case .body(let part):
            content += part.readableBytesView
        case .end:
            guard let head else { return }
            let request = ReceivedRequest(
                method: head.method.rawValue,
                target: head.uri,
                version: head.version,
                fields: head.headers.map { ($0.name, $0.value) },
                content: content,
                localAddress: context.channel.localAddress?.ipAddress ?? context.channel.parent?.localAddress?.ipAddress
                    ?? ""
            )
            let conduct = conduct(request)
            requests.arrived(request)
            follow(conduct, context)
        }
    }

    private func follow(_ conduct: Conduct, _ context: ChannelHandlerContext) {
        switch conduct {
        case .answer(let status, let fields, let content):
            write(status, fields + [("content-length", "\(content.count)")], context)
            if !content.isEmpty {
                context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: content)))), promise: nil)
            }
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        case .octets(let octets):
            let channel = context.channel
            let first = try? context.pipeline.syncOperations.context(handlerType: HTTPResponseEncoder.self)
            // Past the encoder, as they are.
            first?.writeAndFlush(NIOAny(IOData.byteBuffer(ByteBuffer(bytes: octets))), promise: nil)
            channel.close(promise: nil)
        case .endless:
            write(200, [], context)
            context.flush()
            Self.sendMore(context.channel)
        case .hangAfterHead:
            write(200, [("content-length", "10")], context)
            context.flush()
        case .hang:
            break
        case .reset:
            // With nothing to linger for, closing resets.
            (context.channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0)).whenComplete {
                [channel = context.channel] _ in channel.close(promise: nil)
            }
        }
    }

    private func write(_ status: Int, _ fields: [(String, String)], _ context: ChannelHandlerContext) {
        let head = HTTPResponseHead(version: .http1_1, status: .init(statusCode: status), headers: HTTPHeaders(fields))
        context.write(wrapOutboundOut(.head(head)), promise: nil)
    }

    private static func sendMore(_ channel: any Channel) {
        let part = HTTPServerResponsePart.body(.byteBuffer(ByteBuffer(repeating: 0x61, count: 64 << 10)))
        // Each part once the one before has gone, so that the other connections of the server have their turn too.
        channel.writeAndFlush(part).whenSuccess {
            channel.eventLoop.execute { sendMore(channel) }
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
