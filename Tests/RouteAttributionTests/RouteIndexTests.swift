// Wingmirror · Apache-2.0

import OctetText
import ResourceFiles
import RouteAttribution
import Testing

/// The lookup finds hosts and routes through hash tables; these tests hold it to the plain rules.
@Suite struct RouteIndexTests {
    @Test(arguments: 1...20)
    func `the index of a large host chooses as a scan in order does`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let words = ["/", "/a", "/a/", "/A", "/a/b", "/ab", "/a/b/c", "/b", "/B/", "", "/a/b/", "/abc"]
        func condition() -> String {
            let value = words.randomElement(using: &generator) ?? ""
            let kind = ["exact", "prefix", "prefix"].randomElement(using: &generator) ?? ""
            let folded = Bool.random(using: &generator) ? ", ignoreUriCase: true" : ""
            let extra = Int.random(in: 0..<3, using: &generator) == 0 ? ", headers: {x: {exact: '1'}}" : ""
            let uri = Int.random(in: 0..<8, using: &generator) == 0 ? "regex: '/a.*b?'" : "\(kind): '\(value)'"
            return "{uri: {\(uri)}\(folded)\(extra)}"
        }
        let rules = (0..<40).map { "{name: r\($0), match: [\(condition())], route: [{destination: {host: a}}]}" }
        let (table, findings) = try compile(
            everyHostGateway,
            virtualService(http: "[\(rules.joined(separator: ", "))]")
        )
        #expect(findings.isEmpty)
        for path in words + ["/a/b/c/d", "/AB", "/a/B", "/x", "/aaab"] where !path.isEmpty {
            for headers in [[], [(name: "X", value: "1")]] {
                let explanation = table.explain(path, headers: headers)
                let winner = explanation.considered.last.flatMap { $0.failure == nil ? Int32($0.route) : nil } ?? -1
                #expect(explanation.decision.route == winner, "seed \(seed), path \(path)")
            }
        }
    }

    @Test(arguments: 1...20)
    func `regular expressions that are asked in one pass choose as a scan in order does`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let patterns = ["/a.*", "/a/[0-9]+", "/(a|b)/?", "/[^/]+", "/.*c", "/a/b?", ".*", "/x{3}"]
        func rule(_ number: Int) -> String {
            let pattern = patterns.randomElement(using: &generator) ?? ""
            let uri = Int.random(in: 0..<6, using: &generator) == 0 ? "prefix: /a/b" : "regex: '\(pattern)'"
            // Most matches fail by another condition, so that later ones decide.
            let extra = Int.random(in: 0..<5, using: &generator) == 0 ? "" : ", headers: {x: {exact: '\(number % 7)'}}"
            return "{name: r\(number), match: [{uri: {\(uri)}\(extra)}], route: [{destination: {host: a}}]}"
        }
        let rules = (0..<30).map(rule)
        let (table, _) = try compile(everyHostGateway, virtualService(http: "[\(rules.joined(separator: ", "))]"))
        for path in ["/a", "/a/1", "/a/b", "/b/", "/c", "/a/bc", "/xxx", "/", "/a/b/c/d"] {
            for value in ["0", "3", "6", "none"] {
                let explanation = table.explain(path, headers: [(name: "X", value: value)])
                let winner = explanation.considered.last.flatMap { $0.failure == nil ? Int32($0.route) : nil } ?? -1
                #expect(explanation.decision.route == winner, "seed \(seed), path \(path), field \(value)")
            }
        }
    }

    @Test(arguments: 1...10)
    func `the virtual host is the exact one, else the longest wildcard, else the one for all`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let candidates = [
            "*", "*.a.com", "*.b.a.com", "*-x.a.com", "a.com", "x.a.com", "b.a.com", "y.b.a.com", "*.com", "*m.com",
        ]
        let hosts = candidates.filter { _ in Bool.random(using: &generator) }
        let services = hosts.enumerated().map { index, host in
            virtualService("vs\(index)", hosts: "['\(host)']", http: "[{route: [{destination: {host: a}}]}]")
        }
        let (table, _) = try compile(everyHostGateway, services.joined(separator: "\n---\n"))
        let asked = [
            "a.com", "x.a.com", "q-x.a.com", "-x.a.com", "y.b.a.com", "b.a.com", ".a.com", "m.com", "com", "z", "",
        ]
        for name in asked {
            let wildcards = hosts.filter {
                $0.hasPrefix("*") && name.hasSuffix($0.dropFirst()) && name.count >= $0.count
            }
            let expected =
                hosts.contains(name) ? name : wildcards.max { $0.count < $1.count } ?? (hosts.contains("*") ? "*" : nil)
            #expect(table.explain("/", authority: name).host == expected, "seed \(seed), host \(name) of \(hosts)")
        }
    }

    @Test func `a host longer than any name still finds its wildcard`() throws {
        let long = String(repeating: "a.", count: 2000) + "example.com"
        let rules = "[{route: [{destination: {host: a}}]}]"
        let (table, _) = try compile(everyHostGateway, virtualService(hosts: "['*.example.com']", http: rules))
        #expect(table.explain("/", authority: long).host == "*.example.com")
    }

    @Test func `a path of many octets is matched whole`() throws {
        let long = "/" + String(repeating: "x/", count: 30_000)
        let rules = (0..<10).map {
            "{name: r\($0), match: [{uri: {prefix: /\($0)}}], route: [{destination: {host: a}}]}"
        }
        let last = "{name: long, match: [{uri: {exact: '\(long)'}}], route: [{destination: {host: a}}]}"
        let (table, _) = try compile(
            everyHostGateway,
            virtualService(http: "[\((rules + [last]).joined(separator: ", "))]")
        )
        #expect(table.routeName(long) == "long")
        #expect(table.routeName(long + "y") == nil)
    }
}
