// Wingmirror · Apache-2.0

import PacketDecoding
import TCPReassembly
import Testing

@testable import TLSDecryption

@Suite struct TLSDecryptorTests {
    static let http1 = [
        "lab-tls12-h1-aes128-sha", "lab-tls12-h1-ecdhe-ecdsa-aes128-ccm8", "lab-tls12-h1-ecdhe-rsa-aes128-gcm-sha256",
        "lab-tls12-h1-ecdhe-rsa-chacha20-poly1305", "lab-tls13-h1-tls_aes_128_gcm_sha256",
        "lab-tls13-h1-tls_chacha20_poly1305_sha256", "lab-tls13-hello-retry", "lab-tls13-resumption",
    ]

    @Test(arguments: http1)
    func `requests and responses of a capture are given on in plain text`(name: String) throws {
        let capture = try Capture(name)
        let reading = capture.read(with: capture.store())
        #expect(reading.statistics.failedRecords == 0)
        #expect(reading.recorder.impossibleAcknowledgements == 0)
        for connection in reading.connections {
            #expect(connection.reason == nil)
            #expect(connection.fromOriginator.text.contains(" HTTP/1.1\r\n"))
            #expect(connection.fromResponder.text.hasPrefix("HTTP/1.1 200 "))
            #expect(connection.fromOriginator.holes.isEmpty && connection.fromResponder.holes.isEmpty)
        }
    }

    @Test func `HTTP/2 begins with its preface`() throws {
        let capture = try Capture("lab-tls13-h2-tls_aes_256_gcm_sha384")
        let sessions = TLSSessions()
        let reading = capture.read(with: capture.store(), sessions: sessions)
        #expect(reading.connections[0].fromOriginator.text.hasPrefix("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))
        let session = sessions[reading.connections[0].session]
        #expect(session.versionName == "TLSv1.3")
        #expect(session.cipherSuiteName == "TLS_AES_256_GCM_SHA384")
        #expect(session.agreedProtocol(carrying: "h2") == Array("h2".utf8))
    }

    @Test func `what a client offered is kept only of connections that are read`() throws {
        let capture = try Capture("lab-tls13-h2-tls_aes_256_gcm_sha384")
        for (store, isRead) in [(capture.store(), true), (nil, false), (capture.store([]), false)] {
            let sessions = TLSSessions()
            let reading = capture.read(with: store, sessions: sessions)
            let session = sessions[reading.connections[0].session]
            #expect(session.offeredProtocols.isEmpty != isRead)
            #expect(session.isServerNameKnown)
        }
    }

    @Test(arguments: http1)
    func `without keys the connection is counted, and what its hellos say is known`(name: String) throws {
        let capture = try Capture(name)
        let sessions = TLSSessions()
        let off = capture.read(with: nil, sessions: sessions)
        #expect(off.connections.allSatisfy { $0.reason == .off && $0.opaqueOctets > 500 })
        #expect(sessions[off.connections[0].session].cipherSuite != nil)
        let none = capture.read(with: capture.store([]))
        #expect(none.connections.allSatisfy { $0.reason == .noKey })
    }

    @Test func `keys that come late open what was held, in order and with its own times`() throws {
        for name in Self.http1 {
            let capture = try Capture(name)
            let expected = capture.read(with: capture.store())
            let late = capture.readBeforeKeys()
            #expect(late.connections.count == expected.connections.count)
            for (one, other) in zip(expected.connections, late.connections) {
                #expect(one.fromOriginator.octets == other.fromOriginator.octets)
                #expect(one.fromResponder.octets == other.fromResponder.octets)
                #expect(one.fromResponder.times == other.fromResponder.times)
                #expect(other.end != nil)
            }
            #expect(late.statistics.heldOctets == 0)
            #expect(late.statistics.waitingConnections == 0)
        }
    }

    @Test func `where there is no room to hold records their lengths are kept`() throws {
        let capture = try Capture("lab-tls13-h1-tls_aes_128_gcm_sha256")
        var limits = TLSLimits()
        limits.heldOctetsPerConnection = 600
        let expected = capture.read(with: capture.store())
        let late = capture.readBeforeKeys(limits)
        #expect(late.statistics.shedOctets > 0)
        for (one, other) in zip(expected.connections, late.connections) where !other.fromResponder.holes.isEmpty {
            #expect(one.fromResponder.octets.count == other.fromResponder.octets.count)
        }
    }

