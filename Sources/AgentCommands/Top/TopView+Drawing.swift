// Wingmirror · Apache-2.0

/// How the view looks.
extension TopView {
    private var style: TerminalStyle { TerminalStyle(isColoured: isColoured, width: size.columns) }

    /// The lines of the screen, as many as it has rows at most, none wider than it.
    ///
    /// - Parameters:
    ///   - frame: What is shown.
    ///   - message: What there is to say besides, such as an interface that was lost.
    /// - Returns: The lines, from the top.
    func lines(_ frame: TopFrame, message: String? = nil) -> [String] {
        let head = TopHead(frame: frame, style: style, isPaused: isPaused)
        let body =
            if let row = frame.rows.first(where: { $0.id == detailed }) {
                TopDetailPage(row: row, detail: detail?.id == row.id ? detail : nil, style: style)
                    .lines(rows: max(size.rows - head.lines.count - 1, 0))
            } else {
                tableLines(frame)
            }
        let shown = (head.lines + body).prefix(max(size.rows - 1, 0))
        let padding = Array(repeating: "", count: max(size.rows - 1 - shown.count, 0))
        return shown + padding + [footLine(frame, message)]
    }

    // MARK: - Table

    private func tableLines(_ frame: TopFrame) -> [String] {
        let rows = rows(of: frame)
        guard !rows.isEmpty else { return ["  " + emptiness(frame)] }
        let shown = rows.dropFirst(scroll).prefix(tableRows)
        var table = TopTable(order: order)
        for row in shown { table.append(row) }
        var lines = table.lines(style)
        if let place = shown.firstIndex(where: { $0.id == selected }) {
            let line = place - shown.startIndex + 1
            lines[line] = chosen(table.lines(TerminalStyle(width: size.columns))[line])
        }
        return lines
    }

    /// A line with a mark, and in the other colours where there are any.
    private func chosen(_ line: String) -> String {
        let marked = ">" + line.dropFirst()
        let padding = String(repeating: " ", count: max(size.columns - marked.displayWidth, 0))
        return style.apply(.selected, to: marked + padding)
    }

    private func emptiness(_ frame: TopFrame) -> String {
        if !frame.rows.isEmpty { return "no route has \"\(filter.withVisibleControls)\" in it" }
        return frame.time == nil
            ? "waiting for the first figures" : "the table has no routes; --routes names the files of route objects"
    }

    // MARK: - Foot

    private func footLine(_ frame: TopFrame, _ message: String?) -> String {
        if isTypingFilter {
            return "/\(filter.withVisibleControls)█".cut(to: size.columns)
        }
        if let problem = (frame.problem ?? message)?.withVisibleControls {
            return style.apply(.warning, to: problem.cut(to: size.columns))
        }
        var parts =
            detailed == nil
            ? ["q quit", "p pause", "s sort: \(order.rawValue)\(isReversed ? " reversed" : "")"]
            : ["q quit", "esc back", "p pause"]
        if detailed == nil {
            parts += [
                filter.isEmpty ? "/ filter" : "/ filter: \(filter.withVisibleControls) (esc clears)", "enter detail",
            ]
            parts.append("\(rows(of: frame).count) of \(frame.rows.count) routes")
        }
        return style.apply(.dim, to: parts.joined(separator: "   ").cut(to: size.columns))
    }
}

/// The table of routes as `top` has it.
struct TopTable {
    private var table: TextTable

    /// Makes an empty table.
    init(order: TopView.Order) {
        func title(_ text: String, _ own: TopView.Order) -> String { own == order ? "\(text)▼" : text }
        table = TextTable([
            .init(title: title("OBJECT", .name), isFigure: false, shortest: 18),
            .init(title: "ROUTE", isFigure: false, yield: 6, shortest: 6),
            .init(title: "MATCH", isFigure: false, yield: 5, shortest: 16),
            .init(title: title("RATE", .rate), least: 9),
            .init(title: "10 MIN", isFigure: false, yield: 7, least: TopTable.trendWidth),
            .init(title: title("ERRORS", .errors), least: 7),
            .init(title: title("P50", .p50), yield: 3, least: 7),
            .init(title: title("P95", .p95), yield: 4, least: 7),
            .init(title: title("P99", .p99), yield: 2, least: 7),
            .init(title: title("REQUESTS", .requests), yield: 8, least: 9),
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
            .init(HumanUnits.share(row.windowFailures, of: row.windowRequests), Self.errorEmphasis(row)),
            .init(HumanUnits.seconds(row.latency.p50), emphasis),
            .init(HumanUnits.seconds(row.latency.p95), emphasis),
            .init(HumanUnits.seconds(row.latency.p99), emphasis),
            .init(HumanUnits.count(row.requests), emphasis),
        ])
    }

