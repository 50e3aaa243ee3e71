// Wingmirror · Apache-2.0

import AdminServer
import Testing

@Suite(.timeLimit(.minutes(20)))
struct PageTests {
    @Test func `the page is one document whose policy lets only its own style and script run`() async throws {
        try await withServer(.fixed()) { port in
            let response = try await TestClient.request("GET", "/", port: port)
            #expect(response.status == 200)
            #expect(response.fields["content-type"] == "text/html; charset=utf-8")
            let policy = try #require(response.fields["content-security-policy"])
            #expect(policy.hasPrefix("default-src 'none'; script-src 'nonce-"))
            for rule in [
                "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'", "connect-src 'self'",
                "require-trusted-types-for 'script'", "trusted-types 'none'",
            ] {
                #expect(policy.contains(rule))
            }
            #expect(!policy.contains("unsafe"))
            let nonce = try #require(policy.split(separator: "'").first { $0.hasPrefix("nonce-") }).dropFirst(6)
            #expect(response.text.contains("<script nonce=\"\(nonce)\">"))
            #expect(response.text.contains("<style nonce=\"\(nonce)\">"))
            #expect(response.text.hasSuffix("</html>\n"))
        }
    }

    @Test func `the page refers to nothing outside`() async throws {
        try await withServer(.fixed()) { port in
            let text = try await TestClient.request("GET", "/", port: port).text
            let addresses = text.split(separator: "\"http").dropFirst().map { "http" + $0.prefix { $0 != "\"" } }
                .filter { $0.contains("://") }
            #expect(addresses == ["http://www.w3.org/2000/svg", "http://shop.example.com/products/1"])
            for word in [
                "url(", "@import", "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(",
                " style=\"", " onclick=\"",
            ] {
                #expect(!text.contains(word), "\(word)")
            }
        }
    }

    @Test func `every response has a nonce of its own`() async throws {
        try await withServer(.fixed()) { port in
            let first = try await TestClient.request("GET", "/", port: port)
            let second = try await TestClient.request("GET", "/", port: port)
            #expect(first.fields["content-security-policy"] != second.fields["content-security-policy"])
        }
    }

    @Test func `browsers are told not to guess types, not to send referrers and not to frame the page`() async throws {
        try await withServer(.fixed()) { port in
            let fields = try await TestClient.request("GET", "/", port: port).fields
            #expect(fields["x-content-type-options"] == "nosniff")
            #expect(fields["referrer-policy"] == "no-referrer")
            #expect(fields["x-frame-options"] == "DENY")
            #expect(fields["cross-origin-resource-policy"] == "same-origin")
            let document = try await TestClient.request("GET", "/api/v1/status", port: port).fields
            #expect(document["x-content-type-options"] == "nosniff")
            #expect(document["cross-origin-resource-policy"] == "same-origin")
        }
    }

    @Test func `the page is compressed when that is accepted`() async throws {
        try await withServer(.fixed()) { port in
            let plain = try await TestClient.request("GET", "/", port: port)
            let packed = try await TestClient.request("GET", "/", port: port, fields: ["Accept-Encoding": "gzip"])
            #expect(packed.fields["content-encoding"] == "gzip")
            #expect(packed.content.count < plain.content.count / 2)
        }
    }

    @Test func `with credentials configured the page asks for them`() async throws {
        let credentials = AdminCredentials(basicPairs: ["ops:secret"], bearerTokens: [])
        try await withServer(.fixed(), credentials: credentials) { port in
            let page = try await TestClient.request("GET", "/", port: port).status
            #expect(page == 401)
            let events = try await TestClient.request("GET", "/api/v1/events", port: port).status
            #expect(events == 401)
        }
    }
}
