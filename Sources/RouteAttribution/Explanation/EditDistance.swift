// Wingmirror · Apache-2.0

/// How far texts lie apart, to name what somebody probably meant.
enum EditDistance {
    /// The number of octets to insert, delete, replace or swap with their neighbour; `nil` where it exceeds the limit.
    ///
    /// This is the distance of optimal string alignment. Its cost is the product of the lengths, so texts of more than 64
    /// octets are compared only when they lie close in length.
    static func between(_ first: String, _ second: String, limit: Int) -> Int? {
        let first = Array(first.utf8.prefix(256))
        let second = Array(second.utf8.prefix(256))
        guard abs(first.count - second.count) <= limit else { return nil }
        var before: [Int] = []
        var previous = Array(0...second.count)
        for row in first.indices {
            var current = [row + 1]
            current.reserveCapacity(second.count + 1)
            for column in second.indices {
                var best = min(
                    previous[column + 1] + 1,
                    current[column] + 1,
                    previous[column] + (first[row] == second[column] ? 0 : 1)
                )
                if row > 0, column > 0, first[row] == second[column - 1], first[row - 1] == second[column] {
                    best = min(best, before[column - 1] + 1)
                }
                current.append(best)
            }
            guard current.min() ?? 0 <= limit else { return nil }
            before = previous
            previous = current
        }
        let distance = previous[second.count]
        return distance <= limit ? distance : nil
    }

    /// The candidate nearest to a text, within a third of its length; letters' case does not count.
    static func nearest(_ text: String, among candidates: [String]) -> String? {
        let folded = HostNames.lowercased(text)
        let limit = max(1, text.utf8.count / 3)
        var best: (text: String, distance: Int)?
        for candidate in candidates where candidate != text {
            guard
                let distance = between(
                    folded,
                    HostNames.lowercased(candidate),
                    limit: best.map { $0.distance } ?? limit
                )
            else { continue }
            if best.map({ distance < $0.distance }) ?? true { best = (candidate, distance) }
        }
        return best?.text
    }
}
