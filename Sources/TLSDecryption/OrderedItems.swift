// Wingmirror · Apache-2.0

internal import TCPReassembly

/// What one direction holds back because it acknowledges octets of the other that are not known yet: behind a hole, how much
/// plaintext was lost is known only when a record is found again.
///
/// HTTP/1 pairs by the order in which messages and acknowledgements came, so that a request must not overtake the hole whose
/// end it acknowledges.
struct OrderedItems {
    private(set) var items: [TLSItem] = []
    private var octets = 0
    /// Whether there was too much to wait with, so that nothing waits until the search is over.
    private(set) var isGivenUp = false

    var isEmpty: Bool { items.isEmpty }

    /// Holds one more, and answers whether there is still room.
    mutating func append(_ item: TLSItem, _ limits: TLSLimits) -> Bool {
        items.append(item)
        octets += item.octetCount
        isGivenUp = items.count > limits.orderedItems || octets > limits.orderedOctets
        return !isGivenUp
    }

    /// Hands over, in order, what acknowledges no more than `limit`; all without one.
    mutating func take(acknowledging limit: Int64?) -> [TLSItem] {
        let count = limit.map { limit in items.prefix { ($0.acknowledged ?? .min) <= limit }.count } ?? items.count
        let taken = Array(items.prefix(count))
        items.removeFirst(count)
        octets -= taken.reduce(0) { $0 + $1.octetCount }
        return taken
    }

    /// The search is over.
    mutating func searchEnded() {
        isGivenUp = false
    }
}

extension TLSItem {
    /// How far a record acknowledges the other direction's ciphertext.
    var acknowledged: Int64? {
        switch self {
        case .record(_, let place), .damagedRecord(_, _, _, let place): place.acknowledged
        case .unframed(_, let position): position.acknowledged
        case .hole, .ended: nil
        }
    }
}
