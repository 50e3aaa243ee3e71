// Wingmirror · Apache-2.0

import CZlib
import Glibc
import Logging
import Synchronization
import Testing

@testable import AdminServer

@Suite(.timeLimit(.minutes(20)))
struct AdminServerTests {
    @Test func `where the system has no IPv6, all addresses of both families are those of IPv4`() {
        let all = AdminServer.Address(host: "::", port: 9646, isForScrapers: true)
        #expect(
            all.replacement(after: EAFNOSUPPORT)
                == AdminServer.Address(host: "0.0.0.0", port: 9646, isForScrapers: true)
        )
        #expect(all.replacement(after: EADDRINUSE) == nil)
        #expect(AdminServer.Address(host: "::1", port: 9646).replacement(after: EAFNOSUPPORT) == nil)
    }

    @Test func `metrics are served with their content type and are not to be cached`() async throws {
        let observations = Observations()
        try await withServer(.fixed(observations)) { port in
            let response = try await TestClient.request(
                "GET",
                "/metrics?name[]=x",
                port: port,
                fields: ["Accept": "text/plain"]
            )
            #expect(response.status == 200)
            #expect(response.fields["content-type"] == "text/plain; version=0.0.4")
            #expect(response.fields["vary"] == "Accept, Accept-Encoding")
            #expect(response.fields["content-encoding"] == nil)
            #expect(response.text == "up 1 text/plain\n")
        }
        #expect(observations.counted == ["text 200"])
    }

    @Test func `gzip is used when asked for`() async throws {
        var sources = AdminSources.fixed()
        let page = Array(String(repeating: "wingmirror_http_requests_total 1\n", count: 1000).utf8)
        sources.exposition = { _, _ in Exposition(contentType: "text/plain", format: "text", octets: page) }
        try await withServer(sources) { port in
            let response = try await TestClient.request(
                "GET",
                "/metrics",
                port: port,
                fields: ["Accept-Encoding": "gzip"]
            )
            #expect(response.fields["content-encoding"] == "gzip")
            #expect(response.fields["content-length"] == "\(response.content.count)")
            #expect(response.content.count < page.count / 10)
            #expect(inflate(response.content) == page)
        }
    }

    @Test func `HEAD gives the fields of GET and no content`() async throws {
        try await withServer(.fixed()) { port in
            let response = try await TestClient.request("HEAD", "/metrics", port: port)
            #expect(response.status == 200)
            #expect(response.fields["content-length"] == "10")
            #expect(response.content.isEmpty)
        }
    }

    @Test(arguments: [
        ("POST", "/metrics", "GET, HEAD"), ("DELETE", "/healthz", "GET, HEAD"), ("GET", "/-/reload", "POST"),
        ("PUT", "/api/v1/status", "GET, HEAD"),
    ])
    func `other methods are refused with those allowed`(method: String, target: String, allowed: String) async throws {
        try await withServer(.fixed()) { port in
            let response = try await TestClient.request(method, target, port: port)
            #expect(response.status == 405)
            #expect(response.fields["allow"] == allowed)
            #expect(response.fields["content-type"] == "text/plain; charset=utf-8")
        }
    }

    @Test func `an unknown path is not found and names what there is`() async throws {
        try await withServer(.fixed()) { port in
            let response = try await TestClient.request("GET", "/metric", port: port)
            #expect(response.status == 404)
            #expect(response.text.contains("/metrics"))
        }
    }

    @Test func `health and readiness answer by status code and say why`() async throws {
        try await withServer(.fixed()) { port in
            let health = try await TestClient.request("GET", "/healthz", port: port)
            #expect((health.status, health.text) == (200, "capturing\n"))
            let readiness = try await TestClient.request("GET", "/readyz", port: port)
            #expect((readiness.status, readiness.text) == (503, "no source is open\n"))
        }
    }

    @Test func `status and configuration are JSON`() async throws {
        try await withServer(.fixed()) { port in
            let status = try await TestClient.request("GET", "/api/v1/status", port: port)
            #expect((status.status, status.text) == (200, #"{"status":1}"#))
            #expect(status.fields["content-type"] == "application/json")
            let configuration = try await TestClient.request("GET", "/api/v1/config", port: port)
            #expect((configuration.status, configuration.text) == (200, #"{"log":{}}"#))
        }
    }

    @Test func `a rejected reload is a bad request with every reason`() async throws {
        try await withServer(.fixed()) { port in
            let response = try await TestClient.request("POST", "/-/reload", port: port, fields: TestClient.own)
            #expect(response.status == 400)
            #expect(response.text == "w.yaml:1:1: log: expected a mapping\nw.yaml:2:1: colour: unknown key\n")
        }
    }

    @Test func `a good reload says what needs a restart`() async throws {
        var sources = AdminSources.fixed()
        sources.reload = { .reloaded(["metrics.listen changes at the next restart"]) }
        try await withServer(sources) { port in
            let response = try await TestClient.request("POST", "/-/reload", port: port, fields: TestClient.own)
            #expect(response.status == 200)
            #expect(response.text == "reloaded\nmetrics.listen changes at the next restart\n")
        }
    }

    @Test func `a page of another name cannot read through a browser on this machine`() async throws {
        try await withServer(.fixed()) { port in
            let response = try await TestClient.request(
                "GET",
                "/api/v1/config",
                port: port,
                fields: ["Host": "rebound.example"]
            )
            #expect(response.status == 403)
        }
    }

    @Test func `with credentials configured everything but health asks for them`() async throws {
        let credentials = AdminCredentials(basicPairs: ["ops:pa:ss"], bearerTokens: ["t0ken"])
        try await withServer(.fixed(), credentials: credentials) { port in
            let refused = try await TestClient.request("GET", "/metrics", port: port)
            #expect(refused.status == 401)
            #expect(refused.fields["www-authenticate"]?.hasPrefix("B") == true)
            expect(200, from: try await TestClient.request("GET", "/healthz", port: port))
            for authorization in ["Bearer t0ken", "bearer t0ken", "Basic b3BzOnBhOnNz"] {
                let fields = ["Authorization": authorization]
                expect(200, from: try await TestClient.request("GET", "/metrics", port: port, fields: fields))
                expect(200, from: try await TestClient.request("GET", "/api/v1/status", port: port, fields: fields))
            }
            for authorization in ["Bearer t0ke", "Bearer", "Basic t0ken", "Basic b3BzOnBhOnNzIQ==", "Digest x"] {
                let fields = ["Authorization": authorization]
                expect(401, from: try await TestClient.request("GET", "/metrics", port: port, fields: fields))
            }
        }
    }

    @Test func `a scrape that cannot be in time is answered 503 rather than cut`() async throws {
        let observations = Observations()
        try await withServer(.fixed(observations)) { port in
            let fields = ["X-Prometheus-Scrape-Timeout-Seconds": "0.000001"]
            let response = try await TestClient.request("GET", "/metrics", port: port, fields: fields)
            #expect(response.status == 503)
            #expect(response.fields["content-type"] == "text/plain; charset=utf-8")
        }
        #expect(observations.counted == ["none 503"])
    }

    @Test func `the renderer is told when the scraper gives up`() async throws {
        let asked = Mutex<ContinuousClock.Instant?>(nil)
        let start = ContinuousClock.now
        var sources = AdminSources.fixed()
        sources.exposition = { _, deadline in
            asked.withLock { $0 = deadline }
            return nil
        }
        try await withServer(sources) { port in
            let fields = ["X-Prometheus-Scrape-Timeout-Seconds": "3600"]
            expect(503, from: try await TestClient.request("GET", "/metrics", port: port, fields: fields))
        }
        let deadline = try #require(asked.withLock { $0 })
        #expect(deadline > start + .seconds(3500))
        #expect(deadline < ContinuousClock.now + .seconds(3600))
    }

    @Test func `a scraper that waits for a moment only does not end the page that others share`() async throws {
        let asked = Mutex<ContinuousClock.Instant?>(nil)
        let start = ContinuousClock.now
        var sources = AdminSources.fixed()
        sources.exposition = { _, end in
            asked.withLock { $0 = end }
            return Exposition(contentType: "text/plain", format: "text", octets: Array("up 1\n".utf8))
        }
        try await withServer(sources) { port in
            let fields = ["X-Prometheus-Scrape-Timeout-Seconds": "0.000001"]
            expect(503, from: try await TestClient.request("GET", "/metrics", port: port, fields: fields))
        }
        let end = try #require(asked.withLock { $0 })
        #expect(end >= start + AdminLimits().leastRenderTime)
    }

    @Test func `more scrapes than the limit are answered 503 at once`() async throws {
        let (entered, enter) = AsyncStream.makeStream(of: Void.self)
        let (gate, open) = AsyncStream.makeStream(of: Void.self)
        var sources = AdminSources.fixed()
        sources.exposition = { _, _ in
            enter.yield()
            for await _ in gate { break }
            return Exposition(contentType: "text/plain", format: "text", octets: [])
        }
        var limits = AdminLimits.patient
        limits.scrapes = 1
        try await withServer(sources, limits: limits) { port in
            // Of another format, as those of one format share a page.
            async let first = TestClient.request("GET", "/metrics", port: port, fields: ["Accept": "text/other"])
            for await _ in entered { break }
            expect(503, from: try await TestClient.request("GET", "/metrics", port: port))
            open.yield()
            expect(200, from: try await first)
        }
    }

    @Test func `a field section beyond the limit ends the connection without harm`() async throws {
        try await withServer(.fixed()) { port in
            let long = "GET /metrics HTTP/1.1\r\nHost: a\r\nX: \(String(repeating: "x", count: 40_000))\r\n\r\n"
            let answer = String(decoding: try await TestClient.exchange(long, port: port), as: UTF8.self)
            #expect(!answer.hasPrefix("HTTP/1.1 200"))
            expect(200, from: try await TestClient.request("GET", "/metrics", port: port))
        }
    }

    @Test func `content beyond the limit ends the connection`() async throws {
        try await withServer(.fixed()) { port in
            let content = String(repeating: "x", count: 70_000)
            let request = "POST /-/reload HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000000\r\n\r\n\(content)"
            // The server closes although a million octets were announced; that this returns is the point.
            _ = try? await TestClient.exchange(request, port: port)
            expect(200, from: try await TestClient.request("GET", "/healthz", port: port))
        }
    }

    @Test(arguments: ["Content-Length: 70000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n11170\r\n"])
    func `a question with content beyond the limit is refused in words`(framing: String) async throws {
        try await withServer(.fixed()) { port in
            let content = String(repeating: "x", count: 70_000)
            let request =
                "POST /api/v1/explain HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n\(framing)\(content)\r\n0\r\n\r\n"
            let answer = String(decoding: try await TestClient.exchange(request, port: port), as: UTF8.self)
            #expect(answer.hasPrefix("HTTP/1.1 413"))
            #expect(answer.contains("the content has more than 65536 bytes"))
        }
    }

    @Test(arguments: [
        ("Host: a\r\nHost: b\r\n", 400), ("Host: a\r\nhost: a\r\n", 400), ("Host: a\r\n", 200),
    ])
    func `a second Host header is refused`(fields: String, status: Int) async throws {
        try await withServer(.fixed()) { port in
            let request = "GET /healthz HTTP/1.1\r\n\(fields)Connection: close\r\n\r\n"
            let answer = String(decoding: try await TestClient.exchange(request, port: port), as: UTF8.self)
            #expect(answer.hasPrefix("HTTP/1.1 \(status)"))
        }
    }

    @Test func `a transfer coding that is not known is refused`() async throws {
        try await withServer(.fixed()) { port in
            let request =
                "GET /healthz HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: cow, chunked\r\nConnection: close\r\n\r\n0\r\n\r\n"
            let answer = String(decoding: try await TestClient.exchange(request, port: port), as: UTF8.self)
            #expect(answer.hasPrefix("HTTP/1.1 501") || answer.hasPrefix("HTTP/1.1 400"))
        }
    }

    @Test func `a scraper that waits for a quarter of a second leaves half of it for the page`() async throws {
        let asked = Mutex<ContinuousClock.Instant?>(nil)
        var sources = AdminSources.fixed()
        sources.exposition = { _, deadline in
            asked.withLock { $0 = deadline }
            return nil
        }
        try await withServer(sources) { port in
            let fields = ["X-Prometheus-Scrape-Timeout-Seconds": "0.25"]
            let start = ContinuousClock.now
            _ = try await TestClient.request("GET", "/metrics", port: port, fields: fields)
            // The margin alone is as long as the time, and would leave none: the deadline would be when the request came.
            let deadline = try #require(asked.withLock { $0 })
            #expect(deadline >= start + .milliseconds(125))
        }
    }

    @Test func `what is no HTTP is answered with a bad request`() async throws {
        try await withServer(.fixed()) { port in
            let answer = String(
                decoding: try await TestClient.exchange("hello there\r\n\r\n", port: port),
                as: UTF8.self
            )
            #expect(answer.hasPrefix("HTTP/1.1 400"))
        }
    }

    @Test func `a head that does not come within the idle time ends the connection`() async throws {
        var limits = AdminLimits()
        limits.idleTimeout = .milliseconds(50)
        try await withServer(.fixed(), limits: limits) { port in
            // What the server had not read yet may turn its close into a reset.
            let answer = try? await TestClient.exchange("GET /metrics HTTP/1.1\r\nHost:", port: port)
            #expect(answer?.isEmpty ?? true)
        }
    }

    @Test(arguments: [EADDRINUSE, EADDRNOTAVAIL, EACCES])
    func `why an address cannot be listened on is said with what to change`(code: Int32) {
        let error = AdminServerError(AdminServer.Address(host: "2001:db8::1", port: 80), code: code)
        #expect(error.description.hasPrefix("cannot listen on [2001:db8::1]:80: "))
        #expect(error.description.hasSuffix("; choose another with --listen or metrics.listen"))
    }

    @Test func `a taken port is one clear line`() async throws {
        try await withServer(.fixed()) { port in
            let second = AdminServer(
                [AdminServer.Address(host: "127.0.0.1", port: port)],
                sources: .fixed(),
                logger: Logger(label: "test")
            )
            let error = await #expect(throws: AdminServerError.self) { try await second.run() }
            let expected =
                "cannot listen on 127.0.0.1:\(port): the port is taken; choose another with --listen or metrics.listen"
            #expect(error?.description == expected)
        }
    }

    private func expect(
        _ status: Int,
        from response: TestClient.Response,
        at location: SourceLocation = #_sourceLocation
    ) {
        #expect(response.status == status, sourceLocation: location)
    }

    /// Undoes gzip with zlib itself.
    private func inflate(_ compressed: [UInt8]) -> [UInt8] {
        var stream = unsafe z_stream()
        #expect(unsafe inflateInit2_(&stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK)
        defer { unsafe _ = inflateEnd(&stream) }
        var output = [UInt8](repeating: 0, count: 1 << 20)
        var input = compressed
        let count = unsafe input.withUnsafeMutableBufferPointer { input in
            unsafe output.withUnsafeMutableBufferPointer { output in
                unsafe stream.next_in = input.baseAddress
                unsafe stream.avail_in = UInt32(input.count)
                unsafe stream.next_out = output.baseAddress
                unsafe stream.avail_out = UInt32(output.count)
                #expect(unsafe CZlib.inflate(&stream, Z_FINISH) == Z_STREAM_END)
                return unsafe output.count - Int(stream.avail_out)
            }
        }
        return Array(output[..<count])
    }
}
