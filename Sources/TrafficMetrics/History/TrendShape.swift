// Wingmirror · Apache-2.0

import OctetText

/// The steps of a trend, such as a sparkline.
public struct TrendShape: Sendable, Hashable {
    /// How many steps there are.
    public var steps: Int
    /// How long each is.
    public var step: Duration

    /// Makes a shape of its parts.
    public init(steps: Int, step: Duration) {
        self.steps = steps
        self.step = step
    }

    /// No trend.
    public static let none = TrendShape(steps: 0, step: .seconds(1))
}

/// Where the steps of a trend lie in time.
struct TrendGrid {
    private let steps: Int
    private let length: Int64
    private let start: Int64

    init(_ shape: TrendShape, until end: Int64) {
        steps = shape.steps
        length = max(shape.step.nanoseconds, 1)
        start = end - Int64(shape.steps) * length
    }

    /// Whether a slot lies in a step, in whole or in part.
    func touches(_ slot: HistorySlot) -> Bool {
        steps > 0 && slot.end > start
    }

    /// Shares what a slot counted among the steps it lies in, by time.
    func spread(_ requests: UInt64, of slot: HistorySlot, over counts: inout [Double]) {
        guard requests > 0 else { return }
        visit(slot) { step, nanoseconds in
            counts[step] += Double(requests) * Double(nanoseconds) / Double(slot.end - slot.start)
        }
    }

    /// How many seconds of each step slots cover.
    func covered(by slots: [HistorySlot]) -> [Double] {
        var seconds = [Double](repeating: 0, count: steps)
        for slot in slots {
            visit(slot) { seconds[$0] += Double($1) / 1e9 }
        }
        return seconds
    }

    /// Calls `body` with each step that a slot lies in, and for how many nanoseconds.
    private func visit(_ slot: HistorySlot, _ body: (Int, Int64) -> Void) {
        guard touches(slot) else { return }
        var position = max(slot.start, start)
        while position < slot.end {
            let step = Int((position - start) / length)
            let end = min(start + Int64(step + 1) * length, slot.end)
            guard step < steps else { return }
            body(step, end - position)
            position = end
        }
    }
}
