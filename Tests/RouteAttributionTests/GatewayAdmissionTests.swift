// Wingmirror · Apache-2.0

import RouteAttribution
import Testing

/// Which Gateways and VirtualServices Istio admits: pkg/config/validation/validation.go.
@Suite struct GatewayAdmissionTests {
    private static let service = virtualService(http: "[{route: [{destination: {host: a}}]}]")

    private static func gateway(_ server: String) -> String {
        """
        apiVersion: networking.istio.io/v1
        kind: Gateway
        metadata: {name: gw, namespace: default}
        spec:
          servers:
          - {hosts: ['*'], \(server)}
          - {hosts: ['*'], port: {number: 8081, name: other, protocol: HTTP}}
        """
    }

    private static let https = "port: {number: 443, name: https, protocol: HTTPS}"
    private static let http = "port: {number: 80, name: http, protocol: HTTP}"

    @Test(arguments: [
        // What passes through on a plain server does nothing, whatever secret it names.
        http + ", tls: {httpsRedirect: true, credentialName: c}",
        http + ", tls: {httpsRedirect: true, credentialNames: [c]}", http + ", tls: {mode: AUTO_PASSTHROUGH}",
        http + ", tls: {caCrl: /crl}", http + ", bind: 127.0.0.1", http + ", bind: '::'",
        // A secret holds all of it.
        https + ", tls: {mode: SIMPLE, credentialName: c, caCrl: /crl}",
        https + ", tls: {mode: SIMPLE, credentialName: c, serverCertificate: /cert}",
        https + ", tls: {mode: MUTUAL, credentialName: c}", https + ", tls: {mode: PASSTHROUGH, credentialName: c}",
        https + ", tls: {mode: SIMPLE, tlsCertificates: [{serverCertificate: /cert, privateKey: /key}]}",
        "bind: unix:///var/run/gw.sock, port: {number: 0, name: http, protocol: HTTP}",
    ])
    func `a server that Istio admits costs its Gateway nothing`(server: String) throws {
        let (table, findings) = try compile(Self.gateway(server), Self.service)
        #expect(!findings.contains { $0.code == .refusedObject }, "\(findings.map(\.message))")
        #expect(table.explain("/", port: 8081).decision.outcome == .route)
    }

    @Test(arguments: [
        http + ", tls: {mode: SIMPLE, credentialName: c}", http + ", tls: {privateKey: /key}", http + ", bind: foo",
        https, https + ", tls: {mode: SIMPLE}", https + ", tls: {mode: SIMPLE, serverCertificate: /cert}",
        https + ", tls: {mode: SIMPLE, serverCertificate: /cert, privateKey: /key, caCrl: /crl}",
        https + ", tls: {mode: SIMPLE, credentialName: c, serverCertificate: /cert, privateKey: /key}",
        https + ", tls: {mode: PASSTHROUGH, credentialName: c, credentialNames: [d]}",
        https + ", tls: {mode: PASSTHROUGH, credentialName: c, caCrl: /crl}",
        https + ", tls: {mode: MUTUAL, serverCertificate: /cert, privateKey: /key}",
        https + ", tls: {mode: SIMPLE, tlsCertificates: [{serverCertificate: /cert}]}",
        https + ", tls: {mode: ISTIO_MUTUAL, credentialName: c}", "port: {number: 0, name: http, protocol: HTTP}",
        "bind: 'unix://gw.sock', port: {number: 0, name: http, protocol: HTTP}",
        "bind: unix:///gw.sock, port: {number: 80, name: http, protocol: HTTP}",
    ])
    func `a server that Istio refuses costs the whole Gateway`(server: String) throws {
        let (table, findings) = try compile(Self.gateway(server), Self.service)
        #expect(findings.contains { $0.code == .refusedObject && $0.object.kind == "Gateway" })
        #expect(table.explain("/", port: 8081).decision.outcome == .noListener)
    }

    @Test func `a server on a Unix socket listens on no port`() throws {
        let server = "bind: unix:///gw.sock, port: {number: 0, name: http, protocol: HTTP}"
        #expect(try compile(Self.gateway(server), Self.service).table.podPorts == [8081])
    }

    private static func isRefused(_ spec: String, http: String = "[{route: [{destination: {host: a}}]}]") throws -> Bool
    {
        let service = virtualService(http: http, spec: "gateways: [gw]\n  " + spec)
        return try compile(everyHostGateway, service).findings.contains {
            $0.code == .refusedObject && $0.object.kind == "VirtualService"
        }
    }

