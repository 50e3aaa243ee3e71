// Wingmirror · Apache-2.0

/// The exchanges of a board at one moment, those of each kind the latest first.
///
/// Of kinds that are read one after the other, what is put there in between is in one of them and not in the other: who goes on
/// behind the latest number would never see it.
public struct RecentExchanges: Sendable {
    /// Exchanges that a route took, a sample of all.
    public let routed: [RecentExchange]
    /// Exchanges that no route took, a sample of all.
    public let unmatched: [RecentExchange]
    /// Exchanges that failed.
    public let failed: [RecentExchange]
    /// Exchanges of routes that were answered with 4xx.
    public let refused: [RecentExchange]

    init(_ kept: borrowing RecentBoard.Kept) {
        routed = kept.routed.latestFirst
        unmatched = kept.unmatched.latestFirst
        failed = kept.failed.latestFirst
        refused = kept.refused.latestFirst
    }

    /// The number of the latest of all; -1 without any.
    public var latest: Int {
        [routed, unmatched, failed, refused].reduce(-1) { max($0, $1.first?.number ?? -1) }
    }

    /// Each exchange once, of whatever kinds it is, the latest first.
    public var latestFirst: [RecentExchange] {
        var seen: Set<Int> = []
        return (routed + unmatched + failed + refused).sorted { $0.number > $1.number }
            .filter { seen.insert($0.number).inserted }
    }
}
