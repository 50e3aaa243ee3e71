// Wingmirror · Apache-2.0

import Dispatch
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import AdminServer

/// What peers can do to keep others from being answered; each of it once kept `/healthz` silent, or took gigabytes.
@Suite(.timeLimit(.minutes(20)))
struct HeldEndpointTests {
    /// Connections that were opened and on which nothing is read.
    private static func open(_ count: Int, sending text: String, port: Int) async throws -> [any Channel] {
        var channels: [any Channel] = []
        for _ in 0..<count {
            let channel = try await TestClient.bootstrap
                .channelOption(.autoRead, value: false)
                .channelOption(.socketOption(.so_rcvbuf), value: 4096)
                .connect(host: "127.0.0.1", port: port).get()
            try? await channel.writeAndFlush(ByteBuffer(string: text))
            channels.append(channel)
        }
        return channels
    }

    private static func close(_ channels: [any Channel]) async {
        for channel in channels { try? await channel.close() }
    }

    @Test(arguments: ["", "GET /metrics HTTP/1.1\r\nHost: a\r\nX: "])
    func `more idle or half-finished requests than there are places do not keep a probe out`(text: String) async throws
    {
        var limits = AdminLimits.patient
        limits.connections = 8
        limits.headTimeout = .seconds(3600)
        try await withServer(.fixed(), limits: limits) { port in
            let held = try await Self.open(30, sending: text, port: port)
            for _ in 0..<5 {
                #expect(try await TestClient.request("GET", "/healthz", port: port).status == 200)
            }
            await Self.close(held)
        }
    }

    @Test func `pages that nobody reads are shared, and others are answered meanwhile`() async throws {
        let octets = [UInt8](repeating: UInt8(ascii: "#"), count: 8 << 20)
        let rendered = Atomic<Int>(0)
        let (rendering, hasBegun) = AsyncStream.makeStream(of: Void.self)
        var sources = AdminSources.fixed()
        sources.exposition = { _, _ in
            rendered.add(1, ordering: .relaxed)
            hasBegun.yield()
            return Exposition(contentType: "text/plain", format: "text", octets: octets)
        }
        var limits = AdminLimits.patient
        limits.scrapeSharing = .seconds(3600)
        // A page that all its readers were cut off from would be rendered again.
        limits.responseTimeout = .seconds(3600)
        try await withServer(sources, limits: limits) { port in
            let request = "GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
            let held = try await Self.open(60, sending: request, port: port)
            // One that was read to its end before any of these was asked for would be gone.
            for await _ in rendering { break }
            #expect(try await TestClient.request("GET", "/healthz", port: port).status == 200)
            let page = try await TestClient.request("GET", "/metrics", port: port)
            #expect(page.content.count == octets.count)
            #expect(rendered.load(ordering: .relaxed) == 1)
            await Self.close(held)
        }
    }

    @Test func `a page that takes as long as it likes keeps nobody but scrapers waiting`() async throws {
        let (rendering, hasBegun) = AsyncStream.makeStream(of: Void.self)
        let mayEnd = DispatchSemaphore(value: 0)
        var sources = AdminSources.fixed()
        sources.exposition = { accept, _ in
            hasBegun.yield()
            Self.wait(for: mayEnd)
            return Exposition(contentType: "text/plain", format: accept ?? "", octets: [])
        }
        try await withServer(sources) { port in
            // As many as there are places, each a format of its own, and more than a small machine has cores.
            let pages = (0..<4).map { number in
                Task {
                    try await TestClient.request("GET", "/metrics", port: port, fields: ["Accept": "text/\(number)"])
                }
            }
            for await _ in rendering { break }
            for target in ["/healthz", "/api/v1/status"] {
                let response = try await TestClient.request("GET", target, port: port)
                #expect(response.status == 200)
            }
            for _ in 0..<4 { mayEnd.signal() }
            for page in pages {
                let response = try await page.value
                #expect(response.status == 200)
            }
        }
    }

    /// Blocks the thread; what is tested is that the server's threads for short answers are others.
    private static func wait(for semaphore: DispatchSemaphore) { semaphore.wait() }

    @Test func `requests far ahead of their responses end a connection, and a few are answered`() async throws {
        try await withServer(.fixed()) { port in
            let request = "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            func answered(_ count: Int) async -> Int {
                let text = String(repeating: "\(request)\r\n", count: count - 1) + "\(request)Connection: close\r\n\r\n"
                // A connection that is closed while more is to be read is reset, and its answers may be lost.
                let octets = (try? await TestClient.exchange(text, port: port)) ?? []
                let pieces = String(decoding: octets, as: UTF8.self)
                    .split(separator: "HTTP/1.1 200", omittingEmptySubsequences: false)
                return pieces.count - 1
            }
            let few = AdminLimits().pipelinedRequests
            #expect(await answered(few) == few)
            #expect(await answered(3_000) < 300)
            let probe = try await TestClient.request("GET", "/healthz", port: port)
            #expect(probe.status == 200)
        }
    }

    @Test func `a new connection must say what it wants within a short time`() async throws {
        var limits = AdminLimits()
        limits.headTimeout = .milliseconds(50)
        try await withServer(.fixed(), limits: limits) { port in
            let answer = try? await TestClient.exchange("GET /metrics HTTP/1.1\r\nHost:", port: port)
            #expect(answer?.isEmpty ?? true)
        }
    }

    @Test func `documents that wait to be read are bounded`() async throws {
        let waiting = WaitingDocuments(limit: 100)
        var first = waiting.hold(500)
        #expect(first != nil)
        #expect(waiting.hold(1) == nil)
        #expect(waiting.count == 500)
        first = nil
        #expect(waiting.count == 0)
        var held = (0..<10).compactMap { _ in waiting.hold(10) }
        #expect(held.count == 10)
        #expect(waiting.hold(1) == nil)
        held.removeAll()
        #expect(waiting.hold(1) != nil)
        #expect(first == nil)
    }

    @Test func `a listener for scrapers has metrics and health alone`() async throws {
        let address = AdminServer.Address(host: "127.0.0.1", port: 0, isForScrapers: true)
        try await withServer(.fixed(), addresses: [address]) { port in
            for target in ["/metrics", "/healthz"] {
                #expect(try await TestClient.request("GET", target, port: port).status == 200)
            }
            for target in ["/", "/api/v1/status", "/-/reload", "/api/v1/events"] {
                let response = try await TestClient.request("GET", target, port: port)
                #expect(response.status == 404)
                #expect(response.text == "not found; there is /metrics /metrics/istio /healthz /readyz\n")
            }
        }
    }
}
