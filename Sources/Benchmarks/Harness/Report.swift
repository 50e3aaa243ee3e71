// Wingmirror · Apache-2.0

/// The table of a scenario, as text.
struct Report {
    private let scenario: Scenario
    private let lines: [[String]]

    init(
        _ scenario: Scenario,
        _ rows: [any Measurable],
        _ measurements: [Measurement],
        countsAllocations: Bool
    ) {
        self.scenario = scenario
        let item = scenario.item
        let titles = [
            "", "ns/\(item)", "run", "\(item)s/s", "octets/s", countsAllocations ? "allocs/\(item)" : "", "x first",
        ]
        lines =
            [titles]
            + zip(rows, measurements).map { row, measurement in
                let time = max(Spread(measurement.nanoseconds).median, .leastNormalMagnitude)
                let items = Double(row.items)
                return [
                    row.label,
                    FigureText.spread(measurement.nanoseconds),
                    FigureText.duration(nanoseconds: time * items),
                    FigureText.quantity(1e9 / time),
                    row.octets > 0 ? FigureText.quantity(Double(row.octets) / items * 1e9 / time) : "",
                    countsAllocations ? FigureText.figure(Spread(measurement.allocations).median) : "",
                    FigureText.spread(measurement.ratios(to: measurements[0])),
                ]
            }
    }

    /// The table under the name of its scenario.
    var text: String {
        var widths = [Int](repeating: 0, count: lines.first?.count ?? 0)
        for line in lines {
            for (column, cell) in line.enumerated() { widths[column] = max(widths[column], cell.count) }
        }
        var text = "\n\(scenario.name): \(scenario.summary)\n"
        for line in lines {
            var row = "  "
            for (column, cell) in line.enumerated() where widths[column] > 0 {
                row += column == 0 ? "" : "  "
                row += FigureText.padded(cell, to: widths[column], alignsRight: column > 0)
            }
            text += row + "\n"
        }
        return text
    }
}
