// Wingmirror · Apache-2.0

import RouteAttribution
import Testing
import TrafficModel

/// Requests of HTTP/2 of which a part was not captured: the answer is a route only where that part plays no role.
@Suite struct UnknownFieldTests {
    private static let rules = """
        [{name: posts, match: [{method: {exact: POST}}], route: [{destination: {host: a}}]}, \
        {name: marked, match: [{headers: {x-canary: {exact: '1'}}}], route: [{destination: {host: a}}]}, \
        {name: any, route: [{destination: {host: a}}]}]
        """

    private static func decide(
        _ traits: RequestTraits,
        rules: String = Self.rules,
        hosts: String = "['*']",
        method: String = "GET",
        target: String = "/x",
        named: [(String, String)] = [],
        unnamed: [String] = []
    ) throws -> RouteDecision {
        let table = try compile(everyHostGateway, virtualService(hosts: hosts, http: rules)).table
        var octets = Array("\(method)\(target)a.example".utf8)
        let targetStart = method.utf8.count
        let authorityStart = targetStart + target.utf8.count
        let authority = authorityStart..<octets.count
        func append(_ text: String) -> Range<Int> {
            octets += text.utf8
            return octets.count - text.utf8.count..<octets.count
        }
        let lines = named.map { FieldLine(name: append($0.0), value: append($0.1)) }
        let values = unnamed.map { FieldLine(name: 0..<0, value: append($0)) }
        let view = RequestView(
            octets: octets.span,
            method: 0..<targetStart,
            target: targetStart..<authorityStart,
            authority: traits.contains(.authorityUnknown) ? nil : authority,
            version: .http2,
            fields: lines.span,
            traits: traits
        ).adding(unnamed: values.span)
        var scratch = RouteScratch()
        return table.route(view, in: table.hostTable(podPort: 80), scratch: &scratch)
    }

    private static let catchAll = "[{name: any, route: [{destination: {host: a}}]}]"
    private static let byPath = """
        [{name: v1, match: [{uri: {prefix: /v1}}], route: [{destination: {host: a}}]}, \
        {name: any, route: [{destination: {host: a}}]}]
        """

    @Test func `fields that no rule asks for may be unknown`() throws {
        #expect(try Self.decide([.fieldsUnknown], rules: Self.byPath, target: "/v1").outcome == .route)
        #expect(try Self.decide([.methodUnknown], rules: Self.byPath, method: "").outcome == .route)
    }

    @Test func `a rule that asks for an unknown field makes the answer unknown`() throws {
        let decision = try Self.decide([.fieldsUnknown])
        #expect(decision.outcome == .unknown)
        #expect(decision.reason == .unknownFields)
        #expect(decision.route == -1)
    }

    /// The rules of a tenant, whose header is tested in another way.
    private static func tenant(_ match: String) -> String {
        "[{name: tenant, match: [{\(match)}], route: [{destination: {host: a}}]}, "
            + "{name: any, route: [{destination: {host: a}}]}]"
    }

    @Test(
        arguments: [
            ("headers: {x-tenant: {exact: b}}", ["30045"]), ("headers: {x-tenant: {exact: b}}", ["30045", "a"]),
            ("headers: {x-tenant: {prefix: b}}", ["30045"]), ("headers: {x-tenant: {regex: b+}}", ["30045"]),
        ]
    )
    func `headers without a known name are no obstacle where the rule takes none of their values`(
        match: String,
        values: [String]
    ) throws {
        let decision = try Self.decide(
            [.fieldsUnknown, .onlyNamesUnknown],
            rules: Self.tenant(match),
            unnamed: values
        )
        #expect(decision.outcome == .route && decision.route == 1)
    }

    @Test(
        arguments: [
            ("headers: {x-tenant: {exact: b}}", ["30045", "b"]), ("headers: {x-tenant: {exact: 'a,b'}}", ["a", "b"]),
            ("headers: {x-tenant: {prefix: 'a,'}}", ["a", "b"]), ("headers: {x-tenant: {regex: 'b+'}}", ["bb"]),
            ("headers: {x-tenant: {}}", ["30045"]), ("withoutHeaders: {x-tenant: {}}", ["30045"]),
            ("withoutHeaders: {x-tenant: {exact: b}}", ["b"]),
        ]
    )
    func `a header without a known name may be the one that a rule asks for`(match: String, values: [String]) throws {
        let decision = try Self.decide(
            [.fieldsUnknown, .onlyNamesUnknown],
            rules: Self.tenant(match),
            unnamed: values
        )
        #expect(decision.outcome == .unknown && decision.reason == .unknownFields)
    }

    @Test func `a header without a known name may be another line of one that is known`() throws {
        let decision = try Self.decide(
            [.fieldsUnknown, .onlyNamesUnknown],
            rules: Self.tenant("headers: {x-tenant: {exact: 'b'}}"),
            named: [("x-tenant", "b")],
            unnamed: ["c"]
        )
        #expect(decision.outcome == .unknown)
    }

    @Test func `an earlier rule that holds for certain needs no later one`() throws {
        #expect(try Self.decide([.fieldsUnknown], method: "POST").outcome == .route)
    }

    @Test func `without a path a rule for every path still takes the request`() throws {
        #expect(try Self.decide([.targetUnknown], rules: Self.catchAll, target: "").outcome == .route)
        #expect(try Self.decide([.targetUnknown], rules: Self.byPath, target: "").outcome == .unknown)
        #expect(try Self.decide([.targetUnknown], method: "POST", target: "").outcome == .route)
    }

    @Test func `without an authority, what all virtual hosts do with the path is known`() throws {
        let decision = try Self.decide([.authorityUnknown], rules: Self.byPath, target: "/v1/x")
        #expect(decision.outcome == .route && decision.reason == .matched && decision.route == 0)
        let neither = try Self.decide([.authorityUnknown, .targetUnknown], rules: Self.catchAll, target: "")
        #expect(neither.outcome == .unknown)
    }

    @Test func `without an authority, the only host's route is the only one there may be, and not certain`() throws {
        let decision = try Self.decide([.authorityUnknown], rules: Self.byPath, hosts: "[a.example]")
        #expect(decision.outcome == .unknown && decision.reason == .unknownFields && decision.route == 1)
    }

    @Test func `an authority that a rule asks for must be known`() throws {
        let rules = """
            [{name: a, match: [{authority: {exact: a.example}}], route: [{destination: {host: a}}]}, \
            {name: any, route: [{destination: {host: a}}]}]
            """
        let decision = try Self.decide([.authorityUnknown], rules: rules)
        #expect(decision.outcome == .unknown && decision.route == -1)
    }

    @Test func `a path that no virtual host has a rule for has no route, whatever the authority is`() throws {
        let rules = "[{name: v1, match: [{uri: {prefix: /v1}}], route: [{destination: {host: a}}]}]"
        #expect(try Self.decide([.authorityUnknown], rules: rules, target: "/v2").outcome == .noRoute)
        let decision = try Self.decide([.authorityUnknown], rules: rules, hosts: "[a.example]", target: "/v2")
        #expect(decision.outcome == .noRoute)
    }

    @Test func `the CONNECT of a WebSocket is routed as GET`() throws {
        let rules = """
            [{name: connects, match: [{method: {exact: CONNECT}}], route: [{destination: {host: a}}]}, \
            {name: gets, match: [{method: {exact: GET}}], route: [{destination: {host: a}}]}]
            """
        let decision = try Self.decide([.isExtendedConnect], rules: rules, method: "CONNECT")
        #expect(decision.outcome == .route)
        #expect(decision.route == 1)
    }
}
