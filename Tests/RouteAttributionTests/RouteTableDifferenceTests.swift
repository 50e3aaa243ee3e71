// Wingmirror · Apache-2.0

import ResourceFiles
import Testing

@testable import RouteAttribution

/// Each kind of change with the smallest objects.
@Suite struct RouteTableDifferenceTests {
    private static func table(_ manifests: String..., gateway: String = everyHostGateway) throws -> RouteTable {
        try compile(([gateway] + manifests).joined(separator: "\n---\n")).table
    }

    private static func kinds(_ before: RouteTable, _ after: RouteTable) -> [RouteChange.Kind] {
        RouteTableDifference(before: before, after: after).changes.map(\.kind)
    }

    private static func rule(_ match: String, _ host: String, _ rest: String = "") -> String {
        "{match: [{\(match)}], route: [{destination: {host: \(host)}}]\(rest)}"
    }

    private static let a = rule("uri: {prefix: /a}", "a")
    private static let b = rule("uri: {prefix: /b}", "b")

    @Test func `equal tables do not differ`() throws {
        let table = try Self.table(virtualService(http: "[\(Self.a), \(Self.b)]"))
        let again = try Self.table(virtualService(http: "[\(Self.a), \(Self.b)]"))
        #expect(Self.kinds(table, again).isEmpty)
    }

    @Test func `a rule that moves without taking other requests is no change`() throws {
        let before = try Self.table(virtualService(http: "[\(Self.a), \(Self.b)]"))
        let after = try Self.table(virtualService(http: "[\(Self.b), \(Self.a)]"))
        #expect(Self.kinds(before, after).isEmpty)
    }

    static let changes: [(RouteChange.Kind, String, String)] = [
        (.added, "[\(a)]", "[\(a), \(b)]"),
        (.gone, "[\(a), \(b)]", "[\(a)]"),
        (.destination, "[\(a)]", "[\(rule("uri: {prefix: /a}", "c"))]"),
        (
            .destination, "[{route: [{destination: {host: a}, weight: 90}, {destination: {host: b}, weight: 10}]}]",
            "[{route: [{destination: {host: a}, weight: 50}, {destination: {host: b}, weight: 50}]}]"
        ),
        (.destination, "[\(a)]", "[{match: [{uri: {prefix: /a}}], redirect: {uri: /z}}]"),
        (.settings, "[\(a)]", "[\(rule("uri: {prefix: /a}", "a", ", timeout: 3s"))]"),
        (.settings, "[\(a)]", "[\(rule("uri: {prefix: /a}", "a", ", rewrite: {uri: /z}"))]"),
        (.settings, "[\(a)]", "[\(rule("uri: {prefix: /a}", "a", ", mirror: {host: m}"))]"),
        (.settings, "[\(a)]", "[\(rule("uri: {prefix: /a}", "a", ", name: n"))]"),
    ]

    @Test(arguments: changes)
    func `a change of one rule is one change`(kind: RouteChange.Kind, before: String, after: String) throws {
        let first = try Self.table(virtualService(http: before))
        let second = try Self.table(virtualService(http: after))
        #expect(Self.kinds(first, second) == [kind])
    }

    @Test func `a rule behind a new wider one is shadowed`() throws {
        let before = try Self.table(virtualService(http: "[\(Self.rule("uri: {prefix: /a/b}", "b"))]"))
        let after = try Self.table(
            virtualService(http: "[\(Self.rule("uri: {prefix: /a}", "a")), \(Self.rule("uri: {prefix: /a/b}", "b"))]")
        )
        #expect(Self.kinds(before, after) == [.added, .shadowed])
    }

    @Test func `rules that want the same requests and change places are told`() throws {
        let one = Self.rule("uri: {prefix: /a}, headers: {x: {exact: '1'}}", "a")
        let two = Self.rule("uri: {prefix: /a}, headers: {y: {exact: '1'}}", "b")
        let before = try Self.table(virtualService(http: "[\(one), \(two)]"))
        let after = try Self.table(virtualService(http: "[\(two), \(one)]"))
        #expect(Self.kinds(before, after) == [.order])
    }

