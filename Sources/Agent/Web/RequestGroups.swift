// Wingmirror · Apache-2.0

import HTTPReconstruction
import PacketDecoding
import TrafficMetrics
import TrafficPipeline

/// The most frequent kinds of requests among those that were kept to be looked at: a bounded summary of an unbounded
/// stream, by the space-saving algorithm (Metwally, Agrawal, El Abbadi 2005).
///
/// A kind that is not among the groups takes the place of the smallest and inherits its count, so that a count is never
/// too low and at most `overcount` too high, and whatever makes up more than 1/`capacity` of all is among the groups.
struct RequestGroups: Sendable {
    /// What the requests of a group have in common.
    struct Key: Sendable, Hashable {
        /// Why no route took them, or which route did.
        var cause: Cause
        /// The status of the response; 0 without one.
        var status: Int
        /// The value of the Host field, in lower case.
        var host: String
        /// The path without identifiers.
        var path: PathShape
        /// The final status of a gRPC call, where there was one.
        var grpcStatus: Int?
    }

    /// Where requests of a group went.
    enum Cause: Sendable, Hashable {
        case unmatched(UnmatchedReason)
        case route(RouteLabels)
    }

    /// Requests that have the same key.
    struct Group: Sendable {
        /// What they have in common.
        let key: Key
        /// How many there were, reckoned from the sample.
        fileprivate(set) var count: Double
        /// By how much `count` may be too high, because the group took another's place.
        let overcount: Double
        /// How many of them were seen in the sample.
        fileprivate(set) var samples = 0
        /// When the first of them came, in nanoseconds since the Unix epoch.
        let first: Int64
        /// When the latest came.
        fileprivate(set) var last: Int64
        /// Who sent most of them.
        fileprivate(set) var clients = FrequentText()
        /// The software that sent most of them.
        fileprivate(set) var userAgents = FrequentText()
        /// The methods.
        fileprivate(set) var methods = FrequentText()
        /// The latest of them.
        fileprivate(set) var example: RecentExchange
        /// Requests in each stretch of time, by its number modulo the count of stretches.
        fileprivate var steps = [Float](repeating: 0, count: RequestGroups.steps)
    }

    /// How many groups there are at most.
    static let capacity = 200
    /// How many stretches of time the curve of a group has.
    static let steps = 60
    /// How long a stretch is, in nanoseconds: ten seconds, so that all are ten minutes.
    static let step: Int64 = 10_000_000_000

    private var groups: [Key: Group] = [:]
    /// All requests, reckoned from the sample.
    private(set) var total = 0.0

    /// Adds one request of the sample, which stands for `weight` requests.
    mutating func add(_ exchange: RecentExchange, key: Key, weight: Double) {
        let time = exchange.facts.startTime.nanoseconds
        total += weight
        if groups[key] == nil {
            let inherited = groups.count < Self.capacity ? 0 : removeSmallest()
            groups[key] = Group(
                key: key,
                count: inherited,
                overcount: inherited,
                first: time,
                last: time,
                example: exchange
            )
        }
        groups[key]?.take(exchange, at: time, weight: weight)
    }

    private mutating func removeSmallest() -> Double {
        guard let smallest = groups.values.min(by: { $0.count < $1.count }) else { return 0 }
        groups[smallest.key] = nil
        return smallest.count
    }

    /// Drops the groups of which nothing came since `time`, and counts no more what they were.
    mutating func forget(before time: Int64) {
        for group in groups.values where group.last < time {
            total -= group.count - group.overcount
            groups[group.key] = nil
        }
        total = max(total, 0)
        if groups.isEmpty { total = 0 }
    }

    /// The groups that `isWanted`, the largest first.
    func largest(_ limit: Int, where isWanted: (Key) -> Bool = { _ in true }) -> [Group] {
        let wanted = groups.values.filter { isWanted($0.key) }
        return Array(wanted.sorted { ($0.count, $0.last) > ($1.count, $1.last) }.prefix(limit))
    }
}

extension RequestGroups.Group {
    /// The number of the step that a time lies in; times before 1970 have negative ones.
    private static func step(of time: Int64) -> Int64 {
        let (step, rest) = time.quotientAndRemainder(dividingBy: RequestGroups.step)
        return rest < 0 ? step - 1 : step
    }

    /// Where a step is counted.
    private static func place(of step: Int64) -> Int {
        let place = Int(step % Int64(RequestGroups.steps))
        return place < 0 ? place + RequestGroups.steps : place
    }

