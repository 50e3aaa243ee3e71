// Wingmirror · Apache-2.0

internal import OctetText

/// How far texts lie apart, to name what somebody probably meant.
enum EditDistance {
    /// The number of octets to insert, delete, replace or swap with their neighbour; `nil` where it exceeds the limit.
    ///
    /// Only the first 256 octets of each count.
    static func between(_ first: String, _ second: String, limit: Int) -> Int? {
        Array(first.utf8.prefix(256)).editDistance(to: Array(second.utf8.prefix(256)), limit: limit)
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
