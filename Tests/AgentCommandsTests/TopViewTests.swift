// Wingmirror · Apache-2.0

import JSONSyntax
import Testing
import TrafficMetrics

@testable import Agent
@testable import AgentCommands
@testable import AgentConfiguration

@Suite struct TopViewTests {
    private func row(_ name: String, rate: Double = 1, errors: UInt64 = 0, p99: Double? = nil) -> TopFrame.Row {
        var row = TopFrame.Row(id: "id-\(name)", object: "shop/\(name)", route: "#0", match: "uri prefix /\(name)")
        row.requests = UInt64(rate * 100)
        row.windowRequests = UInt64(rate * 60)
        row.windowFailures = errors
        row.requestsPerSecond = rate
        row.latency.p99 = p99
        row.trend = [nil, 0, rate]
        return row
    }

    private func frame(_ rows: TopFrame.Row...) -> TopFrame {
        var frame = TopFrame(source: "eth0")
        frame.time = "2026-11-23T10:00:00.000Z"
        frame.windowSeconds = 60
        frame.rows = rows
        return frame
    }

    private func view(_ columns: Int = 120, _ rows: Int = 24) -> TopView {
        TopView(size: TerminalSize(columns: columns, rows: rows), isColoured: false)
    }

    private func press(_ view: inout TopView, _ keys: TopKey..., showing frame: TopFrame) -> TopView.Wish? {
        var wish: TopView.Wish?
        for key in keys { wish = view.keyPressed(key, showing: frame) }
        return wish
    }

    private func names(_ view: TopView, _ frame: TopFrame) -> [String] {
        view.rows(of: frame).map { String($0.object.dropFirst(5)) }
    }

    // MARK: - Requests that came to no port of the gateway

    @Test func `what keeps requests from the routes is behind the reason`() {
        var frame = frame(row("a", rate: 0))
        frame.unmatchedPerSecond = [TopFrame.Reason(reason: .noListener, perSecond: 5)]
        frame.notice = "no request came to a port of the gateway (80)"
        let line = "No route took  no_listener 5/s: no request came to a port of the gateway (80)"
        #expect(view().lines(frame).contains(line))
        frame.unmatchedPerSecond = [TopFrame.Reason(reason: .httpsRedirect, perSecond: 5)]
        #expect(view().lines(frame).contains("No route took  https_redirect 5/s"))
        #expect(frame.document(.rate)["notice"] == "no request came to a port of the gateway (80)")
        let status: JSONValue = ["gatewayNotices": ["no Gateway server has port 80"]]
        #expect(TopFrame(source: "a", routes: [:], status: status).notice == "no Gateway server has port 80")
    }

