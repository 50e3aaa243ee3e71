// Wingmirror · Apache-2.0

import Testing
import TrafficModel

@testable import ShadowTesting

@Suite struct ShadowRequestBuilderTests {
    // MARK: - Target and Host

    @Test(arguments: [
        ("/a?b=c", "/a?b=c"), ("/", "/"), ("/?", "/?"), ("http://h/a?b", "/a?b"), ("http://h", "/"),
        ("http://h?x", "/?x"),
        ("HTTPS://user:pw@h:1/a", "/a"), ("/a#b", "/a"), ("/a%00?b=%ff", "/a%00?b=%ff"), ("//a", "//a"),
        ("/a?b?c", "/a?b?c"),
    ])
    func `targets are sent in origin form`(target: String, expected: String) throws {
        #expect(try BuilderDriver().build(.client("GET", target)).target == expected)
    }

    @Test(arguments: ["*", "h:443", "", "/a b", "/\u{7}", "/ä"])
    func `targets that cannot be sent are refused`(target: String) {
        #expect(BuilderDriver().reason(against: .client("GET", target)) == .unsendable)
    }

    @Test(arguments: [
        ("shop.example.com", "shop.example.com"), ("shop.example.com:8443", "shop.example.com:8443"),
        ("[2001:db8::1]:8080", "[2001:db8::1]:8080"), ("[2001:db8::1]", "[2001:db8::1]"),
        ("shop.example.com-shadow", "shop.example.com-shadow"),
        ("shop.example.com:8080-shadow", "shop.example.com:8080-shadow"),
        ("", "staging.internal:8080"),
    ])
    func `the original Host is sent as it was`(host: String, expected: String) throws {
        let driver = BuilderDriver { $0.target.hostField = .original }
        let request = try driver.build(.client("GET", "/", [("Host", host)]))
        #expect(request.values(of: "host") == [expected])
        #expect(request.fields.first?.name == "host")
    }

    @Test func `the authority of an absolute target goes before Host, without the user`() throws {
        let driver = BuilderDriver { $0.target.hostField = .original }
        let request = try driver.build(.client("GET", "http://user:pw@a.example.com:81/", [("Host", "b.example.com")]))
        #expect(request.values(of: "host") == ["a.example.com:81"])
    }

    @Test func `a user before a host is not sent, wherever the host is named`() throws {
        let driver = BuilderDriver { $0.target.hostField = .original }
        let fields = [
            ("Host", "u:planted@a.example.com:81"), ("X-Forwarded-Host", "u:planted@b"),
            ("Forwarded", "for=192.0.2.1;host=\"u:planted@b\""),
        ]
        let request = try driver.build(.client("GET", "/", fields))
        #expect(request.values(of: "host") == ["a.example.com:81"])
        #expect(request.values(of: "x-forwarded-host") == ["b"])
        #expect(request.values(of: "forwarded") == ["for=192.0.2.1;host=\"b\""])
        #expect(request.redactions == 3)
    }

    @Test func `without a Host field the target's is sent`() throws {
        let driver = BuilderDriver { $0.target.hostField = .original }
        var request = RecordedRequest.client()
        request.message.fields = []
        #expect(try driver.build(request).values(of: "host") == ["staging.internal:8080"])
    }

    @Test func `a Host that is none is refused when it should be sent`() {
        let driver = BuilderDriver { $0.target.hostField = .original }
        for host in ["a b", "a/b", "a\u{0}", "ä"] {
            #expect(driver.reason(against: .client("GET", "/", [("Host", host)])) == .unsendable)
        }
        #expect(driver.reason(against: .client("GET", "/", [("Host", "a"), ("Host", "b")])) == .unsendable)
        #expect(BuilderDriver().reason(against: .client("GET", "/", [("Host", "a b")])) == nil)
    }

