// Wingmirror · Apache-2.0

/// Durations as manifests write them: `1.5s`, `2m`, `100ms`.
enum GoDuration {
    /// The nanoseconds of a text; `nil` for one that is no duration.
    static func nanoseconds(_ text: String) -> Int64? {
        var rest = text.utf8[...]
        let isNegative = rest.first == UInt8(ascii: "-")
        if isNegative { rest = rest.dropFirst() }
        guard !rest.isEmpty else { return nil }
        if rest.elementsEqual("0".utf8) { return 0 }
        var total: Double = 0
        while !rest.isEmpty {
            let digits = rest.prefix { (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") }
            guard let number = Double(String(decoding: digits, as: UTF8.self)) else { return nil }
            rest = rest.dropFirst(digits.count)
            let unit = rest.prefix { !(0x30...0x39).contains($0) && $0 != UInt8(ascii: ".") }
            guard let scale = scale(String(decoding: unit, as: UTF8.self)) else { return nil }
            total += number * scale
            rest = rest.dropFirst(unit.count)
        }
        guard total < 9e18 else { return nil }
        return Int64((isNegative ? -total : total).rounded())
    }

    private static func scale(_ unit: String) -> Double? {
        switch unit {
        case "ns": 1
        case "us", "µs", "μs": 1e3
        case "ms": 1e6
        case "s": 1e9
        case "m": 60e9
        case "h": 3600e9
        default: nil
        }
    }
}
