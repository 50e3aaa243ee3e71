// Wingmirror · Apache-2.0

extension Array where Element: Equatable {
    /// The number of elements to insert, delete, replace or swap with their neighbour that make `other` of this; `nil` where it
    /// exceeds the limit.
    ///
    /// This is the distance of optimal string alignment. Its cost is the product of the lengths.
    @inlinable
    public func editDistance(to other: [Element], limit: Int) -> Int? {
        guard abs(count - other.count) <= limit else { return nil }
        var before: [Int] = []
        var previous = [Int](0...other.count)
        for row in indices {
            var current = [row + 1]
            current.reserveCapacity(other.count + 1)
            for column in other.indices {
                var best = Swift.min(
                    previous[column + 1] + 1,
                    current[column] + 1,
                    previous[column] + (self[row] == other[column] ? 0 : 1)
                )
                if row > 0, column > 0, self[row] == other[column - 1], self[row - 1] == other[column] {
                    best = Swift.min(best, before[column - 1] + 1)
                }
                current.append(best)
            }
            guard current.min() ?? 0 <= limit else { return nil }
            before = previous
            previous = current
        }
        let distance = previous[other.count]
        return distance <= limit ? distance : nil
    }
}
