// Wingmirror · Apache-2.0

import Testing
import TrafficModel

@testable import Agent
@testable import AgentCommands
@testable import AgentConfiguration

@Suite struct HumanUnitsTests {
    @Test(arguments: [(UInt64(0), "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")])
    func `counts have their thousands set apart`(count: UInt64, text: String) {
        #expect(HumanUnits.count(count) == text)
    }

    @Test(arguments: [
        (UInt64(0), "0 B"), (999, "999 B"), (1000, "1 kB"), (1234, "1.23 kB"), (99_960, "100 kB"), (310_400, "310 kB"),
        (999_499, "999 kB"), (999_500, "1 MB"), (1_500_000_000, "1.5 GB"), (UInt64.max, "18.4 EB"),
    ])
    func `octets have decimal units`(octets: UInt64, text: String) {
        #expect(HumanUnits.octets(octets) == text)
    }

    @Test(arguments: [(UInt64(512), "512 B"), (1 << 10, "1 KiB"), (64 << 20, "64 MiB"), (1_500 << 20, "1.46 GiB")])
    func `sizes of a configuration have its binary units`(octets: UInt64, text: String) {
        #expect(HumanUnits.binary(octets) == text)
    }

    @Test(arguments: [
        (nil, "–"), (Double.nan, "–"), (0, "0 µs"), (0.00085, "850 µs"), (0.001, "1 ms"), (0.00213, "2.13 ms"),
        (0.0125, "12.5 ms"),
        (1.25, "1.25 s"), (12.3, "12.3 s"), (119, "119 s"), (600, "10 min"), (7200, "2 h"),
    ])
    func `durations have the unit that fits`(seconds: Double?, text: String) {
        #expect(HumanUnits.seconds(seconds) == text)
    }

    @Test(arguments: [
        (nil, "–"), (0, "0/s"), (16.34, "16.3/s"), (0.1, "0.1/s"), (0.05, "3/min"), (0.001, "3.6/h"),
        (12_345, "12.3k/s"),
    ])
    func `rates below one in ten seconds are per minute or hour`(rate: Double?, text: String) {
        #expect(HumanUnits.rate(rate) == text)
    }

    @Test(arguments: [
        (UInt64(0), UInt64(0), "–"), (0, 10, "0 %"), (10, 10, "100 %"), (1, 1_000_000, "<0.1 %"),
        (999_999, 1_000_000, ">99.9 %"),
        (15, 1000, "1.5 %"), (1, 3, "33.3 %"),
    ])
    func `a share is never rounded to nothing or to all`(part: UInt64, whole: UInt64, text: String) {
        #expect(HumanUnits.share(part, of: whole) == text)
    }
}

@Suite struct RouteTableReportTests {
    private var report: RouteTableReport {
        var report = RouteTableReport()
        report.rows = [
            .init(
                object: "default/product-vs",
                route: "#0",
                match: "prefix /products",
                requests: 1200,
                errors: 18,
                refusals: 60,
                latency: LatencyQuantiles(p50: 0.0021, p95: 0.0084, p99: 0.0125),
                requestOctets: 1200,
                responseOctets: 310_000
            ),
            .init(object: "default/order-vs", route: "orders", match: "prefix /orders"),
        ]
        report.unmatched = [.init(reason: "no_match", requests: 300), .init(reason: "no_host", requests: 0)]
        report.seconds = 60
        report.groups = [
            .init(
                title: "Capture",
                figures: [.init(name: "packets", value: "12,345"), .init(name: "dropped", value: "7", isConcern: true)]
            )
        ]
        return report
    }

    @Test func `requests to ports on which no Gateway listens are no share of those that arrive`() {
        var report = report
        report.unmatched.append(.init(reason: "no_listener", requests: 1500, isArrival: false))
        let lines = report.lines(.plain)
        #expect(lines.first == "Routes  1,500 requests in 60 s, 1 of 2 routes with requests")
        #expect(lines.contains { $0.contains("no_match") && $0.hasSuffix("20 %") })
        #expect(lines.contains { $0.contains("no_listener") && $0.hasSuffix("1,500  not to a Gateway") })
    }

