// Wingmirror · Apache-2.0
// Chunked transfer coding: RFC 9112 §7.1.

import NIOCore
import NIOPosix
import Testing

/// A client that listens to the stream of events.
enum EventReader {
    private static let request = ByteBuffer(string: "GET /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")

    /// The status that a new listener gets.
    static func status(port: Int) async throws -> Int {
        let head = try await read(0, port: port).head
        return try #require(Int(head.split(separator: " ")[1]))
    }

    /// Listens on a new connection until so many blocks have come, each without the empty line that ends it.
    static func read(_ count: Int, port: Int) async throws -> (head: String, blocks: [String]) {
        let channel = try await TestClient.bootstrap
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            try await outbound.write(request)
            var octets: [UInt8] = []
            for try await buffer in inbound {
                octets += buffer.readableBytesView
                guard let end = octets.firstRange(of: Array("\r\n\r\n".utf8)) else { continue }
                let blocks = blocks(octets[end.upperBound...])
                guard blocks.count >= count else { continue }
                return (String(decoding: octets[..<end.lowerBound], as: UTF8.self), Array(blocks.prefix(count)))
            }
            Issue.record("the stream ended early")
            return ("", [])
        }
    }

    /// The whole blocks in the chunks that have come so far.
    private static func blocks(_ octets: ArraySlice<UInt8>) -> [String] {
        var rest = octets
        var text: [UInt8] = []
        while let end = rest.firstRange(of: [0x0D, 0x0A]),
            let size = Int(String(decoding: rest[..<end.lowerBound], as: UTF8.self), radix: 16),
            rest.endIndex - end.upperBound >= size + 2
        {
            text += rest[end.upperBound..<end.upperBound + size]
            rest = rest[(end.upperBound + size + 2)...]
        }
        return String(decoding: text, as: UTF8.self).components(endingWith: "\n\n")
    }

    /// Opens a connection that asks for events and never reads them; it is closed when the test process ends, or before by
    /// the server.
    static func openWithoutReading(port: Int) async throws {
        let channel = try await TestClient.bootstrap
            .channelOption(.autoRead, value: false)
            .connect(host: "127.0.0.1", port: port).get()
        try await channel.writeAndFlush(request)
    }

    /// Opens a connection that listens, and returns when the server has begun to answer; the connection stays open.
    static func openAndLeaveOpen(port: Int) async throws -> any Channel {
        let channel = try await TestClient.bootstrap
            .connect(host: "127.0.0.1", port: port).get()
        let answered = channel.eventLoop.makePromise(of: Void.self)
        try await channel.pipeline.addHandler(FirstRead(answered))
        try await channel.writeAndFlush(request)
        // Cancelled by the test's time limit, the connection is closed, which ends the wait.
        try await withTaskCancellationHandler {
            try await answered.futureResult.get()
        } onCancel: {
            channel.close(promise: nil)
        }
        return channel
    }
}

/// Keeps a promise when the first octets come.
private final class FirstRead: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer

    private let answered: EventLoopPromise<Void>

    init(_ answered: EventLoopPromise<Void>) {
        self.answered = answered
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        answered.succeed()
    }

    func channelInactive(context: ChannelHandlerContext) {
        answered.fail(ChannelError.eof)
    }
}

extension String {
    /// The parts that a separator ends, without it; what follows the last is left out.
    fileprivate func components(endingWith separator: String) -> [String] {
        var parts: [String] = []
        var rest = self[...]
        while let border = rest.firstRange(of: separator) {
            parts.append(String(rest[..<border.lowerBound]))
            rest = rest[border.upperBound...]
        }
        return parts
    }
}
