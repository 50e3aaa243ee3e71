// Wingmirror · Apache-2.0

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
