// Wingmirror · Apache-2.0

import JSONSyntax
import RouteAttribution
import Synchronization

/// What changed in an agent and in what it goes by, with times: so that a change of the traffic can be laid beside it.
///
/// Bounded; the oldest entries go first. Written a few times an hour by whatever changes something, never by the capture thread.
final class Timeline: Sendable {
    /// What kind of change an entry is about; the raw values are part of the interface.
    enum Kind: String, Sendable, CaseIterable {
        /// The agent was started.
        case started
        /// Other routes are in force.
        case routes
        /// Routes or a configuration were read and refused; what was in force stays.
        case refused
        /// Another configuration is in force.
        case configuration
        /// An interface came, went, or could not be opened.
        case capture
        /// Mirroring was paused or resumed.
        case mirroring
    }

    /// One change.
    struct Entry: Sendable, Equatable {
        /// When, in nanoseconds since the Unix epoch.
        let time: Int64
        /// What kind of change it is.
        let kind: Kind
        /// The generation of the routes that it led to; `nil` for other changes.
        let generation: Int?
        /// What happened, in one line.
        let text: String
        /// What exactly, a line each.
        let details: [String]
    }

    /// How many entries are kept.
    static let limit = 200
    /// How many lines of details an entry has.
    static let detailLimit = 20
    /// Tables with more routes are not compared rule by rule, which takes longer the more there are.
    static let comparedRoutes = 5000

    private let kept = Mutex<[Entry]>([])

    /// The entries, the oldest first.
    var entries: [Entry] { kept.withLock { $0 } }

    /// When other routes came into force last; the first ones, which an agent reads when it starts, are no change.
    var latestRoutesChange: Entry? {
        kept.withLock { $0.last { $0.kind == .routes && ($0.generation ?? 0) > 1 } }
    }

    /// Adds an entry of now.
    func add(_ kind: Kind, _ text: String, details: [String] = [], generation: Int? = nil) {
        var lines = details.prefix(Self.detailLimit).map(\.self)
        if details.count > Self.detailLimit { lines.append("and \(details.count - Self.detailLimit) more") }
        let entry = Entry(time: WallClock.now(), kind: kind, generation: generation, text: text, details: lines)
        kept.withLock { entries in
            if entries.count >= Self.limit { entries.removeFirst() }
            entries.append(entry)
        }
    }

    /// Adds what other tables change; nothing where they are the same.
    ///
    /// - Parameters:
    ///   - before: The tables that were in force; those of generation 0 are of an agent which has read none.
    ///   - after: The tables in force now.
    ///   - number: Their generation.
    func routesReplaced(_ before: RouteTables, by after: RouteTables, generation number: Int) {
        guard number > 1 else {
            add(.routes, "\(Self.counted(after)) read", generation: number)
            return
        }
        guard max(before.routes.count, after.routes.count) <= Self.comparedRoutes else {
            add(.routes, "routes replaced: \(Self.counted(after)), were \(before.routes.count)", generation: number)
            return
        }
        let changes = Self.pairs(before, after).flatMap { RouteTableDifference(before: $0, after: $1).changes }
        let (gone, come) = Self.workloads(before, after)
        let moves = come.map { "the gateway \($0) has come" } + gone.map { "the gateway \($0) has gone" }
        guard let first = moves.first ?? changes.first?.line else { return }
        let objects = Set(changes.compactMap { $0.object?.description }).sorted()
        let subject =
            switch objects.count {
            case _ where !moves.isEmpty: first
            case 0: first
            case 1...3: objects.joined(separator: ", ")
            default: "\(objects[0]), \(objects[1]) and \(objects.count - 2) more"
            }
        add(.routes, "routes changed: \(subject)", details: moves + changes.map(\.line), generation: number)
    }

    /// The tables of one workload before and after.
    private static func pairs(_ before: RouteTables, _ after: RouteTables) -> [(RouteTable, RouteTable)] {
        // The labels of an only workload may change, and it is still the gateway.
        if before.tables.count == 1, after.tables.count == 1 { return [(before.tables[0], after.tables[0])] }
        return after.tables.compactMap { table in
            before.tables.first { $0.environment.workload == table.environment.workload }.map { ($0, table) }
        }
    }

    /// The workloads that are there no more, and those that are new, where there are several.
    private static func workloads(_ before: RouteTables, _ after: RouteTables) -> (gone: [String], come: [String]) {
        guard before.tables.count > 1 || after.tables.count > 1 else { return ([], []) }
        let old = before.tables.map(\.environment.workload)
        let new = after.tables.map(\.environment.workload)
        return (old.filter { !new.contains($0) }, new.filter { !old.contains($0) })
    }

    private static func counted(_ tables: RouteTables) -> String {
        tables.routes.count == 1 ? "1 route" : "\(tables.routes.count) routes"
    }

    /// The entries as the API gives them, the latest first.
    var document: [UInt8] {
        var json = JSONText()
        json.beginObject()
        json.key("changes")
        json.beginList()
        for entry in entries.reversed() { json.value(entry.document) }
        json.endList()
        json.endObject()
        return json.octets
    }
}

extension Timeline.Entry {
    /// The entry as JSON.
    var document: JSONValue {
        [
            "time": .string(WallClock.text(time)), "kind": .string(kind.rawValue),
            "generation": generation.map { JSONValue($0) } ?? .null, "text": .string(text),
            "details": .array(details.map { .string($0) }),
        ]
    }
}

extension RouteChange {
    /// The change with the hosts that it concerns, in one line.
    fileprivate var line: String {
        let most = 3
        let named = hosts.prefix(most).joined(separator: ", ")
        let more = hosts.count > most ? " and \(hosts.count - most) more" : ""
        return hosts.isEmpty ? text : "\(named)\(more): \(text)"
    }
}
