// Wingmirror · Apache-2.0

/// Figures as people read them: about three digits that matter.
enum FigureText {
    /// A figure that is not negative, with as many decimals as make three digits.
    static func figure(_ value: Double) -> String {
        if value == 0 { return "0" }
        if value < 0.0005 { return "<0.001" }
        let decimals = value < 1 ? 3 : value < 10 ? 2 : value < 100 ? 1 : 0
        var scale = 1
        for _ in 0..<decimals { scale *= 10 }
        let scaled = Int((value * Double(scale)).rounded())
        guard decimals > 0 else { return grouped(scaled) }
        let fraction = String(scaled % scale)
        return "\(scaled / scale).\(String(repeating: "0", count: decimals - fraction.count))\(fraction)"
    }

    /// The median, and the range behind it.
    static func spread(_ figures: [Double]) -> String {
        let spread = Spread(figures)
        return "\(figure(spread.median)) (\(figure(spread.least))-\(figure(spread.greatest)))"
    }

    /// A large figure with a letter for thousands, millions or thousands of millions.
    static func quantity(_ value: Double) -> String {
        switch value {
        case 1e9...: "\(figure(value / 1e9)) G"
        case 1e6...: "\(figure(value / 1e6)) M"
        case 1e3...: "\(figure(value / 1e3)) k"
        default: figure(value)
        }
    }

    /// A time in milliseconds, or seconds from one second on.
    static func duration(nanoseconds: Double) -> String {
        nanoseconds < 1e9 ? "\(figure(nanoseconds / 1e6)) ms" : "\(figure(nanoseconds / 1e9)) s"
    }

    /// A whole number with its digits in groups of three.
    static func grouped(_ number: Int) -> String {
        number < 1000 ? String(number) : grouped(number / 1000) + "," + String(String(number % 1000 + 1000).dropFirst())
    }

    /// A text with blanks to fill `width` columns.
    static func padded(_ text: String, to width: Int, alignsRight: Bool = false) -> String {
        let blanks = String(repeating: " ", count: max(0, width - text.count))
        return alignsRight ? blanks + text : text + blanks
    }
}
