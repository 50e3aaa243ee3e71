// Wingmirror · Apache-2.0

import TCPReassembly
import Testing

@testable import TLSDecryption

/// Key logs that have the secret of one direction only, or a wrong one: each secret is a line of its own, which may be lost or
/// torn.
@Suite struct OneKeyTests {
    static let names = [
        "lab-tls13-h1-tls_aes_128_gcm_sha256", "lab-tls13-h1-tls_chacha20_poly1305_sha256", "lab-tls13-hello-retry",
        "lab-tls13-resumption", "lab-tls13-h2-tls_aes_256_gcm_sha384",
    ]
    static let client = "CLIENT_TRAFFIC_SECRET_0"
    static let server = "SERVER_TRAFFIC_SECRET_0"

    /// The key log of a capture with the lines of a label changed.
    static func keys(
        _ capture: Capture,
        _ label: String,
        _ change: (String) -> String?
    ) -> [UInt8] {
        let lines = String(decoding: capture.keys, as: UTF8.self).split(separator: "\n").map(String.init)
        return Array(lines.compactMap { $0.hasPrefix(label + " ") ? change($0) : $0 }.joined(separator: "\n").utf8)
    }

    private static func isBlank(_ stream: StreamRecorder.Stream) -> Bool {
        stream.octets.allSatisfy { $0 == UInt8(ascii: "?") }
    }

    /// A line that a full volume has cut says nothing.
    @Test(arguments: names, [0, 90])
    func `with the client's secret alone its requests are read, and what the server sends is missing`(
        name: String,
        lineLength: Int
    ) throws {
        let capture = try Capture(name)
        let whole = capture.read(with: capture.store())
        let keys = Self.keys(capture, Self.server) { lineLength > 0 ? String($0.prefix(lineLength)) : nil }
        let reading = capture.read(with: capture.store(keys))
        #expect(reading.connections.count == whole.connections.count)
        for (one, other) in zip(whole.connections, reading.connections) {
            #expect(other.reason == nil)
            #expect(other.fromOriginator.octets == one.fromOriginator.octets)
            #expect(Self.isBlank(other.fromResponder))
            // Tickets for later sessions may be among what is missing.
            #expect(other.fromResponder.octets.count >= one.fromResponder.octets.count)
            #expect(other.unreadable?.reason == .noKey && other.unreadable?.firsts == 1)
        }
        #expect(reading.recorder.impossibleAcknowledgements == 0)
    }

    @Test(arguments: names)
    func `with the server's secret alone its responses are read, and requests are missing before them`(
        name: String
    ) throws {
        let capture = try Capture(name)
        let whole = capture.read(with: capture.store())
        let reading = capture.read(with: capture.store(Self.keys(capture, Self.client) { _ in nil }))
        #expect(reading.connections.count == whole.connections.count)
        for (one, other) in zip(whole.connections, reading.connections) {
            #expect(other.reason == nil)
            #expect(other.fromResponder.octets == one.fromResponder.octets)
            #expect(Self.isBlank(other.fromOriginator))
            #expect(other.fromOriginator.octets.count >= one.fromOriginator.octets.count)
            #expect(other.fromResponder.others.first.map { $0 > 0 } == true)
            #expect(other.unreadable?.reason == .noKey && other.unreadable?.firsts == 1)
        }
    }

    @Test(arguments: names)
    func `with a wrong secret of the server its answers are missing, and none is read`(name: String) throws {
        let capture = try Capture(name)
        let whole = capture.read(with: capture.store())
        let keys = Self.keys(capture, Self.server, Capture.withWrongSecret)
        let reading = capture.read(with: capture.store(keys))
        for (one, other) in zip(whole.connections, reading.connections) where other.reason == nil {
            #expect(other.fromOriginator.octets == one.fromOriginator.octets)
            #expect(Self.isBlank(other.fromResponder))
            #expect(other.fromResponder.octets.count >= one.fromResponder.octets.count)
        }
        #expect(reading.statistics.failedRecords > 0)
    }

    /// Its Finished shows where the handshake ends, so that the first record behind it says that the key is another's.
    @Test(arguments: names)
    func `with a wrong secret of the client its requests are missing, and why is said`(name: String) throws {
        let capture = try Capture(name)
        let whole = capture.read(with: capture.store())
        let keys = Self.keys(capture, Self.client, Capture.withWrongSecret)
        let reading = capture.read(with: capture.store(keys))
        for (one, other) in zip(whole.connections, reading.connections) {
            #expect(other.reason == nil)
            #expect(other.fromResponder.octets == one.fromResponder.octets)
            #expect(Self.isBlank(other.fromOriginator))
            #expect(other.fromOriginator.octets.count >= one.fromOriginator.octets.count)
            #expect(other.fromResponder.others.first.map { $0 > 0 } == true)
            #expect(other.unreadable?.reason == .wrongKeys && other.unreadable?.firsts == 1)
        }
        #expect(reading.statistics.failedRecords == reading.connections.count)
    }

    @Test(arguments: names, [client, server])
    func `behind any lost segment nothing of the direction that can be read is wrong`(
        name: String,
        missing: String
    ) throws {
        let capture = try Capture(name)
        let keys = Self.keys(capture, missing) { _ in nil }
        let readable: StreamDirection = missing == Self.server ? .fromOriginator : .fromResponder
        let whole = capture.read(with: capture.store()).connections
        for lost in capture.packets.indices where capture.packets[lost].octets.count > 80 {
            var damaged = capture
            damaged.packets.remove(at: lost)
            for connection in damaged.read(with: capture.store(keys)).connections {
                guard let expected = whole.first(where: { $0.number == connection.number }) else { continue }
                #expect(Self.isBlank(connection[readable.reversed]), "without \(lost)")
                let seen = connection[readable].octets
                let all = expected[readable].octets
                let agrees =
                    zip(seen, all).allSatisfy { $0 == $1 || $0 == UInt8(ascii: "?") }
                    || zip(seen.reversed(), all.reversed()).allSatisfy { $0 == $1 || $0 == UInt8(ascii: "?") }
                #expect(agrees, "without \(lost)")
            }
        }
    }

    @Test(arguments: names.filter { !$0.contains("resumption") })
    func `of a capture of one direction nothing is missing that was never there`(name: String) throws {
        let capture = try Capture(name)
        // Ethernet and IPv4; the client sent the first packet.
        let client = try #require(capture.packets.first).octets[34..<36]
        var ofClient = capture
        ofClient.packets.removeAll { !$0.octets[34..<36].elementsEqual(client) }
        let asked = try #require(ofClient.read(with: capture.store()).connections.first)
        #expect(asked.unreadable == nil)
    }
}
