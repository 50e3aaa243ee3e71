// Wingmirror · Apache-2.0

import JSONSyntax
import ResourceFiles
import RouteAttribution
import Testing

/// Objects that the API server takes, or that a file may hold, and that must not bring the agent down.
@Suite struct HostileObjectTests {
    private func findings(_ rules: String, spec: String = "gateways: [gw]") throws -> [RouteFinding] {
        try compile(everyHostGateway, virtualService(http: rules, spec: spec)).findings
    }

    @Test(arguments: [
        ("a regex that is none", "[{match: [{uri: {regex: '('}}], route: [{destination: {host: a}}]}]", "regex"),
        ("a weight below zero", "[{route: [{destination: {host: a}, weight: -90}]}]", "weight"),
        ("a weight beyond 32 bits", "[{route: [{destination: {host: a}, weight: 9223372036854775807}]}]", "weight"),
        ("a weight that is text", "[{route: [{destination: {host: a}, weight: '1'}]}]", "spec.http[0].route[0].weight"),
        ("a list for a string", "[{name: [a], route: [{destination: {host: a}}]}]", "spec.http[0].name"),
        ("a null rule", "[null]", "spec.http[0]"),
        ("rules that are none", "[7]", "spec.http[0]"),
        ("no rules", "[]", "spec"),
        ("two comparisons", "[{match: [{uri: {exact: /, prefix: /}}], route: [{destination: {host: a}}]}]", "uri"),
        ("a huge port", "[{route: [{destination: {host: a, port: {number: 99999999999}}}]}]", "port"),
        ("a fraction for a port", "[{match: [{port: 80.5}], route: [{destination: {host: a}}]}]", "port"),
    ])
    func `a wrong object is refused and told with its place`(what: String, rules: String, place: String) throws {
        let found = try findings(rules)
        #expect(found.contains { $0.code == .refusedObject && $0.path.contains(place) }, "\(what): \(found)")
        #expect(found.allSatisfy { $0.object.description == "VirtualService default/vs" })
    }

    @Test func `an object without a name or kind is refused`() {
        let resources = RouteResources(decoding: [.string("x"), .null, .array([])])
        #expect(RouteTable.compile(resources, environment: RouteEnvironment()).findings.count == 3)
    }

    @Test func `a regex of a mebibyte is refused without compiling it`() throws {
        let regex = String(repeating: "(a|b)", count: 1 << 18)
        let found = try findings("[{match: [{uri: {regex: '\(regex)'}}], route: [{destination: {host: a}}]}]")
        #expect(found.contains { $0.message.contains("longer than 1024") })
    }

    @Test func `a regex whose program explodes is refused`() throws {
        let found = try findings(
            "[{match: [{uri: {regex: '((a{1,100}){1,100}){1,100}'}}], route: [{destination: {host: a}}]}]"
        )
        #expect(found.contains { $0.code == .refusedObject })
    }

    @Test func `an object whose patterns are large together is refused, and the others stay`() throws {
        let rules = (0..<1000).map { number in
            "{match: [{uri: {regex: '/([a-z]{1,40}/){1,20}\(number)'}}], route: [{destination: {host: a}}]}"
        }
        let (table, findings) = try compile(
            everyHostGateway,
            virtualService("large", http: "[\(rules.joined(separator: ", "))]"),
            virtualService("small", http: "[{match: [{uri: {regex: '/a.*'}}], route: [{destination: {host: a}}]}]")
        )
        #expect(table.routes.map(\.identity.object.name) == ["small"])
        #expect(Set(findings.map(\.object.name)) == ["large"])
        #expect(findings.first?.message.contains("one regular expression too many") == true)
    }

    @Test func `one object's problems are told up to a limit`() throws {
        let rules = (0..<1000).map { _ in "{route: [{destination: {host: '*'}}]}" }.joined(separator: ", ")
        let found = try findings("[\(rules)]")
        #expect(found.count == 20)
    }

