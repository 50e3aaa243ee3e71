// Wingmirror · Apache-2.0

import AnswerComparison
import ArgumentParser
import Glibc
import Recordings
import ShadowTesting
import Synchronization
import TestSupport
import Testing
import TrafficModel

@testable import Agent
@testable import AgentCommands
@testable import AgentConfiguration

/// Replays through real connections to a server on this machine.
@Suite(.timeLimit(.minutes(20)))
struct ReplayLoopbackTests {
    private let folder: TemporaryFolder
    private static let separator = "\n\u{1F435}\u{1F648}\u{1F649}\n"

    init() throws {
        folder = try TemporaryFolder()
    }

    /// A `.gor` file of requests a millisecond apart, each with the answer it got.
    private func recording(_ requests: [(head: String, content: String)], answered: String = "ok") throws -> String {
        var text = ""
        for (number, request) in requests.enumerated() {
            let time = 1_763_870_000_000_000_000 + number * 1_000_000
            let length = request.content.isEmpty ? "" : "Content-Length: \(request.content.utf8.count)\r\n"
            text += "1 id\(number) \(time) 0\n\(request.head)Host: shop.example.com\r\n\(length)\r\n\(request.content)"
            text += Self.separator
            text +=
                "2 id\(number) \(time + 500_000) 0\nHTTP/1.1 200 OK\r\nContent-Length: \(answered.utf8.count)\r\n\r\n"
            text += answered + Self.separator
        }
        return try folder.write(text, to: "recording.gor")
    }

    private func plan(_ arguments: [String]) throws -> ReplayPlan {
        let command = try Wingmirror.parseAsRoot(["replay", "--timeout", "10m"] + arguments)
        return try ReplayPlan(try #require(command as? ReplayCommand))
    }

    @Test func `requests arrive as recorded, without credentials and with the marker`() async throws {
        // The server ends each connection, and says so: a request on one that is ending would fail, and is not sent twice.
        let server = try LoopbackServer { _ in
            "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"
        }
        let path = try recording([
            ("GET /a?x=1&token=s3cr3t-1 HTTP/1.1\r\nAuthorization: Bearer s3cr3t-2\r\nX-Kept: yes\r\n", ""),
            ("GET /b HTTP/1.1\r\nCookie: sid=s3cr3t-3\r\n", ""), ("POST /c HTTP/1.1\r\n", "a=1"),
        ])
        let plan = try plan([path, "--target", server.url, "--rate", "1000/s", "--in-flight", "1", "--loop", "2"])
        let summary = try await plan.replay().summary
        let received = server.requests
        #expect(
            received.map { $0.prefix { $0 != "\r\n" } } == [
                "GET /a?x=1 HTTP/1.1", "GET /b HTTP/1.1", "GET /a?x=1 HTTP/1.1", "GET /b HTTP/1.1",
            ]
        )
        #expect(received.allSatisfy { $0.lowercased().contains("wingmirror-shadow: ") && $0.contains(";hops=1") })
        #expect(received.allSatisfy { !$0.contains("s3cr3t") })
        #expect(received[0].contains("X-Kept: yes"))
        #expect(received.allSatisfy { $0.lowercased().contains("host: 127.0.0.1:") })
        #expect(summary.answered == 4)
        #expect(summary.filtered == [.method: 1])
        #expect(summary.comparisons == [.same: 4])
        // Four requests at a thousand a second: the last one is due after three milliseconds.
        #expect(summary.elapsed >= .milliseconds(3))
    }

    @Test func `unsafe methods arrive whole when they are asked for, and with the original Host`() async throws {
        let server = try LoopbackServer { _ in "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n" }
        let path = try recording([("POST /c HTTP/1.1\r\n", "a=1&b=2")])
        let plan = try plan([path, "--target", server.url, "--methods", "POST", "--host", "original"])
        let summary = try await plan.replay().summary
        #expect(server.requests.count == 1)
        #expect(server.requests.first?.hasSuffix("\r\n\r\na=1&b=2") == true)
        #expect(server.requests.first?.lowercased().contains("host: shop.example.com\r\n") == true)
        #expect(summary.comparisons == [.statusDiffers: 1])
        #expect(summary.differences == [.status: 1])
    }

