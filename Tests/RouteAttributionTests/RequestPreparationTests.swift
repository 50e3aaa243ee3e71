// Wingmirror · Apache-2.0

import RouteAttribution
import Testing
import TrafficModel

/// Each row was read off Envoy 1.40.
@Suite struct RequestPreparationTests {
    private static func table(_ environment: RouteEnvironment = RouteEnvironment()) throws -> RouteTable {
        let rules = "[{name: any, route: [{destination: {host: a}}]}]"
        return try compile(
            everyHostGateway,
            virtualService("all", http: rules),
            virtualService(
                "named",
                hosts: "[b.example.com]",
                http: "[{name: named, route: [{destination: {host: a}}]}]"
            ),
            environment: environment
        ).table
    }

    @Test(arguments: [
        "http://b.example.com", "http://b.example.com/", "HTTP://B.example.com:80/x", "http://u:p@b.example.com/x",
        "http://@b.example.com/", "http://b.example.com:080/x?y#z",
    ])
    func `an absolute target brings its own authority`(target: String) throws {
        #expect(try Self.table().routeName(target) == "named")
    }

    @Test(arguments: [
        "http://b.example.com?x", "http://b.example.com#x", "https://b.example.com/", "ftp://b.example.com/",
        "http://b.example.com:/", "http://b.example.com:x/", "http://b.example.com:65536/", "http://b_.example.com/",
        "http:///", "http://[::1", "http://[1]/", "http://a@b@c/", "http:/x", "b.example.com", "x", "*", "?x", "#x", "",
        "/a b", "/\u{7F}", "/é", "/%00", "/x/..%00",
    ])
    func `a target that the proxy refuses reaches no route`(target: String) throws {
        #expect(try Self.table().explain(target).decision.outcome == .rejected)
    }

    @Test(arguments: ["a b", "é.com", "a/b", "a\"b", "<a>", "a|b", "a\\b", "a#b", "a?b", "{a}", "a^b", "a`b"])
    func `an authority with characters that none may have is refused`(authority: String) throws {
        #expect(try Self.table().explain("/", authority: authority).decision.outcome == .rejected)
    }

    @Test(arguments: ["", ":", "[", "a:b:c", "a%zz", "*", "u@h", "a,b", "-"])
    func `an authority that is only strange goes to the wildcard host`(authority: String) throws {
        #expect(try Self.table().explain("/", authority: authority).host == "*")
    }

    @Test(arguments: ["b.example.com:80", "B.Example.COM", "b.example.com:", "b.example.com:x"])
    func `port and letter case play no part in the choice of the host`(authority: String) throws {
        #expect(try Self.table().explain("/", authority: authority).host == "b.example.com")
    }

    @Test func `a request without authority is refused`() throws {
        #expect(try Self.table().explain("/", authority: nil).decision.outcome == .rejected)
    }

    @Test(arguments: ["get", "FOO", "M-SEARCH", "QUERY", ""])
    func `a method that the parser does not know is refused`(method: String) throws {
        #expect(try Self.table().explain("/", method: method).decision.outcome == .rejected)
    }

    @Test(arguments: ["PROPFIND", "PURGE", "TRACE", "UNSUBSCRIBE", "MKCALENDAR"])
    func `a known method is routed however rare`(method: String) throws {
        #expect(try Self.table().explain("/", method: method).decision.outcome == .route)
    }

    @Test func `a query by method needs a content type`() throws {
        let explanation = try Self.table().explain("/", method: "QUERY", headers: [("Content-Type", "a/b")])
        #expect(explanation.decision.outcome == .route)
    }

    @Test(arguments: [("b.example.com:443", RouteOutcome.noRoute), ("b.example.com", .rejected), ("/x", .rejected)])
    func `a tunnel request matches no route`(target: String, outcome: RouteOutcome) throws {
        #expect(try Self.table().explain(target, method: "CONNECT").decision.outcome == outcome)
    }