    /// The table as lines, the first with the titles.
    func lines(_ style: TerminalStyle) -> [String] { table.lines(style) }

    private static func errorEmphasis(_ row: TopFrame.Row) -> TextEmphasis {
        guard let share = row.errorShare, share > 0 else { return .dim }
        return share >= alarmingShare ? .alarm : .warning
    }
}

/// The lines above the table: what is shown, how much of the truth that is, and what no route took.
struct TopHead {
    let frame: TopFrame
    let style: TerminalStyle
    var isPaused = false

    /// The lines, and an empty one after them.
    var lines: [String] { [titleLine, truthLine, unmatchedLine, ""] }

    private var titleLine: String {
        let name = style.apply(.bold, to: "wingmirror top")
        var parts = [frame.source, "\(HumanUnits.rate(frame.requestsPerSecond)) requests"]
        parts.append("over \(HumanUnits.seconds(frame.windowSeconds))")
        if let time = frame.time { parts.append(time) }
        if frame.hasEnded { parts.append("ended") }
        if isPaused { parts.append("PAUSED") }
        let rest = parts.joined(separator: "  ").withVisibleControls
        return name + "  " + rest.cut(to: (style.width ?? .max) - 16)
    }

    /// What the figures leave out; never empty, so that nothing to tell is told too.
    private var truthLine: String {
        guard let truth = frame.truth else {
            return style.apply(.warning, to: "Seen  how much is not known".cut(to: style.width ?? .max))
        }
        let packets = "\(HumanUnits.rate(truth.packetsPerSecond)) packets"
        let all = truth.packets + truth.lostPackets
        var parts = ["lost \(HumanUnits.share(truth.lostPackets, of: all))"]
        parts.append(
            truth.gaps == 0
                ? "no holes" : "\(HumanUnits.count(truth.gaps)) holes of \(HumanUnits.octets(truth.gapOctets)) in all"
        )
        let share = HumanUnits.share(truth.opaqueConnections, of: max(truth.connections, truth.opaqueConnections))
        parts.append("\(share) of connections not readable")
        if truth.truncatedPackets > 0 { parts.append("\(HumanUnits.count(truth.truncatedPackets)) packets cut short") }
        let isWhole = truth.lostPackets == 0 && truth.gaps == 0 && truth.opaqueConnections == 0
        let text = "Seen  \(packets), \(parts.joined(separator: ", "))".cut(to: style.width ?? .max)
        return style.apply(isWhole && truth.truncatedPackets == 0 ? .plain : .warning, to: text)
    }

    private var unmatchedLine: String {
        let reasons = frame.unmatchedPerSecond.map { "\($0.word) \(HumanUnits.rate($0.perSecond))" }
        let text = reasons.isEmpty ? "nothing" : reasons.joined(separator: ", ")
        let line = "No route took  \(text)".withVisibleControls.cut(to: style.width ?? .max)
        return style.apply(reasons.isEmpty ? .dim : .plain, to: line)
    }
}

/// Figures over time as a row of blocks.
enum Sparkline {
    private static let blocks: [Character] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]

    /// The latest figures, as many as there are columns for: the greatest is a full block, a figure that is missing a
    /// space, none a dot.
    static func text(_ values: [Double?], width: Int) -> String {
        // Steps that share a column are shown by their mean.
        let step = max((values.count + width - 1) / max(width, 1), 1)
        let groups = stride(from: 0, to: values.count, by: step).map { values[$0..<min($0 + step, values.count)] }
        let means = groups.map { group -> Double? in
            let known = group.compactMap(\.self)
            return known.isEmpty ? nil : known.reduce(0, +) / Double(known.count)
        }
        let greatest = means.compactMap(\.self).max() ?? 0
        return String(
            means.map { mean -> Character in
                guard let mean else { return " " }
                guard mean > 0, greatest > 0 else { return "·" }
                return block(mean / greatest)
            }
        )
    }

    /// The block for a share of the greatest.
    static func block(_ share: Double) -> Character {
        blocks[min(max(Int(share * Double(blocks.count)), 0), blocks.count - 1)]
    }
}

extension String {
    /// The text, its end cut off if it takes more columns.
    func cut(to columns: Int) -> String {
        displayWidth <= columns ? self : String(prefix(columns: max(columns - 1, 0))) + (columns > 0 ? "…" : "")
    }
}