    @Test(arguments: [
        ("staging", 80, false, "staging"), ("staging", 443, true, "staging"), ("staging", 443, false, "staging:443"),
        ("2001:db8::1", 8080, false, "[2001:db8::1]:8080"), ("2001:db8::1", 443, true, "[2001:db8::1]"),
    ])
    func `the target's own Host has its port and brackets`(host: String, port: Int, usesTLS: Bool, expected: String)
        throws
    {
        let driver = BuilderDriver {
            $0.target = MirrorTarget(name: "staging", usesTLS: usesTLS, host: host, port: port)
        }
        #expect(try driver.build(.client()).values(of: "host") == [expected])
    }

    // MARK: - Framing and connection

    @Test func `fields that concern the connection are left out`() throws {
        let request = try BuilderDriver().build(
            .client(
                "GET",
                "/",
                [
                    ("Connection", "keep-alive, X-Hop , Upgrade,http2-settings"), ("Keep-Alive", "timeout=5"),
                    ("X-Hop", "1"), ("TE", "trailers"), ("Trailer", "X-T"), ("Transfer-Encoding", "chunked"),
                    ("Upgrade", "h2c"), ("HTTP2-Settings", "AAMAAABk"), ("Proxy-Connection", "close"),
                    ("Proxy-Authenticate", "Basic"), ("Expect", "100-continue"), ("Accept", "*/*"),
                    ("X-Forwarded-For", "192.0.2.1"), ("X-Forwarded-Proto", "https"), ("Via", "1.1 x"),
                ]
            )
        )
        let names = request.fields.map { $0.name.lowercased() }
        let expected = [
            "host", "accept", "x-forwarded-for", "x-forwarded-proto", "via", "traceparent", "wingmirror-shadow",
        ]
        #expect(names == expected)
        #expect(request.redactions == 0)
    }

    @Test func `conditions and ranges, whose validators are production's, are left out`() throws {
        let request = try BuilderDriver().build(
            .client(
                "GET",
                "/",
                [
                    ("If-None-Match", "\"p-1\""), ("If-Modified-Since", "Mon, 23 Nov 2026 10:00:00 GMT"),
                    ("If-Range", "\"p-1\""), ("Range", "bytes=0-9"), ("If-Match", "*"),
                    ("If-Unmodified-Since", "Mon, 23 Nov 2026 10:00:00 GMT"), ("Accept", "*/*"),
                ]
            )
        )
        let names = request.fields.map { $0.name.lowercased() }
        #expect(names == ["host", "accept", "traceparent", "wingmirror-shadow"])
        #expect(request.redactions == 0)
    }

    @Test(arguments: [
        ("gzip, deflate, br, zstd", "gzip, deflate, br"), ("zstd;q=1.0, gzip;q=0.8, *;q=0.1", "gzip;q=0.8"),
        ("zstd", "identity"), ("br", "br"),
        ("GZIP", "GZIP"), ("", ""), ("identity", "identity"),
    ])
    func `only content codings that can be read are asked for`(sent: String, expected: String) throws {
        let request = try BuilderDriver().build(.client("GET", "/", [("Accept-Encoding", sent)]))
        #expect(request.values(of: "accept-encoding") == [expected])
    }

    @Test func `tokens are replaced, whatever they are called, unless the policy keeps the name`() throws {
        let token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl"
        let original = RecordedRequest.client("GET", "/a/\(token)?t=\(token)&u=\(token)&v=1", [("X-Info", token)])
        let copy = try BuilderDriver().build(original)
        #expect(!copy.target.contains("eyJ") && copy.target.hasSuffix("&v=1") && copy.redactions == 4)
        #expect(copy.values(of: "x-info").allSatisfy { $0.hasPrefix("wm-") })
        var policy = MirrorPolicy(name: "p", targets: ["t"])
        #expect(policy.takesCredentials(of: original))
        policy.keptParameters = ["t"]
        policy.keptFields = ["x-info"]
        let kept = try BuilderDriver { $0.policy = policy }.build(original)
        #expect(kept.target.contains("?t=\(token)&u=wm-") && kept.values(of: "x-info") == [token])
    }

