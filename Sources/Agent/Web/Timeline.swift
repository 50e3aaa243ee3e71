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

    /// Adds what another table changes; nothing where it is the same.
    ///
    /// - Parameters:
    ///   - before: The table that was in force; one of generation 0 is that of an agent which has read none.
    ///   - after: The table in force now.
    ///   - number: Its generation.
    func routesReplaced(_ before: RouteTable, by after: RouteTable, generation number: Int) {
        guard number > 1 else {
            add(.routes, "\(Self.counted(after)) read", generation: number)
            return
        }
        guard max(before.routes.count, after.routes.count) <= Self.comparedRoutes else {
            add(.routes, "routes replaced: \(Self.counted(after)), were \(before.routes.count)", generation: number)
            return
        }
        let changes = RouteTableDifference(before: before, after: after).changes
        guard let first = changes.first else { return }
        let objects = Set(changes.compactMap { $0.object?.description }).sorted()
        let subject =
            switch objects.count {
            case 0: first.line
            case 1...3: objects.joined(separator: ", ")
            default: "\(objects[0]), \(objects[1]) and \(objects.count - 2) more"
            }
        add(.routes, "routes changed: \(subject)", details: changes.map(\.line), generation: number)
    }

    private static func counted(_ table: RouteTable) -> String {
        table.routes.count == 1 ? "1 route" : "\(table.routes.count) routes"
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
