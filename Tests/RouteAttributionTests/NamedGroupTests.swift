// Wingmirror · Apache-2.0

import Testing

@testable import RouteAttribution

/// Named groups as Go 1.22 and RE2 of 2023 take them; each pattern was shown to Envoy 1.40.
@Suite struct NamedGroupTests {
    private static func matches(_ pattern: String, _ text: String) throws -> Bool {
        try RegularExpression(pattern).matchesWhole(Array(text.utf8).span)
    }

    @Test(arguments: [
        ("/a(?<id>[0-9]+)", "/a1", true), ("/a(?<id>[0-9]+)", "/a", false), ("(?P<id>a)(?<other>b)", "ab", true),
        ("(?<a>x)(?<b>y)(?:z)", "xyz", true), ("((?<a>x))", "x", true),
        // What only looks like a group.
        ("\\(?<a>", "(<a>", true), ("\\(?<a>", "<a>", true), ("[(?<a>]+", "(?<a>", true), ("[(?<a>]", "P", false),
        ("[^(?<a>]", "P", true), ("[](?<a>]", "P", false), ("[[:alpha:](?<]", "P", true), ("[\\](?<a]", "P", false),
        ("\\Q(?<a>\\E", "(?<a>", true), ("\\Q(?<a>\\E(?<b>c)", "(?<a>c", true), ("\\\\(?<a>b)", "\\b", true),
        ("<a>", "<a>", true),
    ])
    func `a group may be named without P`(pattern: String, text: String, matches: Bool) throws {
        #expect(try Self.matches(pattern, text) == matches)
    }

    @Test(arguments: ["(?<=a)b", "(?<!a)b", "(?<", "(?<>a)", "(?<a", "(?<a b>c)"])
    func `what is no group is no pattern`(pattern: String) {
        #expect(throws: RegularExpressionError.self) { try RegularExpression(pattern) }
    }

    @Test func `a rule with one is no invalid object`() throws {
        let rules = "[{name: r, match: [{uri: {regex: '/a(?<id>[0-9]+)'}}], route: [{destination: {host: a}}]}]"
        let (table, findings) = try compile(everyHostGateway, virtualService(http: rules))
        #expect(findings.allSatisfy { $0.code != .refusedObject })
        #expect(table.routeName("/a17") == "r")
        #expect(table.routes[0].matchText.contains("(?<id>"))
    }
}
