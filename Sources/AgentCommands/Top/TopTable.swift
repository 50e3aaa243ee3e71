// Wingmirror · Apache-2.0

import AgentConfiguration

/// The table of routes as `top` has it.
struct TopTable {
    private var table: TextTable

    /// Makes an empty table.
    init(order: TopView.Order) {
        func title(_ text: String, _ own: TopView.Order) -> String { own == order ? "\(text)▼" : text }
        table = TextTable([
            .init(title: title("OBJECT", .name), isFigure: false, shortest: 12, isName: true),
            .init(title: "ROUTE", isFigure: false, shortest: 12, isName: true),
            .init(title: "MATCH", isFigure: false, yield: 4, shortest: 14, isName: true),
            .init(title: title("RATE", .rate), least: 9),
            .init(title: "10 MIN", isFigure: false, yield: 7, isExtra: true, least: TopTable.trendWidth),
            .init(title: title("ERRORS", .errors), least: 7),
            .init(title: title("4XX", .clientErrors), least: 6),
            .init(title: title("P50", .p50), yield: 5, isExtra: true, least: 7),
            .init(title: title("P95", .p95), least: 7),
            .init(title: title("P99", .p99), yield: 6, isExtra: true, least: 7),
            .init(title: title("REQUESTS", .requests), yield: 8, isExtra: true, least: 9),
        ])
    }

    /// How many steps of the trend are shown.
    static let trendWidth = 20
    /// From this share of failed requests on, a route is shown as alarming.
    private static let alarmingShare = 0.05

    /// Adds a route.
    mutating func append(_ row: TopFrame.Row) {
        let emphasis: TextEmphasis = row.windowRequests == 0 ? .dim : .plain
        let match = row.isInTable ? row.match : "no longer in the table"
        table.append([
            .init(row.object.withVisibleControls, emphasis),
            .init(row.route.withVisibleControls, emphasis),
            .init(match.withVisibleControls, emphasis),
            .init(HumanUnits.rate(row.requestsPerSecond), emphasis),
            .init(Sparkline.text(row.trend, width: Self.trendWidth), emphasis),
            .init(HumanUnits.share(row.windowFailures, of: row.shareBase), Self.emphasis(row.errorShare)),
            .init(
                HumanUnits.share(row.windowClientErrors, of: row.shareBase),
                Self.emphasis(row.clientErrorShare)
            ),
            .init(HumanUnits.seconds(row.shownLatency.p50), emphasis),
            .init(HumanUnits.seconds(row.shownLatency.p95), emphasis),
            .init(HumanUnits.seconds(row.shownLatency.p99), emphasis),
            .init(HumanUnits.count(row.requests), emphasis),
        ])
    }

    /// The table as lines, the first with the titles.
    func lines(_ style: TerminalStyle) -> [String] { table.lines(style) }

    private static func emphasis(_ share: Double?) -> TextEmphasis {
        guard let share, share > 0 else { return .dim }
        return share >= alarmingShare ? .alarm : .warning
    }
}
