// Wingmirror · Apache-2.0

import OctetText
package import RouteAttribution
import Synchronization
package import TrafficMetrics
import TrafficPipeline

/// The routes of a table as a page lists them: one entry for each set of labels, in the order of the table.
package struct RouteCatalogue: Sendable {
    /// A route and the numbers under which the table has it.
    package struct Entry: Sendable {
        /// What names the route in addresses; the same after a reload, and on every node.
        package let id: String
        /// The labels of its series.
        package let labels: RouteLabels
        /// The numbers of its match entries in the table.
        package let numbers: [Int]
    }

    /// The table.
    package let table: RouteTable
    /// The entries, in the order of the table.
    package let entries: [Entry]
    private let places: [String: Int]
    private let placesByLabels: [RouteLabels: Int]
    private let placesByNumber: [Int]

    /// Lists the routes of a table.
    package init(_ table: RouteTable) {
        self.table = table
        var labels: [RouteLabels] = []
        var numbers: [[Int]] = []
        var places: [RouteLabels: Int] = [:]
        placesByNumber = table.routes.enumerated().map { number, route in
            let own = RouteLabels(route)
            let place = places[own] ?? labels.count
            if place == labels.count {
                places[own] = place
                labels.append(own)
                numbers.append([])
            }
            numbers[place].append(number)
            return place
        }
        entries = zip(labels, numbers).map { Entry(id: $0.id, labels: $0, numbers: $1) }
        placesByLabels = places
        self.places = Dictionary(entries.enumerated().map { ($1.id, $0) }) { first, _ in first }
    }

    /// The entry of an id.
    package subscript(id id: String) -> Entry? { places[id].map { entries[$0] } }

    /// The entry of labels.
    package subscript(labels: RouteLabels) -> Entry? { placesByLabels[labels].map { entries[$0] } }

    /// The entry that has the route of a number in the table.
    func entry(ofRoute number: Int) -> Entry { entries[placesByNumber[number]] }

    /// The first of an entry's match entries; the others differ in what they match alone.
    package func route(of entry: Entry) -> CompiledRoute { table.routes[entry.numbers[0]] }
}

extension RouteLabels {
    /// Names the labels in addresses: sixteen hexadecimal digits, made of the values alone.
    package var id: String {
        var hash = FNV1a()
        let values = [
            gateway, virtualServiceNamespace, virtualService, route, destinationService, destinationSubset,
        ]
        for value in values {
            hash.combine(value.utf8)
            // No value contains 0xFF, which UTF-8 has no use for.
            hash.combine(0xFF)
        }
        return HexadecimalText.digits(of: hash.value)
    }
}

/// Makes a catalogue once for each table.
final class RouteCatalogues: Sendable {
    private let latest = Mutex<RouteCatalogue?>(nil)

    /// The catalogue of a table.
    func catalogue(of table: RouteTable) -> RouteCatalogue {
        latest.withLock { latest in
            if let latest, latest.table === table { return latest }
            let catalogue = RouteCatalogue(table)
            latest = catalogue
            return catalogue
        }
    }
}
