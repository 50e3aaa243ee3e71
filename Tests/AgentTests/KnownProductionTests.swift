// Wingmirror · Apache-2.0

import AdminServer
import MirrorDispatch
import ResourceFiles
import RouteAttribution
import ShadowTesting
import Synchronization
import TestSupport
import Testing

@testable import Agent
@testable import AgentConfiguration

@Suite(.timeLimit(.minutes(20)))
struct KnownProductionTests {
    /// Tables whose routes have so many destinations, `d0`, `d1` and so on.
    private static func tables(_ count: Int) throws -> RouteTables {
        let routes = (0..<count).map { number in
            "{match: [{uri: {exact: /\(number)}}], route: [{destination: {host: d\(number).test}}]}"
        }
        let objects = OneGateway.manifest(with: "v", host: "shop.test", rules: "[\(routes.joined(separator: ", "))]")
        let resources = RouteResources(decoding: try YAMLDocuments.parse(objects).map(\.value))
        return RouteTables(RouteTable.compile(resources, environment: RouteEnvironment()).table)
    }

    private static func target(_ address: String) -> MirrorTarget {
        MirrorTarget(name: "staging", usesTLS: false, host: address, port: 8080, hosts: [address])
    }

    private static func isRefused(_ address: String, by production: KnownProduction) -> Bool {
        production.refusal(of: target(address), resolvedTo: [address]) != nil
    }

    @Test func `a name server that does not answer takes no address from production`() async throws {
        let resolver = TableResolver()
        resolver.addresses.withLock { $0 = ["d0.test": "10.9.0.1", "d1.test": "10.9.0.2"] }
        let production = KnownProduction(Configuration(), resolver: resolver)
        production.tablesReplaced(try Self.tables(2))
        await production.lookUpDestinations()
        #expect(Self.isRefused("10.9.0.1", by: production) && Self.isRefused("10.9.0.2", by: production))
        resolver.addresses.withLock { $0 = ["d1.test": "10.9.0.3"] }
        await production.lookUpDestinations()
        #expect(Self.isRefused("10.9.0.1", by: production) && Self.isRefused("10.9.0.3", by: production))
        #expect(!Self.isRefused("10.9.0.2", by: production))
        // What no route leads to any more is production no more.
        production.tablesReplaced(try Self.tables(1))
        await production.lookUpDestinations()
        #expect(Self.isRefused("10.9.0.1", by: production) && !Self.isRefused("10.9.0.3", by: production))
    }

    @Test func `of many destinations all are looked up first, and then each in its turn`() async throws {
        let count = KnownProduction.namesPerRound * 2 + 10
        let resolver = TableResolver()
        for number in 0..<count {
            resolver.addresses.withLock { $0["d\(number).test"] = "10.\(number / 200).1.\(number % 200)" }
        }
        let production = KnownProduction(Configuration(), resolver: resolver)
        production.tablesReplaced(try Self.tables(count))
        #expect(production.isFirstLookUpDue)
        await production.lookUpDestinations()
        #expect(!production.isFirstLookUpDue)
        for number in 0..<count { #expect(Self.isRefused("10.\(number / 200).1.\(number % 200)", by: production)) }
        resolver.asked.withLock { $0 = [] }
        for _ in 0..<3 { await production.lookUpDestinations() }
        #expect(resolver.asked.withLock { Set($0).count } == count)
        #expect(resolver.asked.withLock(\.count) == KnownProduction.namesPerRound * 3)
    }

    @Test func `mirroring that is off can be neither paused nor judged anew, until a reload switches it on`() throws {
        let mirroring = Mirroring(Configuration())
        #expect(mirroring.setPaused(true) == .missing("mirroring is off (mirror.enabled)"))
        #expect(mirroring.judgeAgain(policy: nil) == .missing("mirroring is off (mirror.enabled)"))
        #expect(mirroring.queue.pauseReasons(now: 0).isEmpty)
        var configuration = MirrorConfiguration()
        configuration.enabled = true
        try mirroring.plans.configure(configuration)
        #expect(mirroring.setPaused(true) == .missing("nothing is mirrored: there are no mirror.policies"))
        configuration.policies = [MirrorPolicy(name: "canary", targets: ["staging"])]
        configuration.targets = [Self.target("192.0.2.1")]
        try mirroring.plans.configure(configuration)
        #expect(mirroring.setPaused(true) == .document(Array("mirroring is paused".utf8)))
        #expect(mirroring.setPaused(false) == .document(Array("mirroring goes on".utf8)))
    }
}

/// Knows the addresses that it is given, and notes what it is asked.
private final class TableResolver: HostResolver {
    let addresses = Mutex<[String: String]>([:])
    let asked = Mutex<[String]>([])

    func addresses(of host: String) async throws -> [String] {
        asked.withLock { $0.append(host) }
        guard let address = addresses.withLock({ $0[host] }) else { throw HostResolverError("no answer") }
        return [address]
    }
}
