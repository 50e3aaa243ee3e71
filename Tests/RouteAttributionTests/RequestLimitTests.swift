// Wingmirror · Apache-2.0

import RouteAttribution
import Testing
import TrafficModel

/// Heads as they are read off the wire; each row was read off Envoy 1.40.
@Suite struct RequestLimitTests {
    private static let schemeRules = """
        [{name: secure, match: [{scheme: {exact: https}}], route: [{destination: {host: a}}]}, \
        {name: plain, match: [{scheme: {exact: http}}], route: [{destination: {host: a}}]}, \
        {name: ftp, match: [{scheme: {exact: ftp}}], route: [{destination: {host: a}}]}, \
        {name: any, route: [{destination: {host: a}}]}]
        """

    /// What becomes of a request of which all octets, one after the other, are `text`.
    private static func outcome(
        method: String = "GET",
        scheme: String? = nil,
        fields: [(name: String, value: String)] = [],
        padding: Int = 0,
        traits: RequestTraits = [],
        version: HTTPVersion = .http2,
        rules: String = schemeRules,
        gateway: String = everyHostGateway
    ) throws -> String {
        let table = try compile(gateway, virtualService(http: rules)).table
        var octets: [UInt8] = []
        func place(_ text: String) -> Range<Int> {
            let start = octets.count
            octets += text.utf8
            return start..<octets.count
        }
        let methodPlace = place(method)
        let target = place("/x")
        let authority = place("a.example")
        let schemePlace = scheme.map(place)
        let lines = fields.map { FieldLine(name: place($0.name), value: place($0.value)) }
        if padding > octets.count { octets += [UInt8](repeating: 0x61, count: padding - octets.count) }
        let view = RequestView(
            octets: octets.span,
            method: methodPlace,
            target: target,
            authority: authority,
            version: version,
            fields: lines.span,
            traits: traits,
            scheme: schemePlace
        )
        var scratch = RouteScratch()
        let decision = table.route(view, in: table.hostTable(podPort: 80), scratch: &scratch)
        return decision.route < 0 ? "\(decision.outcome)" : table.routes[Int(decision.route)].routeName
    }

    @Test(arguments: [
        ("http", "plain"), ("https", "secure"), ("HTTPS", "secure"), ("HTTP", "plain"), ("ftp", "ftp"), ("x", "any"),
    ])
    func `HTTP 2 brings its own scheme`(scheme: String, route: String) throws {
        #expect(try Self.outcome(scheme: scheme) == route)
        let fields = [(name: "x-forwarded-proto", value: "https")]
        #expect(try Self.outcome(scheme: scheme, fields: fields) == route)
    }

    @Test func `a scheme that is not known leaves the route unknown, and other versions have none`() throws {
        #expect(try Self.outcome(traits: [.fieldsUnknown]) == "unknown")
        #expect(try Self.outcome(scheme: "https", traits: [.fieldsUnknown]) == "secure")
        #expect(try Self.outcome(version: .http11) == "plain")
    }

    @Test func `the redirect to https looks at the connection`() throws {
        let gateway = """
            apiVersion: networking.istio.io/v1
            kind: Gateway
            metadata: {name: gw, namespace: default}
            spec:
              servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*'], tls: {httpsRedirect: true}}]
            """
        #expect(try Self.outcome(scheme: "https", gateway: gateway) == "httpsRedirect")
    }

    @Test func `a query by method needs a content type in HTTP 2 too`() throws {
        #expect(try Self.outcome(method: "QUERY", scheme: "http") == "rejected")
        #expect(try Self.outcome(method: "QUERY", scheme: "http", fields: [("content-type", "")]) == "rejected")
        #expect(try Self.outcome(method: "QUERY", scheme: "http", fields: [("content-type", "a/b")]) == "plain")
        #expect(try Self.outcome(method: "QUERY", scheme: "http", traits: [.fieldsUnknown]) == "plain")
    }

    @Test(arguments: [(100, "plain"), (101, "rejected")])
    func `a hundred header lines are enough`(count: Int, outcome: String) throws {
        let fields = (0..<count).map { (name: "x-\($0)", value: "1") }
        #expect(try Self.outcome(fields: fields, version: .http11) == outcome)
    }

    @Test func `a described request counts its Host`() throws {
        let table = try compile(everyHostGateway, virtualService(http: Self.schemeRules)).table
        let fields = (0..<100).map { (name: "x-\($0)", value: "1") }
        #expect(table.explain("/", headers: fields).decision.outcome == .rejected)
        #expect(table.explain("/", headers: Array(fields.dropLast())).decision.outcome == .route)
    }

    @Test(arguments: [(61_440, "plain"), (61_441, "rejected")])
    func `a head has sixty kibibytes at most`(count: Int, outcome: String) throws {
        #expect(try Self.outcome(padding: count, version: .http11) == outcome)
    }

    @Test(arguments: [
        "x-forwarded-port", "grpc-timeout", "grpc-accept-encoding", "proxy-status", "x-envoy-attempt-count",
        "x-envoy-is-timeout-retry", "pragma", "if-match", "if-range", "if-modified-since", "if-unmodified-since",
        "accept",
    ])
    func `repeated lines of a field that Envoy knows are one value`(name: String) throws {
        let rules = """
            [{name: joined, match: [{headers: {\(name): {exact: 'a,b'}}}], route: [{destination: {host: a}}]}, \
            {name: single, match: [{headers: {\(name): {exact: a}}}], route: [{destination: {host: a}}]}]
            """
        #expect(try Self.outcome(fields: [(name, "a"), (name, "b")], version: .http11, rules: rules) == "joined")
    }

    @Test(arguments: ["range", "age", "http2-settings", "x-a"])
    func `those of any other are not`(name: String) throws {
        let rules = """
            [{name: joined, match: [{headers: {\(name): {exact: 'a,b'}}}], route: [{destination: {host: a}}]}, \
            {name: single, match: [{headers: {\(name): {exact: a}}}], route: [{destination: {host: a}}]}]
            """
        #expect(try Self.outcome(fields: [(name, "a"), (name, "b")], version: .http11, rules: rules) == "single")
    }
}
