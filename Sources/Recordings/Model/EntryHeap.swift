// Wingmirror · Apache-2.0

/// Entries that wait for their place, as a binary heap; those with one start leave in the order in which they came.
struct EntryHeap {
    struct Entry {
        let start: Int64
        let number: Int
        let octets: [UInt8]

        func precedes(_ other: Entry) -> Bool { (start, number) < (other.start, other.number) }
    }

    private(set) var octets = 0
    private var entries: [Entry] = []
    private var number = 0

    var count: Int { entries.count }

    /// Adds an entry.
    mutating func insert(start: Int64, _ text: [UInt8]) {
        octets += text.count
        entries.append(Entry(start: start, number: number, octets: text))
        number += 1
        var place = entries.count - 1
        while place > 0, case let parent = (place - 1) / 2, entries[place].precedes(entries[parent]) {
            entries.swapAt(place, parent)
            place = parent
        }
    }

    /// Takes out the earliest entry; `nil` when there is none.
    mutating func removeEarliest() -> Entry? {
        guard let earliest = entries.first, let last = entries.popLast() else { return nil }
        octets -= earliest.octets.count
        guard !entries.isEmpty else { return earliest }
        entries[0] = last
        var place = 0
        while true {
            var least = place
            for child in [2 * place + 1, 2 * place + 2] where child < entries.count {
                if entries[child].precedes(entries[least]) { least = child }
            }
            guard least != place else { return earliest }
            entries.swapAt(place, least)
            place = least
        }
    }
}
