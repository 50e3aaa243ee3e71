// Wingmirror · Apache-2.0

import JSONSyntax
import RouteAttribution

extension Scenario {
    /// Routes for requests.
    static let lookup = Scenario(
        name: "lookup",
        summary: "the route of a parsed request; 10,000 requests of about 200 octets in turn, over all hosts and rules",
        item: "request"
    ) { options in
        let few = Row(try LookupWorkload("10 VirtualServices, a host each", hosts: 10, passes: options.repetitions(20)))
        if options.countsAllocationsOnly { return [few] }
        return [
            few,
            Row(try LookupWorkload("1,000 VirtualServices, a host each", hosts: 1000)),
            Row(try LookupWorkload("10,000 VirtualServices, a host each", hosts: 10_000)),
            Row(
                try LookupWorkload("1,000 prefix rules on one host", rules: 1000, "prefix") {
                    "/section-\($0)/"
                } path: {
                    "/section-\($0)/item"
                }
            ),
            Row(
                try LookupWorkload("100 regex rules on one host", rules: 100, "regex") {
                    "/items-\($0)/[0-9]+/details"
                } path: {
                    "/items-\($0)/4711/details"
                }
            ),
        ]
    }
}

/// Looks up the same requests again and again.
private struct LookupWorkload: ~Copyable, Workload {
    let label: String
    var items: Int { requests.count * passes }
    let octets = 0
    private let table: RouteTable
    private let hosts: HostTableReference
    private let requests: [RequestHead]
    private let passes: Int
    private var scratch = RouteScratch()

    private static let requestCount = 10_000

    /// Makes a VirtualService for each host, with one rule for its API and one for all else; every other request is for the
    /// API.
    init(_ label: String, hosts count: Int, passes: Int = 20) throws {
        var numbers = Permutation(count: count)
        let requests = (0..<Self.requestCount).map { number in
            RequestHead.plain(
                target: number.isMultiple(of: 2) ? "/api/items/\(number)" : "/products?page=\(number)",
                host: RouteManifest.host(numbers.next())
            )
        }
        try self.init(label, try (0..<count).map { try RouteManifest.ordinary($0) }, requests, passes: passes)
    }

    /// Makes one VirtualService with rules that compare paths with `pattern`; `path` gives a path for each.
    init(
        _ label: String,
        rules count: Int,
        _ comparison: String,
        pattern: (Int) -> String,
        path: (Int) -> String
    ) throws {
        let rules = try (0..<count).map { try RouteManifest.rule(to: "service", comparison, pattern($0)) }
        let object = try RouteManifest.virtualService("shop", host: "shop.example.com", rules: rules)
        var numbers = Permutation(count: count)
        let requests = (0..<Self.requestCount).map { _ in
            RequestHead.plain(target: path(numbers.next()), host: "shop.example.com")
        }
        try self.init(label, [object], requests, passes: comparison == "regex" ? 2 : 20)
    }

    private init(_ label: String, _ objects: [JSONValue], _ requests: [RequestHead], passes: Int) throws {
        self.label = label
        self.requests = requests
        self.passes = passes
        table = try RouteManifest.table(objects)
        hosts = table.hostTable(podPort: 8080)
    }

    mutating func run() -> Int {
        var routed = 0
        for _ in 0..<passes {
            for request in requests where table.route(request.view, in: hosts, scratch: &scratch).route >= 0 {
                routed += 1
            }
        }
        return routed
    }
}