    @Test func `copies of a request with credentials lack them, unless the policy keeps them`() {
        var policy = MirrorPolicy(name: "p", targets: ["t"])
        #expect(policy.takesCredentials(of: .client("GET", "/", [("Authorization", "Bearer x")])))
        #expect(policy.takesCredentials(of: .client("GET", "/", [("Cookie", "sid=1")])))
        #expect(policy.takesCredentials(of: .client("GET", "/?access_token=1")))
        #expect(!policy.takesCredentials(of: .client("GET", "/?page=1", [("Accept", "*/*")])))
        policy.keptFields = ["authorization"]
        #expect(!policy.takesCredentials(of: .client("GET", "/", [("Authorization", "Bearer x")])))
    }

    @Test func `Connection cannot take the marker or Host off`() throws {
        let request = try BuilderDriver().build(
            .client("GET", "/", [("Connection", "wingmirror-shadow, host, traceparent, content-length")])
        )
        #expect(request.values(of: "wingmirror-shadow") == ["node-1;hops=1"])
        #expect(request.values(of: "host").count == 1)
    }

    @Test(arguments: [0, 9, 10])
    func `content up to the limit is sent with its length`(count: Int) throws {
        let driver = BuilderDriver { $0.policy.maximumContentOctets = 10 }
        let text = String(repeating: "x", count: count)
        let fields = [("Transfer-Encoding", "chunked"), ("Trailer", "X-Checksum"), ("Content-Length", "999")]
        let request = try driver.build(.client("POST", "/", fields, content: text))
        #expect(request.contentText == text)
        #expect(request.values(of: "content-length") == [String(count)])
        #expect(request.values(of: "transfer-encoding").isEmpty)
    }

    @Test func `content over the limit, or not whole, is refused`() {
        let driver = BuilderDriver { $0.policy.maximumContentOctets = 10 }
        #expect(driver.reason(against: .client("POST", "/", content: String(repeating: "x", count: 11))) == .size)
        var cut = RecordedRequest.client("POST", "/", content: "abc")
        cut.message.contentOctets = 4
        #expect(driver.reason(against: cut) == .integrity)
    }

    @Test func `a request without content gets no length`() throws {
        #expect(try BuilderDriver().build(.client()).values(of: "content-length").isEmpty)
    }

    @Test func `coded content is sent as it is`() throws {
        let octets: [UInt8] = [0x1F, 0x8B, 0x08, 0x00, 0xFF, 0x00]
        var request = RecordedRequest.client(
            "POST",
            "/",
            [("Content-Encoding", "gzip"), ("Content-Type", "application/json")]
        )
        request.message = RecordedMessage(fields: request.message.fields, content: octets)
        let sent = try BuilderDriver().build(request)
        #expect(sent.content == octets)
        #expect(sent.values(of: "content-encoding") == ["gzip"])
        #expect(sent.values(of: "content-length") == ["6"])
    }

    @Test func `repeated fields keep their order and case`() throws {
        let fields = [("X-A", "1"), ("Accept", "a"), ("x-a", "2"), ("X-Empty", "")]
        let sent = try BuilderDriver().build(.client("GET", "/", fields)).fields.dropFirst().prefix(4)
        #expect(sent.map(\.name) == ["X-A", "Accept", "x-a", "X-Empty"])
        #expect(sent.map(\.value) == ["1", "a", "2", ""])
    }

    // MARK: - What must not be sent

    @Test func `what cannot be sent is refused`() {
        let driver = BuilderDriver()
        #expect(driver.reason(against: .client("CONNECT", "/")) == .unsendable)
        #expect(driver.reason(against: .client("trace", "/")) == .unsendable)
        #expect(driver.reason(against: .client("G ET", "/")) == .unsendable)
        #expect(driver.reason(against: .client("GET", "/", [("X-A", "a\r\nX-B: c")])) == .unsendable)
        #expect(driver.reason(against: .client("GET", "/", [("X-A", "\u{0}")])) == .unsendable)
        #expect(driver.reason(against: .client("GET", "/", [("X A", "1")])) == .unsendable)
        var request = RecordedRequest.client()
        request.message.fields.append(RecordedField(name: "X-A", value: [0xFF, 0xFE]))
        #expect(driver.reason(against: request) == .unsendable)
    }

