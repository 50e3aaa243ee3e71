// Wingmirror · Apache-2.0

import RouteAttribution
import Testing
import TrafficModel

/// What Connection does to other fields before routing; each row was read off Envoy 1.40.
@Suite struct ConnectionOptionsTests {
    private static let rules = """
        [{name: foo, match: [{headers: {x-foo: {}}}], route: [{destination: {host: a}}]}, \
        {name: cookie, match: [{headers: {cookie: {exact: a=1}}}], route: [{destination: {host: a}}]}, \
        {name: none, match: [{withoutHeaders: {authorization: {exact: q}}, uri: {prefix: /without}}], \
        route: [{destination: {host: a}}]}, \
        {name: trailers, match: [{headers: {te: {exact: trailers}}}], route: [{destination: {host: a}}]}, \
        {name: te, match: [{headers: {te: {}}}], route: [{destination: {host: a}}]}, \
        {name: settings, match: [{headers: {http2-settings: {}}}], route: [{destination: {host: a}}]}, \
        {name: upgrade, match: [{headers: {upgrade: {}}}], route: [{destination: {host: a}}]}, \
        {name: connection, match: [{headers: {connection: {}}}], route: [{destination: {host: a}}]}, \
        {name: any, route: [{destination: {host: a}}]}]
        """

    private static func outcome(
        _ headers: [(name: String, value: String)],
        target: String = "/",
        method: String = "GET"
    ) throws -> String {
        let table = try compile(everyHostGateway, virtualService(http: rules)).table
        let decision = table.explain(target, method: method, headers: headers).decision
        return decision.route < 0 ? "\(decision.outcome)" : table.routes[Int(decision.route)].routeName
    }

    @Test(arguments: [
        (["close"], "foo"), (["close, x-foo"], "any"), (["X-Foo"], "any"), (["keep-alive, x-foo"], "any"),
        (["x-foo , close"], "any"), ([",,x-foo"], "any"), (["x-foo, x-foo"], "any"), (["close", "x-foo"], "any"),
        (["upgrade, x-foo"], "any"), (["\"x-foo\""], "foo"), (["x-foo;"], "foo"), (["x foo"], "foo"), ([""], "foo"),
        (["connection, x-foo"], "any"), (["connection"], "foo"), (["x-fo"], "foo"), (["x-fooo"], "foo"),
    ])
    func `a header that Connection names is gone before routing`(options: [String], route: String) throws {
        let headers = options.map { (name: "Connection", value: $0) } + [("x-foo", "1")]
        #expect(try Self.outcome(headers) == route)
    }

