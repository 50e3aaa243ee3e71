// Wingmirror · Apache-2.0

/// Names a counter that the history keeps of a route.
struct HistoryKey: Sendable, Hashable {
    let rawValue: UInt16

    private static let firstDuration = ResponseCodeClass.allCases.count + 2

    /// Requests whose response has a class.
    static func requests(_ codeClass: ResponseCodeClass) -> HistoryKey {
        HistoryKey(rawValue: UInt16(codeClass.rawValue))
    }

    /// Requests that failed.
    static let failures = HistoryKey(rawValue: UInt16(ResponseCodeClass.allCases.count))
    /// Requests whose answer the observer has not seen.
    static let unseen = HistoryKey(rawValue: failures.rawValue + 1)

    /// Durations that fell into a cell of the histogram.
    static func duration(cell: Int) -> HistoryKey {
        HistoryKey(rawValue: UInt16(firstDuration + cell))
    }

    /// How many keys there are.
    static func count(layout: HistogramLayout) -> Int {
        firstDuration + layout.cellCount
    }
}
