// Wingmirror · Apache-2.0

/// The table as it is printed where there is no screen.
struct TopListing {
    /// What is printed.
    let frame: TopFrame
    /// What rows are ordered by.
    let order: TopView.Order

    /// The lines; routes that have had no requests are only counted.
    func lines(_ style: TerminalStyle) -> [String] {
        var view = TopView(size: TerminalSize(columns: style.width ?? .max, rows: .max), isColoured: style.isColoured)
        view.order = order
        let rows = view.rows(of: frame)
        var lines = TopHead(frame: frame, style: style).lines.dropLast() + []
        if let problem = frame.problem { lines.append(style.apply(.warning, to: problem.withVisibleControls)) }
        var table = TopTable(order: order, width: style.width)
        for row in rows where row.requests > 0 { table.append(row) }
        lines += table.lines(style)
        let idle = rows.count { $0.requests == 0 }
        if idle > 0 {
            let routes = "\(HumanUnits.count(UInt64(idle))) \(idle == 1 ? "route" : "routes")"
            lines.append(style.apply(.dim, to: "  \(routes) without requests"))
        }
        return lines + [""]
    }
}
