// Wingmirror · Apache-2.0

import Agent

/// Shows on a terminal how far a replay is; shows nothing anywhere else.
struct ReplayProgress {
    private static let barWidth = 30
    /// How often it is drawn at most.
    private static let interval = Duration.milliseconds(100)

    private let total: Int
    private let isShown: Bool
    private var nextDrawing: ContinuousClock.Instant
    private var isDrawn = false

    /// Makes a display that has not been drawn.
    init(total: Int, isShown: Bool, now: ContinuousClock.Instant = .now) {
        self.total = total
        self.isShown = isShown
        nextDrawing = now + Self.interval
    }

    /// Draws if it is time to.
    mutating func advanced(_ summary: ReplaySummary) {
        guard isShown, case let now = ContinuousClock.now, now >= nextDrawing else { return }
        nextDrawing = now + Self.interval
        isDrawn = true
        StandardError.write("\r\(Self.line(summary, of: total))\u{1B}[K")
    }

    /// Removes the line, so that what follows starts on a clean one.
    mutating func finished() {
        guard isDrawn else { return }
        isDrawn = false
        StandardError.write("\r\u{1B}[K")
    }

    /// The display as text.
    static func line(_ summary: ReplaySummary, of total: Int) -> String {
        let share = total == 0 ? 1 : min(Double(summary.sent) / Double(total), 1)
        let filled = Int(share * Double(barWidth))
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: barWidth - filled)
        let counts = "\(HumanUnits.count(UInt64(summary.sent))) of \(HumanUnits.count(UInt64(total)))"
        let failures = summary.sent - summary.answered
        return "replaying  \(bar)  \(Int(share * 100)) %  \(counts)"
            + (failures > 0 ? "  \(HumanUnits.count(UInt64(failures))) failed" : "")
            + (summary.mismatches > 0 ? "  \(HumanUnits.count(UInt64(summary.mismatches))) differ" : "")
    }
}
