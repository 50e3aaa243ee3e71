// Wingmirror · Apache-2.0

import AgentConfiguration

/// The table of routes as `top` has it.
struct TopTable {
    private var table: TextTable

    /// Makes an empty table.
    ///
    /// - Parameters:
    ///   - order: What rows are ordered by; that column is never left out.
    ///   - width: How many columns the terminal has; `nil` when nobody folds the lines.
    init(order: TopView.Order, width: Int?) {
        func title(_ text: String, _ own: TopView.Order) -> String { own == order ? "\(text)▼" : text }
        func yield(_ place: Int, _ own: TopView.Order) -> Int? { own == order ? nil : place }
        let shortest = (width ?? .max) < Self.narrowWidth ? 8 : 12
        // The column that orders takes its place where there is room for one of them only.
        let isSecond = [.p50, .p99, .requests].contains(order)
        table = TextTable([
            .init(title: title("OBJECT", .name), isFigure: false, shortest: shortest, isName: true),
            .init(title: "ROUTE", isFigure: false, shortest: shortest, isName: true),
            .init(title: "MATCH", isFigure: false, yield: 5, shortest: 14, isName: true),
            .init(title: title("RATE", .rate), yield: yield(2, .rate), least: 9),
            .init(title: "10 MIN", isFigure: false, yield: 9, isExtra: true, least: TopTable.trendWidth),
            .init(title: title("ERRORS", .errors), yield: yield(1, .errors), least: 7),
            .init(title: title("4XX", .clientErrors), yield: yield(3, .clientErrors), least: 6),
            .init(title: title("P50", .p50), yield: yield(7, .p50), isExtra: true, least: 7),
            .init(title: title("P95", .p95), yield: yield(isSecond ? 6 : 4, .p95), isExtra: isSecond, least: 7),
            .init(title: title("P99", .p99), yield: yield(8, .p99), isExtra: true, least: 7),
            .init(title: title("REQUESTS", .requests), yield: yield(10, .requests), isExtra: true, least: 9),
        ])
    }

    /// With fewer columns than this, names are cut further, so that figures stay.
    private static let narrowWidth = 57
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

    /// The titles of the columns that there is no room for, but for those that only a wide terminal has.
    func leftOut(_ style: TerminalStyle) -> [String] { table.leftOut(style) }

    private static func emphasis(_ share: Double?) -> TextEmphasis {
        guard let share, share > 0 else { return .dim }
        return share >= alarmingShare ? .alarm : .warning
    }
}
