// Wingmirror · Apache-2.0

/// Which routes have series of their own, and until when.
///
/// Routes are admitted by configuration and not by which request comes first: when a table is published or, where some
/// had to be folded, when admission is reconsidered. The order is traffic, then labels. A route with much more traffic
/// than one that was admitted takes its place, but only after the other's series have been withdrawn as those of a
/// removed route are: they keep their values for a grace, and then go all at once.
struct RouteAdmission: Sendable {
    private let layout: ShardLayout
    private let shardCount: Int
    private let limit: Int
    private var nextSerial: UInt32 = 1
    /// By slot.
    private(set) var records: [RouteRecord?] = []
    private var freeSlots: [Int] = []
    private var slots: [RouteLabels: Int] = [:]

    /// How long series outlive their route at least, in nanoseconds and in scrapes.
    static let grace: (nanoseconds: Int64, scrapes: Int) = (15 * 60 * 1_000_000_000, 3)
    /// How many times the traffic of an admitted route another must have to take its place.
    static let hysteresis: UInt64 = 2

    init(layout: ShardLayout, shardCount: Int, limit: Int) {
        self.layout = layout
        self.shardCount = shardCount
        self.limit = limit
    }

    /// The slot of a route that is known.
    func slot(of labels: RouteLabels) -> Int? {
        slots[labels]
    }

    /// The routes whose series are shown.
    var exposed: [RouteRecord] {
        records.compactMap { $0 }.filter(\.isExposed)
    }

    /// How many requests were counted under the names of routes whose series are shown.
    var requestCount: UInt64 {
        records.reduce(0) { total, record in
            guard let record, record.isExposed else { return total }
            return record.cells.reduce(total) { $0 &+ $1.requestCount }
        }
    }

    /// Whether some route of the table has no series.
    var hasFolded: Bool {
        records.contains { $0?.status == .folded }
    }

    // MARK: - Events

    /// Takes the routes of a new table: admits new ones as long as there is room, and starts the grace of removed ones.
    mutating func routesPublished(_ wanted: [RouteLabels], at now: Int64) {
        var isWanted = [Bool](repeating: false, count: records.count)
        var unknown: Set<RouteLabels> = []
        for labels in wanted {
            if let slot = slots[labels] { isWanted[slot] = true } else { unknown.insert(labels) }
        }
        for slot in records.indices {
            if !isWanted[slot] {
                routeRemoved(at: slot, now: now)
            } else if case .removed = records[slot]?.status {
                setStatus(.admitted, at: slot)
            }
        }
        for labels in unknown.sorted() {
            insert(labels)
        }
        admitFolded(at: now)
    }

    /// Gives the places by the traffic since the last time; the table must be made anew if this gives true.
    mutating func reconsidered(at now: Int64) -> Bool {
        guard hasFolded else { return false }
        var changed = admitFolded(at: now)
        let challengers = rankedFolded().filter { windowTraffic(at: $0) > 0 }
        let pending = records.count { if case .displaced = $0?.status { true } else { false } }
        var incumbents = rankedAdmitted().reversed()[...]
        for challenger in challengers.dropFirst(pending) {
            guard let incumbent = incumbents.popFirst(),
                windowTraffic(at: challenger) > Self.hysteresis * windowTraffic(at: incumbent)
            else { break }
            setStatus(.displaced(Withdrawal(since: now)), at: incumbent)
            changed = true
        }
        for slot in records.indices {
            records[slot]?.startWindow()
        }
        return changed
    }

    /// Counts a scrape, after which series whose grace is over are gone.
    mutating func scraped(at now: Int64) {
        for slot in records.indices {
            switch records[slot]?.status {
            case .removed(var withdrawal):
                withdrawal.scrapes += 1
                withdrawal.isOver(at: now) ? forget(slot) : setStatus(.removed(withdrawal), at: slot)
            case .displaced(var withdrawal):
                withdrawal.scrapes += 1
                setStatus(withdrawal.isOver(at: now) ? .folded : .displaced(withdrawal), at: slot)
            case .admitted, .folded, nil:
                break
            }
        }
    }

    // MARK: - Changes of one route

    private mutating func insert(_ labels: RouteLabels) {
        let slot = freeSlots.popLast() ?? records.count
        if slot == records.count { records.append(nil) }
        records[slot] = RouteRecord(labels: labels, serial: nextSerial, cells: makeCells())
        nextSerial += 1
        slots[labels] = slot
    }

    private mutating func routeRemoved(at slot: Int, now: Int64) {
        switch records[slot]?.status {
        case .admitted: setStatus(.removed(Withdrawal(since: now)), at: slot)
        case .displaced(let withdrawal): setStatus(.removed(withdrawal), at: slot)
        case .folded: forget(slot)
        case .removed, nil: break
        }
    }

    /// Gives the free places to folded routes in their order; says whether any got one.
    @discardableResult
    private mutating func admitFolded(at now: Int64) -> Bool {
        let free = max(0, limit - records.count { $0?.isExposed ?? false })
        // At the limit there is nothing to give, and thousands of routes need no order.
        guard free > 0 else { return false }
        let admitted = rankedFolded().prefix(free)
        for slot in admitted {
            // Series that were withdrawn begin again at zero, in cells that no reader has seen.
            if records[slot]?.hasCounts ?? false {
                let fresh = makeCells()
                records[slot]?.beginAgain(with: fresh)
            }
            records[slot]?.exposedSince = now
            setStatus(.admitted, at: slot)
        }
        return !admitted.isEmpty
    }

