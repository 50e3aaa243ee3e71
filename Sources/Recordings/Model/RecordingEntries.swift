// Wingmirror · Apache-2.0

/// The exchanges of a recording in the order of their times, each read from where it is kept when it is asked for.
public struct RecordingEntries: Sendable, RandomAccessCollection {
    private let places: [RecordingStore.Place]
    private let store: RecordingStore
    private var change: (@Sendable (inout RecordingEntry) -> Void)?

    init(_ places: [RecordingStore.Place], in store: RecordingStore) {
        self.places = places
        self.store = store
    }

    /// Keeps exchanges that are given in any order.
    public init(_ entries: some Sequence<RecordingEntry>) {
        let store = RecordingStore()
        for entry in entries { store.append(entry) }
        self = store.takeEntries()
    }

    /// The number of the earliest exchange.
    public var startIndex: Int { 0 }
    /// How many exchanges there are.
    public var endIndex: Int { places.count }
    /// Reads the exchange with a number.
    public subscript(place: Int) -> RecordingEntry {
        var entry = store.entry(places[place])
        change?(&entry)
        return entry
    }

    /// Some of these exchanges, each with a change whenever it is read.
    ///
    /// - Parameters:
    ///   - numbers: Which of them, in order.
    ///   - change: What becomes of each; when it began stays.
    /// - Returns: Them, from where they are kept.
    public func selected(
        _ numbers: [Int],
        change: @escaping @Sendable (inout RecordingEntry) -> Void
    ) -> RecordingEntries {
        var selected = RecordingEntries(numbers.map { places[$0] }, in: store)
        selected.change = change
        return selected
    }

    /// When each of the exchanges began, in nanoseconds since the Unix epoch.
    public var startTimes: [Int64] { places.map(\.start) }

    /// Why some of them could not be read from where they were kept; such a one has no method.
    public var loss: String? { store.loss }
}