    @Test func `a host with too many rules to compare all pairs is named`() throws {
        let rules = (0...RouteTableDifference.pairLimit).map { Self.rule("uri: {exact: /\($0)}", "a") }
        let before = try Self.table(virtualService(http: "[\(rules.joined(separator: ", "))]"))
        let after = try Self.table(virtualService(http: "[\(([Self.a] + rules).joined(separator: ", "))]"))
        let difference = RouteTableDifference(before: before, after: after)
        #expect(difference.changes.map(\.kind) == [.added])
        #expect(difference.unsearchedHosts == difference.changes.first?.hosts)
        #expect(RouteTableDifference(before: before, after: before).unsearchedHosts.isEmpty)
    }

    @Test func `a host that loses its object falls to the wider one`() throws {
        let wide = virtualService("wide", hosts: "['*.example.com']", http: "[\(Self.a)]")
        let narrow = virtualService("narrow", hosts: "[shop.example.com]", http: "[\(Self.b)]")
        let before = try Self.table(wide, narrow)
        let after = try Self.table(wide)
        let changes = RouteTableDifference(before: before, after: after).changes
        #expect(changes.map(\.kind) == [.gone, .host])
        #expect(changes.last?.text.contains("fall to the rules of *.example.com") == true)
        let back = RouteTableDifference(before: after, after: before).changes
        #expect(back.map(\.kind) == [.added, .host])
    }

    @Test func `a port that closes is told`() throws {
        let two = everyHostGateway.replacing(
            "servers: [",
            with: "servers: [{port: {number: 81, name: more, protocol: HTTP}, hosts: ['*']}, "
        )
        let before = try Self.table(virtualService(http: "[\(Self.a)]"), gateway: two)
        let after = try Self.table(virtualService(http: "[\(Self.a)]"))
        #expect(Self.kinds(before, after).contains(.listener))
    }

    @Test func `a host that is now redirected is told`() throws {
        let redirecting = everyHostGateway.replacing("hosts: ['*']}", with: "hosts: ['*'], tls: {httpsRedirect: true}}")
        let before = try Self.table(virtualService(http: "[\(Self.a)]"))
        let after = try Self.table(virtualService(http: "[\(Self.a)]"), gateway: redirecting)
        #expect(Self.kinds(before, after) == [.host])
    }

    @Test func `requests are counted by what takes them before and after`() throws {
        let before = try Self.table(virtualService(http: "[\(Self.a), \(Self.b)]"))
        let after = try Self.table(
            virtualService(http: "[\(Self.rule("uri: {prefix: /a}", "other")), \(Self.rule("uri: {prefix: /c}", "c"))]")
        )
        var difference = TrafficDifference(before: before, after: after)
        for target in ["/a/1", "/a/2?secret=1", "/b", "/c", "/d"] {
            difference.add(DescribedRequest(method: "GET", target: target, authority: "shop.example.com"))
        }
        let movements = difference.movements
        #expect(difference.compared == 5)
        #expect(movements.map(\.kind) == [.moved, .lost, .won])
        #expect(movements.map(\.count) == [2, 1, 1])
        #expect(movements[0].examples == ["GET shop.example.com/a/1", "GET shop.example.com/a/2"])
        #expect(movements[1].to == "404 (no_match)")
    }

    @Test(arguments: [
        ("/a?token=planted", "shop", "GET shop/a"), ("/a;token=planted/b;c?d", "shop", "GET shop/a/b"),
        ("/a#token=planted", "shop", "GET shop/a"), ("http://u:planted@h/a?b", "shop", "GET h/a"),
        ("/a/b@c", "u:planted@shop:80", "GET shop:80/a/b@c"), ("*", "shop", "GET shop*"),
        ("u:planted@h:443?token=planted", nil, "GET h:443"),
    ])
    func `an example has neither parameters nor a user`(target: String, authority: String?, example: String) {
        #expect(DescribedRequest(method: "GET", target: target, authority: authority).exampleText == example)
    }
}
