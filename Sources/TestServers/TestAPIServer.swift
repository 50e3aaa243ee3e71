// Wingmirror · Apache-2.0

import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Synchronization

/// A request that a test server received.
package struct ReceivedAPIRequest: Sendable {
    /// The method.
    package let method: String
    /// The path, without the query.
    package let path: String
    /// The parameters, percent-decoded.
    package let parameters: [String: String]
    private let fields: HTTPHeaders
    /// The number of the connection it came on, from 0.
    package let connection: Int

    init(_ head: HTTPRequestHead, connection: Int) {
        method = head.method.rawValue
        fields = head.headers
        self.connection = connection
        let (path, parameters) = Self.parts(of: head.uri)
        self.path = path
        self.parameters = parameters
    }

    /// The values of a header field.
    package func values(of name: String) -> [String] { fields[name] }

    /// The path of a target, and its parameters.
    package static func parts(of target: String) -> (path: String, parameters: [String: String]) {
        let parts = target.split(separator: "?", maxSplits: 1)
        var parameters: [String: String] = [:]
        for pair in parts.dropFirst().first?.split(separator: "&") ?? [] {
            let sides = pair.split(separator: "=", maxSplits: 1)
            parameters[String(sides[0])] = sides.count == 2 ? decoded(sides[1]) : ""
        }
        return (parts.first.map(String.init) ?? "", parameters)
    }

    private static func decoded(_ text: Substring) -> String {
        var octets: [UInt8] = []
        var rest = text.utf8[...]
        while let octet = rest.popFirst() {
            if octet == UInt8(ascii: "%"), let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                octets.append(value)
                rest = rest.dropFirst(2)
            } else {
                octets.append(octet)
            }
        }
        return String(decoding: octets, as: UTF8.self)
    }
}

/// What a test server does next with a connection.
package enum ServerStep: Sendable {
    /// Sends octets.
    case octets([UInt8])
    /// Waits.
    case wait(Duration)
    /// Closes the connection as it is.
    case close
}

/// A server that answers each request by steps that a test decides on, down to the octet; HTTP/1.1, with or without TLS.
package final class TestAPIServer: Sendable {
    /// Gives the steps that answer a request.
    package typealias Script = @Sendable (ReceivedAPIRequest) -> AsyncStream<ServerStep>

    /// A thread for all servers of this kind.
    ///
    /// Answers that are sent octet by octet keep it busy for long, and on the threads that everything else shares they made
    /// the connects of other tests time out.
    private static let loops = MultiThreadedEventLoopGroup(numberOfThreads: 1)

    private let channel: any Channel
    private let isTLS: Bool

    /// Starts a server on 127.0.0.1.
    ///
    /// - Parameters:
    ///   - certificate: What it proves itself with; `nil` for no TLS.
    ///   - port: The port; 0 for a free one.
    ///   - script: Answers requests.
    /// - Throws: What went wrong with the certificate or the port.
    package init(tls certificate: TestCertificate? = nil, port: Int = 0, _ script: @escaping Script) async throws {
        let context = try certificate.map { certificate in
            var configuration = try certificate.serverConfiguration()
            configuration.applicationProtocols = ["http/1.1"]
            return try NIOSSLContext(configuration: configuration)
        }
        isTLS = context != nil
        let counter = Counter()
        channel = try await ServerBootstrap(group: Self.loops)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let context {
                        try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
                    }
                    try channel.pipeline.syncOperations.addHandler(ByteToMessageHandler(HTTPRequestDecoder()))
                    let (requests, continuation) = AsyncStream.makeStream(of: ReceivedAPIRequest.self)
                    try channel.pipeline.syncOperations.addHandler(Receiving(counter.next(), continuation))
                    let answering = Task { await Self.answer(requests, by: script, on: channel) }
                    channel.closeFuture.whenComplete { _ in answering.cancel() }
                }
            }
            .bind(host: "127.0.0.1", port: port).get()
    }

    /// The port it listens on.
    package var port: Int { channel.localAddress?.port ?? 0 }

    /// The URL without a path.
    package var url: String { "\(isTLS ? "https" : "http")://127.0.0.1:\(port)" }

    /// Stops listening.
    package func close() async {
        try? await channel.close()
    }

    private final class Counter: Sendable {
        private let value = Atomic<Int>(0)

        func next() -> Int { value.wrappingAdd(1, ordering: .relaxed).oldValue }
    }

    /// Hands the requests of a connection over to the task that answers them one after the other.
    private final class Receiving: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart

        private let number: Int
        private let requests: AsyncStream<ReceivedAPIRequest>.Continuation
        private var head: HTTPRequestHead?

        init(_ number: Int, _ requests: AsyncStream<ReceivedAPIRequest>.Continuation) {
            self.number = number
            self.requests = requests
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head): self.head = head
            case .body: break
            case .end:
                if let head { requests.yield(ReceivedAPIRequest(head, connection: number)) }
            }
        }

        func channelInactive(context: ChannelHandlerContext) {
            requests.finish()
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            context.close(promise: nil)
        }
    }

    private static func answer(
        _ requests: AsyncStream<ReceivedAPIRequest>,
        by script: Script,
        on channel: any Channel
    ) async {
        for await request in requests {
            for await step in script(request) {
                // A client that is gone gets nothing more; a stream that is never finished must not keep us.
                guard channel.isActive else { return }
                switch step {
                case .octets(let octets): try? await channel.writeAndFlush(ByteBuffer(bytes: octets))
                case .wait(let duration): try? await Task.sleep(for: duration)
                case .close: try? await channel.close()
                }
            }
        }
    }
}

extension AsyncStream where Element == ServerStep {
    /// An answer whose content is known.
    package static func answer(
        _ status: Int,
        _ content: String,
        type: String = "application/json",
        fields: [(String, String)] = []
    ) -> AsyncStream<ServerStep> {
        let body = Array(content.utf8)
        let lines =
            ["HTTP/1.1 \(status) X", "Content-Type: \(type)", "Content-Length: \(body.count)"]
            + fields.map { "\($0.0): \($0.1)" }
        return .steps([.octets(Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8) + body)])
    }

    /// An answer that is decided on already.
    package static func steps(_ steps: [ServerStep]) -> AsyncStream<ServerStep> {
        AsyncStream { continuation in
            for step in steps { continuation.yield(step) }
            continuation.finish()
        }
    }

    /// The head of a chunked answer.
    package static var chunkedHead: [UInt8] {
        Array("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n".utf8)
    }

    /// One chunk.
    package static func chunk(_ octets: [UInt8]) -> [UInt8] {
        Array((String(octets.count, radix: 16) + "\r\n").utf8) + octets + [0x0D, 0x0A]
    }

    /// The end of a chunked answer.
    package static var lastChunk: [UInt8] { Array("0\r\n\r\n".utf8) }
}