    @Test func `an answer that differs is a mismatch at its place`() async throws {
        let server = try LoopbackServer { _ in
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 16\r\n\r\n{\"price\": \"free\"}"
                .replacing("16", with: "17")
        }
        let path = try recording([("GET /p HTTP/1.1\r\n", "")], answered: #"{"price": 7}"#)
        let summary = try await plan([path, "--target", server.url]).replay().summary
        #expect(summary.mismatches == 1)
        #expect(summary.differences.keys.contains { $0.text.contains("price") })
    }

    @Test func `a target that closes without an answer has failed, and nothing is sent twice`() async throws {
        let server = try LoopbackServer { _ in "" }
        let path = try recording([("GET /a HTTP/1.1\r\n", ""), ("GET /b HTTP/1.1\r\n", "")])
        let summary = try await plan([path, "--target", server.url, "--in-flight", "1"]).replay().summary
        #expect(summary.answered == 0)
        #expect(summary.failed.values.reduce(0, +) == 2)
        #expect(server.requests.count == 2)
        #expect(summary.comparisons == [.statusDiffers: 2])
    }

    @Test func `nobody listening is a failure to connect`() async throws {
        let closed = try ClosedPort()
        let path = try recording([("GET /a HTTP/1.1\r\n", "")])
        let summary = try await plan([path, "--target", "http://127.0.0.1:\(closed.port)"]).replay().summary
        #expect(summary.failed == [.connect: 1])
    }

    @Test func `a target that speaks no TLS is not compared, and the reason is kept`() async throws {
        let server = try LoopbackServer(waitsForRequests: false) { _ in "HTTP/1.1 400 Bad Request\r\n\r\n" }
        let path = try recording([("GET /a HTTP/1.1\r\n", "")])
        let summary = try await plan([path, "--target", "https://127.0.0.1:\(server.port)"]).replay().summary
        #expect(summary.failed == [.tls: 1])
        #expect(summary.comparisons == [.skipped: 1])
        #expect(summary.handshakeProblem?.hasPrefix("the target speaks no TLS (") == true)
    }

    @Test func `an order that the recording does not have is refused`() async throws {
        let path = try recording([("GET /a HTTP/1.1\r\n", "")])
        let reason = "the recording does not say which requests came on one connection; .gor files never do"
        await #expect(throws: CommandFailure(.usage, "--ordered: \(reason)")) {
            _ = try await plan([path, "--target", "http://127.0.0.1:1", "--ordered"]).replay()
        }
    }

    @Test func `TLS that was not read is the reason why there is nothing to send, and its keys can be named`()
        async throws
    {
        let path = "\(Repository.path)/samples/captures/secure.pcap"
        let failure = await #expect(throws: CommandFailure.self) {
            _ = try await plan([path, "--target", "http://127.0.0.1:1"]).replay()
        }
        #expect(failure?.lines.first?.contains("were not read; name a key log with --key-log") == true)
        let closed = try ClosedPort()
        let keys = "\(Repository.path)/samples/captures/secure.keys"
        let arguments = [path, "--target", "http://127.0.0.1:\(closed.port)", "--key-log", keys, "--rate", "1000/s"]
        #expect(try await plan(arguments).replay().summary.recorded > 0)
    }

    @Test func `a recording without anything to send is told so`() async throws {
        let path = try recording([("DELETE /a HTTP/1.1\r\n", "")])
        await #expect(throws: CommandFailure(.failed, "there is nothing to send: method 1")) {
            _ = try await plan([path, "--target", "http://127.0.0.1:1"]).replay()
        }
    }

    @Test func `a target that the recording names is refused before anything is sent`() async throws {
        let path = try recording([("GET /a HTTP/1.1\r\n", "")])
        let refusal =
            "target replay: shop.example.com is a host of production; name it with --allow-host if it is meant"
        await #expect(throws: CommandFailure(.usage, "--target: \(refusal)")) {
            _ = try await plan([path, "--target", "http://shop.example.com:1"]).replay()
        }
    }
}

/// Answers one request on each connection, and closes it.
private final class LoopbackServer: Sendable {
    /// Where it listens.
    let port: Int
    private let descriptor: Int32
    private let received = ReceivedRequests()

    var url: String { "http://127.0.0.1:\(port)" }

    /// What has arrived, in order.
    var requests: [String] { received.all }

    init(waitsForRequests: Bool = true, answer: @escaping @Sendable (String) -> String) throws {
        (descriptor, port) = try ClosedPort.boundSocket()
        let descriptor = descriptor
        try #require(listen(descriptor, 16) == 0)
        let received = received
        OwnThread.start {
            while case let connection = accept(descriptor, nil, nil), connection >= 0 {
                let request = Self.read(connection, isWhole: waitsForRequests)
                received.append(request)
                let octets = Array(answer(request).utf8)
                _ = unsafe octets.withUnsafeBytes {
                    unsafe send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                }
                close(connection)
            }
            close(descriptor)
        }
    }

    deinit {
        // Wakes the thread in `accept`, which then closes it: closed here, its number could be another test's socket
        // by the time the thread accepts again.
        shutdown(descriptor, Int32(SHUT_RDWR))
    }

    /// Reads a head, and as much content as its length says.
    private static func read(_ connection: Int32, isWhole: Bool) -> String {
        var octets: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 4096)
        while true {
            let text = String(decoding: octets, as: UTF8.self)
            if let end = text.firstRange(of: "\r\n\r\n")?.upperBound {
                let lines = text[..<end].lowercased().split(separator: "\r\n")
                let length = lines.first { $0.hasPrefix("content-length: ") }.flatMap { Int($0.dropFirst(16)) } ?? 0
                if text[end...].utf8.count >= length { return text }
            }
            let count = unsafe piece.withUnsafeMutableBytes { unsafe recv(connection, $0.baseAddress, $0.count, 0) }
            guard count > 0 else { return text }
            octets += piece.prefix(count)
            if !isWhole { return String(decoding: octets, as: UTF8.self) }
        }
    }
}

/// What a server has received, in order.
private final class ReceivedRequests: Sendable {
    private let state = Mutex<[String]>([])

    var all: [String] { state.withLock(\.self) }

    func append(_ request: String) {
        state.withLock { $0.append(request) }
    }
}