    @Test(arguments: [
        ("GET", false, RouteOutcome.rejected), ("GET", true, .route), ("FOO", true, .rejected),
    ])
    func `a request of HTTP 1.0 is refused unless the gateway takes them`(
        method: String,
        takesHTTP10: Bool,
        outcome: RouteOutcome
    ) throws {
        let octets = Array("\(method)/a.example".utf8)
        var environment = RouteEnvironment()
        environment.takesHTTP10 = takesHTTP10
        let view = RequestView(
            octets: octets.span,
            method: 0..<3,
            target: 3..<4,
            authority: 4..<octets.count,
            version: .http10,
            fields: [FieldLine]().span
        )
        let table = try Self.table(environment)
        var scratch = RouteScratch()
        let decision = table.route(view, in: table.hostTable(podPort: 80), scratch: &scratch)
        #expect(decision.outcome == outcome)
    }

    @Test(arguments: [
        (0, "http", "any"), (1, "https", "secure"), (1, "http", "any"), (1, "HTTPS", "any"), (0, "", "any"),
    ])
    func `the scheme follows x-forwarded-proto only behind trusted proxies`(
        proxies: Int,
        sent: String,
        name: String
    ) throws {
        var environment = RouteEnvironment()
        environment.trustedProxies = proxies
        let rules = """
            [{name: secure, match: [{scheme: {exact: https}}], route: [{destination: {host: a}}]}, \
            {name: any, route: [{destination: {host: a}}]}]
            """
        let (table, _) = try compile(everyHostGateway, virtualService(http: rules), environment: environment)
        #expect(table.routeName("/", headers: [("X-Forwarded-Proto", sent)]) == name)
        if proxies == 0 { #expect(table.routeName("/", headers: [("x-forwarded-proto", "https")]) == "any") }
    }

    /// As Envoy 1.40 answers with `xff_num_trusted_hops: 1`.
    @Test(arguments: [
        ([""], RouteOutcome.noRoute), (["", ""], .noRoute), (["", "https"], .route), (["https", ""], .route),
        (["https", "https"], .httpsRedirect), (["http", ""], .httpsRedirect), (["ws"], .httpsRedirect),
    ])
    func `empty lines of x-forwarded-proto add nothing, and nothing else finds no route`(
        lines: [String],
        outcome: RouteOutcome
    ) throws {
        var environment = RouteEnvironment()
        environment.trustedProxies = 1
        let gateway = everyHostGateway.replacing("hosts: ['*']", with: "hosts: ['*'], tls: {httpsRedirect: true}")
        let rules = "[{route: [{destination: {host: a}}]}]"
        let (table, _) = try compile(gateway, virtualService(http: rules), environment: environment)
        let headers = lines.map { (name: "x-forwarded-proto", value: $0) }
        #expect(table.explain("/", headers: headers).decision.outcome == outcome)
    }

    @Test func `a trusted proxy that took a request without TLS has it redirected on a TLS server too`() throws {
        let gateway = """
            apiVersion: networking.istio.io/v1
            kind: Gateway
            metadata: {name: gw, namespace: default}
            spec:
              servers:
              - port: {number: 443, name: https, protocol: HTTPS}
                hosts: ['*']
                tls: {mode: SIMPLE, credentialName: c, httpsRedirect: true}
            """
        let service = virtualService(http: "[{route: [{destination: {host: a}}]}]")
        var environment = RouteEnvironment()
        let headers = [(name: "x-forwarded-proto", value: "http")]
        let direct = try compile(gateway, service, environment: environment).table
        #expect(direct.explain("/", headers: headers, isTLS: true, port: 443).decision.outcome == .route)
        environment.trustedProxies = 1
        let behind = try compile(gateway, service, environment: environment).table
        #expect(behind.explain("/", headers: headers, isTLS: true, port: 443).decision.outcome == .httpsRedirect)
        #expect(behind.explain("/", isTLS: true, port: 443).decision.outcome == .route)
    }
}
