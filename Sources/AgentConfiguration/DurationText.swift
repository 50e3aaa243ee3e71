// Wingmirror · Apache-2.0

extension Duration {
    private static let units: [(suffix: String, milliseconds: Int64)] = [
        ("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000),
    ]

    /// Reads `100ms`, `5m` or `1h30m`, the larger units first; `nil` for anything else.
    package init?(text: String) {
        var rest = Substring(text)
        var total: Int64 = 0
        var largest = Int64.max
        repeat {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            rest = rest.dropFirst(digits.count)
            let suffix = rest.prefix { $0.isLetter }
            rest = rest.dropFirst(suffix.count)
            guard let count = Int64(digits), count < 1 << 32,
                let unit = Self.units.first(where: { $0.suffix == suffix }), unit.milliseconds < largest
            else { return nil }
            largest = unit.milliseconds
            total += count * unit.milliseconds
        } while !rest.isEmpty
        self = .milliseconds(total)
    }

    /// The duration as `init(text:)` reads it, without what is below a millisecond.
    package var text: String {
        var rest = components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
        guard rest > 0 else { return "0s" }
        var parts = ""
        for unit in Self.units.reversed() where rest >= unit.milliseconds {
            parts += "\(rest / unit.milliseconds)\(unit.suffix)"
            rest %= unit.milliseconds
        }
        return parts
    }
}

extension ConfigurationValue where Value == Duration {
    /// A duration within a range.
    static func duration(in range: ClosedRange<Duration>) -> Self {
        let bounds = "from \(range.lowerBound.text) to \(range.upperBound.text)"
        return ConfigurationValue<String>.text.map("a duration such as 5m or 100ms, \(bounds)") { text in
            Duration(text: text).flatMap { range.contains($0) ? $0 : nil }
        }
    }
}
