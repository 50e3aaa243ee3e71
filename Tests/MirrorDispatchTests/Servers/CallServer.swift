// Wingmirror · Apache-2.0

import NIOCore
import NIOHPACK
import NIOHTTP2
import NIOPosix
import NIOSSL
import Synchronization
import TestServers

/// What a server of gRPC does with a call.
enum CallConduct: Sendable {
    /// Answers with a message and these trailers; no message and no trailers make an answer of a head alone.
    case answer(message: [UInt8]?, trailers: [(String, String)], head: [(String, String)] = [])
    /// Never answers.
    case hang
    /// Sends the head and half of a message, and resets the stream.
    case resetStream
    /// Sends the head and half of a message, and closes the connection.
    case closeConnection
    /// Says that no further call is taken on this connection, and answers.
    case goAway(message: [UInt8])
    /// Sends content without end.
    case endless
}

/// A call as a server saw it.
struct ReceivedCall: Sendable {
    let fields: [(String, String)]
    let content: [UInt8]
    let connection: Int

    func values(of name: String) -> [String] { fields.filter { $0.0 == name }.map(\.1) }
}

/// The calls that a server got.
final class ReceivedCalls: Sendable {
    private let state = Mutex((calls: [ReceivedCall](), connections: 0, resets: 0))

    var all: [ReceivedCall] { state.withLock { $0.calls } }
    var connections: Int { state.withLock { $0.connections } }

    func connected() -> Int {
        state.withLock { state in
            state.connections += 1
            return state.connections
        }
    }

    func append(_ call: ReceivedCall) { state.withLock { $0.calls.append(call) } }
}

/// A server of gRPC on a port of the system's choice: HTTP/2 by prior knowledge, or by ALPN with a certificate.
enum CallServer {
    /// A message with its prefix, as it is in DATA frames.
    static func framed(_ message: [UInt8], flags: UInt8 = 0) -> [UInt8] {
        let count = message.count
        let prefix = [flags, UInt8(count >> 24 & 0xFF), UInt8(count >> 16 & 0xFF), UInt8(count >> 8 & 0xFF)]
        return prefix + [UInt8(count & 0xFF)] + message
    }

    /// Runs a server for as long as `body` takes.
    static func with<Result>(
        tls: TestCertificate? = nil,
        protocols: [String] = ["h2"],
        streams: Int = 100,
        _ conduct: @escaping @Sendable (ReceivedCall) -> CallConduct,
        _ body: (_ port: Int, _ calls: ReceivedCalls) async throws -> Result
    ) async throws -> Result {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let calls = ReceivedCalls()
        let context = try tls.map { certificate in
            var configuration = try certificate.serverConfiguration()
            configuration.applicationProtocols = protocols
            return try NIOSSLContext(configuration: configuration)
        }
        let channel = try await ServerBootstrap(group: group)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let number = calls.connected()
                    if let context {
                        try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
                    }
                    var configuration = NIOHTTP2Handler.ConnectionConfiguration()
                    configuration.initialSettings = [
                        HTTP2Setting(parameter: .maxConcurrentStreams, value: streams)
                    ]
                    _ = try channel.pipeline.syncOperations.configureHTTP2Pipeline(
                        mode: .server,
                        connectionConfiguration: configuration,
                        streamConfiguration: NIOHTTP2Handler.StreamConfiguration()
                    ) { stream in
                        stream.eventLoop.makeCompletedFuture {
                            try stream.pipeline.syncOperations.addHandler(CallConductHandler(conduct, calls, number))
                        }
                    }
                }
            }
            .bind(host: "127.0.0.1", port: 0)
            .get()
        defer { group.shutdownGracefully { _ in } }
        let result: Result
        do {
            result = try await body(channel.localAddress?.port ?? 0, calls)
        } catch {
            try? await channel.close()
            throw error
        }
        try await channel.close()
        return result
    }
}

private final class CallConductHandler: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame.FramePayload
    typealias OutboundOut = HTTP2Frame.FramePayload

    private let conduct: @Sendable (ReceivedCall) -> CallConduct
    private let calls: ReceivedCalls
    private let connection: Int
    private var fields: [(String, String)] = []
    private var content: [UInt8] = []

    init(_ conduct: @escaping @Sendable (ReceivedCall) -> CallConduct, _ calls: ReceivedCalls, _ connection: Int) {
        self.conduct = conduct
        self.calls = calls
        self.connection = connection
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .headers(let section):
            fields = section.headers.map { ($0.name, $0.value) }
            if section.endStream { arrived(context) }
        case .data(let part):
            if case .byteBuffer(let buffer) = part.data { content += buffer.readableBytesView }
            if part.endStream { arrived(context) }
        default: break
        }
    }

    private func arrived(_ context: ChannelHandlerContext) {
        let call = ReceivedCall(fields: fields, content: content, connection: connection)
        let conduct = conduct(call)
        calls.append(call)
        follow(conduct, context)
    }

    private func follow(_ conduct: CallConduct, _ context: ChannelHandlerContext) {
        switch conduct {
        case .answer(let message, let trailers, let head):
            guard let message else {
                return section(context, [(":status", "200"), Self.type] + head + trailers, isLast: true)
            }
            section(context, [(":status", "200"), Self.type] + head)
            content(context, message)
            section(context, trailers, isLast: true)
        case .hang: break
        case .resetStream:
            section(context, [(":status", "200"), Self.type])
            content(context, [0, 0, 0, 0, 9, 1])
            context.writeAndFlush(wrapOutboundOut(.rstStream(.internalError)), promise: nil)
        case .closeConnection:
            section(context, [(":status", "200"), Self.type])
            content(context, [0, 0, 0, 0, 9, 1])
            context.channel.parent?.close(promise: nil)
        case .goAway(let message):
            let frame = HTTP2Frame(
                streamID: .rootStream,
                payload: .goAway(lastStreamID: .maxID, errorCode: .noError, opaqueData: nil)
            )
            context.channel.parent?.writeAndFlush(frame, promise: nil)
            follow(.answer(message: message, trailers: [("grpc-status", "0")]), context)
        case .endless:
            section(context, [(":status", "200"), Self.type])
            Self.sendMore(context.channel)
        }
    }

    private static let type = ("content-type", "application/grpc")

    private func section(_ context: ChannelHandlerContext, _ fields: [(String, String)], isLast: Bool = false) {
        let headers = HTTP2Frame.FramePayload.Headers(headers: HPACKHeaders(fields), endStream: isLast)
        context.writeAndFlush(wrapOutboundOut(.headers(headers)), promise: nil)
    }

    private func content(_ context: ChannelHandlerContext, _ octets: [UInt8]) {
        let data = HTTP2Frame.FramePayload.Data(data: .byteBuffer(ByteBuffer(bytes: octets)))
        context.writeAndFlush(wrapOutboundOut(.data(data)), promise: nil)
    }

    private static func sendMore(_ channel: any Channel) {
        let part = HTTP2Frame.FramePayload.Data(data: .byteBuffer(ByteBuffer(repeating: 0x61, count: 16 << 10)))
        channel.writeAndFlush(HTTP2Frame.FramePayload.data(part)).whenSuccess {
            channel.eventLoop.execute { sendMore(channel) }
        }
    }
}
