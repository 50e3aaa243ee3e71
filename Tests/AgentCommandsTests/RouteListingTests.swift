// Wingmirror · Apache-2.0

import TestSupport
import Testing

@testable import Agent
@testable import AgentCommands
@testable import AgentConfiguration

/// The table of `routes list`.
@Suite struct RouteListingTests {
    private static func lines(width: Int) throws -> [String] {
        var configuration = Configuration()
        configuration.routes.files = ["\(Repository.path)/samples/istio-shop"]
        let objects = try RouteObjects(configuration, namesServerPorts: false, for: .person)
        return RouteListing(objects.table).lines(TerminalStyle(isColoured: false, width: width))
    }

    @Test(arguments: [80, 100, 200])
    func `each line has its object and rule at any width`(width: Int) throws {
        let lines = try Self.lines(width: width)
        #expect(lines.contains { $0.contains("shop/storefront #4") })
        #expect(lines.allSatisfy { !$0.hasPrefix("  ") || $0.count <= width })
        #expect(lines.contains { $0.contains("MATCH") })
    }

    @Test func `a match entry has another sign before its number than a delegate's rule in metrics`() throws {
        let lines = try Self.lines(width: 400)
        #expect(lines.contains { $0.contains("  shop/storefront #4:1  ") })
        #expect(!lines.contains { $0.contains("#4.1") })
    }
}