    @Test func `a hundred thousand rules make a table that is still looked up by index`() throws {
        let destination = try value(["destination": value(["host": .string("a")])])
        let rules = try (0..<100_000).map { number in
            let uri = try value(["prefix": .string("/service-\(number)/")])
            return try value(["match": .array([value(["uri": uri])]), "route": .array([destination])])
        }
        let service = try value([
            "apiVersion": .string("networking.istio.io/v1"), "kind": .string("VirtualService"),
            "metadata": value(["name": .string("many")]),
            "spec": value([
                "hosts": .array([.string("*")]), "gateways": .array([.string("gw")]), "http": .array(rules),
            ]),
        ])
        let gateway = try YAMLDocuments.parse(everyHostGateway).map(\.value)
        let (table, _) = RouteTable.compile(
            RouteResources(decoding: gateway + [service]),
            environment: RouteEnvironment()
        )
        #expect(table.routes.count == 100_000)
        var scratch = RouteScratch()
        let request = DescribedRequest(method: "GET", target: "/service-99999/x", authority: "h")
        #expect(table.route(request, scratch: &scratch).route == 99_999)
    }

    @Test func `an object of many hosts and many rules costs their sum and not their product`() throws {
        let hosts = (0..<10_000).map { "h\($0).example.com" }.joined(separator: ", ")
        let rules = (0..<1000).map { "{match: [{uri: {prefix: /p\($0)/}}], route: [{destination: {host: a}}]}" }
        // Ten million pairs, which must not all be laid out.
        let objects = try resources(
            everyHostGateway,
            virtualService(hosts: "[\(hosts)]", http: "[\(rules.joined(separator: ", "))]")
        )
        let table = RouteTable.compile(objects, environment: RouteEnvironment()).table
        #expect(table.routes.count == 1000)
        #expect(table.routes.last?.hosts.count == 10_000)
        #expect(table.explain("/p999/x", authority: "h9999.example.com").decision.route == 999)
        #expect(RouteLint(objects, table: table).findings.map(\.code) == [.unnamedRules])
    }

    @Test func `hosts that share one object and not another have routes of their own`() throws {
        func rule(_ name: String) -> String {
            "[{name: \(name), match: [{uri: {prefix: /\(name)}}], redirect: {uri: /}}]"
        }
        let (table, _) = try compile(
            everyHostGateway,
            virtualService("a", hosts: "[x.com, y.com]", http: rule("a")),
            virtualService("b", hosts: "[y.com, z.com]", http: rule("b"))
        )
        func names(_ authority: String) -> [Bool] {
            ["/a", "/b"].map { table.explain($0, authority: authority).decision.outcome == .route }
        }
        #expect(names("x.com") == [true, false])
        #expect(names("y.com") == [true, true])
        #expect(names("z.com") == [false, true])
        #expect(table.routes.map(\.hosts) == [["x.com", "y.com"], ["y.com", "z.com"]])
    }

    private func value(_ members: KeyValuePairs<String, JSONValue>) throws -> JSONValue {
        .object(try JSONObject(members.map { JSONObject.Member(key: $0.key, value: $0.value) }))
    }

    @Test func `unknown fields are passed over as the API server does, and told`() throws {
        let rules = "[{route: [{destination: {host: a, color: red}}], surprise: {x: [1]}}]"
        let found = try findings(rules, spec: "gateways: [gw]\n  unknown: 7")
        #expect(found.map(\.code) == [.unknownField, .unknownField, .unknownField])
    }

    @Test func `the later of two objects with one name counts`() throws {
        let (table, _) = try compile(
            everyHostGateway,
            virtualService(http: "[{name: old, route: [{destination: {host: a}}]}]"),
            virtualService(http: "[{name: new, route: [{destination: {host: a}}]}]")
        )
        #expect(table.routeName("/") == "new")
    }

    @Test func `an empty set makes an empty table that says why`() {
        let (table, findings) = RouteTable.compile(RouteResources(), environment: RouteEnvironment())
        #expect(findings.isEmpty)
        let decision = table.explain("/").decision
        #expect(decision.outcome == .noListener)
        #expect(decision.reason == .noGateway)
    }
}
