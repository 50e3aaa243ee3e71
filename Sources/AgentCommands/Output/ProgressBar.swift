// Wingmirror · Apache-2.0

import Agent

/// Shows on a terminal how much of the savefiles has been read; shows nothing anywhere else.
final class ProgressBar {
    private static let barWidth = 30
    /// How often it is drawn at most, so that drawing costs nothing beside reading.
    private static let interval = Duration.milliseconds(100)

    /// The octets to be read; `nil` when that is not known, as with standard input.
    var total: Int?
    private let isShown: Bool
    private var nextDrawing: ContinuousClock.Instant
    private var isDrawn = false

    /// Makes a bar that has not been drawn.
    ///
    /// - Parameters:
    ///   - total: The octets to be read; `nil` when that is not known, as with standard input.
    ///   - isShown: Whether standard error is a terminal.
    ///   - now: The time, so that short runs draw nothing.
    init(total: Int? = nil, isShown: Bool, now: ContinuousClock.Instant = .now) {
        self.total = total
        self.isShown = isShown
        nextDrawing = now + Self.interval
    }

    /// Draws the bar if it is time to.
    func advanced(to octets: Int) {
        guard isShown, case let now = ContinuousClock.now, now >= nextDrawing else { return }
        nextDrawing = now + Self.interval
        isDrawn = true
        StandardError.write("\r\(Self.line(octets, of: total))\u{1B}[K")
    }

    /// Removes the bar, so that what follows starts on a clean line.
    func finished() {
        guard isDrawn else { return }
        isDrawn = false
        StandardError.write("\r\u{1B}[K")
    }

    /// The bar as text.
    static func line(_ octets: Int, of total: Int?) -> String {
        let read = HumanUnits.octets(UInt64(max(octets, 0)))
        guard let total, total > 0 else { return "reading  \(read)" }
        let share = min(max(Double(octets) / Double(total), 0), 1)
        let filled = Int(share * Double(barWidth))
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: barWidth - filled)
        return "reading  \(bar)  \(Int(share * 100)) %  \(read) of \(HumanUnits.octets(UInt64(total)))"
    }
}