    @Test func `what most requests without a route are is named with the nearest rule`() {
        let nearest = "`/products` of shop/a rule 0, if the path began with /products instead of /product"
        let status: JSONValue = [
            "unmatchedMost": [
                "method": "GET", "host": "shop.test", "path": "/product/*", "share": 1,
                "firstTime": "2026-11-23T10:00:00.5Z", "nearest": .string(nearest),
            ]
        ]
        let frame = TopFrame(source: "a", routes: [:], status: status)
        #expect(
            frame.unmatchedMost
                == "GET shop.test/product/* since 10:00:00; nearest is /products of shop/a rule 0"
        )
    }

    // MARK: - Answers that were not seen

    @Test func `where hardly an answer was seen there is no share and no duration`() throws {
        var seldom = row("a", errors: 6, p99: 0.5)
        seldom.windowUnseen = 54
        seldom.latency.p50 = 0.1
        #expect(seldom.isHardlySeen && seldom.errorShare == nil && seldom.clientErrorShare == nil)
        let drawn = try #require(view().lines(frame(seldom)).first { $0.contains("shop/a") })
        #expect(!drawn.contains("%") && !drawn.contains(" ms"))
        let route = frame(seldom).document(.rate)["routes"]?.arrayValue?.first
        #expect(route?["errorShare"] == .null && route?["p99"] == .null && route?["windowUnseen"] == 54)
        // One more, and they are a sample.
        seldom.windowUnseen = 53
        #expect(seldom.errorShare == 6.0 / 7.0)
        #expect(view().lines(frame(seldom)).contains { $0.contains("85.7 %") && $0.contains("500 ms") })
    }

    @Test func `on a short screen the detail has the figures first`() {
        var route = row("a")
        (route.hosts, route.gateway, route.target) = ("shop.test", "shop/gateway", "a.shop:80")
        let page = TopDetailPage(row: route, detail: nil, style: TerminalStyle(width: 40))
        #expect(page.lines(rows: 5).prefix(3).map { $0.prefix(8) } == ["shop/a #", "  now   ", "  in all"])
        #expect(page.lines(rows: 20).prefix(2).map { $0.prefix(8) } == ["shop/a #", "  match "])
    }

    // MARK: - As a document

    @Test func `a document has every route in order, and null where nothing is known`() {
        var frame = frame(row("a", rate: 1), row("b", rate: 5, errors: 30, p99: 0.5), row("idle", rate: 0))
        frame.unmatchedPerSecond = [TopFrame.Reason(reason: .noMatch, perSecond: 0.5)]
        let document = frame.document(.rate)
        let routes = document["routes"]?.arrayValue ?? []
        #expect(routes.map { $0["object"]?.stringValue } == ["shop/b", "shop/a", "shop/idle"])
        #expect(routes.first?["errorShare"]?.numberValue == 0.1)
        #expect(routes.first?["p99"]?.numberValue == 0.5)
        #expect(routes.first?["p50"] == .null)
        #expect(routes.last?["errorShare"] == .null)
        #expect(document["unmatchedPerSecond"]?["no_match"]?.numberValue == 0.5)
        #expect(document["requestsPerSecond"]?.numberValue == 6.5)
        #expect(document["visibility"] == .null)
    }

    // MARK: - Order and filter

    @Test func `rows come by rate at first, the table's order where rates are equal`() {
        let frame = frame(row("a", rate: 1), row("b", rate: 5), row("c", rate: 1))
        #expect(names(view(), frame) == ["b", "a", "c"])
    }

    @Test func `s and the arrows change what rows are ordered by, r turns it round`() {
        let frame = frame(row("a", rate: 9, errors: 1, p99: 0.1), row("b", rate: 1, errors: 60, p99: 2))
        var view = view()
        #expect(press(&view, .character("s"), showing: frame) == nil)
        #expect(view.order == .errors)
        #expect(names(view, frame) == ["b", "a"])
        _ = press(&view, .left, .left, showing: frame)
        #expect(view.order == .name)
        #expect(names(view, frame) == ["a", "b"])
        _ = press(&view, .character("r"), showing: frame)
        #expect(names(view, frame) == ["b", "a"])
    }

    @Test func `a filter takes rows that have the text anywhere, whatever its case`() {
        let frame = frame(row("orders"), row("products"), row("reviews"))
        var view = view()
        _ = press(&view, .character("/"), .character("P"), .character("R"), .character("o"), showing: frame)
        #expect(view.isTypingFilter)
        #expect(names(view, frame) == ["products"])
        _ = press(&view, .enter, showing: frame)
        #expect(!view.isTypingFilter)
        #expect(view.filter == "PRo")
        _ = press(&view, .escape, showing: frame)
        #expect(names(view, frame).count == 3)
    }

    @Test func `while a filter is typed, q is a letter`() {
        let frame = frame(row("queue"), row("other"))
        var view = view()
        #expect(press(&view, .character("/"), .character("q"), showing: frame) == nil)
        #expect(names(view, frame) == ["queue"])
        #expect(press(&view, .enter, .character("q"), showing: frame) == .quit)
    }

    // MARK: - Selection

    @Test func `the chosen row stays chosen when the order changes`() {
        let before = frame(row("a", rate: 3), row("b", rate: 2), row("c", rate: 1))
        let after = frame(row("a", rate: 1), row("b", rate: 2), row("c", rate: 3))
        var view = view()
        _ = press(&view, .down, .down, showing: before)
        #expect(view.selected == "id-b")
        view.keepSelection(in: after)
        #expect(view.lines(after).filter { $0.hasPrefix(">") }.count == 1)
        #expect(view.lines(after).contains { $0.hasPrefix(">") && $0.contains("shop/b") })
    }

    @Test func `the screen scrolls with the choice and shows no more rows than it has`() {
        var frame = frame()
        frame.rows = (0..<1000).map { row("r\($0)", rate: Double(1000 - $0)) }
        var view = view(120, 16)
        #expect(view.tableRows == 10)
        _ = press(&view, .end, showing: frame)
        #expect(view.lines(frame).contains { $0.contains("shop/r999") })
        #expect(view.lines(frame).count == 16)
        _ = press(&view, .pageUp, showing: frame)
        #expect(view.selected == "id-r989")
        _ = press(&view, .home, showing: frame)
        #expect(view.scroll == 0)
        #expect(view.lines(frame).contains { $0.contains("shop/r0 ") })
    }

    @Test func `enter asks for the past of the chosen route and escape goes back`() {
        let frame = frame(row("a", rate: 3), row("b", rate: 2))
        var view = view()
        #expect(press(&view, .down, .down, .enter, showing: frame) == .detail("id-b"))
        #expect(view.lines(frame).contains { $0.contains("waiting for its past") })
        view.detail = TopDetail(
            id: "id-b",
            points: [
                TopDetail.Point(
                    start: 0,
                    end: 10_000_000_000,
                    classes: [.init(word: "2xx", requests: 9), .init(word: "5xx", requests: 1)],
                    buckets: [.init(lower: 0.0078125, upper: 0.01104854, requests: 10)]
                )
            ]
        )
        let page = view.lines(frame)
        #expect(page.contains { $0.contains("5xx") })
        #expect(page.contains { $0.contains("11 ms") && $0.contains("█") })
        #expect(press(&view, .escape, showing: frame) == nil)
        #expect(view.detailed == nil)
    }

    @Test func `a past without samples in between shows the gap`() {
        let frame = frame(row("a"))
        var view = view()
        _ = press(&view, .enter, showing: frame)
        let second: Int64 = 1_000_000_000
        let classes = [TopDetail.Class(word: "2xx", requests: 1)]
        view.detail = TopDetail(
            id: "id-a",
            points: [
                .init(start: 0, end: 10 * second, classes: classes),
                .init(start: 40 * second, end: 50 * second, classes: classes),
            ]
        )
        #expect(view.lines(frame).contains { $0.contains("2xx") && $0.hasSuffix("█   █") })
    }

    // MARK: - Lines

    @Test func `100 columns cut no name while there are figures to be left out`() {
        let lines = view(100).lines(frame(row("product-search", rate: 5)))
        #expect(lines.contains { $0.contains("shop/product-search  #0     uri prefix /product-search") })
    }

    @Test func `80 columns show the object and the rule of every row, and what it matches`() {
        let frame = frame(row("storefront-of-the-north", rate: 5), row("storefront-of-the-south", rate: 4))
        let rows = view(80).lines(frame).filter { $0.contains("#0") }
        #expect(rows.map { $0.contains("north") } == [true, false])
        #expect(rows.map { $0.contains("south") } == [false, true])
        #expect(rows.allSatisfy { $0.contains("uri ") })
    }

    @Test(
        arguments: [
            (65, "MATCH"), (56, "MATCH, P95"), (48, "MATCH, P95"), (47, "MATCH, 4XX, P95"), (40, "MATCH, 4XX, P95"),
        ]
    )
    func `a narrow screen leaves columns out, says which, and cuts no figure`(_ columns: Int, _ leftOut: String) {
        var route = row("storefront-of-the-north", rate: 5, errors: 30, p99: 0.5)
        (route.route, route.windowClientErrors, route.latency.p95) = ("products-of-the-north", 60, 0.25)
        let lines = view(columns).lines(frame(route))
        #expect(lines.allSatisfy { $0.displayWidth <= columns })
        let (titles, drawn) = (lines[4], lines[5])
        #expect(titles.contains("ROUTE") && drawn.contains("orth") && drawn.contains("5/s") && drawn.contains("10 %"))
        #expect(drawn.contains("20 %") == titles.contains("4XX") && drawn.contains("250 ms") == titles.contains("P95"))
        #expect(lines[23].contains("no room for \(leftOut)"))
    }

    @Test(arguments: [(TopView.Order.p50, "P50▼"), (.p99, "P99▼"), (.requests, "REQUESTS▼"), (.clientErrors, "4XX▼")])
    func `the column that rows are ordered by is never left out`(_ order: TopView.Order, _ title: String) {
        let frame = frame(row("storefront-of-the-north", rate: 5, errors: 30, p99: 0.5))
        for columns in [40, 57, 80] {
            var view = view(columns)
            view.order = order
            #expect(view.lines(frame)[4].contains(title), "\(columns) columns")
            #expect(view.lines(frame).allSatisfy { $0.displayWidth <= columns })
        }
        // At 80 columns what the rules match stays too.
        var view = view(80)
        view.order = order
        #expect(view.lines(frame)[4].contains("MATCH"))
    }

    @Test(arguments: [(200, 50), (80, 24), (40, 12), (20, 6), (5, 3), (1, 1)])
    func `no screen gets more lines or columns than it has`(_ columns: Int, _ rows: Int) {
        var frame = frame(row("a", rate: 12345.6, errors: 1, p99: 0.001), row("名前が長いルート", rate: 2))
        frame.truth = TopFrame.Truth(packets: 95, lostPackets: 5)
        frame.unmatchedPerSecond = [.init(reason: .noHost, perSecond: 2)]
        for isDetailed in [false, true] {
            var view = view(columns, rows)
            if isDetailed { _ = press(&view, .enter, showing: frame) }
            let lines = view.lines(frame)
            #expect(lines.count == rows)
            // A table has a shortest width; the terminal does not wrap, so what is beyond is not seen.
            let widest = columns >= 40 ? columns : 80
            #expect(lines.allSatisfy { $0.displayWidth <= widest })
        }
    }

    @Test func `what was not seen is said above the table, and that nothing was lost too`() {
        var frame = frame(row("a"))
        #expect(view().lines(frame)[1].contains("not known"))
        frame.truth = TopFrame.Truth()
        #expect(view().lines(frame)[1].contains("no gaps"))
        frame.truth = TopFrame.Truth(
            packetsPerSecond: 10,
            packets: 90,
            lostPackets: 10,
            truncatedPackets: 3,
            gaps: 2,
            gapOctets: 4000,
            connections: 4,
            opaqueConnections: 1
        )
        frame.unmatchedPerSecond = [.init(reason: .noHost, perSecond: 2.5)]
        let lines = view().lines(frame)
        for text in ["lost 10 %", "2 gaps of 4 kB", "25 % of connections not readable", "3 packets cut short"] {
            #expect(lines[1].contains(text))
        }
        #expect(lines[2].contains("no_host 2.5/s"))
    }

    @Test func `answers alone, and those that show that the gateway has other routes, are said above the table`() {
        var frame = frame(row("a"))
        frame.truth = TopFrame.Truth(answersAlone: 1467)
        frame.windowSeconds = 60
        frame.unmatchedPerSecond = [.init(reason: .noMatch, perSecond: 2)]
        #expect(view(160).lines(frame)[1].contains("1,467 answers without their requests"))
        #expect(!view(160).lines(frame)[2].contains("2xx"))
        frame.unmatchedServed = 100
        #expect(view(160).lines(frame)[2].contains("100 were answered 2xx: the gateway has routes that these objects"))
    }

    @Test func `control characters of names never reach the terminal`() {
        var hostile = row("a")
        hostile.object = "shop/\u{1B}[2Jx\u{07}\u{9B}31m\u{202E}evil"
        hostile.match = "uri\u{0}\r\n\u{7F}"
        var frame = frame(hostile)
        frame.source = "eth0\u{1B}]0;title\u{07}"
        frame.problem = "bad\u{1B}[31m"
        for isDetailed in [false, true] {
            var view = view(160)
            if isDetailed { _ = press(&view, .enter, showing: frame) }
            let scalars = view.lines(frame).joined().unicodeScalars
            #expect(!scalars.contains { $0.properties.generalCategory == .control || $0.value == 0x202E })
            #expect(view.lines(frame).contains { $0.contains("␛[2Jx␇") })
        }
    }

    @Test func `without colours there is no escape sequence, with them there is`() {
        let frame = frame(row("a", errors: 30))
        var view = view()
        _ = press(&view, .down, showing: frame)
        #expect(!view.lines(frame).joined().contains("\u{1B}"))
        view.isColoured = true
        #expect(view.lines(frame).contains { $0.hasPrefix("\u{1B}[7m>") })
    }

    @Test func `a table that grows by a digit does not move its columns`() {
        let small = view().lines(frame(row("a", rate: 9, p99: 0.001)))
        let large = view().lines(frame(row("a", rate: 123, p99: 0.0123)))
        #expect(small[4] == large[4])
    }

    @Test func `figures that stand still are marked`() {
        var view = view()
        let frame = frame(row("a"))
        _ = press(&view, .character("p"), showing: frame)
        #expect(view.lines(frame)[0].contains("PAUSED"))
    }

    @Test func `a sparkline tells none from nothing known`() {
        #expect(Sparkline.text([nil, 0, 1, 4, 8], width: 5) == " ·▂▅█")
        #expect(Sparkline.text([1, 1, 8, 8], width: 2) == "▂█")
        #expect(Sparkline.text([], width: 5).isEmpty)
        #expect(Sparkline.text([nil, nil], width: 5) == "  ")
    }

    // MARK: - Printed

    @Test func `a printed table counts the routes without requests`() {
        var idle = row("idle", rate: 0)
        idle.requests = 0
        let lines = TopListing(frame: frame(row("a"), idle), order: .rate).lines(.plain)
        #expect(lines[0].hasPrefix("wingmirror top  eth0"))
        #expect(lines.contains { $0.contains("shop/a") })
        #expect(!lines.contains { $0.contains("shop/idle") })
        #expect(lines.contains("  1 route without requests"))
        #expect(lines.allSatisfy { !$0.contains("\u{1B}") })
    }
}
