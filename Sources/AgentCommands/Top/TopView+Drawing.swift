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
        guard !rows.isEmpty else { return [("  " + emptiness(frame)).cut(to: size.columns)] }
        let shown = rows.dropFirst(scroll).prefix(tableRows)
        let table = table(of: shown)
        var lines = table.lines(style)
        if let place = shown.firstIndex(where: { $0.id == selected }) {
            let line = place - shown.startIndex + 1
            lines[line] = chosen(table.lines(TerminalStyle(width: size.columns))[line])
        }
        return lines
    }

    private func table(of rows: ArraySlice<TopFrame.Row>) -> TopTable {
        var table = TopTable(order: order, width: size.columns)
        for row in rows { table.append(row) }
        return table
    }

    /// A line with a mark, and in the other colours where there are any.
    private func chosen(_ line: String) -> String {
        let marked = ">" + line.dropFirst()
        let padding = String(repeating: " ", count: max(size.columns - marked.displayWidth, 0))
        return style.apply(.selected, to: marked + padding)
    }

    private func emptiness(_ frame: TopFrame) -> String {
        if !frame.rows.isEmpty { return "no route has \"\(filter.withVisibleControls)\" in it" }
        guard frame.time != nil else { return "waiting for the first figures" }
        return "the table has no routes; `wingmirror check` says why"
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
            let rows = rows(of: frame)
            parts.append("\(rows.count) of \(frame.rows.count) routes")
            let leftOut = table(of: rows.dropFirst(scroll).prefix(tableRows)).leftOut(style).joined(separator: ", ")
            // The end of this line is cut off on a narrow screen, the only one that has this part.
            if !leftOut.isEmpty { parts.insert("no room for \(leftOut)", at: 1) }
        }
        return style.apply(.dim, to: parts.joined(separator: "   ").cut(to: size.columns))
    }
}
