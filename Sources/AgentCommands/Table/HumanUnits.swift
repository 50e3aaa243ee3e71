// Wingmirror · Apache-2.0

/// Figures as people read them: about three digits and a unit.
enum HumanUnits {
    /// What stands where there is no figure.
    static let none = "–"

    /// A count with its thousands set apart, such as `1,234,567`.
    static func count(_ count: UInt64) -> String {
        var text = ""
        for (index, digit) in String(count).reversed().enumerated() {
            if index > 0, index % 3 == 0 {
                text.append(",")
            }
            text.append(digit)
        }
        return String(text.reversed())
    }

    /// Octets in decimal units, such as `310 kB`.
    static func octets(_ octets: UInt64) -> String {
        guard octets >= 1000 else { return "\(octets) B" }
        return scaled(Double(octets) / 1000, ["kB", "MB", "GB", "TB", "PB", "EB"])
    }

    /// Octets in the binary units that configurations have, such as `64 MiB`.
    static func binary(_ octets: UInt64) -> String {
        guard octets >= 1024 else { return "\(octets) B" }
        return scaled(Double(octets) / 1024, ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"], step: 1024)
    }

    /// Seconds, such as `850 µs` or `1.25 s`.
    static func seconds(_ seconds: Double?) -> String {
        guard let seconds, seconds.isFinite else { return none }
        if seconds >= 120 {
            return seconds >= 7200 ? "\(digits(seconds / 3600)) h" : "\(digits(seconds / 60)) min"
        }
        if seconds >= 1 {
            return "\(digits(seconds)) s"
        }
        return seconds >= 0.001 ? "\(digits(seconds * 1000)) ms" : "\(digits(max(seconds, 0) * 1_000_000)) µs"
    }

    /// A rate, such as `16.3/s`; below one in ten seconds, times in a minute or an hour.
    static func rate(_ perSecond: Double?) -> String {
        guard let perSecond, perSecond.isFinite else { return none }
        if perSecond >= 1000 {
            return "\(scaled(perSecond / 1000, ["k", "M", "G"], separator: ""))/s"
        }
        if perSecond >= 0.1 || perSecond <= 0 {
            return "\(digits(max(perSecond, 0)))/s"
        }
        return perSecond * 60 >= 0.1 ? "\(digits(perSecond * 60))/min" : "\(digits(perSecond * 3600))/h"
    }

    /// A share of a whole, such as `1.5 %`; what is there at all is never shown as none, nor less than all as all.
    static func share(_ part: UInt64, of whole: UInt64) -> String {
        guard whole > 0 else { return none }
        let percent = Double(part) / Double(whole) * 100
        if part == 0 || part >= whole {
            return part == 0 ? "0 %" : "100 %"
        }
        if percent < 0.1 {
            return "<0.1 %"
        }
        return percent > 99.9 ? ">99.9 %" : "\(digits(percent)) %"
    }

    // MARK: - Digits

    private static func scaled(
        _ value: Double,
        _ units: [String],
        separator: String = " ",
        step: Double = 1000
    ) -> String {
        var value = value
        var unit = units[0]
        for larger in units.dropFirst() where value >= step - 0.5 {
            value /= step
            unit = larger
        }
        return "\(digits(value))\(separator)\(unit)"
    }

    /// Three digits, without zeros that say nothing.
    private static func digits(_ value: Double) -> String {
        guard value < 99.95 else { return value < 1e15 ? String(Int64(value.rounded())) : "\(value)" }
        let factor = value < 9.995 ? 100.0 : 10.0
        let scaled = Int((value * factor).rounded())
        let whole = scaled / Int(factor)
        let fraction = scaled % Int(factor)
        guard fraction > 0 else { return String(whole) }
        var decimals = String(fraction)
        decimals = String(repeating: "0", count: (factor == 100 ? 2 : 1) - decimals.count) + decimals
        while decimals.hasSuffix("0") {
            decimals.removeLast()
        }
        return "\(whole).\(decimals)"
    }
}