    @Test func `a marked request is never copied again`() {
        let request = RecordedRequest.client("GET", "/", [("WINGMIRROR-Shadow", "other;hops=1")])
        #expect(BuilderDriver().reason(against: request) == .marked)
    }

    @Test func `a form that names another method is refused`() {
        let fields = [("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")]
        let driver = BuilderDriver()
        #expect(driver.reason(against: .client("POST", "/", fields, content: "a=b&_method=delete")) == .methodOverride)
        #expect(driver.reason(against: .client("POST", "/", fields, content: "a=b&_method=post")) == nil)
        #expect(driver.reason(against: .client("POST", "/", [], content: "a=b&_method=delete")) == nil)
    }

    @Test func `a policy looks at what the client sent, not at what the copy will say`() throws {
        var policy = MirrorPolicy.everything {
            $0.match.hosts = ["shop.example.com"]
            $0.match.fields = ["authorization": "", "x-tenant": "a"]
            $0.removedFields = ["x-tenant"]
            $0.key = [.cookie("user")]
        }
        let fields = [("Authorization", "Bearer x"), ("X-Tenant", "a"), ("Cookie", "user=u")]
        let request = RecordedRequest.client("GET", "/", fields)
        var plan = try PlanDriver(policy)
        #expect(!plan.decide(request).isEmpty)
        let copy = try BuilderDriver { $0.policy = policy }.build(request)
        #expect(copy.values(of: "host") == ["staging.internal:8080"])
        let rewritten = RecordedRequest.client("GET", "/", copy.fields.map { ($0.name, $0.value) })
        var later = try PlanDriver(policy)
        #expect(later.decide(rewritten).isEmpty && later.tallies.isEmpty)

        // A denied path stays denied, whatever the redaction would make of it.
        policy.match = MirrorMatch()
        var strict = try PlanDriver(policy)
        #expect(strict.reason(against: .client("GET", "/logout;jsessionid=1")) == .path)
    }

    // MARK: - Marker and trace

    @Test(arguments: [
        ("node-1", "node-1;hops=1"), ("a b\r\nX: y", "a-b--X--y;hops=1"), ("knöten;hops=0", "kn--ten-hops-0;hops=1"),
        ("", "unknown;hops=1"),
    ])
    func `the marker names the node as a token`(node: String, expected: String) throws {
        let request = try BuilderDriver { $0.node = node }.build(.client())
        #expect(request.values(of: ShadowMarker.fieldName) == [expected])
    }

    @Test(arguments: [
        ("node;hops=1", 1), ("node;hops=3", 3), ("node; hops=2 ", 2), ("node;x=1;HOPS=4", 4), ("node", 1), ("", 1),
        (";", 1),
        ("node;hops=", 1), ("node;hops=x", 1), ("node;hops=0", 1), ("node;hops=99999999999999999999", 9999),
        (";;;;", 1),
    ])
    func `hops are read from whatever a marker says`(value: String, hops: Int) {
        let octets = Array(value.utf8)
        #expect(ShadowMarker.hops(inValue: octets.span) == hops)
        let request = RecordedRequest.client("GET", "/", [("Wingmirror-Shadow", value)])
        #expect(request.withView { ShadowMarker.hops(of: $0) } == hops)
    }

    @Test func `requests without a marker have no hops, and the largest of several counts`() {
        #expect(RecordedRequest.client().withView { ShadowMarker.hops(of: $0) } == 0)
        let fields = [("wingmirror-shadow", "a;hops=2"), ("wingmirror-shadow", "b;hops=5"), ("wingmirror-shadow", "c")]
        #expect(RecordedRequest.client("GET", "/", fields).withView { ShadowMarker.hops(of: $0) } == 5)
    }

