// Wingmirror · Apache-2.0

import AgentConfiguration

/// Rows of text in aligned columns, which fit themselves to a narrow terminal.
///
/// When the columns do not fit, those with the highest `yield` go first: extra ones until nothing is cut, others until
/// what may be cut is enough; those that fit again then come back. What is left over is taken from the columns that may
/// be cut, the widest first, down to a readable rest.
struct TextTable: Sendable {
    /// A column.
    struct Column: Sendable {
        /// What stands above it.
        var title: String
        /// Whether its text is aligned at the right, as figures are.
        var isFigure = true
        /// In which order columns are left out when there is no room, the highest first; `nil` keeps it always.
        var yield: Int?
        /// Whether it is left out before the text of any other is cut.
        var isExtra = false
        /// The width below which it is never cut; `nil` never cuts it.
        var shortest: Int?
        /// Whether its texts are names, which are cut in the middle: many differ only at their ends.
        var isName = false
        /// The width it has at least, so that a table that is drawn again and again does not move.
        var least = 0
    }

    /// A piece of text in a row.
    struct Cell: Sendable, ExpressibleByStringLiteral {
        /// The text, without line ends or control characters.
        var text: String
        /// How it stands out.
        var emphasis: TextEmphasis

        /// Makes a cell; characters that would move the cursor are replaced.
        init(_ text: String, _ emphasis: TextEmphasis = .plain) {
            self.text = String(
                String.UnicodeScalarView(text.unicodeScalars.map { Self.isControl($0) ? "\u{FFFD}" : $0 })
            )
            self.emphasis = emphasis
        }

        /// Makes a plain cell.
        init(stringLiteral value: String) {
            self.init(value)
        }

        private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator: true
            default: false
            }
        }
    }

    private static let gap = 2

    private let columns: [Column]
    private var rows: [[Cell]] = []

    /// Makes an empty table.
    init(_ columns: [Column]) {
        self.columns = columns
    }

    /// Adds a row, which has a cell for each column.
    mutating func append(_ row: [Cell]) {
        precondition(row.count == columns.count, "TextTable.append: \(row.count) cells for \(columns.count) columns")
        rows.append(row)
    }

    /// The table as lines, each indented by two spaces, with a line of titles if any column has one.
    func lines(_ style: TerminalStyle) -> [String] {
        let widths = fittedWidths(style.width.map { $0 - Self.gap })
        var lines: [String] = []
        if columns.contains(where: { !$0.title.isEmpty }) {
            lines.append(line(columns.map { Cell($0.title, .dim) }, widths, style))
        }
        return lines + rows.map { line($0, widths, style) }
    }

    /// The titles of the columns that are left out, without the extra ones.
    func leftOut(_ style: TerminalStyle) -> [String] {
        zip(columns, fittedWidths(style.width.map { $0 - Self.gap })).filter { !$0.isExtra && $1 == nil }.map(\.0.title)
    }

    // MARK: - Widths

    /// The width of each column, `nil` for those left out.
    private func fittedWidths(_ available: Int?) -> [Int?] {
        var widths: [Int?] = columns.indices.map { index in
            rows.map { $0[index].text.displayWidth }
                .reduce(max(columns[index].title.displayWidth, columns[index].least), max)
        }
        guard let available else { return widths }
        let natural = widths
        let yielding = columns.indices.filter { columns[$0].yield != nil }
            .sorted { (columns[$0].yield ?? 0) > (columns[$1].yield ?? 0) }
        for index in yielding {
            if excess(widths, available) <= (columns[index].isExtra ? 0 : slack(widths)) {
                break
            }
            widths[index] = nil
        }
        // A wide column may have gone in the end, and left room for narrow ones that went before it.
        for index in yielding.reversed() where widths[index] == nil && !columns[index].isExtra {
            widths[index] = natural[index]
            if excess(widths, available) > slack(widths) { widths[index] = nil }
        }
        cut(&widths, by: excess(widths, available))
        return widths
    }

    /// Takes some columns of the terminal from those of the table that may be cut, each time from the widest.
    private func cut(_ widths: inout [Int?], by excess: Int) {
        for _ in 0..<max(excess, 0) {
            var widest: (index: Int, width: Int)?
            for index in columns.indices {
                guard let width = widths[index], width > columns[index].shortest ?? width else { continue }
                if width > widest?.width ?? 0 { widest = (index, width) }
            }
            guard let widest else { return }
            widths[widest.index] = widest.width - 1
        }
    }

    private func excess(_ widths: [Int?], _ available: Int) -> Int {
        let shown = widths.compactMap(\.self)
        return shown.reduce(0, +) + Self.gap * max(shown.count - 1, 0) - available
    }

    /// How much the columns that may be cut can give.
    private func slack(_ widths: [Int?]) -> Int {
        columns.indices.reduce(0) { sum, index in
            guard let shortest = columns[index].shortest, let width = widths[index] else { return sum }
            return sum + max(width - shortest, 0)
        }
    }

    // MARK: - Lines

    private func line(_ cells: [Cell], _ widths: [Int?], _ style: TerminalStyle) -> String {
        var line = ""
        for (index, cell) in cells.enumerated() {
            guard let width = widths[index] else { continue }
            let text = columns[index].isName ? cell.text.cutInTheMiddle(to: width) : cell.text.cut(to: width)
            let padding = String(repeating: " ", count: max(width - text.displayWidth, 0))
            let shown = style.apply(cell.emphasis, to: text)
            line += String(repeating: " ", count: Self.gap)
            line += columns[index].isFigure ? padding + shown : shown + padding
        }
        while line.hasSuffix(" ") {
            line.removeLast()
        }
        return line
    }
}
