// Wingmirror · Apache-2.0
// LEB128: seven bits to an octet, the lowest first; the highest bit says that more follow.

/// Packs the counts of routes, in the order of their numbers.
struct HistorySlotWriter {
    private(set) var octets: [UInt8] = []
    private var entry: [UInt8] = []
    private var previousNumber = 0

    /// Appends the counts of a route, whose number is above those before it.
    mutating func append(_ counts: RouteCounts, of number: Int) {
        entry.removeAll(keepingCapacity: true)
        var previousKey: UInt16 = 0
        for place in 0..<counts.count {
            let (key, count) = counts[place]
            entry.append(variableLength: UInt64(key.rawValue - previousKey))
            entry.append(variableLength: count)
            previousKey = key.rawValue
        }
        octets.append(variableLength: UInt64(number - previousNumber))
        octets.append(variableLength: UInt64(entry.count))
        octets += entry
        previousNumber = number
    }
}

/// The counts of one route within the octets of a slot.
struct HistoryEntry: Sendable {
    /// Which of the slots walked through it is in.
    let slot: Int
    /// Where its counters are.
    let range: Range<Int>

    /// Calls `body` with each counter in the order of the keys, until it gives false.
    @inline(__always)
    func visit(in slot: HistorySlot, _ body: (HistoryKey, UInt64) -> Bool) {
        var position = range.lowerBound
        var key: UInt16 = 0
        while position < range.upperBound {
            key += UInt16(slot.octets.variableLength(at: &position))
            guard body(HistoryKey(rawValue: key), slot.octets.variableLength(at: &position)) else { return }
        }
    }

    /// Adds the counters.
    func add(to counts: inout DenseCounts, in slot: HistorySlot) {
        visit(in: slot) { key, count in
            counts.add(count, to: key)
            return true
        }
    }

    /// All requests.
    func requests(in slot: HistorySlot) -> UInt64 {
        var sum: UInt64 = 0
        visit(in: slot) { key, count in
            guard key.rawValue < HistoryKey.failures.rawValue else { return false }
            sum += count
            return true
        }
        return sum
    }
}

/// Walks through the routes of several slots at once, in the order of their numbers.
struct HistoryWalk {
    /// What the slots hold of the route that `next` gave.
    private(set) var entries: [HistoryEntry] = []
    private let slots: [HistorySlot]
    private var cursors: [Cursor]

    private struct Cursor {
        let slot: Int
        var number = 0
        var range = 0..<0

        /// Goes to the next route; `false` after the last.
        mutating func advance(in octets: [UInt8]) -> Bool {
            var position = range.upperBound
            guard position < octets.count else { return false }
            number += Int(octets.variableLength(at: &position))
            let length = Int(octets.variableLength(at: &position))
            range = position..<position + length
            return true
        }
    }

    /// Begins before the first route.
    init(_ slots: [HistorySlot]) {
        self.slots = slots
        cursors = slots.indices.compactMap { index in
            var cursor = Cursor(slot: index)
            return cursor.advance(in: slots[index].octets) ? cursor : nil
        }
    }

    /// Goes to the next route that any of the slots has.
    mutating func next() -> Int? {
        entries.removeAll(keepingCapacity: true)
        guard var number = cursors.first?.number else { return nil }
        for cursor in cursors where cursor.number < number {
            number = cursor.number
        }
        var hasEnded = false
        for index in cursors.indices where cursors[index].number == number {
            entries.append(HistoryEntry(slot: cursors[index].slot, range: cursors[index].range))
            if !cursors[index].advance(in: slots[cursors[index].slot].octets) {
                cursors[index].number = .max
                hasEnded = true
            }
        }
        if hasEnded {
            cursors.removeAll { $0.number == .max }
        }
        return number
    }

    /// What a slot holds of one route.
    static func entry(of number: Int, in slot: HistorySlot) -> HistoryEntry? {
        var cursor = Cursor(slot: 0)
        while cursor.advance(in: slot.octets) {
            if cursor.number >= number {
                return cursor.number == number ? HistoryEntry(slot: 0, range: cursor.range) : nil
            }
        }
        return nil
    }
}

extension [UInt8] {
    /// Appends a number in its variable length.
    fileprivate mutating func append(variableLength number: UInt64) {
        var rest = number
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(truncatingIfNeeded: rest))
    }

    /// The number at a position, which moves behind it.
    @inline(__always)
    fileprivate func variableLength(at position: inout Int) -> UInt64 {
        var number: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            let octet = self[position]
            position += 1
            number |= UInt64(octet & 0x7F) << shift
            if octet < 0x80 { return number }
            shift += 7
        }
    }
}