    @Test func `records of content that nobody looks at are not opened, and as long as they were`() throws {
        for name in Self.http1 {
            let capture = try Capture(name)
            var limits = TLSLimits()
            limits.leastSkippedOctets = 0
            let usual = capture.read(with: capture.store())
            let spared = capture.read(with: capture.store(), limits: limits, notLookedAt: .max)
            // Neither CBC nor CCM says anything without being opened.
            let isCounterMode = !name.contains("aes128-sha") && !name.contains("ccm8")
            #expect((spared.statistics.skippedRecords > 0) == isCounterMode, "\(name)")
            #expect(
                spared.statistics.openedRecords + spared.statistics.skippedRecords == usual.statistics.openedRecords
            )
            #expect(spared.connections.count == usual.connections.count)
            for (one, other) in zip(usual.connections, spared.connections) {
                for direction in StreamDirection.allCases {
                    #expect(one[direction].octets.count == other[direction].octets.count, "\(name)")
                    #expect(one[direction].times == other[direction].times)
                    #expect(one[direction].end == other[direction].end)
                    #expect(zip(one[direction].octets, other[direction].octets).allSatisfy { $0 == $1 || $1 == 0 })
                }
            }
            // What is asked for is opened.
            let short = capture.read(with: capture.store(), limits: limits, notLookedAt: 1)
            #expect(short.statistics.openedRecords == usual.statistics.openedRecords)
        }
    }

    @Test(arguments: [1, 16 << 10])
    func `connections are given up where all take too much, and nothing of them is wrong or lost`(room: Int) throws {
        let capture = try Capture("lab-tls13-h1-tls_aes_128_gcm_sha256")
        var limits = TLSLimits()
        limits.readerOctets = room
        let whole = capture.read(with: capture.store())
        let reading = capture.read(with: capture.store(), limits: limits)
        #expect(reading.connections.count == whole.connections.count)
        #expect(reading.connections.allSatisfy { $0.end != nil })
        let forgotten = reading.connections.count { $0.reason == .memory || $0.reason == .lost }
        #expect(forgotten == reading.statistics.forgottenConnections)
        for (one, other) in zip(whole.connections, reading.connections) where other.reason == nil {
            #expect(one.fromResponder.octets == other.fromResponder.octets)
        }
    }

    @Test func `patience ends by the packets' clock`() throws {
        let capture = try Capture("lab-tls13-h1-tls_aes_128_gcm_sha256")
        var limits = TLSLimits()
        limits.patienceNanoseconds = 1
        let reading = capture.read(with: capture.store([]), limits: limits)
        #expect(reading.connections.allSatisfy { $0.reason == .noKey && $0.end != nil })
    }

    @Test(arguments: http1)
    func `keys of others open nothing`(name: String) throws {
        let capture = try Capture(name)
        let lines = String(decoding: capture.keys, as: UTF8.self).split(separator: "\n").map(String.init)
            .map(Capture.withWrongSecret)
        let reading = capture.read(with: capture.store(Array((lines.joined(separator: "\n") + "\n").utf8)))
        #expect(reading.connections.allSatisfy { $0.reason == .wrongKeys })
        #expect(reading.connections.allSatisfy { $0.fromResponder.octets.isEmpty })
    }

    @Test func `behind any lost segment the plaintext goes on at its place, and nothing of it is wrong`() throws {
        for name in Self.http1 + ["lab-tls13-h2-tls_aes_256_gcm_sha384"] where !name.contains("aes128-sha") {
            let capture = try Capture(name)
            let whole = capture.read(with: capture.store()).connections
            for lost in capture.packets.indices where capture.packets[lost].octets.count > 80 {
                var damaged = capture
                damaged.packets.remove(at: lost)
                let reading = damaged.read(with: capture.store())
                for connection in reading.connections {
                    guard let expected = whole.first(where: { $0.number == connection.number }) else { continue }
                    for direction in StreamDirection.allCases {
                        let seen = connection[direction]
                        let all = expected[direction]
                        // Only where nothing came before the hole its size may be unknown; then the end is what counts.
                        let isSized = seen.holes.first.map { $0.offset > 0 } ?? true
                        #expect(!isSized || seen.octets.count <= all.octets.count, "\(name) without \(lost)")
                        let tail = zip(seen.octets.reversed(), all.octets.reversed())
                        let head = zip(seen.octets, all.octets)
                        let agrees =
                            head.allSatisfy { $0 == $1 || $0 == UInt8(ascii: "?") }
                            || tail.allSatisfy { $0 == $1 || $0 == UInt8(ascii: "?") }
                        #expect(agrees, "\(name) without \(lost)")
                    }
                }
            }
        }
    }

    @Test func `a KeyUpdate that was not captured leaves no hole in the plaintext`() throws {
        var capture = try Capture("made-tls13-key-update")
        let whole = try #require(capture.read(with: capture.store()).connections.first)
        #expect(whole.fromOriginator.text.hasSuffix("GET /p/3 HTTP/1.1\r\nHost: h.test\r\n\r\n"))
        #expect(whole.fromResponder.text.contains("X-Id: 3\r\n"))
        let before = capture.packets.count
        // One of either side: a record of 27 octets, alone in its segment.
        capture.packets.removeAll { $0.octets.count == 54 + 27 }
        #expect(capture.packets.count == before - 2)
        let connection = try #require(capture.read(with: capture.store()).connections.first)
        #expect(connection.fromOriginator.octets == whole.fromOriginator.octets)
        #expect(connection.fromResponder.octets == whole.fromResponder.octets)
        #expect(connection.fromOriginator.holes.isEmpty && connection.fromResponder.holes.isEmpty)
        #expect(connection.reason == nil)
    }

    @Test func `explicit nonces count on behind a record that was damaged and one that was lost`() throws {
        var capture = try Capture("lab-tls12-h1-ecdhe-rsa-aes128-gcm-sha256")
        // The client's two requests, 87 octets of plaintext each; its close_notify comes behind them.
        let requests = capture.packets.indices.filter { capture.packets[$0].octets.count == 66 + 116 }
        #expect(requests.count == 2)
        capture.packets[requests[0]].octets.removeLast(50)
        capture.packets.remove(at: requests[1])
        let reading = capture.read(with: capture.store())
        let client = try #require(reading.connections.first).fromOriginator
        #expect(client.holes.map(\.count) == [87, 87])
        #expect(client.octets.count == 174 && client.end == .finished)
        #expect(reading.statistics.bridgedHoles == 1)
    }

    /// HTTP/1 pairs by that order: a request that overtakes the hole whose end it acknowledges looks pipelined.
    @Test func `what acknowledges a lost record is given on behind the hole that it left`() throws {
        var compared = 0
        for name in Self.http1 + ["lab-tls13-h2-tls_aes_256_gcm_sha384"] where !name.contains("aes128-sha") {
            let capture = try Capture(name)
            let whole = capture.read(with: capture.store()).connections
            for lost in capture.packets.indices where capture.packets[lost].octets.count > 80 {
                var damaged = capture
                damaged.packets.remove(at: lost)
                for connection in damaged.read(with: capture.store()).connections {
                    guard let expected = whole.first(where: { $0.number == connection.number }) else { continue }
                    for direction in StreamDirection.allCases {
                        let holes = connection[direction.reversed].holes
                        guard let first = holes.first, first.offset > 0, connection[direction].holes.isEmpty else {
                            continue
                        }
                        #expect(connection[direction].others == expected[direction].others, "\(name) without \(lost)")
                        compared += 1
                    }
                }
            }
        }
        #expect(compared > 10)
    }

    @Test func `what waits for the end of a search is bounded, and nothing of it is lost`() throws {
        for name in Self.http1 where !name.contains("aes128-sha") {
            let capture = try Capture(name)
            var limits = TLSLimits()
            limits.orderedItems = 0
            for lost in capture.packets.indices where capture.packets[lost].octets.count > 80 {
                var damaged = capture
                damaged.packets.remove(at: lost)
                let usual = damaged.read(with: capture.store())
                let bounded = damaged.read(with: capture.store(), limits: limits)
                for (one, other) in zip(usual.connections, bounded.connections) {
                    #expect(one.fromOriginator.octets == other.fromOriginator.octets, "\(name) without \(lost)")
                    #expect(one.fromResponder.octets == other.fromResponder.octets, "\(name) without \(lost)")
                    #expect(one.fromOriginator.end == other.fromOriginator.end)
                    #expect(one.fromResponder.end == other.fromResponder.end)
                }
                #expect(bounded.recorder.impossibleAcknowledgements == 0)
            }
        }
    }

    @Test func `a capture without the server's hello is read by the length of the secret`() throws {
        for name in Self.http1 where name.contains("tls13") && !name.contains("resumption") {
            let capture = try Capture(name)
            let whole = capture.read(with: capture.store()).connections
            // The server's first segments, which hold its hello and its certificate.
            for first in capture.packets.indices where capture.packets[first].octets.count > 1_000 {
                var damaged = capture
                damaged.packets.remove(at: first)
                let reading = damaged.read(with: capture.store())
                #expect(reading.connections[0].fromOriginator.octets == whole[0].fromOriginator.octets, "\(name)")
                break
            }
        }
    }

    /// What a client sent in these segments, on a connection that was seen from its start.
    private func read(_ segments: [[UInt8]]) -> (connection: StreamRecorder.Connection, tlsConnections: Int) {
        var decryptor = TLSDecryptor(sink: StreamRecorder(), store: nil)
        let endpoint = Endpoint(address: IPAddress(ipv4: 0x0A00_0001), port: 1)
        decryptor.connectionOpened(
            ConnectionIntroduction(
                slot: 0,
                number: 0,
                originator: endpoint,
                responder: endpoint,
                time: PacketTime(nanoseconds: 0),
                sawHandshake: true
            )
        )
        var offset = 0
        for segment in segments where !segment.isEmpty {
            let position = StreamPosition(
                direction: .fromOriginator,
                offset: Int64(offset),
                time: PacketTime(nanoseconds: 0),
                acknowledged: 0,
                startsSegment: true
            )
            decryptor.octetsArrived(segment.span, at: position, slot: 0)
            offset += segment.count
        }
        decryptor.connectionClosed(.finished, at: PacketTime(nanoseconds: 0), slot: 0)
        return (decryptor.sink.connections[0], Int(decryptor.statistics.connections))
    }

    /// A capture that holds headers alone has a hole in place of each segment.
    private func decryptor(missing segments: [StreamDirection]) -> TLSDecryptor<StreamRecorder> {
        var decryptor = TLSDecryptor(sink: StreamRecorder(), store: KeyStore())
        let endpoint = Endpoint(address: IPAddress(ipv4: 0x0A00_0001), port: 1)
        let start = PacketTime(nanoseconds: 0)
        decryptor.connectionOpened(
            ConnectionIntroduction(
                slot: 0,
                number: 0,
                originator: endpoint,
                responder: endpoint,
                time: start,
                sawHandshake: true
            )
        )
        var offsets: [StreamDirection: Int64] = [:]
        for direction in segments {
            let position = StreamPosition(
                direction: direction,
                offset: offsets[direction, default: 0],
                time: start,
                acknowledged: offsets[direction.reversed, default: 0],
                startsSegment: true
            )
            decryptor.octetsMissing(1_448, reason: .truncated, at: position, slot: 0)
            offsets[direction, default: 0] += 1_448
        }
        return decryptor
    }

    @Test func `segments in a row of which nothing was captured are one hole until more is known`() {
        var decryptor = decryptor(missing: [StreamDirection](repeating: .fromOriginator, count: 10_000))
        #expect(decryptor.sink.connections[0].fromOriginator.holes.isEmpty)
        decryptor.connectionClosed(.finished, at: PacketTime(nanoseconds: 0), slot: 0)
        #expect(decryptor.sink.connections[0].fromOriginator.holes.map(\.count) == [14_480_000])
    }

    @Test func `a connection of holes alone goes through unchanged once it would take too much to keep them`() {
        let segments = (0..<10_000).map { $0 % 2 == 0 ? StreamDirection.fromOriginator : .fromResponder }
        let decryptor = decryptor(missing: segments)
        let connection = decryptor.sink.connections[0]
        #expect(connection.fromOriginator.holes.count == 5_000 && connection.fromResponder.holes.count == 5_000)
        #expect(connection.fromOriginator.octets.count == 7_240_000 && connection.session == -1)
    }

    @Test func `what only begins like TLS goes through unchanged`() {
        let segments: [[UInt8]] = [[0x16, 0x03], [0x09, 0x09, 0x09, 0x41, 0x42], [0x09, 0x09, 0x09, 0x41, 0x42]]
        let (connection, tlsConnections) = read(segments)
        #expect(connection.fromOriginator.octets == segments.flatMap(\.self))
        #expect(tlsConnections == 0)
    }

    /// A ClientHello of TLS 1.3 without extensions.
    private static let hello: [UInt8] =
        [0x16, 3, 1, 0, 45, 1, 0, 0, 41, 3, 3] + [UInt8](repeating: 7, count: 32) + [0, 0, 2, 0x13, 1, 1, 0]

    private static let binaryHeader: [UInt8] =
        [13, 10, 13, 10, 0, 13, 10, 0x51, 0x55, 0x49, 0x54, 10, 0x21, 0x11, 0, 20, 203, 0, 113, 7, 198, 51, 100, 20]
        + [1, 2, 3, 4, 4, 0, 5, 9, 9, 9, 9, 9]

    @Test(arguments: [Array("PROXY TCP4 203.0.113.7 198.51.100.20 40000 8443\r\n".utf8), binaryHeader])
    func `TLS is found behind a PROXY header, however that is cut`(header: [UInt8]) {
        for cut in 0...header.count {
            let (connection, tlsConnections) = read([
                Array(header[..<cut]), Array(header[cut...].prefix(1)), Array(header[cut...].dropFirst()) + Self.hello,
            ])
            #expect(connection.fromOriginator.octets == header, "cut after \(cut)")
            #expect(tlsConnections == 1, "cut after \(cut)")
        }
        #expect(read((header + Self.hello).map { [$0] }).connection.fromOriginator.octets.starts(with: header))
    }
}
