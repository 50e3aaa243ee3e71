// Wingmirror · Apache-2.0

import NIOCore
import NIOPosix
import Testing

/// A client that writes octets and reads the response until the server closes.
enum TestClient {
    /// A response, parsed just far enough to be looked at.
    struct Response {
        /// The status code.
        var status: Int
        /// Field values by lower-case name.
        var fields: [String: String]
        /// The content as sent.
        var content: [UInt8]

        /// The content as text.
        var text: String { String(decoding: content, as: UTF8.self) }
    }

    /// Makes connections; a machine that has much to do may take long to accept one.
    static var bootstrap: ClientBootstrap {
        ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton).connectTimeout(.minutes(10))
    }

    /// What a request that changes something has to have, and a form of another site cannot send.
    static let own = ["X-Wingmirror-Request": "1"]

    /// Sends a request without content on a connection of its own.
    static func request(
        _ method: String,
        _ target: String,
        port: Int,
        fields: [String: String] = [:]
    ) async throws -> Response {
        var head = "\(method) \(target) HTTP/1.1\r\nConnection: close\r\n"
        for (name, value) in ["Host": "127.0.0.1:\(port)"].merging(fields, uniquingKeysWith: { $1 }) {
            head += "\(name): \(value)\r\n"
        }
        return try parse(await exchange(head + "\r\n", port: port))
    }

    /// Writes `text` on a new connection and returns all octets until the server closes it.
    static func exchange(_ text: String, port: Int) async throws -> [UInt8] {
        let channel =
            try await bootstrap
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            try await outbound.write(ByteBuffer(string: text))
            var octets: [UInt8] = []
            for try await buffer in inbound {
                octets += buffer.readableBytesView
            }
            return octets
        }
    }

    private static func parse(_ octets: [UInt8]) throws -> Response {
        let end = try #require(octets.indices.first { octets[$0...].starts(with: Array("\r\n\r\n".utf8)) })
        let lines = String(decoding: octets[..<end], as: UTF8.self).split(separator: "\r\n")
        let status = try #require(Int(lines[0].split(separator: " ")[1]))
        var fields: [String: String] = [:]
        for line in lines.dropFirst() {
            let colon = try #require(line.firstIndex(of: ":"))
            fields[line[..<colon].lowercased()] = String(line[line.index(after: colon)...].drop { $0 == " " })
        }
        return Response(status: status, fields: fields, content: Array(octets[(end + 4)...]))
    }
}