    fileprivate mutating func take(_ exchange: RecentExchange, at time: Int64, weight: Double) {
        // Steps that were passed over belong to another ten minutes.
        let before = Self.step(of: last)
        let now = Self.step(of: max(time, last))
        if now > before {
            for step in (before + 1)...min(now, before + Int64(RequestGroups.steps)) { steps[Self.place(of: step)] = 0 }
            if now - before > Int64(RequestGroups.steps) { steps[Self.place(of: now)] = 0 }
        }
        steps[Self.place(of: now)] += Float(weight)
        count += weight
        samples += 1
        last = max(last, time)
        example = exchange
        clients.add(exchange.clientAddress)
        if let request = exchange.request {
            methods.add(request.method)
            if let agent = request.firstValue("user-agent") { userAgents.add(agent) }
        }
    }

    /// Requests in the six whole steps before the one that `time` lies in, and in that one: those of a minute, and up to ten
    /// seconds more.
    func lastMinute(until time: Int64) -> Double {
        trend(at: time).suffix(7).reduce(0) { $0 + ($1 ?? 0) } * Double(RequestGroups.step) / 1e9
    }

    /// The share that requests which `lastMinute(until:)` counted have of all.
    ///
    /// - Parameters:
    ///   - requests: What it counted.
    ///   - time: The end of that minute.
    ///   - covered: How many seconds are known: about a minute, or as many as there were.
    ///   - all: All requests per second in these.
    ///   - most: The requests per second that the group's can be a part of.
    /// - Returns: A share from 0 to 1; `nil` without any requests.
    static func share(
        of requests: Double,
        until time: Int64,
        covered: Double,
        _ all: Double,
        within most: Double
    ) -> Double? {
        guard all > 0, covered > 0 else { return nil }
        // It counts whole steps, so up to ten seconds more than a minute, where there were as many.
        let counted = 60 + Double(max(time % RequestGroups.step, 0)) / 1e9
        let perSecond = requests / (covered < 59 ? min(covered, counted) : counted)
        // What is reckoned from a sample is no more than what was counted.
        return min(perSecond, most, all) / all
    }

    /// Requests per second in the ten minutes that end at `time`, the oldest step first.
    func trend(at time: Int64) -> [Double?] {
        let now = Self.step(of: max(time, last))
        let latest = Self.step(of: last)
        return (0..<Int64(RequestGroups.steps)).map { place in
            let step = now - Int64(RequestGroups.steps) + 1 + place
            guard step <= latest, step > latest - Int64(RequestGroups.steps) else { return 0 }
            return Double(steps[Self.place(of: step)]) * 1e9 / Double(RequestGroups.step)
        }
    }
}

extension RecentExchange {
    /// The address of the client, without the port.
    fileprivate var clientAddress: String {
        facts.connection.originalClient.address.description
    }
}

extension RecentMessage {
    /// The value of the first field line of that name, given in lower case; `nil` without one, or where it is hidden.
    package func firstValue(_ name: String) -> String? {
        fields.first { $0.name.lowercased() == name }?.value
    }
}

/// The most frequent of many texts, by space-saving with a few counters (Metwally, Agrawal, El Abbadi 2005).
///
/// A text that has no counter takes the smallest one and inherits its count, which may be too high by that much; what is
/// above it is certain.
struct FrequentText: Sendable {
    private static let capacity = 16
    private static let lengthLimit = 120
    /// A count is shown when at least this share of it is certain.
    private static let certainty = 0.9

    private struct Counter {
        let text: String
        var count: Int
        /// By how much `count` may be too high.
        let overcount: Int

        var certain: Int { count - overcount }
        /// Whether the count is near enough to the truth to be shown.
        var isExact: Bool { Double(certain) >= Double(count) * FrequentText.certainty }
    }

    private var counters: [Counter] = []
    private var total = 0

    /// Counts one.
    mutating func add(_ text: String) {
        let text = text.utf8.count > Self.lengthLimit ? String(text.prefix(Self.lengthLimit)) + "…" : text
        total += 1
        if let place = counters.firstIndex(where: { $0.text == text }) {
            counters[place].count += 1
        } else if counters.count < Self.capacity {
            counters.append(Counter(text: text, count: 1, overcount: 0))
        } else if let place = counters.indices.min(by: { counters[$0].count < counters[$1].count }) {
            let inherited = counters[place].count
            counters[place] = Counter(text: text, count: inherited + 1, overcount: inherited)
        }
    }

    /// Whether nothing was counted.
    var isEmpty: Bool { total == 0 }

    private var most: Counter? {
        counters.max { $0.certain < $1.certain }.flatMap { $0.isExact ? $0 : nil }
    }

    /// The most frequent; `nil` where the counters cannot say which it is.
    var first: String? { most?.text }

    /// The share of the most frequent, which is never too high; `nil` where there is none to name.
    var share: Double? { most.map { Double($0.certain) / Double(total) } }
}