    @Test func `all lines of it are gone, be they joined or not`() throws {
        #expect(try Self.outcome([("x-foo", "1"), ("X-FOO", "2"), ("connection", "x-foo")]) == "any")
        #expect(try Self.outcome([("cookie", "a=1"), ("connection", "cookie")]) == "any")
        #expect(try Self.outcome([("authorization", "q")], target: "/without") == "any")
        #expect(
            try Self.outcome([("authorization", "q"), ("connection", "authorization")], target: "/without") == "none"
        )
    }

    @Test(arguments: [
        "x-forwarded-for", "close, X-Forwarded-For", "x-forwarded-host", "x-forwarded-proto", ":authority", ":path",
        ": x",
        "cookie, x-forwarded-for", "host", "Host, close", "a,b,c,d,e,f,g,h,i,j", "a,a,a,a,a,a,a,a,a,a",
    ])
    func `options that no client may send are refused`(options: String) throws {
        #expect(try Self.outcome([("connection", options), ("x-foo", "1")]) == "rejected")
    }

    @Test(arguments: [
        "x-forwarded-port", "x-real-ip", "forwarded", "a:b", "x-forwarded-for;x", "content-length", "transfer-encoding",
        "a,b,c,d,e,f,g,h,i", "a,,b,,c,,d,,e,,f,,g,,h,,i,,,",
    ])
    func `other options are not`(options: String) throws {
        #expect(try Self.outcome([("connection", options)]) == "any")
    }

    @Test func `options of several lines count together`() throws {
        let lines = ["a,b,c,d,e", "f,g,h,i,j"].map { (name: "connection", value: $0) }
        #expect(try Self.outcome(lines) == "rejected")
        #expect(try Self.outcome([("connection", "a,b,c,d,e"), ("connection", "f,g,h,i")]) == "any")
    }

    @Test func `an absolute target needs no Host`() throws {
        #expect(try Self.outcome([("connection", "host")], target: "http://a.com/x") == "any")
        #expect(try Self.outcome([("connection", "x-forwarded-for")], target: "http://a.com/x") == "rejected")
    }

    @Test func `a query by method whose content type is gone is refused`() throws {
        #expect(try Self.outcome([("content-type", "a/b")], method: "QUERY") == "any")
        #expect(try Self.outcome([("content-type", "")], method: "QUERY") == "rejected")
        let headers = [(name: "content-type", value: "a/b"), (name: "connection", value: "content-type")]
        #expect(try Self.outcome(headers, method: "QUERY") == "rejected")
    }

    @Test(arguments: [
        (["upgrade, x-foo"], ["websocket"], "foo"), (["upgrade,x-forwarded-for"], ["websocket"], "upgrade"),
        (["upgrade,host"], ["websocket"], "upgrade"), (["upgrade,a,b,c,d,e,f,g,h,i,j"], ["websocket"], "upgrade"),
        (["x-y,Upgrade"], ["websocket"], "upgrade"), (["upgrade", "x-a"], ["websocket"], "upgrade"),
        (["x-foo"], ["websocket"], "any"), (["upgrade, x-foo"], ["h2c"], "any"), (["upgrade"], ["H2C"], "any"),
        (["upgrade, x-foo"], ["h2c", "websocket"], "foo"), (["upgrade, x-foo"], [""], "foo"),
    ])
    func `a request that goes on with another protocol keeps all it has`(
        options: [String],
        protocols: [String],
        route: String
    ) throws {
        var headers = options.map { (name: "connection", value: $0) } + protocols.map { (name: "upgrade", value: $0) }
        if options.contains(where: { $0.contains("x-foo") }) { headers.append((name: "x-foo", value: "1")) }
        #expect(try Self.outcome(headers) == route)
    }

    @Test func `the settings of HTTP 2 go with the wish for it`() throws {
        #expect(try Self.outcome([("http2-settings", "A")]) == "settings")
        #expect(try Self.outcome([("http2-settings", "A"), ("connection", "http2-settings")]) == "settings")
        #expect(try Self.outcome([("upgrade", "h2c"), ("connection", "upgrade"), ("http2-settings", "A")]) == "any")
    }

    // MARK: - TE

    @Test(arguments: [
        (["trailers"], false, "trailers"), (["trailers, gzip"], false, "trailers"),
        (["gzip, trailers"], false, "trailers"),
        (["gzip"], false, "any"), (["gzip,trailers;q=1"], false, "any"), (["Trailers"], false, "any"),
        (["gzip", "trailers"], false, "trailers"),
        (["trailers", "gzip"], false, "trailers"), (["trailers,trailers"], false, "trailers"),
        ([""], false, "te"), (["", "gzip"], false, "any"), (["gzip"], true, "any"),
        (["gzip, trailers"], true, "trailers"), (["Trailers"], true, "trailers"),
        ([""], true, "any"),
    ])
    func `of TE only trailers is left`(lines: [String], isNamed: Bool, route: String) throws {
        let headers = lines.map { (name: "te", value: $0) }
        #expect(try Self.outcome(headers + (isNamed ? [("connection", "te")] : [])) == route)
    }

    @Test func `a request that goes on with another protocol keeps its TE`() throws {
        let upgrade = [(name: "connection", value: "upgrade"), (name: "upgrade", value: "websocket")]
        #expect(try Self.outcome(upgrade + [("te", "gzip")]) == "te")
        #expect(try Self.outcome(upgrade + [("te", "gzip, trailers")]) == "te")
        #expect(try Self.outcome(upgrade + [("te", "trailers")]) == "trailers")
    }

    @Test(arguments: [(246, "trailers"), (247, "rejected")])
    func `a long TE is refused where Connection names it`(length: Int, route: String) throws {
        let value = String(repeating: "a", count: length) + ",trailers"
        #expect(try Self.outcome([("te", value), ("connection", "te")]) == route)
        #expect(try Self.outcome([("te", value)]) == "trailers")
        let lines = [(name: "te", value: "trailers"), (name: "te", value: String(repeating: "a", count: length))]
        #expect(try Self.outcome(lines + [("connection", "te")]) == route)
    }
}