    @Test func `the report is aligned, figures at the right`() {
        #expect(
            report.lines(.plain) == [
                "Routes  1,500 requests in 60 s, 1 of 2 routes with requests",
                "  OBJECT              ROUTE   MATCH             REQUESTS  RATE  ERRORS  4XX     P50     P95      P99      IN     OUT",
                "  default/product-vs  #0      prefix /products     1,200  20/s   1.5 %  5 %  2.1 ms  8.4 ms  12.5 ms  1.2 kB  310 kB",
                "  default/order-vs    orders  prefix /orders           0   0/s       –    –       –       –        –     0 B     0 B",
                "",
                "Unmatched",
                "  no_match  300  20 %",
                "  no_host     0   0 %",
                "",
                "Capture",
                "  packets  12,345",
                "  dropped       7",
            ]
        )
    }

    @Test(arguments: [40, 60, 80, 100, 120])
    func `no line is wider than the terminal, and the figures that matter stay`(width: Int) throws {
        let lines = report.lines(TerminalStyle(isColoured: false, width: width))
        for line in lines.dropFirst() {
            #expect(line.count <= width)
        }
        let row = try #require(lines.dropFirst(2).first)
        #expect(row.contains("1,200"))
        #expect(row.contains("1.5 %"))
        #expect(row.contains("12.5 ms") == (width >= 60))
        // Without any 4xx there is nothing that would be hidden.
        #expect(row.contains("  5 %") == (width >= 60))
        var report = report
        report.rows[0].refusals = 0
        let titles = try #require(report.lines(TerminalStyle(width: width)).dropFirst().first)
        #expect(titles.contains("4XX") == (width >= 120))
    }

    @Test func `colour appears only where it is wanted`() {
        #expect(!report.lines(.plain).joined().contains("\u{1B}"))
        #expect(report.lines(TerminalStyle(isColoured: true)).joined().contains("\u{1B}[33m1.5 %\u{1B}[0m"))
    }

    @Test func `a route whose answers were nearly all missed has no shares and no times`() throws {
        var report = report
        report.warnings = ["the answers to 1,150 of 1,500 requests were not captured"]
        report.rows[0].unseen = 1150
        let lines = report.lines(.plain)
        #expect(lines[1] == "  the answers to 1,150 of 1,500 requests were not captured")
        let row = try #require(lines.first { $0.contains("product-vs") })
        #expect(row.split(whereSeparator: \.isWhitespace).filter { $0 == "–" }.count == 5)
        #expect(row.contains("1,200") && !row.contains("ms"))
        report.rows[0].unseen = 600
        #expect(report.lines(.plain).contains { $0.contains("3 %  10 %  2.1 ms") })
    }

    @Test func `how requests without a route were answered stands beside them`() {
        var report = report
        report.unmatched = [
            .init(reason: "no_match", requests: 300, answers: [("2xx", 290), ("4xx", 10)]),
            .init(reason: "no_host", requests: 5, answers: [("4xx", 5)]),
            .init(reason: "no_listener", requests: 7, isArrival: false, answers: [("2xx", 7)]),
        ]
        let lines = report.lines(.plain)
        #expect(lines.contains { $0.hasPrefix("  no_match") && $0.hasSuffix("  2xx 290, 4xx 10") })
        #expect(lines.contains { $0.hasPrefix("  no_host") && $0.hasSuffix("%  4xx") })
        #expect(lines.contains { $0.hasSuffix("not to a Gateway") })
    }

    @Test func `what was not seen is said from one in twenty on`() {
        func sentences(_ unseen: UInt64, alone: UInt64 = 0, of requests: UInt64 = 508) -> [String] {
            UnseenTraffic(requests: requests, unseen: unseen, answersAlone: alone, unmatched: 20, served: 0).sentences
        }
        let most = "the answers to 482 of 508 requests were not captured; is one direction filtered out?"
        #expect(sentences(482) == [most])
        #expect(sentences(50) == ["the answers to 50 of 508 requests were not captured"])
        #expect(sentences(3, alone: 2).isEmpty)
        #expect(sentences(0, of: 0).isEmpty)
        let alone = "468 answers were captured without their requests; is one direction filtered out?"
        #expect(sentences(0, alone: 468, of: 0) == [alone])
    }

    @Test func `answers of 2xx without a route say that the objects are not the gateway's`() {
        func sentences(_ served: UInt64) -> [String] {
            UnseenTraffic(requests: 508, unseen: 0, answersAlone: 0, unmatched: 505, served: served).sentences
        }
        #expect(
            sentences(500) == [
                "500 of the 505 requests without a route were answered 2xx, so the gateway has routes that these objects "
                    + "lack"
            ]
        )
        #expect(sentences(20).isEmpty)
    }

    @Test func `an empty table says so`() {
        #expect(
            RouteTableReport().lines(.plain) == [
                "Routes  0 requests in 0 µs, 0 of 0 routes with requests",
                "  the table has no routes",
            ]
        )
        var report = RouteTableReport()
        report.absence = "/etc/routes: there are no route objects"
        #expect(report.lines(.plain).last == "  the table has no routes: /etc/routes: there are no route objects")
    }

    @Test func `names cannot move the cursor`() {
        var report = report
        report.rows[0].route = "a\u{1B}[2J\nb"
        #expect(!report.lines(.plain).joined().contains("\u{1B}"))
    }
}
