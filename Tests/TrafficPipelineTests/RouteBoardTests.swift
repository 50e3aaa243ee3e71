// Wingmirror · Apache-2.0

import RouteAttribution
import TestSupport
import Testing
import TrafficMetrics

@testable import TrafficPipeline

/// Generations of routes, while reloads and the limit of series replace them.
@Suite struct RouteBoardTests {
    /// A table of so many routes, each taking one host.
    private static func table(_ count: Int) throws -> RouteTable {
        let services = (0..<count).map { number in
            """
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: service-\(number), namespace: default}
            spec: {hosts: [host-\(number).test], gateways: [g], http: [{route: [{destination: {host: a}}]}]}
            """
        }
        return try RouteTable.onPort8080(yaml: ([OneGateway.manifest] + services).joined(separator: "\n---\n"))
    }

    /// A registry whose limit gives series to few of the routes.
    private static func crampedRegistry() throws -> MetricsRegistry {
        MetricsRegistry(
            configuration: try MetricsConfiguration(seriesLimit: 2 * MetricsConfiguration.leastLabelSetsPerRoute)
        )
    }

    @Test func `each publication has the next number, and capture threads see it once`() throws {
        let board = RouteBoard(RouteTables(try Self.table(1)), registry: MetricsRegistry(), at: 0)
        #expect(board.generation.number == 1)
        #expect(board.generation(newerThan: 1) == nil)
        board.publish(RouteTables(try Self.table(2)), at: 1)
        let second = try #require(board.generation(newerThan: 1))
        #expect(second.number == 2)
        #expect(second.tables.routes.count == 2)
        #expect(second.series.routeCount == 2)
        #expect(board.generation(newerThan: 2) == nil)
    }

    @Test func `a change of admission is a generation of the same table`() throws {
        let registry = try Self.crampedRegistry()
        let board = RouteBoard(RouteTables(try Self.table(8)), registry: registry, at: 0)
        board.reconsiderAdmission(at: 1)
        #expect(board.generation.number == 1, "nothing changes without traffic")
        Self.useLastRoute(of: board.generation, registry.shards[0])
        board.reconsiderAdmission(at: 2)
        #expect(board.generation.number == 2)
        #expect(board.generation.tables.routes.count == 8)
        #expect(board.generation.series.routeCount == 8)
        var page: [UInt8] = []
        TextExposition(.text).write(registry.snapshot(at: 3), into: &page)
        let lines = String(decoding: page, as: UTF8.self).split(separator: "\n")
        #expect(lines.contains("wingmirror_route_table_generation 2.0"))
    }

    /// An index of one table must never lead into the series of another: the wrong rule would be counted, or nothing found.
    @Test(.timeLimit(.minutes(20)))
    func `reloads and changes of admission at the same time never mix two tables`() async throws {
        let registry = try Self.crampedRegistry()
        let tables = [RouteTables(try Self.table(3)), RouteTables(try Self.table(9))]
        let board = RouteBoard(tables[0], registry: registry, at: 0)
        let rounds = 400
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                for round in 0..<rounds { board.publish(tables[round % 2], at: Int64(round)) }
            }
            group.addTask {
                for round in 0..<rounds {
                    Self.useLastRoute(of: board.generation, registry.shards[0])
                    board.reconsiderAdmission(at: Int64(round))
                }
            }
            group.addTask {
                for _ in 0..<rounds {
                    let generation = board.generation
                    #expect(generation.series.routeCount == generation.tables.routes.count)
                }
            }
        }
        #expect(board.generation.number > rounds)
    }

    /// Counts requests for the last route, which the limit leaves without series.
    private static func useLastRoute(of generation: RouteGeneration, _ shard: TrafficShard) {
        shard.routesChanged(to: generation.series)
        for second in 1...3 {
            shard.exchangeCompleted(
                route: generation.series.series(ofRoute: generation.series.routeCount - 1),
                ExchangeObservation(method: .get, status: 200, startedAt: Int64(second) * 1_000_000_000)
            )
        }
    }
}
