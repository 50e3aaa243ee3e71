// Wingmirror · Apache-2.0

internal import HTTPReconstruction
internal import PacketDecoding
internal import RouteAttribution
internal import TLSDecryption

/// Keeps some exchanges to be looked at, on the capture thread.
///
/// Whether a request's head is kept is decided when it arrives, by permits that packet time grants: a few in a second,
/// whatever the load. Requests that no route took have permits of their own, and so have routes that have not had their
/// turn for a while, so that a busy route does not hide a quiet one. To all others this costs two comparisons. Failures and
/// refusals (4xx) cannot be foreseen: those of requests whose heads were not kept are noted without them. What was kept is
/// handed over at the end of a batch, unless somebody is looking; then at the end of a later one.
struct RecentTap {
    private let board: RecentBoard
    private let limits: RecentLimits
    private var sampled: Permits
    private var inTurn: Permits
    private var unmatched: Permits
    private var failed: Permits
    private var refused: Permits
    /// What was decided on again when an exchange is complete, as others may have had its heads kept.
    private var completed: Permits
    private var completedUnmatched: Permits
    /// The routes that have had their turn, by their numbers.
    private var hadTurn: [Bool] = []
    private var turnBegan: PacketTime?
    private var batchTime: PacketTime?
    private var waiting: [WaitingExchange] = []

    /// Hands over to `board`.
    init(_ board: RecentBoard) {
        self.board = board
        limits = board.limits
        let permits = Permits(perSecond: limits.perSecond, burst: limits.burst)
        sampled = permits
        inTurn = permits
        unmatched = permits
        failed = permits
        refused = permits
        completed = Permits(perSecond: 2 * limits.perSecond, burst: 2 * limits.burst)
        completedUnmatched = permits
    }

    // MARK: - Requests

    /// A request was decided on.
    ///
    /// - Parameter route: The number of its route; negative if none took it.
    /// - Returns: Whether its head is to be kept.
    mutating func requestArrived(route: Int32) -> Bool {
        guard route >= 0 else { return unmatched.take() }
        let place = Int(route)
        if place >= hadTurn.count || !hadTurn[place], inTurn.take() {
            noteTurn(place)
            return true
        }
        return sampled.take()
    }

    private mutating func noteTurn(_ place: Int) {
        if place >= hadTurn.count {
            hadTurn += repeatElement(false, count: place + 1 - hadTurn.count)
        }
        hadTurn[place] = true
    }

    // MARK: - Exchanges

    /// An exchange is complete.
    ///
    /// - Parameters:
    ///   - facts: What it was.
    ///   - exchange: The exchange, with its heads if they were kept, for the tap or for another.
    ///   - session: What is known of the connection's TLS.
    ///   - routed: The decision on its request.
    ///   - generation: The generation that decided.
    @inline(__always)
    mutating func exchangeCompleted(
        _ facts: ExchangeFacts,
        _ exchange: borrowing Exchange,
        _ session: TLSSession?,
        _ routed: RoutedRequest,
        _ generation: RouteGeneration
    ) {
        let isOfInterest = facts.status >= 400 || !facts.hasResponse || facts.outcome.isFailedCall
        guard isOfInterest || exchange.retainedRequest != nil else { return }
        keep(facts, exchange, session, routed, generation)
    }

    private mutating func keep(
        _ facts: ExchangeFacts,
        _ exchange: borrowing Exchange,
        _ session: TLSSession?,
        _ routed: RoutedRequest,
        _ generation: RouteGeneration
    ) {
        let route = routed.certainRoute
        let request = exchange.retainedRequest
        var isSample = request != nil
        if isSample { isSample = route >= 0 ? completed.take() : completedUnmatched.take() }
        // Who asks for what is not there gets no answer from a route, which is no failure of one.
        let place: RecentPlace? = route >= 0 ? placeBesideSamples(facts) : nil
        guard isSample || place != nil else { return }
        let kept = RecentExchange(
            facts,
            route: route >= 0 ? generation.tables.routes[Int(route)] : nil,
            reason: routed.reason,
            serverName: session.flatMap {
                $0.serverName.isEmpty ? nil : String(decoding: $0.serverName, as: UTF8.self)
            },
            request: request.map(message),
            response: exchange.retainedResponse.map(message)
        )
        if isSample { wait(kept, at: .samples) }
        if let place { wait(kept, at: place, isSameAsBefore: isSample) }
    }

    /// Where an exchange of a route is kept for how it came out, as far as permits go.
    private mutating func placeBesideSamples(_ facts: ExchangeFacts) -> RecentPlace? {
        if facts.isFailure { return failed.take() ? .failed : nil }
        return facts.isRefusal && refused.take() ? .refused : nil
    }

    private func message(_ message: RetainedMessage) -> RecentMessage {
        RecentMessage(message, redactedFields: board.redactedFields, limit: limits.headOctets)
    }

    /// Lets an exchange wait for the end of the batch; with as many waiting as are kept at all, the oldest goes.
    private mutating func wait(_ exchange: RecentExchange, at place: RecentPlace, isSameAsBefore: Bool = false) {
        if waiting.count >= limits.exchanges, !waiting.isEmpty { waiting.removeFirst() }
        waiting.append(WaitingExchange(exchange: exchange, place: place, isSameAsBefore: isSameAsBefore))
    }

    /// Memory is short: gives up what waits, and what was kept.
    ///
    /// If somebody is looking just now, what was kept stays until memory is short again; it is little.
    mutating func giveUp() {
        waiting = []
        _ = board.publish { $0.removeAll() }
    }

    // MARK: - Between batches

    /// Grants permits for the time since the batch before, and hands over what was kept.
    ///
    /// - Parameter time: The time of the latest packet.
    mutating func batchEnded(at time: PacketTime?) {
        if let time { grant(at: time) }
        guard !waiting.isEmpty else { return }
        let waiting = waiting
        let isTaken = board.publish { $0.append(waiting) }
        if isTaken { self.waiting.removeAll(keepingCapacity: true) }
    }

    private mutating func grant(at time: PacketTime) {
        let elapsed = batchTime.map { max(0, time.nanoseconds(since: $0)) } ?? 0
        batchTime = time
        sampled.grant(elapsed)
        inTurn.grant(elapsed)
        unmatched.grant(elapsed)
        failed.grant(elapsed)
        refused.grant(elapsed)
        completed.grant(elapsed)
        completedUnmatched.grant(elapsed)
        guard time.nanoseconds(since: turnBegan ?? time) < limits.turnNanoseconds, turnBegan != nil else {
            turnBegan = time
            hadTurn.removeAll(keepingCapacity: true)
            return
        }
    }
}

/// Permits of which time grants so many a second, up to a number that may be saved.
private struct Permits {
    private let perSecond: Int64
    private let most: Int64
    /// Billionths of permits.
    private var saved: Int64

    private static let whole: Int64 = 1_000_000_000

    init(perSecond: Int, burst: Int) {
        self.perSecond = Int64(perSecond)
        most = Int64(burst) * Self.whole
        saved = most
    }

    /// Uses one up, if there is one.
    @inline(__always)
    mutating func take() -> Bool {
        guard saved >= Self.whole else { return false }
        saved -= Self.whole
        return true
    }

    /// Time has passed.
    mutating func grant(_ nanoseconds: Int64) {
        // A pause longer than an hour grants no more than an hour does, which keeps the product small.
        saved = min(most, saved + min(nanoseconds, 3_600_000_000_000) * perSecond)
    }
}
