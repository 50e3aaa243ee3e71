// Wingmirror · Apache-2.0

import JSONSyntax
import OctetText
import ResourceFiles
import RouteAttribution
import Testing

/// Tables that are made again as single objects change, of objects and patterns that were decoded and compiled before.
@Suite struct TableRebuildTests {
    private static let environment = RouteEnvironment()

    /// An object that was decoded once for each of its versions.
    private struct Kept {
        let manifest: JSONValue
        let resources: RouteResources

        init(_ manifest: JSONValue) {
            self.manifest = manifest
            resources = RouteResources(decoding: [manifest])
        }
    }

    @Test(arguments: 1...6) func `after any changes of objects a table is what a fresh start makes`(
        seed: UInt64
    ) throws {
        var generator = SeededGenerator(seed: seed)
        let cache = RegularExpressionCache()
        let gateway = try #require(try YAMLDocuments.parse(everyHostGateway).first?.value)
        var objects = ["gateway": Kept(gateway)]
        for step in 0..<25 {
            for _ in 0..<Int.random(in: 0...2, using: &generator) {
                let name = "vs\(Int.random(in: 0..<8, using: &generator))"
                let isGone = Int.random(in: 0..<4, using: &generator) == 0
                objects[name] = isGone ? nil : Kept(try Self.service(name, using: &generator))
            }
            let inOrder = objects.sorted { $0.key < $1.key }.map(\.value)
            var kept = RouteResources()
            for object in inOrder {
                let isTaken = kept.append(object.resources)
                #expect(isTaken)
            }
            let rebuilt = RouteTable.compile(kept, environment: Self.environment, patterns: cache)
            cache.tablesMade()
            let fresh = RouteTable.compile(
                RouteResources(decoding: inOrder.map(\.manifest)),
                environment: Self.environment
            )
            Self.expectSame(rebuilt, fresh, "seed \(seed), step \(step)")
        }
    }

    @Test func `a pattern that was valid before is refused where it is one too many`() throws {
        // A program of some 200,000 instructions, so that six of them are beyond what one object may have.
        func service(_ name: String, _ letters: Substring) -> String {
            let matches = letters.map { "{uri: {regex: '/((\($0){100}){100}){19}'}}" }.joined(separator: ", ")
            return virtualService(name, hosts: "[\(name).example.com]", http: "[{match: [\(matches)], \(Self.route)}]")
        }
        let cache = RegularExpressionCache()
        let first = try resources(everyHostGateway, service("a", "abc"), service("b", "def"))
        let before = RouteTable.compile(first, environment: Self.environment, patterns: cache)
        cache.tablesMade()
        let second = try resources(everyHostGateway, service("c", "abcdefgh"))
        let rebuilt = RouteTable.compile(second, environment: Self.environment, patterns: cache)
        Self.expectSame(rebuilt, RouteTable.compile(second, environment: Self.environment), "one object")
        #expect(before.findings.count < rebuilt.findings.count)
    }

    // MARK: - Objects

    private static let route = "route: [{destination: {host: a}}]"
    private static let hosts = ["shop.example.com", "'*.example.com'", "other.example.com"]
    private static let patterns = ["/a.*", "/b/[0-9]+", "/(a|b)c?", "(", "/x{3}", "[0-9]+"]

    private static func service(_ name: String, using generator: inout SeededGenerator) throws -> JSONValue {
        let host = hosts.randomElement(using: &generator) ?? ""
        let rules = (0...Int.random(in: 0..<3, using: &generator)).map { number in
            let own = "/\(name)/\(Int.random(in: 0..<3, using: &generator))[a-z]*"
            let pattern = Bool.random(using: &generator) ? patterns.randomElement(using: &generator) ?? "" : own
            let header = Int.random(in: 0..<3, using: &generator) == 0 ? ", headers: {x: {regex: '\(pattern)'}}" : ""
            return
                "{name: r\(number), match: [{uri: {regex: '\(pattern)'}\(header)}, {uri: {prefix: /p\(number)}}], \(route)}"
        }
        let text = virtualService(name, hosts: "[\(host)]", http: "[\(rules.joined(separator: ", "))]")
        return try #require(try YAMLDocuments.parse(text).first?.value)
    }

    // MARK: - Comparison

    private typealias Compiled = (table: RouteTable, findings: [RouteFinding])

    private static func expectSame(_ one: Compiled, _ other: Compiled, _ place: Comment) {
        #expect(one.findings == other.findings, place)
        #expect(one.table.gateways == other.table.gateways, place)
        #expect(one.table.routes.map(\.record) == other.table.routes.map(\.record), place)
        #expect(one.table.routes.map(\.matchText) == other.table.routes.map(\.matchText), place)
        #expect(one.table.routes.map(\.hosts) == other.table.routes.map(\.hosts), place)
        for host in ["shop.example.com", "x.example.com", "other.example.com", "none.example.org"] {
            for path in [
                "/", "/a", "/abc", "/b/12", "/b/x", "/ac", "/xxx", "/p0", "/p1x", "/vs1/0", "/vs3/2abc", "/vs7/1",
            ] {
                let headers = [(name: "X", value: path)]
                let decision = one.table.explain(path, authority: host, headers: headers).decision
                #expect(decision == other.table.explain(path, authority: host, headers: headers).decision, place)
            }
        }
    }
}
