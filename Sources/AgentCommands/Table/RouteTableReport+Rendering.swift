// Wingmirror · Apache-2.0

extension RouteTableReport {
    /// From this share of failed requests on, a route is shown as alarming.
    private static let alarmingShare = 0.05

    /// The report as lines of text.
    func lines(_ style: TerminalStyle) -> [String] {
        var lines = [style.apply(.bold, to: "Routes") + "  " + style.apply(.dim, to: summary)]
        lines += warnings.map { "  " + style.apply(.warning, to: $0) }
        let reason = absence.map { ": \($0.withVisibleControls)" } ?? ""
        lines += rows.isEmpty ? ["  the table has no routes\(reason)"] : routeTable.lines(style)
        if let note { lines.append("  " + style.apply(.warning, to: note)) }
        if !unmatched.isEmpty {
            lines += ["", style.apply(.bold, to: "Unmatched")] + unmatchedTable.lines(style)
        }
        for group in groups where !group.figures.isEmpty {
            lines += ["", style.apply(.bold, to: group.title)] + Self.table(of: group).lines(style)
        }
        return lines
    }

    private var matchedRequests: UInt64 { rows.reduce(0) { $0 + $1.requests } }

    /// Those that arrived at the gateway, with a route and without.
    private var arrivedRequests: UInt64 { unmatched.reduce(matchedRequests) { $0 + ($1.isArrival ? $1.requests : 0) } }

    private var summary: String {
        let used = rows.count { $0.requests > 0 }
        let all = arrivedRequests
        let requests = "\(HumanUnits.count(all)) \(all == 1 ? "request" : "requests")"
        let routes = "\(used) of \(rows.count) \(rows.count == 1 ? "route" : "routes") with requests"
        return "\(requests) in \(HumanUnits.seconds(seconds)), \(routes)"
    }

    private var routeTable: TextTable {
        // Where there is a 4xx, a storm of them must not be left out before names are cut.
        let isRefusing = rows.contains { $0.refusals > 0 }
        var table = TextTable([
            .init(title: "OBJECT", isFigure: false, shortest: 16, isName: true),
            .init(title: "ROUTE", isFigure: false, yield: 1, shortest: 12, isName: true),
            .init(title: "MATCH", isFigure: false, yield: 2, shortest: 18, isName: true),
            .init(title: "REQUESTS"),
            .init(title: "RATE", yield: 4, isExtra: true),
            .init(title: "ERRORS"),
            .init(title: "4XX", yield: isRefusing ? 0 : 9, isExtra: !isRefusing),
            .init(title: "P50", yield: 5, isExtra: true),
            .init(title: "P95", yield: 6, isExtra: true),
            .init(title: "P99", yield: 3),
            .init(title: "IN", yield: 8, isExtra: true),
            .init(title: "OUT", yield: 7, isExtra: true),
        ])
        for row in rows {
            table.append(cells(of: row))
        }
        return table
    }

    private func cells(of row: Row) -> [TextTable.Cell] {
        let emphasis: TextEmphasis = row.requests == 0 ? .dim : .plain
        // Of no requests there is no share.
        let known = row.isHardlySeen ? 0 : row.known
        let latency = row.isHardlySeen ? LatencyQuantiles() : row.latency
        return [
            .init(row.object, emphasis),
            .init(row.route, emphasis),
            .init(row.match, emphasis),
            .init(HumanUnits.count(row.requests), emphasis),
            .init(HumanUnits.rate(rate(of: row.requests)), emphasis),
            .init(HumanUnits.share(row.errors, of: known), errorEmphasis(of: row)),
            .init(HumanUnits.share(row.refusals, of: known), row.refusals > 0 ? .plain : .dim),
            .init(HumanUnits.seconds(latency.p50), emphasis),
            .init(HumanUnits.seconds(latency.p95), emphasis),
            .init(HumanUnits.seconds(latency.p99), emphasis),
            .init(HumanUnits.octets(row.requestOctets), emphasis),
            .init(HumanUnits.octets(row.responseOctets), emphasis),
        ]
    }

    private func rate(of requests: UInt64) -> Double? {
        seconds > 0 ? Double(requests) / seconds : nil
    }

    private func errorEmphasis(of row: Row) -> TextEmphasis {
        guard row.errors > 0, !row.isHardlySeen else { return .dim }
        return Double(row.errors) >= Double(row.known) * Self.alarmingShare ? .alarm : .warning
    }

    private var unmatchedTable: TextTable {
        var table = TextTable([
            .init(title: "", isFigure: false, shortest: 12), .init(title: ""), .init(title: ""),
            .init(title: "", isFigure: false, yield: 1, isExtra: true),
        ])
        for entry in unmatched {
            let share = entry.isArrival ? HumanUnits.share(entry.requests, of: arrivedRequests) : "not to a Gateway"
            let emphasis: TextEmphasis = entry.requests == 0 ? .dim : .plain
            table.append([
                .init(entry.reason, emphasis), .init(HumanUnits.count(entry.requests), emphasis), .init(share, .dim),
                .init(entry.isArrival ? Self.answers(to: entry) : "", .dim),
            ])
        }
        return table
    }

    /// The classes of status, with how many got each where there are several.
    private static func answers(to entry: Unmatched) -> String {
        guard entry.answers.count > 1 else { return entry.answers.first?.codeClass ?? "" }
        return entry.answers.map { "\($0.codeClass) \(HumanUnits.count($0.requests))" }.joined(separator: ", ")
    }

    private static func table(of group: FigureGroup) -> TextTable {
        var table = TextTable([.init(title: "", isFigure: false, shortest: 12), .init(title: "")])
        for figure in group.figures {
            table.append([.init(figure.name), .init(figure.value, figure.isConcern ? .warning : .plain)])
        }
        return table
    }
}
