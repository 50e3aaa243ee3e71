// Wingmirror · Apache-2.0

import RouteAttribution
import Testing

/// What is said of recorded requests whose credentials were taken out.
@Suite struct HiddenValueTests {
    private static let to = "route: [{destination: {host: a}}]"
    private static let hidden = "[redacted]"

    private static func table() throws -> RouteTable {
        try compile(
            everyHostGateway,
            virtualService(
                http: """
                    [{name: canary, match: [{headers: {cookie: {exact: 'canary=on'}}}], \(to)},
                     {name: session, match: [{uri: {prefix: /account}, headers: {authorization: {}}}], \(to)},
                     {name: guest, match: [{uri: {prefix: /guest}, withoutHeaders: {x-api-key: {exact: a}}}], \(to)},
                     {name: all, \(to)}]
                    """
            )
        ).table
    }

    @Test func `a rule that tests a value which is not shown may be the one, and that is said`() throws {
        let explanation = try Self.table().explain("/", headers: [("Cookie", Self.hidden)])
        #expect(explanation.decision.route == 3)
        #expect(explanation.considered.first?.failure == .hidden("header cookie is not exactly 'canary=on'"))
        #expect(explanation.doubt == "it depends on header cookie, whose value is not shown here")
    }

    @Test func `a value that no rule tests, or that would be shown, leaves no doubt`() throws {
        let table = try Self.table()
        #expect(table.explain("/", headers: [("X-Api-Key", Self.hidden)]).doubt == nil)
        #expect(table.explain("/", headers: [("Cookie", "a=b")]).doubt == nil)
        // Whether it is there is known.
        let account = table.explain("/account", headers: [("Authorization", Self.hidden)])
        #expect(account.decision.route == 1)
        #expect(account.doubt == nil)
    }

    @Test func `a rule that takes a request for want of a value may not be the one`() throws {
        let guest = try Self.table().explain("/guest", headers: [("X-Api-Key", Self.hidden)])
        #expect(guest.decision.route == 2)
        #expect(guest.doubt == "it depends on header x-api-key, whose value is not shown here")
    }
}
