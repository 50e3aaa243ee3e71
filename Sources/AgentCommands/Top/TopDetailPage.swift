// Wingmirror · Apache-2.0

import Agent

/// One route on the whole screen: what it is, what it does, and its past as a heatmap of durations over classes of status.
struct TopDetailPage {
    /// The route.
    let row: TopFrame.Row
    /// Its past; `nil` until it is known.
    let detail: TopDetail?
    /// Colour and width.
    let style: TerminalStyle

    /// How wide the names of rows are.
    private static let labelWidth = 10
    /// On a screen with fewer rows what the route does comes before what it is.
    private static let comfortableRows = 12
    private static let shades: [Character] = ["░", "▒", "▓", "█"]
    /// The rows of classes, in their order.
    private static let classes: [(word: String, emphasis: TextEmphasis)] = [
        ("2xx", .good), ("3xx", .plain), ("4xx", .warning), ("5xx", .alarm), ("none", .alarm),
        ("unknown", .dim),
    ]

    /// The page, in as many lines as there are at most.
    func lines(rows: Int) -> [String] {
        let about = description
        var lines =
            rows < Self.comfortableRows
            ? [about[0]] + figures + about.dropFirst() + [""] : about + [""] + figures + [""]
        guard let detail else { return lines + ["  waiting for its past"] }
        if let problem = detail.problem { return lines + ["  \(problem.withVisibleControls)".cut(to: width)] }
        guard !detail.points.isEmpty else { return lines + ["  no requests yet"] }
        let columns = columns(of: detail)
        lines += classLines(columns) + [""]
        lines += heatLines(columns, rows: rows - lines.count - 1)
        lines.append(timeLine(columns))
        return lines
    }

    // MARK: - Figures

    private var description: [String] {
        var lines = [style.apply(.bold, to: "\(row.object) \(row.route)".withVisibleControls.cut(to: width))]
        for (name, text) in [
            ("match", row.isInTable ? row.match : "no longer in the table"), ("hosts", row.hosts),
            ("gateway", row.gateway), ("target", row.target),
        ] where !text.isEmpty {
            lines.append(line(name, text.withVisibleControls))
        }
        return lines
    }

    private var figures: [String] {
        let errors = HumanUnits.share(row.windowFailures, of: row.shareBase)
        let clientErrors = HumanUnits.share(row.windowClientErrors, of: row.shareBase)
        let latency = row.shownLatency
        let quantiles = [("p50", latency.p50), ("p95", latency.p95), ("p99", latency.p99)].map { name, value in
            "\(name) \(HumanUnits.seconds(value))"
        }
        return [
            line(
                "now",
                "\(HumanUnits.rate(row.requestsPerSecond))  errors \(errors)  4xx \(clientErrors)  "
                    + quantiles.joined(separator: "  ")
            ),
            line(
                "in all",
                "\(HumanUnits.count(row.requests)) requests\(row.lastRequest.map { ", the latest at \($0)" } ?? "")"
            ),
        ]
    }

    private var width: Int { style.width ?? 80 }

    private func line(_ name: String, _ text: String) -> String {
        let label = style.apply(.dim, to: name.padded(to: Self.labelWidth))
        return "  " + label + text.cut(to: max(width - Self.labelWidth - 2, 1))
    }

    // MARK: - Past

    /// The steps of the past by column, `nil` where nobody looked; the latest is at the right.
    private func columns(of detail: TopDetail) -> [TopDetail.Point?] {
        var columns: [TopDetail.Point?] = []
        for point in detail.points {
            if let last = columns.last ?? nil, point.start > last.end, last.end > last.start {
                let missing = (point.start - last.end) / (last.end - last.start)
                columns += Array(repeating: nil, count: Int(min(max(missing, 1), 1000)))
            }
            columns.append(point)
        }
        return columns.suffix(max(width - Self.labelWidth - 2, 1))
    }

    private func classLines(_ columns: [TopDetail.Point?]) -> [String] {
        let seen = Set(columns.compactMap(\.self).flatMap(\.classes).filter { $0.requests > 0 }.map(\.word))
        let greatest = Double(columns.compactMap { $0?.requests }.max() ?? 0)
        return Self.classes.filter { seen.contains($0.word) }.map { word, emphasis in
            let text = columns.map { point -> Character in
                guard let point else { return " " }
                let requests = point.classes.first { $0.word == word }?.requests ?? 0
                return requests == 0 ? "·" : Sparkline.block(Double(requests) / max(greatest, 1))
            }
            let name = ["none": "no answer", "unknown": "not seen"][word] ?? word
            return "  " + style.apply(.dim, to: name.padded(to: Self.labelWidth))
                + style.apply(emphasis, to: String(text))
        }
    }

    /// A row for each range of durations, the longest on top; its shade tells how many requests.
    private func heatLines(_ columns: [TopDetail.Point?], rows: Int) -> [String] {
        let buckets = columns.compactMap(\.self).flatMap(\.buckets)
        guard rows > 0, let least = buckets.map(\.upper).min(), let most = buckets.map(\.upper).max() else { return [] }
        var bounds: [Double] = []
        var bound = least
        while bound <= most * 1.001, bounds.count < 200 {
            bounds.append(bound)
            bound *= 2.0.squareRoot()
        }
        // Where there are more ranges than lines, several share one.
        let step = (bounds.count + rows - 1) / rows
        let groups = stride(from: 0, to: bounds.count, by: step).map { bounds[$0..<min($0 + step, bounds.count)] }
        let counts = groups.map { group in columns.map { $0.map { Self.requests($0, within: group) } } }
        let greatest = Double(counts.joined().compactMap(\.self).max() ?? 0)
        return zip(groups, counts).reversed().map { group, counts in
            let text = counts.map { count -> Character in
                guard let count else { return " " }
                guard count > 0 else { return "·" }
                return Self.shades[min(Int(Double(count) / max(greatest, 1) * 4), 3)]
            }
            let name = "≤ " + HumanUnits.seconds(group.last)
            return "  " + style.apply(.dim, to: name.padded(to: Self.labelWidth)) + String(text)
        }
    }

    private static func requests(_ point: TopDetail.Point, within bounds: ArraySlice<Double>) -> UInt64 {
        guard let first = bounds.first, let last = bounds.last else { return 0 }
        return point.buckets.reduce(0) { sum, bucket in
            bucket.upper > first / 1.2 && bucket.upper < last * 1.2 ? sum + bucket.requests : sum
        }
    }

    private func timeLine(_ columns: [TopDetail.Point?]) -> String {
        guard let first = columns.compactMap(\.self).first, let last = columns.last ?? nil else { return "" }
        let span = HumanUnits.seconds(Double(last.end - first.start) / 1e9)
        let text = "".padded(to: Self.labelWidth + 2) + "the last \(span), now at the right"
        return style.apply(.dim, to: text.cut(to: width))
    }
}