    private mutating func setStatus(_ status: RouteRecord.Status, at slot: Int) {
        records[slot]?.status = status
        for cells in records[slot]?.cells ?? [] {
            cells.setFolded(!status.countsByName)
        }
    }

    private mutating func forget(_ slot: Int) {
        guard let record = records[slot] else { return }
        // A table in use may still lead to these cells, and what they count would be seen by nobody.
        setStatus(.folded, at: slot)
        slots[record.labels] = nil
        records[slot] = nil
        freeSlots.append(slot)
    }

    private func makeCells() -> [RouteCells] {
        (0..<shardCount).map { _ in RouteCells(layout: layout) }
    }

    // MARK: - Order

    private func rankedFolded() -> [Int] {
        ranked { $0.status == .folded }
    }

    private func rankedAdmitted() -> [Int] {
        ranked { $0.status == .admitted }
    }

    /// The slots of some routes, the one with the most traffic first, by labels where that is equal.
    private func ranked(_ isIncluded: (RouteRecord) -> Bool) -> [Int] {
        let candidates = records.indices.compactMap { slot -> (slot: Int, traffic: UInt64, labels: RouteLabels)? in
            guard let record = records[slot], isIncluded(record) else { return nil }
            return (slot, record.windowTraffic, record.labels)
        }
        return candidates.sorted { ($1.traffic, $0.labels) < ($0.traffic, $1.labels) }.map(\.slot)
    }

    private func windowTraffic(at slot: Int) -> UInt64 {
        records[slot]?.windowTraffic ?? 0
    }
}

/// A route that has, had or could have series.
struct RouteRecord: Sendable {
    /// What never changes of a record; apart, so that a copy of the record is two references and not one for each label.
    private final class Name: Sendable {
        let labels: RouteLabels
        let block: LabelBlock
        let serial: UInt32

        init(_ labels: RouteLabels, serial: UInt32) {
            self.labels = labels
            self.serial = serial
            block = LabelBlock(names: MetricCatalogue.routeLabels, values: labels.values)
        }
    }

    private let name: Name
    /// The counters in each shard.
    private(set) var cells: [RouteCells]
    var status = Status.folded
    /// When the series that the route has from the beginning began, in nanoseconds since the Unix epoch.
    var exposedSince: Int64 = 0
    private var trafficBeforeWindow: UInt64 = 0

    enum Status: Sendable, Equatable {
        /// In the table, with series. May be followed by `removed` and `displaced`.
        case admitted
        /// In the table, without series. May be followed by `admitted`, or the record goes.
        case folded
        /// No longer in the table; the series stay for a grace. May be followed by `admitted`, or the record goes.
        case removed(Withdrawal)
        /// Gives its place to another route; the series stay as they are for a grace. May be followed by `folded`
        /// and `removed`.
        case displaced(Withdrawal)

        /// Whether what the route does now is counted under its name.
        var countsByName: Bool {
            switch self {
            case .admitted, .removed: true
            case .folded, .displaced: false
            }
        }
    }

    init(labels: RouteLabels, serial: UInt32, cells: [RouteCells]) {
        name = Name(labels, serial: serial)
        self.cells = cells
        for cells in cells {
            cells.setFolded(true)
        }
    }

    var labels: RouteLabels { name.labels }

    var block: LabelBlock { name.block }

    /// Tells the route from others that had the slot before.
    var serial: UInt32 { name.serial }

    var isExposed: Bool {
        status != .folded
    }

    /// Whether anything was counted under the route's name.
    var hasCounts: Bool {
        cells.contains { $0.requestCount > 0 }
    }

    /// When the latest request began, under whatever name it was counted.
    var lastRequestAt: Int64? {
        cells.compactMap(\.lastRequestAt).max()
    }

    /// The exchanges since `startWindow`, whatever name they were counted under.
    var windowTraffic: UInt64 {
        traffic &- trafficBeforeWindow
    }

    /// Replaces the counters by new ones, so that the series begin at zero.
    mutating func beginAgain(with cells: [RouteCells]) {
        // No shard has the new cells yet, so this side may still write to them.
        if let last = lastRequestAt { cells.first?.noteRequest(at: last) }
        self.cells = cells
        trafficBeforeWindow = 0
    }

    mutating func startWindow() {
        trafficBeforeWindow = traffic
    }

    private var traffic: UInt64 {
        // 2^64 requests are out of reach.
        cells.reduce(0) { $0 &+ $1.requestCount &+ $1.foldedExchangeCount }
    }
}

/// Since when series wait to be withdrawn, and how many scrapes have seen them since.
struct Withdrawal: Sendable, Equatable {
    let since: Int64
    var scrapes = 0

    init(since: Int64) {
        self.since = since
    }

    func isOver(at now: Int64) -> Bool {
        // A clock that was set back ends no grace, and one at the ends of the range wraps.
        scrapes >= RouteAdmission.grace.scrapes && now &- since >= RouteAdmission.grace.nanoseconds
    }
}
