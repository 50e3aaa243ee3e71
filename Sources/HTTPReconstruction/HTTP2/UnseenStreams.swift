// Wingmirror · Apache-2.0
// Stream identifiers of a client, RFC 9113 §5.1.1.

/// Ranges of streams whose requests were missed; the latest few.
struct UnseenStreams {
    private var ranges: [ClosedRange<UInt32>] = []

    private static var limit: Int { 8 }

    /// Whether all requests were seen.
    var isEmpty: Bool { ranges.isEmpty }

    func contains(_ stream: UInt32) -> Bool {
        ranges.contains { $0.contains(stream) }
    }

    /// A request of the range was seen after all, or its response.
    mutating func remove(_ stream: UInt32) {
        guard let index = ranges.firstIndex(where: { $0.contains(stream) }) else { return }
        let range = ranges.remove(at: index)
        if range.lowerBound + 2 <= stream { ranges.insert(range.lowerBound...stream - 2, at: index) }
        if stream + 2 <= range.upperBound { insert(stream + 2...range.upperBound) }
    }

    mutating func insert(_ range: ClosedRange<UInt32>) {
        if ranges.count == Self.limit { ranges.removeFirst() }
        ranges.append(range)
    }
}