    @Test(arguments: [
        ("{route: [{destination: {host: a}}]}", false), ("{route: [{destination: {host: '*'}}]}", true),
        ("{route: [{destination: {host: a, subset: 'A_'}}]}", true), ("{route: [{weight: 1}]}", true),
        ("{route: [{destination: {host: a, port: {number: 70000}}}]}", true), ("{route: []}", true),
        ("{match: [{port: 70000}], route: [{destination: {host: a}}]}", true),
        ("{match: [{gateways: [other]}], route: [{destination: {host: a}}]}", false),
        ("{match: [{gateways: [./gw]}], route: [{destination: {host: a}}]}", true),
        ("{route: [{destination: {host: a}}, {destination: {host: b}}]}", true),
        ("{route: [{destination: {host: a}}, {destination: {host: b}, weight: 1}]}", false),
        ("{route: [{destination: {host: a}, weight: -1}]}", true),
    ])
    func `rules for TLS and TCP are checked like those for HTTP`(rule: String, refused: Bool) throws {
        #expect(try Self.isRefused("tcp: [\(rule)]") == refused)
        let tls = rule.replacing("{match: [{", with: "{match: [{sniHosts: ['*'], ")
        let matched = tls.contains("match") ? tls : tls.replacing("{route", with: "{match: [{sniHosts: ['*']}], route")
        #expect(try Self.isRefused("tls: [\(matched)]") == refused)
    }

    @Test(arguments: [
        ("['*']", false), ("[a.example.com]", false), ("[a_b.example.com]", true), ("[192.0.2.1]", false),
        ("[outbound_.80_._.a.default.svc.cluster.local]", false), ("[outbound_.http_._.a]", true),
        ("[outbound_a]", true),
    ])
    func `TLS names are domain names, or those that Istio makes of clusters`(names: String, refused: Bool) throws {
        let rule = "{match: [{sniHosts: \(names)}], route: [{destination: {host: a}}]}"
        #expect(try Self.isRefused("tls: [\(rule)]") == refused)
        let service = virtualService(
            hosts: names,
            http: "[{route: [{destination: {host: a}}]}]",
            spec: "gateways: [gw]"
        )
        let both = service + "\n  tls: [\(rule)]"
        #expect(try compile(everyHostGateway, both).findings.contains { $0.code == .refusedObject } == refused)
        // Without rules for TLS such a name is none.
        let isMade = names.hasPrefix("[outbound_")
        let isAlone = try compile(everyHostGateway, service).findings.contains { $0.code == .refusedObject }
        #expect(isAlone == (refused || isMade))
    }

    @Test(arguments: [
        // Of names in operations Istio asks only that they are not those of the request line.
        ("headers: {request: {set: {'x y/z': a}}}", false), ("headers: {response: {add: {'(x)': a}}}", false),
        ("headers: {request: {set: {'': a}}}", true), ("headers: {request: {set: {':path': a}}}", true),
        ("headers: {request: {set: {Host: a}}}", false), ("headers: {response: {set: {Host: a}}}", true),
        ("headers: {request: {set: {Host: a}, add: {':authority': b}}}", true),
        // Pseudo-header fields are written in lower case, and claims have names.
        ("match: [{headers: {':method': {exact: GET}}}]", false),
        ("match: [{headers: {':Method': {exact: GET}}}]", true),
        ("match: [{headers: {'@request.auth.claims.sub': {exact: a}}}]", false),
        ("match: [{headers: {'@Request.Auth.Claims[sub][x]': {exact: a}}}]", false),
        ("match: [{headers: {'@request.auth.claims': {exact: a}}}]", true),
        ("match: [{withoutHeaders: {'@request.auth.claims.': {exact: a}}}]", true),
        ("match: [{withoutHeaders: {'@request.auth.claimsx': {exact: a}}}]", true),
        ("corsPolicy: {allowHeaders: ['*', x-a]}", false), ("corsPolicy: {allowHeaders: ['x a']}", true),
        ("corsPolicy: {exposeHeaders: ['']}", true),
        ("retries: {attempts: 1, backoff: 25ms}", false), ("retries: {attempts: 1, backoff: 0s}", true),
        ("fault: {abort: {httpStatus: 500, percentage: {value: 0.0001}}}", false),
        ("fault: {abort: {httpStatus: 500, percentage: {value: 0.00005}}}", true),
        ("fault: {abort: {grpcStatus: UNAVAILABLE}}", false),
        ("fault: {abort: {grpcStatus: UNAVAILABLE, httpStatus: 503}}", true),
        ("fault: {delay: {fixedDelay: 1s, percentage: {value: 0.00001}}}", true),
    ])
    func `parts of rules are admitted as Istio admits them`(part: String, refused: Bool) throws {
        #expect(try Self.isRefused("", http: "[{\(part), route: [{destination: {host: a}}]}]") == refused)
    }

