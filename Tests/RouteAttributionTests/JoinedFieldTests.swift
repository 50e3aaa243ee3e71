// Wingmirror · Apache-2.0

import RouteAttribution
import Testing

/// How Envoy 1.40 puts the lines of one field together (HeaderMapImpl::appendToHeader, HeaderUtility::getAllOfHeader).
@Suite struct JoinedFieldTests {
    private static func name(_ field: String, is value: String, lines: [String]) throws -> String? {
        let rules = """
            [{name: taken, match: [{headers: {\(field): {exact: '\(value)'}}}], route: [{destination: {host: a}}]}, \
            {name: other, route: [{destination: {host: a}}]}]
            """
        let table = try compile(everyHostGateway, virtualService(http: rules)).table
        return table.routeName("/", headers: lines.map { (name: field, value: $0) })
    }

    @Test(arguments: ["accept", "user-agent", "content-type", "via"])
    func `an empty line adds nothing to a field whose lines are joined as they arrive`(field: String) throws {
        for (lines, value) in [
            (["a", ""], "a"), (["", "a"], "a"), (["a", "", "b"], "a,b"), (["", "a", "", "", "b", ""], "a,b"),
            (["a", "b"], "a,b"),
        ] {
            #expect(try Self.name(field, is: value, lines: lines) == "taken", "\(lines)")
        }
        #expect(try Self.name(field, is: "a,", lines: ["a", ""]) == "other")
        #expect(try Self.name(field, is: ",", lines: ["", ""]) == "other")
    }

    @Test func `white space around a described value is no part of it`() throws {
        #expect(try Self.name("x-env", is: "canary", lines: [" canary\t"]) == "taken")
        #expect(try Self.name("x-env", is: "canary", lines: ["canary x"]) == "other")
        #expect(try Self.name("x-env", is: "canary", lines: [" \t "]) == "other")
        let table = try compile(
            everyHostGateway,
            virtualService(hosts: "[shop.example.com]", http: "[{name: r, route: [{destination: {host: a}}]}]")
        ).table
        #expect(table.explain("/", authority: " shop.example.com ").decision.outcome == .route)
    }

    /// A condition on a field that the proxy sets itself, the rule that takes a request without it, and whether that is certain.
    @Test(arguments: [
        ("headers: {x-request-id: {regex: .+}}", "taken", true),
        ("headers: {X-Forwarded-For: {regex: '.*'}}", "taken", true),
        ("withoutHeaders: {x-request-id: {regex: '.*'}}", "other", true),
        ("withoutHeaders: {x-forwarded-for: {}}", "other", true),
        ("headers: {x-forwarded-for: {regex: '10[.].*'}}", "other", false),
    ])
    func `of a field that the proxy sets itself it is certain that there is one`(
        condition: String,
        name: String,
        isCertain: Bool
    ) throws {
        let rules = """
            [{name: taken, match: [{\(condition)}], route: [{destination: {host: a}}]}, \
            {name: other, route: [{destination: {host: a}}]}]
            """
        let table = try compile(everyHostGateway, virtualService(http: rules)).table
        #expect(table.routeName("/") == name)
        #expect(table.explain("/").decision.reason == (isCertain ? .matched : .conditional))
    }
}