    @Test func `our own copies are read as marked`() throws {
        let sent = try BuilderDriver().build(.client())
        let captured = RecordedRequest.client("GET", "/", sent.fields.map { ($0.name, $0.value) })
        #expect(captured.withView { ShadowMarker.hops(of: $0) } == 1)
    }

    @Test func `the trace is a new one that links to the original`() throws {
        let original = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        let request = try BuilderDriver().build(
            .client(
                "GET",
                "/",
                [
                    ("traceparent", original), ("tracestate", "a=b"), ("baggage", "user=me"), ("b3", "0"),
                    ("X-B3-TraceId", "1"), ("X-B3-Sampled", "1"), ("uber-trace-id", "1"), ("x-datadog-trace-id", "1"),
                ]
            )
        )
        let traceparent = try #require(request.values(of: "traceparent").first)
        #expect(traceparent.utf8.count == 55)
        #expect(traceparent.hasPrefix("00-") && traceparent.hasSuffix("-00"))
        #expect(!traceparent.contains("4bf92f3577b34da6a3ce929d0e0e4736"))
        #expect(request.values(of: "wingmirror-link") == [original])
        let names = ["host", "traceparent", "wingmirror-link", "wingmirror-shadow"]
        #expect(request.fields.map { $0.name.lowercased() } == names)
    }

    @Test func `a client cannot set the link`() throws {
        let request = try BuilderDriver().build(.client("GET", "/", [("wingmirror-link", "x")]))
        #expect(request.values(of: "wingmirror-link").isEmpty)
    }

    @Test func `each copy and each target has a trace of its own, the same every time`() throws {
        let first = try BuilderDriver().build(.client()).values(of: "traceparent")
        #expect(try BuilderDriver().build(.client()).values(of: "traceparent") == first)
        #expect(try BuilderDriver().build(.client(), copy: 1).values(of: "traceparent") != first)
        #expect(try BuilderDriver { $0.target.name = "other" }.build(.client()).values(of: "traceparent") != first)
        #expect(try BuilderDriver().build(.client("GET", "/other")).values(of: "traceparent") != first)
    }

    @Test func `idempotency keys get a suffix for each target and copy`() throws {
        let fields = [("Idempotency-Key", "\"abc\""), ("X-Idempotency-Key", "abc"), ("PayPal-Request-Id", "")]
        let request = try BuilderDriver().build(.client("POST", "/", fields), copy: 1)
        #expect(request.values(of: "idempotency-key") == ["\"abc-wm-staging-1\""])
        #expect(request.values(of: "x-idempotency-key") == ["abc-wm-staging-1"])
        #expect(request.values(of: "paypal-request-id") == ["-wm-staging-1"])
    }

    // MARK: - gRPC

    @Test func `a call says that it takes trailers, keeps its deadline, and loses its credentials`() throws {
        let fields = [
            ("content-type", "application/grpc"), ("te", "trailers"), ("grpc-timeout", "2S"),
            ("grpc-accept-encoding", "snappy, gzip"), ("authorization", "Bearer planted"),
        ]
        let message = "\u{0}\u{0}\u{0}\u{0}\u{1}a"
        let request = try BuilderDriver().build(.client("POST", "/shop.Catalog/Get", fields, content: message))
        #expect(request.isCall)
        #expect(request.values(of: "te") == ["trailers"] && request.values(of: "grpc-timeout") == ["2S"])
        #expect(request.values(of: "grpc-accept-encoding") == ["gzip"])
        #expect(request.values(of: "authorization").isEmpty && request.redactions == 1)
        #expect(request.contentText == message)
        #expect(!(try BuilderDriver().build(.client("POST", "/", [("content-type", "application/grpc-web")])).isCall))
    }
}