    @Test(arguments: [("delegate: {name: d}", false), ("route: [{destination: {host: a}}]", true)])
    func `only a rule that does not delegate must choose between mirror and mirrors`(action: String, refused: Bool)
        throws
    {
        let mirrors = "mirror: {host: b}, mirrors: [{destination: {host: c}}]"
        #expect(try Self.isRefused("", http: "[{\(action), \(mirrors)}]") == refused)
    }

    @Test(arguments: [("192.0.2.1", false), ("'*/192.0.2.1'", false), ("'2001:db8::1'", true), ("shop", true)])
    func `a host of a server has a dot, and so is no IPv6 address`(host: String, refused: Bool) throws {
        let gateway = everyHostGateway.replacing("hosts: ['*']", with: "hosts: [\(host)]")
        #expect(try compile(gateway).findings.contains { $0.code == .refusedObject } == refused)
    }

    @Test(arguments: [
        ("shop.", false), ("'*.'", false), ("a.shop.", false), ("'a..shop'", true), ("'.'", true), ("'.shop'", true),
    ])
    func `a host may end in a dot, whether it has others or none`(host: String, refused: Bool) throws {
        let service = virtualService(hosts: "[\(host)]", http: "[{name: r, route: [{destination: {host: a}}]}]")
        let (table, findings) = try compile(everyHostGateway, service)
        #expect(findings.contains { $0.code == .refusedObject } == refused)
        if host == "shop." { #expect(table.explain("/", authority: "SHOP.:80").decision.outcome == .route) }
    }

    @Test(arguments: [
        ("shop", false), ("a.shop", false), ("'*.shop'", false), ("'*'", true), ("'*-a.shop'", true), ("A.shop", true),
        ("a.shop.", true), ("a_b.shop", true), ("'*.*.shop'", true),
    ])
    func `a hostname of a route is what the Gateway API's definitions allow`(hostname: String, refused: Bool) throws {
        let route = RouteBackendTests.route(rules: "[{backendRefs: [{name: a, port: 80}]}]").replacing(
            "[shop.example.com]",
            with: "[\(hostname)]"
        )
        let findings = try compile(RouteBackendTests.gateway(), route).findings
        #expect(findings.contains { $0.code == .refusedObject && $0.path == "spec.hostnames[0]" } == refused)
    }

    @Test(arguments: [
        ("/a/-._~!$&()*+,;=:@%7Ex", false), ("/a b", true), ("/a%2x", true), ("/a%", true), ("/ä", true),
        ("/a[1]", true),
        ("/a{x}", true), ("/a?b", true),
    ])
    func `a path of a route has no characters but those of a path`(path: String, refused: Bool) throws {
        for type in ["Exact", "PathPrefix"] {
            let match = "matches: [{path: {type: \(type), value: '\(path)'}}]"
            let route = RouteBackendTests.route(rules: "[{\(match), backendRefs: [{name: a, port: 80}]}]")
            let findings = try compile(RouteBackendTests.gateway(), route).findings
            #expect(findings.contains { $0.code == .refusedObject } == refused)
        }
    }

    private static let rewrite =
        "{type: URLRewrite, urlRewrite: {path: {type: ReplacePrefixMatch, replacePrefixMatch: /x}}}"
    private static let redirect =
        "{type: RequestRedirect, requestRedirect: {path: {type: ReplacePrefixMatch, replacePrefixMatch: /x}}}"
    private static let whole = "{type: URLRewrite, urlRewrite: {path: {type: ReplaceFullPath, replaceFullPath: /x}}}"

    /// Matches and filters of a rule, and whether the API server refuses them.
    @Test(arguments: [
        ("[{path: {value: /a}}]", rewrite, false), ("null", rewrite, false), ("[]", rewrite, true),
        ("[]", whole, false),
        ("[{headers: [{name: a, value: b}]}]", rewrite, false),
        ("[{path: {value: /a}}, {path: {value: /b}}]", rewrite, true),
        ("[{path: {type: Exact, value: /a}}]", rewrite, true), ("[{path: {type: Exact, value: /a}}]", whole, false),
        ("[{path: {value: /a}}, {path: {value: /b}}]", whole, false),
        ("[{path: {value: /a}}]", "\(whole), \(whole)", true), ("[{path: {value: /a}}]", redirect, false),
        ("[{path: {type: Exact, value: /a}}]", redirect, true),
        ("[{path: {value: /a}}]", "\(redirect), \(redirect)", true),
    ])
    func `filters that replace a prefix need one match with a prefix, and stand alone`(
        matches: String,
        filters: String,
        refused: Bool
    ) throws {
        let backends = filters.contains("Redirect") ? "" : ", backendRefs: [{name: a, port: 80}]"
        let route = RouteBackendTests.route(rules: "[{matches: \(matches), filters: [\(filters)]\(backends)}]")
        let findings = try compile(RouteBackendTests.gateway(), route).findings
        #expect(findings.contains { $0.code == .refusedObject } == refused, "\(findings.map(\.message))")
    }

    /// A rule, and whether the API server takes it: apis/v1/httproute_types.go.
    @Test(arguments: [
        ("matches: [{method: GET}]", true), ("matches: [{method: get}]", false), ("matches: [{method: PURGE}]", false),
        ("matches: [{headers: [{name: x-a, value: '1'}, {name: X-A, value: '1'}]}]", true),
        ("matches: [{headers: [{name: x-a, value: '1'}, {name: x-a, value: '2'}]}]", false),
        ("matches: [{queryParams: [{name: q, value: '1'}, {name: q, value: '1'}]}]", false),
        ("matches: [{headers: [{name: ':path', value: /a}]}]", false),
        ("matches: [{queryParams: [{name: 'a b', value: '1'}]}]", false),
        ("filters: [\(set), \(set)]", false),
        ("filters: [\(set), {type: ResponseHeaderModifier, responseHeaderModifier: {remove: [a]}}]", true),
        ("filters: [{type: RequestRedirect, requestRedirect: {statusCode: 308, scheme: https}}]", true),
        ("filters: [{type: RequestRedirect, requestRedirect: {statusCode: 305}}]", false),
        ("filters: [{type: RequestRedirect, requestRedirect: {scheme: HTTPS}}]", false),
        ("backendRefs: [{name: a, port: 80, weight: 1000000}]", true),
        ("backendRefs: [{name: a, port: 80, weight: 1000001}]", false),
        ("backendRefs: [\(repeatElement("{name: a, port: 80}", count: 16).joined(separator: ", "))]", true),
        ("backendRefs: [\(repeatElement("{name: a, port: 80}", count: 17).joined(separator: ", "))]", false),
        ("matches: [{path: {value: '/\(String(repeating: "a", count: 1023))'}}]", true),
        ("matches: [{path: {value: '/\(String(repeating: "a", count: 1024))'}}]", false),
    ])
    func `a rule of an HTTPRoute is what its resource definition takes`(rule: String, taken: Bool) throws {
        let route = RouteBackendTests.route(rules: "[{\(rule)}]")
        let findings = try compile(RouteBackendTests.gateway(), route).findings
        #expect(findings.contains { $0.code == .refusedObject } == !taken, "\(findings.map(\.message))")
    }

    private static let set =
        "{type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: a, value: b}]}}"

    @Test(arguments: [(42, false), (43, true)])
    func `an HTTPRoute has 128 matches at most`(perRule: Int, refused: Bool) throws {
        // Of three rules: 126 and 129.
        let rules = (0..<3).map { rule in
            let matches = (0..<perRule).map { "{path: {value: /\(rule)-\($0)}}" }
            return "{matches: [\(matches.joined(separator: ", "))], backendRefs: [{name: a, port: 80}]}"
        }
        let route = RouteBackendTests.route(rules: "[\(rules.joined(separator: ", "))]")
        let findings = try compile(RouteBackendTests.gateway(), route).findings
        #expect(findings.contains { $0.code == .refusedObject } == refused)
    }

    @Test func `what a destination does to the authority is not counted`() throws {
        let http = "[{route: [{destination: {host: a}, headers: {request: {set: {Host: a}, add: {':authority': b}}}}]}]"
        #expect(try !Self.isRefused("", http: http))
    }

    @Test(arguments: [
        ("{port: 0}", false), ("{port: 443}", false), ("{port: 70000}", true), ("{}", true),
        ("{derivePort: FROM_REQUEST_PORT}", false), ("{derivePort: FROM_HOST}", true),
        ("{port: 443, derivePort: FROM_REQUEST_PORT}", true),
    ])
    func `a redirect may name the port 0, or what says the port`(redirect: String, refused: Bool) throws {
        #expect(try Self.isRefused("", http: "[{redirect: \(redirect)}]") == refused)
    }

    @Test(arguments: [("0s", true), ("500ms", true), ("1500ms", true), ("1s", false), ("24h", false)])
    func `the age of a CORS answer is a second or more`(age: String, refused: Bool) throws {
        let http = "[{corsPolicy: {maxAge: \(age)}, route: [{destination: {host: a}}]}]"
        #expect(try Self.isRefused("", http: http) == refused)
    }

    @Test func `a rule that delegates to no name is dropped, and others stay`() throws {
        let http = "[{match: [{uri: {prefix: /x}}], delegate: {}}, {name: rest, route: [{destination: {host: a}}]}]"
        #expect(try !Self.isRefused("", http: http))
        #expect(try compile(everyHostGateway, virtualService(http: http)).table.routeName("/x") == "rest")
    }
}
