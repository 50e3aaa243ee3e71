// Wingmirror · Apache-2.0

import HTTPReconstruction
import OctetText
package import RouteAttribution
import Synchronization
package import TrafficMetrics
package import TrafficPipeline

/// The routes of the tables in force as a page lists them: one entry for each set of labels, in the order of the tables.
package struct RouteCatalogue: Sendable {
    /// A route and the numbers under which the table has it.
    package struct Entry: Sendable {
        /// What names the route in addresses; the same after a reload, and on every node.
        package let id: String
        /// The labels of its series.
        package let labels: RouteLabels
        /// The numbers of its match entries in the tables.
        package let numbers: [Int]
    }

    /// The tables.
    package let tables: RouteTables
    /// Which workload is behind an address.
    private let places: GatewayPlaces
    /// The entries, in the order of the tables.
    package let entries: [Entry]
    private let placesByID: [String: Int]
    private let placesByLabels: [RouteLabels: Int]
    private let placesByNumber: [Int]

    /// Lists the routes of tables.
    package init(_ tables: RouteTables, places: GatewayPlaces = GatewayPlaces()) {
        self.tables = tables
        self.places = places
        var labels: [RouteLabels] = []
        var numbers: [[Int]] = []
        var known: [RouteLabels: Int] = [:]
        placesByNumber = tables.routes.enumerated().map { number, route in
            let own = RouteLabels(route)
            let place = known[own] ?? labels.count
            if place == labels.count {
                known[own] = place
                labels.append(own)
                numbers.append([])
            }
            numbers[place].append(number)
            return place
        }
        entries = zip(labels, numbers).map { Entry(id: $0.id, labels: $0, numbers: $1) }
        placesByLabels = known
        placesByID = Dictionary(entries.enumerated().map { ($1.id, $0) }) { first, _ in first }
    }

    /// The entry of an id.
    package subscript(id id: String) -> Entry? { placesByID[id].map { entries[$0] } }

    /// The entry of labels.
    package subscript(labels: RouteLabels) -> Entry? { placesByLabels[labels].map { entries[$0] } }

    /// The entry that has the route of a number in the tables.
    func entry(ofRoute number: Int) -> Entry { entries[placesByNumber[number]] }

    /// The first of an entry's match entries; the others differ in what they match alone.
    package func route(of entry: Entry) -> CompiledRoute { tables.routes[entry.numbers[0]] }

    /// The workload that an exchange was with.
    func workload(of exchange: RecentExchange) -> Int {
        places.workload(of: exchange.facts.connection.server, in: tables)
    }
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

/// Makes a catalogue once for each reload of the tables.
final class RouteCatalogues: Sendable {
    private let latest = Mutex<RouteCatalogue?>(nil)

    /// The catalogue of a generation's tables.
    func catalogue(of generation: RouteGeneration) -> RouteCatalogue {
        latest.withLock { latest in
            if let latest, latest.tables === generation.tables { return latest }
            let catalogue = RouteCatalogue(generation.tables, places: generation.places)
            latest = catalogue
            return catalogue
        }
    }
}
