// Wingmirror · Apache-2.0
// Early data, RFC 8446 §4.2.10; alerts, §6; what ends a connection's reading.

import Foundation
import TCPReassembly
import Testing

@testable import TLSDecryption

@Suite struct EarlyDataTests {
    @Test func `early data that the server took comes before what follows it`() throws {
        let capture = try Capture("made-tls13-early-accepted")
        let connection = try #require(capture.read(with: capture.store()).connections.first)
        #expect(connection.fromOriginator.text.hasPrefix("POST /0 HTTP/1.1\r\n"))
        #expect(connection.fromOriginator.text.contains("bcccccccccc" + "GET /1 HTTP/1.1\r\n"))
        #expect(connection.fromOriginator.holes.isEmpty)
    }

    @Test func `early data that there is no room for is missing at its place, with all behind it`() throws {
        let capture = try Capture("made-tls13-early-accepted")
        let whole = try #require(capture.read(with: capture.store()).connections.first)
        var limits = TLSLimits()
        limits.handshakeRecordOctets = 400
        let connection = try #require(capture.read(with: capture.store(), limits: limits).connections.first)
        // The second record is too long, and the third would fit.
        #expect(connection.fromOriginator.holes.map(\.count) == [600])
        #expect(connection.fromOriginator.octets.count == whole.fromOriginator.octets.count)
        #expect(
            connection.fromOriginator.text.hasSuffix(
                "a" + String(repeating: "?", count: 600) + "GET /1 HTTP/1.1\r\nHost: h\r\n\r\n"
            )
        )
    }

    /// The client sends it again; what a server sends before its handshake is over may be its own SETTINGS.
    ///
    /// One that takes the key alone refuses it too, which the client shows: there is no EndOfEarlyData.
    @Test(arguments: ["made-tls13-early-refused", "made-tls13-early-refused-psk"])
    func `early data that the server refused is not the client's word`(name: String) throws {
        let capture = try Capture(name)
        let connection = try #require(capture.read(with: capture.store()).connections.first)
        let prefaces = connection.fromOriginator.text.components(separatedBy: "PRI * HTTP/2.0").count - 1
        #expect(prefaces == 1)
        #expect(connection.fromOriginator.holes.isEmpty && connection.reason == nil)
    }

    @Test func `a fatal alert breaks its direction off`() throws {
        let capture = try Capture("made-tls13-fatal-alert")
        let connection = try #require(capture.read(with: capture.store()).connections.first)
        #expect(connection.fromResponder.text.hasSuffix("\r\n\r\nh"))
        #expect(connection.fromResponder.end == .resetBySender)
        #expect(connection.fromOriginator.end == .finished)
    }

    @Test func `TLS 1_0 with MACs of the ciphertext is read, record after record`() throws {
        let capture = try Capture("lab-tls10-h1-aes256-sha-etm")
        let reading = capture.read(with: capture.store())
        let connection = try #require(reading.connections.first)
        #expect(connection.fromOriginator.text.hasPrefix("GET /s.http HTTP/1.1\r\n"))
        #expect(connection.fromResponder.text.hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(connection.fromResponder.text.hasSuffix("00007"))
        #expect(reading.statistics.failedRecords == 0)
    }

    @Test func `a second handshake of TLS 1_2 ends what can be read, and what follows is counted`() throws {
        let capture = try Capture("lab-tls12-renegotiation")
        let connection = try #require(capture.read(with: capture.store()).connections.first)
        #expect(connection.fromOriginator.text.contains("GET /1 HTTP/1.1"))
        #expect(!connection.fromOriginator.text.contains("GET /2 "))
        #expect(connection.reason == .lost && connection.opaqueOctets > 100)
    }
}
