// Wingmirror · Apache-2.0

import JSONSyntax
import OctetText
import TestServers
import TestSupport
import Testing

@testable import KubernetesObjects

/// A day in a cluster that changes all the time, as fast as the machine goes.
@Suite(.timeLimit(.minutes(20)))
struct ChurnTests {
    private static let collection = ResourceCollection(
        GroupVersionResource(group: "", version: "v1", resource: "services"),
        kind: "Service"
    )

    private static func service(_ number: Int, _ revision: Int) -> JSONValue {
        [
            "apiVersion": "v1", "kind": "Service",
            "metadata": ["name": .string("s-\(number)"), "namespace": .string("team-\(number % 7)")],
            "spec": ["ports": [["port": JSONValue(revision)]]],
        ]
    }

    /// What a store holds: each object's version and manifest.
    private static func held(_ store: ObjectStore) -> [ObjectKey: StoredObject] { store[collection]?.objects ?? [:] }

    /// A watch lasts five to ten minutes, so that there are some two hundred in a day; some end with the server's state forgotten,
    /// some because it is away.
    @Test(arguments: [false, true])
    func `after a day of changes and watches that end, what is held is what a fresh list gives`(streams: Bool)
        async throws
    {
        var random = SeededGenerator(seed: 14)
        let cluster = TestCluster()
        let server = try await TestAPIServer { cluster.answer($0) }
        for number in 0..<100 { cluster.apply(Self.service(number, 1)) }
        let rig = WatchRig(server, Self.collection, streams: streams)
        let fresh = WatchRig(server, Self.collection, streams: streams)
        await rig.run { store in
            await rig.until { Self.held(store).count == 100 }
            for turn in 0..<200 {
                for _ in 0..<15 {
                    let number = Int.random(in: 0..<150, using: &random)
                    let object = Self.service(number, turn)
                    if Int.random(in: 0..<4, using: &random) == 0 {
                        cluster.delete(object)
                    } else {
                        cluster.apply(object)
                    }
                }
                switch turn % 4 {
                case 0: cluster.mood = .down
                case 1: cluster.mood = .refusing(410)
                case 2: cluster.mood = .refusing(500)
                default: break
                }
                // Changes that nobody is told of, because no watch is open.
                cluster.apply(Self.service(turn % 150, turn))
                cluster.mood = .well
            }
            await fresh.run { other in
                await fresh.until { !Self.held(other).isEmpty && Self.held(other) == Self.held(store) }
                #expect(Self.held(other) == Self.held(store))
            }
        }
        await server.close()
    }

    /// What the test above leans on: a connection may break between any two events.
    @Test func `a watch that begins later is told of changes in their order, whatever the names`() async throws {
        let cluster = TestCluster()
        let server = try await TestAPIServer { cluster.answer($0) }
        for number in [2, 1, 3] { cluster.apply(Self.service(number, 1)) }
        let transport = HTTPTransport(ClusterAccess(server: server.url)) { 0 }
        let answer = try await transport.send(
            APIRequest(.watch(after: "100"), of: Self.collection, watchSeconds: 300)
        )
        var splitter = EventSplitter()
        var versions: [String] = []
        for try await octets in answer.body {
            try splitter.append(octets) { line in
                if case .present(let object, _) = try WatchEvent(parsing: line) {
                    versions.append(object["metadata"]?["resourceVersion"]?.stringValue ?? "")
                }
            }
            if versions.count == 3 { break }
        }
        #expect(versions == ["101", "102", "103"])
        transport.close()
        await server.close()
    }
}
