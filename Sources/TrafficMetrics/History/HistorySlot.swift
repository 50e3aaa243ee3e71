// Wingmirror · Apache-2.0

/// What was counted in one stretch of time, packed: only routes with traffic take room, some 20 to 100 octets each.
///
/// Routes come in the order of their numbers. Of each: how far its number is above the one before, how many octets
/// follow, and then its counters as key above the one before and count; all in the variable length of LEB128.
struct HistorySlot: Sendable {
    /// When it begins, in nanoseconds.
    let start: Int64
    /// When it ends.
    let end: Int64
    /// The counts of all routes together.
    let totals: RouteCounts
    /// Requests that no route accounts for, by reason.
    let unmatched: [UInt64]
    /// How they were answered.
    let answers: UnmatchedAnswers
    /// What was captured.
    let capture: CaptureReading
    /// The counts of each route.
    let octets: [UInt8]

    /// How many octets it takes, about.
    var size: Int {
        octets.count + totals.count * 8 + unmatched.count * 8 + MemoryLayout<HistorySlot>.size + 96
    }

    /// Packs what was counted.
    init(
        start: Int64,
        end: Int64,
        routes: [(number: Int, counts: RouteCounts)],
        unmatched: [UInt64],
        answers: UnmatchedAnswers = UnmatchedAnswers(),
        capture: CaptureReading,
        layout: HistogramLayout
    ) {
        var writer = HistorySlotWriter()
        var totals = DenseCounts(layout: layout)
        for (number, counts) in routes where counts.count > 0 {
            writer.append(counts, of: number)
            totals.add(counts)
        }
        self.init(start, end, RouteCounts(totals), unmatched, answers, capture, writer.octets)
    }

    /// Joins slots, which follow each other.
    init(joining slots: [HistorySlot], layout: HistogramLayout) {
        var writer = HistorySlotWriter()
        var counts = DenseCounts(layout: layout)
        var walk = HistoryWalk(slots)
        while let number = walk.next() {
            counts.clear()
            for entry in walk.entries {
                entry.add(to: &counts, in: slots[entry.slot])
            }
            writer.append(RouteCounts(counts), of: number)
        }
        var totals = DenseCounts(layout: layout)
        var unmatched = [UInt64](repeating: 0, count: UnmatchedReason.allCases.count)
        var answers = UnmatchedAnswers()
        var capture = CaptureReading()
        for slot in slots {
            totals.add(slot.totals)
            answers.add(slot.answers)
            for place in unmatched.indices {
                unmatched[place] += slot.unmatched[place]
            }
            capture.add(slot.capture)
        }
        self.init(
            slots.first?.start ?? 0,
            slots.last?.end ?? 0,
            RouteCounts(totals),
            unmatched,
            answers,
            capture,
            writer.octets
        )
    }

    private init(
        _ start: Int64,
        _ end: Int64,
        _ totals: RouteCounts,
        _ unmatched: [UInt64],
        _ answers: UnmatchedAnswers,
        _ capture: CaptureReading,
        _ octets: [UInt8]
    ) {
        self.start = start
        self.end = end
        self.totals = totals
        self.unmatched = unmatched
        self.answers = answers
        self.capture = capture
        // What was appended to may take twice the room it needs; a copy does not.
        var exact: [UInt8] = []
        exact.reserveCapacity(octets.count)
        exact += octets
        self.octets = exact
    }
}
