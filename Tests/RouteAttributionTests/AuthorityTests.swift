// Wingmirror · Apache-2.0
// Which authority a request has when Host stands in several lines, and in HTTP/2. Envoy 1.40 was asked for two lines, equal ones,
// an empty one before another, lines beside an absolute target, and for each authority of HTTP/2; the other rows follow from that.

import RouteAttribution
import Testing
import TrafficModel

@Suite struct AuthorityTests {
    private static let rules =
        "[{name: joined, match: [{authority: {exact: 'p,q'}}], route: [{destination: {host: a}}]}, "
        + "{name: any, route: [{destination: {host: a}}]}]"

    private static func table() throws -> RouteTable {
        try compile(
            everyHostGateway,
            virtualService("all", http: Self.rules),
            virtualService("one", hosts: "[a.example.com]", http: "[{name: one, route: [{destination: {host: a}}]}]"),
            virtualService(
                "wild",
                hosts: "['*.wild.example.com']",
                http: "[{name: wild, route: [{destination: {host: a}}]}]"
            )
        ).table
    }

    private static func route(
        hosts: [String],
        target: String = "/x",
        version: HTTPVersion = .http11
    ) throws -> String {
        let table = try Self.table()
        var octets = Array("GET\(target)".utf8)
        let names = hosts.map { host in
            let start = octets.count
            octets += Array("hOst\(host)".utf8)
            return FieldLine(name: start..<start + 4, value: start + 4..<octets.count)
        }
        let view = RequestView(
            octets: octets.span,
            method: 0..<3,
            target: 3..<3 + target.utf8.count,
            authority: names.first?.value,
            version: version,
            fields: names.span,
            traits: names.count > 1 ? [.hasSeveralHosts] : []
        )
        var scratch = RouteScratch()
        let decision = table.route(view, in: table.hostTable(podPort: 80), scratch: &scratch)
        guard decision.route >= 0 else { return "\(decision.outcome)" }
        return table.routes[Int(decision.route)].routeName
    }

    @Test(arguments: [
        (["a.example.com"], "one"), (["a.example.com", "x"], "any"), (["x", "a.example.com"], "any"),
        (["a.example.com", "a.example.com"], "any"), (["", "a.example.com"], "one"), (["a.example.com", ""], "one"),
        (["x", "y.wild.example.com"], "wild"), (["p", "q"], "joined"), (["p", "", "q"], "joined"), (["q", "p"], "any"),
        (["a.example.com", "b c"], "rejected"), (["b c", "a.example.com"], "rejected"),
    ])
    func `several Host lines are one authority with commas`(hosts: [String], route: String) throws {
        #expect(try Self.route(hosts: hosts) == route)
    }

    @Test func `an absolute target leaves the Host lines out`() throws {
        #expect(try Self.route(hosts: ["x", "y"], target: "http://a.example.com/x") == "one")
    }

    @Test(arguments: ["", "u@a.example.com", "a b"])
    func `HTTP 2 has no empty authority and none with user information`(authority: String) throws {
        #expect(try Self.route(hosts: [authority], version: .http2) == "rejected")
    }

    @Test func `HTTP 1 may have both`() throws {
        #expect(try Self.route(hosts: [""]) == "any")
        #expect(try Self.route(hosts: ["u@a.example.com"]) == "any")
    }
}
